"""Systems that restore: what was given is kept, densities, views that are missing, guides and hints."""

import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.api import Batch, ConfigError, DiscriminatorOutput, Latent, Pair, blank
from gan_zoo.datasets.tasks import kept_lines
from gan_zoo.encoding import LogRatio
from gan_zoo.generators.unrolled_fourier import consistent
from gan_zoo.systems.affgan import AffineProjection, larger, projected, smaller
from gan_zoo.systems.esrgan import DenseBlock, RRDBGenerator
from gan_zoo.systems.gan_vfs import GuidedGenerator
from gan_zoo.systems.refinegan import RefineGenerator, factor, measured
from gan_zoo.systems.resgan import ResidualOf
from gan_zoo.systems.tan import Tandem, hints_of
from tests.helpers.runs import make_run

Z = torch.zeros(2, 0)


def game_of(experiment, compose, tmp_path, *overrides):
    return make_run(compose(f"experiment={experiment}", "debug=smoke", *overrides), tmp_path).game


def noise(game, n=4):
    torch.manual_seed(0)
    batch = blank(game.data, n)
    extra = {name: torch.randn_like(value).clamp(-1, 1) for name, value in batch.extra.items()}
    return Batch(torch.randn_like(batch.samples).clamp(-1, 1), batch.labels, extra, torch.arange(n))


# -- ResGAN, ESRGAN ---------------------------------------------------------------------------------


def test_what_is_missing_is_added_to_the_source():
    torch.manual_seed(0)
    generator = ResidualOf({"name": "resnet_translator", "channels": 1, "source_channels": 1, "width": 2, "blocks": 1})
    source = torch.rand(2, 1, 8, 8) * 2 - 1
    given = {"source": source}
    assert torch.equal(generator(Z, None, given), source + 2 * generator.of(Z, None, given))
    for parameter in [*generator.of.parameters()][-2:]:
        torch.nn.init.zeros_(parameter)
    assert torch.equal(generator(Z, None, given), source)
    torch.nn.init.constant_([*generator.of.parameters()][-1], 5.0)
    assert generator(Z, None, given).max() > 1 and generator.eval()(Z, None, given).max() == 1


def test_esrgans_size_is_that_of_its_authors_program():
    with torch.device("meta"):
        one, two = (sum(p.numel() for p in RRDBGenerator(3, 3, 64, 32, n, 4).parameters()) for n in (1, 2))
    assert one + 22 * (two - one) == 16_697_987, "with 23 blocks"


def test_residuals_count_a_fifth():
    torch.manual_seed(0)
    block = DenseBlock(3, 2).double()
    x = torch.randn(1, 3, 5, 5, dtype=torch.float64)
    last = block.layers[-1]
    before = block(x)
    with torch.no_grad():
        last.weight.mul_(2)
        last.bias.mul_(2)
    assert torch.allclose(block(x) - x, 2 * (before - x))
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.constant_(last.bias, 1.0)
    assert torch.allclose(block(x), x + 0.2)
    assert RRDBGenerator(1, 3, 4, 2, 1, 4)(Z, None, {"source": torch.zeros(2, 3, 6, 5)}).shape == (2, 1, 24, 20)


# -- AffGAN -----------------------------------------------------------------------------------------


def test_a_projection_moves_all_pixels_of_a_square_alike():
    u = torch.tensor([[0.0, 1.0], [2.0, 5.0]], dtype=torch.float64)[None, None]
    y = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    assert projected(u, y, 2).flatten().tolist() == [-1, 0, 1, 4]


def test_the_means_are_those_that_were_given_whatever_the_weights():
    torch.manual_seed(0)
    u, y = torch.randn(2, 3, 12, 8, dtype=torch.float64), torch.randn(2, 3, 3, 2, dtype=torch.float64)
    made = projected(u, y, 4)
    assert (smaller(made, 4) - y).abs().max() < 1e-12
    assert (projected(made, y, 4) - made).abs().max() < 1e-12
    assert (smaller(larger(y, 4), 4) - y).abs().max() < 1e-12
    of = {"name": "sr_resnet", "channels": 1, "source_channels": 1, "width": 4, "blocks": 1, "scale": 2}
    generator, small = AffineProjection(of, 2), torch.rand(2, 1, 4, 4) * 2 - 1
    assert (smaller(generator(Z, None, {"source": small}), 2) - small).abs().max() < 1e-5


def test_the_divergence_of_two_normals():
    """With the best D for p = N(0, 1) and q = N(0.5, 1.2²), logit D = log p/q, the loss is KL(q || p)."""
    places = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    p = torch.distributions.Normal(torch.tensor(0.0).double(), torch.tensor(1.0).double())
    q = torch.distributions.Normal(torch.tensor(0.5).double(), torch.tensor(1.2).double())
    x = q.icdf(places)[:, None]

    def judge(x, labels=None):
        return DiscriminatorOutput((p.log_prob(x) - q.log_prob(x)).squeeze(1))

    loss = LogRatio()(Pair(judge, Batch(x), Latent(x[:, :0]), x), None)
    assert float(loss) == pytest.approx(0.1626784, abs=1e-4)
    assert 0.1626784 == pytest.approx(-math.log(1.2) + (1.2**2 + 0.5**2 - 1) / 2, abs=1e-7)


