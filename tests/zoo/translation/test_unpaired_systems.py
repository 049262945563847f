"""Systems without pairs: moments that are set, patches that are told apart, origins, and codes there and back."""

import math

import pytest
import torch

from gan_framework.api import ConfigError, blank
from gan_zoo.systems.cut import CutTranslator, PatchProjections, patch_nce
from gan_zoo.systems.dtn import origin
from gan_zoo.systems.munit import LEAST, ContentAutoencoder, adaptive_norm
from tests.helpers.runs import make_run


def game_of(experiment, compose, tmp_path, *overrides):
    return make_run(compose(f"experiment={experiment}", "debug=smoke", *overrides), tmp_path).game


def noise(game, seed=0):
    """A batch of the game's data that is not blank."""
    torch.manual_seed(seed)
    batch = blank(game.data, 3)
    others = {name: type(batch)(torch.randn_like(other.samples), other.labels) for name, other in batch.others.items()}
    return type(batch)(torch.randn_like(batch.samples).clamp(-1, 1), batch.labels, others=others)


# -- MUNIT and UNIT ---------------------------------------------------------------------------------


def test_the_norm_with_a_contents_own_moments_is_the_identity():
    torch.manual_seed(0)
    x = 3 * torch.randn(2, 4, 5, 6, dtype=torch.float64) + 1
    mean = x.mean((2, 3))
    deviation = (x.var((2, 3), correction=0) + LEAST).sqrt()
    assert (adaptive_norm(x, mean, deviation) - x).abs().max() < 1e-12
    made = adaptive_norm(x, torch.full_like(mean, 2.0), torch.zeros_like(mean))
    assert torch.equal(made, torch.full_like(x, 2.0))


def test_a_style_changes_the_image_and_not_its_content():
    torch.manual_seed(0)
    network = ContentAutoencoder(1, 4, 1, 1, 3, 8).double()
    x, styles = torch.randn(2, 1, 8, 8, dtype=torch.float64), torch.randn(2, 2, 3, dtype=torch.float64)
    content = network.content(x)
    assert not torch.allclose(network.decode(content, styles[0]), network.decode(content, styles[1]))
    assert content.shape == (2, 8, 4, 4) and network.style(x).shape == (2, 3)
    bare = ContentAutoencoder(1, 4, 1, 1, 0, 8)
    assert bare.style(x.float()) is None
    with pytest.raises(ValueError, match="halvings=1: images have 7x8 pixels"):
        bare.content(torch.zeros(1, 1, 7, 8))


def test_codes_that_are_kept_cost_nothing(compose, tmp_path):
    """With autoencoders that change nothing, contents, styles and cycles are kept, and so is the cycle of UNIT."""
    game = game_of("munit", compose, tmp_path, "data.map=negative", "data.channels=1", "game.cycle=1")

    class Kept(torch.nn.Module):
        style_dim = 8

        def content(self, x):
            return x

        def style(self, x):
            return x[:, 0, 0, :8]

        def decode(self, content, style):
            image = content.clone()
            image[:, 0, 0, :8] = style
            return image

    for domain in "ab":
        game.networks[f"autoencoder_{domain}"] = Kept()
    batch = noise(game)
    player = game.player("generator")
    meeting = game.pair_up(batch, game.latent_for(batch))
    for pair in meeting.values():
        for name in ("reconstruction", "style", "cycle"):
            assert float(player.terms[name](pair, player)) == 0, name
    first, second = (meeting[domain].style for domain in "ab")
    assert not torch.equal(first, second), "each domain's styles are drawn for it"


def test_without_styles_contents_are_drawn_in_training_alone(compose, tmp_path):
    game = game_of("unit", compose, tmp_path)
    batch = noise(game)
    pair = game.pair_up(batch, game.latent_for(batch))["b"]
    assert 0.5 < (pair.content - pair.bare).std().item() < 1.5
    latent = game.latent_for(batch)
    assert torch.equal(game.sample(latent), game.sample(latent))
    player = game.player("generator")
    size = float(player.terms["divergence"](pair, player))
    assert size == pytest.approx(float(pair.bare.square().mean() + pair.again_content.square().mean()), rel=1e-5)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["prior.dim=4", "networks.autoencoder_a.style_dim=8"], "style_dim=8, and the prior draws 4 numbers"),
        (["data=digits"], "sources.a"),
    ],
)
def test_what_munit_needs_is_named(overrides, message, compose, tmp_path):
    with pytest.raises(Exception, match=message):
        make_run(compose("experiment=munit", "debug=smoke", *overrides), tmp_path)


def test_styles_need_a_prior(compose, tmp_path):
    with pytest.raises(ConfigError, match="there are no styles without a prior"):
        game_of("unit", compose, tmp_path, "game.style=1")


# -- CUT --------------------------------------------------------------------------------------------


