"""StarGAN v2: whose branch answers, what is minimised, how diversity falls, references, and sizes."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from gan_framework.api import SAMPLES, Batch, ConfigError, DataShape, Latent
from gan_framework.core import seeding
from gan_framework.storage.pictures import EDGE
from gan_zoo.styled_domains import (
    DomainDiscriminator,
    PreActivation,
    StyledGenerator,
    StyledNorm,
    StyleEncoder,
    StyleMapping,
    of_domain,
)
from gan_zoo.systems.starganv2 import Alike, References, ReferenceStyle, _two_of
from tests.zoo.editing.common import batch_of, started

SMALL = [
    *("networks.generator.width=2", "networks.generator.style_dim=5", "networks.mapping.hidden=4"),
    *("networks.generator.blocks=1", "networks.style_encoder.width=2", "networks.discriminator.width=2"),
    *("networks.style_encoder.style_dim=5", "networks.mapping.style_dim=5", "prior.dim=3"),
]


def game_of(compose, *overrides, classes=4, double=True):
    return started(compose, "starganv2", *SMALL, *overrides, shape=DataShape((1, 16, 16), classes), double=double)


def test_the_papers_networks_have_the_authors_sizes():
    # Printed by the authors' program for two domains of 256 pixels; the generator is that without high-pass filters.
    with torch.device("meta"):
        mapping, encoder = StyleMapping(2, 16, 64, 512), StyleEncoder(2, 256, 3, 64, 64, 512)
        judge, generator = DomainDiscriminator(2, 256, 3, 64, 512), StyledGenerator(3, 64, 64, 512, 4, 2)
        style = encoder(torch.zeros(2, 3, 256, 256), torch.zeros(2, dtype=torch.int64))
        made = generator(torch.zeros(2, 0), None, {SAMPLES: torch.zeros(2, 3, 256, 256), "style": style})
    sizes = [sum(p.numel() for p in network.parameters()) for network in (mapping, encoder, judge, generator)]
    assert sizes[:3] == [2_438_272, 20_916_928, 20_852_290]
    assert sizes[3] == 33_892_995
    assert made.shape == (2, 3, 256, 256) and style.shape == (2, 64)


def test_a_branch_answers_for_its_own_domain():
    answers = torch.arange(12.0).view(3, 4)
    assert of_domain(answers, torch.tensor([2, 0, 3])).tolist() == [2, 4, 11]
    assert of_domain(answers[..., None], torch.tensor([1, 1, 1])).tolist() == [[1], [5], [9]]
    with pytest.raises(ValueError, match="no labels"):
        of_domain(answers, None)


@pytest.mark.parametrize("kind", ["judge", "encoder", "mapping"])
def test_only_the_branch_of_a_samples_domain_learns_of_it(kind):
    networks = {
        "judge": (DomainDiscriminator(3, 16, 1, 2, 4), (2, 1, 16, 16)),
        "encoder": (StyleEncoder(3, 16, 1, 5, 2, 4), (2, 1, 16, 16)),
        "mapping": (StyleMapping(3, 6, 5, 4), (2, 6)),
    }
    network, shape = networks[kind]
    said = network(torch.randn(shape), torch.tensor([2, 0]))
    (said.logits if kind == "judge" else said).square().sum().backward()
    if kind == "judge":
        reached = network.output.weight.grad.abs().sum(1) > 0
    else:
        reached = torch.tensor(
            [any((p.grad is not None) and bool(p.grad.any()) for p in b.parameters()) for b in network.branches]
        )
    assert reached.tolist() == [True, False, True]


def test_a_styled_norm_has_the_moments_that_the_style_asks_for():
    norm = StyledNorm(1, 2).double()
    with torch.no_grad():
        norm.moments.weight.copy_(torch.tensor([[2.0], [0.5], [3.0], [-1.0]]))
        norm.moments.bias.zero_()
    made = norm(torch.randn(1, 2, 50, 50, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64))[0].flatten(1)
    torch.testing.assert_close(made.mean(1), torch.tensor([3.0, -1.0]).double())
    torch.testing.assert_close(made.std(1, correction=0), torch.tensor([3.0, 1.5]).double(), rtol=1e-4, atol=0)


def test_a_block_without_residual_is_its_shortcut_over_the_root_of_two():
    block = PreActivation(2, 2, True, False)
    torch.nn.init.zeros_(block.residual[-1].weight)
    torch.nn.init.zeros_(block.residual[-1].bias)
    x = torch.randn(1, 2, 4, 4)
    torch.testing.assert_close(block(x), F.avg_pool2d(x, 2) / 2**0.5)


def test_the_losses_are_those_of_the_paper(compose):
    game = game_of(compose, "game.style=2", "game.diversity=3", "game.cycle=5", "game.diversity_steps=10")
    batch = batch_of([0, 1, 2, 3])
    seeding.reseed(0, "one")
    meeting = game.meet(batch)
    latent = meeting["latent"].latent
    asked, given = latent.labels, latent.given
    generator, mapping, encoder, judge = (
        game.network(name) for name in ("generator", "mapping", "style_encoder", "discriminator")
    )

    def styled(x, style):
        return generator(torch.zeros(4, 0), None, {SAMPLES: x, "style": style})

    expected = {}
    for pair, styles in (
        ("latent", (mapping(latent.z, asked), mapping(given["other_z"], asked))),
        ("reference", (encoder(given["reference"], asked), encoder(given["other_reference"], asked))),
    ):
        made = styled(batch.samples, styles[0])
        back = styled(made, encoder(batch.samples, batch.labels))
        expected |= {
            f"adversarial_{pair}": F.softplus(-judge(made, asked).logits).mean(),
            f"style_{pair}": 2 * (styles[0] - encoder(made, asked)).abs().mean(),
            f"diversity_{pair}": -3 * (made - styled(batch.samples, styles[1])).abs().mean(),
            f"cycle_{pair}": 5 * (batch.samples - back).abs().mean(),
        }
    losses = game.player("generator").evaluate(meeting)
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        assert float(losses[name].detach()) == pytest.approx(float(value.detach()), abs=1e-6), name
    assert game.player("mapping").evaluate(game.meet(batch)).keys() == {"adversarial", "style", "diversity", "cycle"}


def test_the_judge_minimises_both_pairs_and_r1_with_the_papers_weight(compose):
    game = game_of(compose)
    batch = batch_of([0, 1, 2, 3])
    meeting = game.meet(batch).detached()
    losses = game.player("discriminator").evaluate(meeting)
    judge, asked = game.discriminator, meeting["latent"].latent.labels
    x = batch.samples.clone().requires_grad_()
    real = judge(x, batch.labels).logits
    (gradient,) = torch.autograd.grad(real.sum(), x)
    r1 = 0.5 * gradient.square().flatten(1).sum(1).mean()
    for pair in ("latent", "reference"):
        fake = judge(meeting[pair].fake, asked).logits
        wanted = F.softplus(-real).mean() + F.softplus(fake).mean()
        assert float(losses[f"adversarial_{pair}"].detach()) == pytest.approx(float(wanted.detach()), abs=1e-9)
        assert float(losses[f"r1_{pair}"].detach()) == pytest.approx(float(r1), abs=1e-9)


def test_more_diverse_images_have_a_lower_loss_whose_weight_falls_along_a_line_to_none():
    game = SimpleNamespace(styled=lambda x, style: style)
    term = Alike()
    term._game = (game,)

    def loss(apart):
        fake = torch.zeros(2, 1, 2, 2, requires_grad=True)
        pair = SimpleNamespace(fake=fake, batch=SimpleNamespace(samples=None), other=lambda: fake.detach() + apart)
        return term(pair, None)

    assert [float(loss(apart).detach()) for apart in (0.0, 0.5, 2.0)] == [0.0, -0.5, -2.0]


def test_the_weight_of_diversity_follows_the_updates(compose):
    game = game_of(compose, "game.diversity=2", "game.diversity_steps=4")
    for player in ("generator", "mapping"):
        plan = game.player(player).plans["diversity"]
        assert [plan.factor(updates) for updates in (0, 1, 2, 4, 9)] == [2, 1.5, 1, 0, 0]


def test_references_teach_the_generator_alone(compose):
    game = game_of(compose)
    generator, encoder = game.network("generator"), game.network("style_encoder")
    losses = game.player("generator").evaluate(game.meet(batch_of([0, 1, 2, 3])))
    parameters = [*generator.parameters(), *encoder.parameters()]

    def reached(pair):
        total = sum(loss for name, loss in losses.items() if name.endswith(f"_{pair}"))
        found = torch.autograd.grad(total, parameters, allow_unused=True, retain_graph=True)
        some = [gradient is not None and bool(gradient.any()) for gradient in found]
        return any(some[: len([*generator.parameters()])]), any(some[len([*generator.parameters()]) :])

    assert reached("latent") == (True, True)
    assert reached("reference") == (True, False)


def test_the_mapping_network_has_a_hundredth_of_the_learning_rate(compose):
    game = game_of(compose)
    rates = {name: game.player(name).optimizer.defaults["lr"] for name in game.players}
    assert rates == {"discriminator": 1e-4, "generator": 1e-4, "mapping": 1e-6}
    mapping = {id(p) for p in game.network("mapping").parameters()}
    assert {id(p) for p in game.player("mapping").trained} == mapping
    assert not mapping & {id(p) for p in game.player("generator").trained}


def test_references_are_of_the_domain_that_is_asked_for_and_two_where_there_are_two():
    labels = torch.tensor([0, 0, 1, 2, 2, 2])
    for _ in range(20):
        first, second = _two_of(torch.tensor([2, 0, 1, 2]), labels)
        assert labels[first].tolist() == labels[second].tolist() == [2, 0, 1, 2]
        assert (first != second).tolist() == [True, True, False, True]


def test_the_first_images_of_each_domain_are_kept():
    references = References(2, 2, (1, 1, 1))
    batches = [
        Batch(torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1, 1), torch.tensor([0, 0, 0])),
        Batch(torch.tensor([4.0, 5.0]).view(2, 1, 1, 1), torch.tensor([0, 1])),
        Batch(torch.tensor([6.0, 7.0]).view(2, 1, 1, 1), torch.tensor([1, 1])),
    ]
    draw = iter(batches)
    for _ in range(2):
        references.watching(lambda: next(draw))()
    labels = torch.tensor([1, 1, 0])
    assert references.drawn(labels, torch.Generator().manual_seed(0)).flatten().tolist()[:2] == [5, 5]
    references.watching(lambda: next(draw))()
    assert references.images.flatten().tolist() == [1, 2, 5, 6] and references.counts.tolist() == [2, 2]

    def plain():
        raise AssertionError("not asked")

    assert references.watching(plain) is plain
    empty = References(2, 2, (1, 1, 1))
    with pytest.raises(ConfigError, match=r"no image of the domains \[0, 1\]"):
        empty.drawn(labels, torch.Generator())


def test_samples_by_reference_have_the_style_that_the_encoder_finds(compose):
    game = game_of(compose, double=False)
    batch = batch_of([0, 1, 2, 3] * 8, double=False)
    game.references.watching(lambda: batch)()
    game.network("generator_ema").load_state_dict(game.network("generator").state_dict())
    inputs = Batch(batch.samples[:2], batch.labels[:2])
    latent = Latent(torch.zeros(2, 3), torch.tensor([3, 2]), given={SAMPLES: inputs.samples})
    sampler = ReferenceStyle()
    sampler.check(game)
    made = sampler.draw(game, latent, torch.Generator().manual_seed(1))
    chosen = game.references.drawn(latent.labels, torch.Generator().manual_seed(1))
    game.eval()
    with torch.no_grad():
        style = game.network("style_encoder_ema")(chosen, latent.labels)
        expected = game.network("generator_ema")(latent.z, None, {SAMPLES: inputs.samples, "style": style})
    torch.testing.assert_close(made, expected)
    # By latent: the mapping network's style in the place of the encoder's.
    with torch.no_grad():
        style = game.network("mapping_ema")(latent.z, latent.labels)
        expected = game.network("generator_ema")(latent.z, None, {SAMPLES: inputs.samples, "style": style})
    torch.testing.assert_close(game.sample(latent), expected)


def test_the_sampler_needs_a_game_that_finds_styles(compose):
    game = started(compose, "stargan", "networks.generator.width=2", "networks.discriminator.width=2")
    with pytest.raises(ConfigError, match="sampler=reference_style needs experiment=starganv2"):
        ReferenceStyle().check(game)


def test_a_picture_has_references_above_and_two_images_of_each_domain(compose):
    game = game_of(compose, double=False)
    batch = batch_of([0, 1, 2, 3] * 8, double=False)
    game.references.watching(lambda: batch)()
    picture = game.picture(game.latent_for(batch), 10)
    # 32 images make 3 rows of 9 below that of the references.
    assert picture.shape == (3, 4 * 18 + 2, 9 * 18 + 2)
    cell = picture[0, 2:18, 2 + 5 * 18 : 2 + 5 * 18 + 16].float()
    torch.testing.assert_close(cell, ((game.references.images[0, 0, 0] + 1) * 127.5).round())
    assert int(picture[0, 0, 0]) == EDGE


def test_data_without_classes_and_games_without_noise_are_refused(compose):
    with pytest.raises(ConfigError, match="domains are classes, and these data have none"):
        game_of(compose, classes=0)
    game = game_of(compose)
    game.prior = None
    with pytest.raises(ConfigError, match="there is no prior"):
        game.check()


@pytest.mark.parametrize(
    ("size", "halvings"), [(16, 1), (20, 1), (32, 1), (64, 2), ([96, 64], 2), ([32, 128], 1), (256, 4)]
)
def test_images_are_halved_until_16_pixels_are_left_as_in_the_authors_program(size, halvings):
    with torch.device("meta"):
        assert StyledGenerator(1, 2, 2, 2, None, 1, size).halvings == halvings
        assert StyledGenerator(1, 2, 2, 2, 3, 1, size).halvings == 3
    with pytest.raises(ValueError, match="halvings=None: they follow from image_size"):
        StyledGenerator(1, 2, 2, 2, None, 1)


def test_sizes_that_cannot_be_halved_are_named():
    with pytest.raises(ValueError, match="image_size=18"):
        StyleEncoder(2, 18, 1, 4, 2, 4)
    with pytest.raises(ValueError, match="halvings=3: images have 20x16 pixels"):
        StyledGenerator(1, 4, 2, 4, 3, 1)(
            torch.zeros(1, 0), None, {SAMPLES: torch.zeros(1, 1, 20, 16), "style": torch.zeros(1, 4)}
        )