def test_affgan_has_no_term_but_the_divergence(compose, tmp_path):
    player = game_of("affgan", compose, tmp_path).player("generator")
    assert [*player.terms] == ["divergence"] and player.objective is None


# -- RefineGAN --------------------------------------------------------------------------------------


def test_both_steps_of_the_chain_keep_what_was_measured():
    torch.manual_seed(0)
    x = torch.randn(2, 1, 12, 10, dtype=torch.float64)
    mask = kept_lines(12, 0.4).double()[None, None, :, None].expand(2, 1, 12, 10)
    generator = RefineGenerator(1, 4, 1, 2).double()
    made = generator.everything(Z, None, {"source": measured(x, mask), "mask": mask})
    for name in ("samples", "reconstructed"):
        apart = (torch.fft.fft2(made[name]) - torch.fft.fft2(x)) * mask
        assert apart.abs().max() < 1e-10, name
    assert torch.equal(consistent(made["loose"][:, 1], measured(x, mask), mask), made["samples"])
    whole = generator(Z, None, {"source": x, "mask": torch.ones_like(mask)})
    assert (whole - x).abs().max() < 1e-12, "all is measured: nothing is left to make"


def test_cycles_cost_nothing_where_they_hold(compose, tmp_path):
    game = game_of("refinegan", compose, tmp_path)
    batch = noise(game)
    mask = kept_lines(32, 0.3).float()[None, None, :, None].expand(4, 1, 32, 32)
    batch = Batch(batch.samples, batch.labels, {"mask": mask, "source": measured(batch.samples, mask)}, batch.index)
    meeting = game.pair_up(batch, game.latent_for(batch))
    player = game.player("generator")
    assert float(factor(mask)) == pytest.approx(1 / float(mask.mean()))
    pair = meeting["refined"]
    pair.fake = pair.real
    assert player.terms["image_error"](pair, player).item() == 0
    pair.made = {**pair.made, "loose": pair.real[:, None].expand(-1, 2, -1, -1, -1)}
    assert player.terms["frequency_cycle"](pair, player).item() < 1e-3
    again = meeting["again"]
    assert player.terms["image_cycle"](again, player).item() > 0
    again.fake = again.made["refined"]
    assert player.terms["image_cycle"](again, player).item() == 0
    names = set(player.evaluate(game.meet(batch)))
    assert {"image_error_reconstructed", "image_error_refined", "image_cycle", "frequency_cycle"} <= names


# -- VIGAN ------------------------------------------------------------------------------------------


def test_samples_of_one_view_have_no_part_in_the_autoencoder(compose, tmp_path):
    game = game_of("vigan_views", compose, tmp_path)
    batch = noise(game, 6)
    assert game.known(batch).tolist() == [True, False, False, True, False, False]

    def error(samples):
        changed = Batch(samples, batch.labels, batch.extra, batch.index)
        return game.autoencoding_error(changed, game.latent_for(changed)).item()

    other = batch.samples.clone()
    other[1:3] = 0
    assert error(other) == pytest.approx(error(batch.samples), rel=1e-5)
    other[0] = 0
    assert error(other) != pytest.approx(error(batch.samples), rel=1e-3)


def test_views_are_shifted_against_each_other_for_the_cycle(compose, tmp_path):
    game = game_of("vigan_views", compose, tmp_path)
    batch = noise(game)
    meeting = game.pair_up(batch, game.latent_for(batch))
    a = batch.extra["source"]
    assert torch.equal(meeting["a"].real, a.roll(1, 0)) and torch.equal(meeting["b"].real, batch.samples)
    assert torch.equal(meeting["b"].source, a.roll(1, 0))
    latent = game.latent_for(batch)
    way = game.both_ways(batch, latent)[0][1]
    assert torch.allclose(game.sample(latent), way.detach(), atol=1e-5), "what is sampled is what the autoencoder says"
    assert torch.allclose(meeting["autoencoded_b"].fake, way, atol=1e-5)


def test_an_autoencoder_that_knows_both_views_errs_by_nothing(compose, tmp_path):
    game = game_of("vigan_views", compose, tmp_path)
    batch = noise(game)
    truth = batch.extra["source"], batch.samples

    class Knows(torch.nn.Module):
        def forward(self, a, b):
            return truth

    game.networks["autoencoder"] = Knows()
    assert float(game.autoencoding_error(batch, game.latent_for(batch))) == 0