def test_patches_that_are_orthonormal_are_told_apart_and_equal_ones_are_not():
    eye = torch.eye(256, dtype=torch.float64)[None]
    assert float(patch_nce(eye, eye, 0.07)) == pytest.approx(1.59330e-4, abs=1e-9)
    assert float(patch_nce(eye, eye, 0.07)) == pytest.approx(math.log1p(255 * math.exp(-1 / 0.07)), abs=1e-12)
    for count, wanted in ((256, 5.5451774), (64, 4.1588831)):
        same = torch.ones(2, count, 1, dtype=torch.float64)
        assert float(patch_nce(same, same, 0.07)) == pytest.approx(wanted, abs=1e-6)


def test_no_gradient_reaches_the_keys():
    torch.manual_seed(0)
    queries, keys = (torch.randn(1, 5, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    patch_nce(queries, keys, 0.07).backward()
    assert keys.grad is None and queries.grad.abs().sum() > 0


def test_five_layers_are_read_and_projected_to_unit_vectors():
    torch.manual_seed(0)
    generator, projections = CutTranslator(1, 1, 4, 4), PatchProjections(1, 4, 5, 32)
    layers = generator.encoded(torch.randn(2, 1, 16, 16))
    assert [layer.shape[1] for layer in layers] == [1, 8, 16, 16, 16]
    for level, layer in enumerate(layers):
        vectors = projections(layer.flatten(2).transpose(1, 2), level)
        assert torch.allclose(vectors.norm(dim=-1), torch.ones(2, layer[0, 0].numel()))


def test_an_image_that_is_left_as_it_is_costs_least(compose, tmp_path):
    game = game_of("cut", compose, tmp_path, "game.identity=false")
    batch = noise(game)
    player = game.player("generator")
    term = player.terms["patches"]
    a, b = batch.others["a"].samples, batch.samples
    torch.manual_seed(1)
    kept = term.between(a, a, False).item()
    torch.manual_seed(1)
    assert kept < term.between(b, a, False).item()
    # The adversarial part is (D - 1)², without a half.
    meeting = game.meet(batch)
    squares = (meeting["b"].fake_output.logits - 1).square().mean()
    assert torch.allclose(player.evaluate(meeting)["adversarial"], squares)


def test_what_was_flipped_is_turned_back(compose, tmp_path):
    """Of a source that was flipped and then left as it is, the loss is lower once its layers are turned back."""
    game = game_of("fastcut", compose, tmp_path)
    term = game.player("generator").terms["patches"]
    a = noise(game).others["a"].samples
    found = []
    for flipped in (True, False):
        torch.manual_seed(2)
        found.append(term.between(a.flip(3), a, flipped).item())
    assert found[0] < found[1]


def test_half_of_the_steps_are_flipped_in_training_alone(compose, tmp_path):
    game = game_of("fastcut", compose, tmp_path)
    batch = noise(game)
    torch.manual_seed(0)
    flips = []
    for _ in range(20):
        pair = game.pair_up(batch, game.latent_for(batch))["b"]
        flips.append(pair.flipped)
        assert torch.equal(pair.real, batch.samples.flip(3) if flips[-1] else batch.samples)
    assert 4 < sum(flips) < 16
    game.networks.eval()
    assert not any(game.pair_up(batch, game.latent_for(batch))["b"].flipped for _ in range(5))


# -- DTN --------------------------------------------------------------------------------------------


def test_a_judge_that_knows_nothing_of_origins_loses_3_log_3():
    logits = torch.full((4, 3), 0.3, dtype=torch.float64)
    assert float(sum(origin(logits, number) for number in range(3))) == pytest.approx(3.2958369, abs=1e-7)
    sure = torch.tensor([[40.0, 0.0, 0.0]], dtype=torch.float64)
    assert float(origin(sure, 0)) == pytest.approx(0, abs=1e-12) and float(origin(sure, 2)) == pytest.approx(40)


def test_f_sees_the_classes_of_a_and_is_frozen_then(compose, tmp_path):
    run = make_run(compose("experiment=dtn", "debug=smoke", "game.classifier_steps=1"), tmp_path)
    f = run.game.network("f")
    before = {name: value.clone() for name, value in f.state_dict().items()}
    run.game.step(run.batches)
    after = {name: value.clone() for name, value in f.state_dict().items()}
    assert not torch.equal(after["output.weight"], before["output.weight"])
    run.game.step(run.batches)
    assert all(torch.equal(value, f.state_dict()[name]) for name, value in after.items())


def test_images_that_f_sees_alike_and_that_stay_cost_nothing(compose, tmp_path):
    game = game_of("dtn", compose, tmp_path)
    batch = noise(game)
    player = game.player("generator")
    pair = game.pair_up(batch, game.latent_for(batch))["main"]
    assert float(player.terms["constancy"](pair, player).detach()) > 0
    pair.fake = pair.latent.given["a"]
    pair.made = {"same": pair.real}
    assert float(player.terms["constancy"](pair, player)) == 0
    assert float(player.terms["identity"](pair, player)) == 0