def test_vigan_weighs_the_whole_of_the_squares(compose, tmp_path):
    game = game_of("vigan_views", compose, tmp_path)
    game.networks.eval()
    meeting = game.meet(noise(game))
    images = meeting["b"].real, meeting["b"].fake, meeting["autoencoded_b"].fake
    real, made, imputed = (game.network("discriminator_b")(x).logits for x in images)
    expected = {  # CycleGAN's D: half of both
        ("discriminator_b", "adversarial"): ((real - 1).square().mean() + made.square().mean()) / 2,
        ("discriminator_b_joint", "adversarial"): ((real - 1).square().mean() + imputed.square().mean()) / 2,
        ("generator", "adversarial_b"): (made - 1).square().mean(),
        ("joint", "adversarial_autoencoded_b"): 2 * (imputed - 1).square().mean(),
    }
    for (player, loss), value in expected.items():
        torch.testing.assert_close(game.player(player).evaluate(meeting)[loss], value)


def test_an_autoencoder_errs_by_the_sum_over_views_and_ways(compose, tmp_path):
    game = game_of("vigan_views", compose, tmp_path)
    batch = noise(game)
    latent = game.latent_for(batch)
    views, both = (latent.given["source"], batch.samples), game.known(batch)
    ways = game.both_ways(batch, latent)
    expected = sum(
        (made[both] - view[both]).square().mean() for way in ways for made, view in zip(way, views, strict=True)
    )
    torch.testing.assert_close(game.autoencoding_error(batch, latent), expected)


# -- GAN-VFS, TAN -----------------------------------------------------------------------------------


def test_a_guide_is_the_target_at_half_the_size(compose, tmp_path):
    game = game_of("gan_vfs", compose, tmp_path)
    batch = noise(game)
    pair = game.pair_up(batch, game.latent_for(batch))["main"]
    assert pair.made["guide"].shape == (4, 1, 16, 16)
    player = game.player("generator")
    guidance = player.terms["guidance"]
    assert guidance(pair, player).item() > 0
    pair.made = {"guide": F.avg_pool2d(pair.real, 2)}
    assert guidance(pair, player).item() == 0
    generator = GuidedGenerator(1, 1, 4)
    image = generator(Z, None, {"source": torch.rand(2, 1, 8, 8)})
    reached = torch.autograd.grad(image.sum(), [*generator.guide.parameters()], allow_unused=True)
    assert all(gradient is not None for gradient in reached), "the image is made of its guide too"


def test_hints_are_blurred_colours_and_take_the_place_of_guessed_ones():
    image = torch.full((1, 3, 16, 16), 0.3, dtype=torch.float64)
    assert torch.allclose(hints_of(image, 8), image)
    image[..., :8] = -1
    assert hints_of(image, 8)[0, 0, 0, 0] == -1 and -1 < hints_of(image, 8)[0, 0, 0, 8] < 0.3

    class Counts(torch.nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.channels = channels

        def forward(self, z, labels, given):
            return given["source"].mean(1, keepdim=True).expand(-1, self.channels, -1, -1)

    tandem = Tandem(Counts(3), Counts(3))
    outline = torch.ones(1, 1, 4, 4)
    assert torch.equal(tandem(Z, None, {"source": outline}), torch.ones(1, 3, 4, 4))
    assert tandem(Z, None, {"source": outline, "hints": torch.zeros(1, 3, 4, 4)}).unique().tolist() == [0.25]


def test_tans_networks_are_trained_apart(compose, tmp_path):
    game = game_of("tan", compose, tmp_path)
    batch = noise(game)
    meeting = game.pair_up(batch, game.latent_for(batch))
    reached = torch.autograd.grad(
        meeting["paint"].fake.sum(), [*game.network("generator_hints").parameters()], allow_unused=True
    )
    assert all(gradient is None for gradient in reached)
    assert torch.equal(meeting["hints"].real, hints_of(batch.samples, 8))
    for step, weight in (("hints", 10), ("paint", 100)):
        paid = game.player(f"generator_{step}").evaluate(meeting)["distance"]
        torch.testing.assert_close(paid, weight * (meeting[step].fake - meeting[step].real).abs().mean())


@pytest.mark.parametrize(
    ("experiment", "overrides", "message"),
    [
        (
            "refinegan",
            ["data.task=noise", "data.amount=0.2"],
            "refinegan needs the extra mask: choose data.task=fourier",
        ),
        ("vigan_views", ["data.task=superres", "data.amount=4"], "vigan_views imputes samples"),
        ("tan", ["game.blur=5"], "a multiple of game.blur=5"),
        ("tan", ["game.blur=1"], "blur=1: it must be at least 2"),
        ("vigan_views", ["game.paired=0"], "paired=0"),
        (
            "gan_vfs",
            ["networks.generator.name=resnet_translator", "+networks.generator.blocks=1"],
            "needs a generator with a guide",
        ),
    ],
)
def test_what_does_not_fit_is_named(experiment, overrides, message, compose, tmp_path):
    with pytest.raises(ConfigError, match=message):
        game_of(experiment, compose, tmp_path, *overrides)
