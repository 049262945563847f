"""Systems that put images together: textures in outlines, blended objects, hidden parts, depth, layers, two domains."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from gan_framework.api import Batch, ConfigError, Latent, blank, distributed
from gan_zoo.colours import to_lab
from gan_zoo.datasets.made_pairs import FIRST, NEXT, Composites, DepthLayers
from gan_zoo.poisson import blended, cosines, differences, solve
from gan_zoo.systems.aligngan import AlignedGenerator, apart
from gan_zoo.systems.cdcgan import EdgeDistance
from gan_zoo.systems.dsp_gan import CountLayouts, Layouts, put_together
from gan_zoo.systems.segan_invisible import painted, region_weights
from gan_zoo.systems.texturegan import cut, middle, on_canvas
from tests.helpers.runs import make_run


def doubles(*values):
    return torch.tensor(values, dtype=torch.float64)


def game_of(experiment, compose, tmp_path, *overrides):
    if experiment != "aligngan":
        overrides = ("data.samples=50", *overrides)
    return make_run(compose(f"experiment={experiment}", "debug=smoke", *overrides), tmp_path).game


def real(game, n=4):
    """A batch of noise with masks of ones and zeros."""
    torch.manual_seed(0)
    batch = blank(game.data, n)
    extra = {}
    for name, value in batch.extra.items():
        if name in game.data.integers:
            extra[name] = torch.randint_like(value, 3)
        elif name in ("mask", "visible", "full"):
            extra[name] = torch.zeros_like(value)
            extra[name][..., 8:24, 8 : 16 if name == "visible" else 24] = 1
        else:
            extra[name] = torch.rand_like(value) * 2 - 1
    others = {name: Batch(torch.rand_like(o.samples) * 2 - 1, o.labels) for name, o in batch.others.items()}
    return Batch(torch.rand_like(batch.samples) * 2 - 1, batch.labels, extra, torch.arange(n), others)


# -- TextureGAN -------------------------------------------------------------------------------------


def test_lightness_and_colours_of_known_ones():
    """White is L 100, sRGB red (53.24, 80.09, 67.20), grey has no colour (CIE, D65)."""
    images = doubles([1, 1, 1], [1, -1, -1], [0, 0, 0])[:, :, None, None]
    light, colours = (x.flatten(1) for x in to_lab(images))
    assert ((light[:, 0] + 1) * 50).tolist() == pytest.approx([100, 53.24, 53.39], abs=0.05)
    assert (colours[1] * 110).tolist() == pytest.approx([80.09, 67.20], abs=0.05)
    assert colours[[0, 2]].abs().max() < 1e-6
    black = torch.full((1, 3, 1, 1), -1.0, dtype=torch.float64, requires_grad=True)
    to_lab(black)[0].sum().backward()
    assert black.grad.isfinite().all()


def test_a_patch_lies_about_the_middle_of_its_mask_and_nowhere_else():
    mask = torch.zeros(2, 1, 8, 8)
    mask[0, :, 2:7, 1:6] = 1
    mask[1, :, 4:6, 4:6] = 1
    assert [place.tolist() for place in middle(mask)] == [[4, 4], [3, 4]]  # 4.5 to the even number
    patch = torch.arange(9.0).view(1, 1, 3, 3).expand(2, 3, 3, 3) + 1
    canvas = on_canvas(torch.zeros(2, 1, 8, 8), patch, mask)
    assert canvas.shape == (2, 5, 8, 8)
    assert torch.equal(canvas[0, 1, 3:6, 2:5], patch[0, 0]) and canvas[0, 4].sum() == 9
    assert canvas[1, 4].sum() == 4 and torch.equal(canvas[1, 1, 4:6, 4:6], patch[1, 0, 1:, 1:])


def test_squares_are_cut_where_they_are_asked_for_and_stay_inside():
    x = torch.arange(36.0).view(1, 1, 6, 6).expand(2, 1, 6, 6)
    found = cut(x, torch.tensor([1, 9]), torch.tensor([2, -4]), 2)
    assert found[:, 0].tolist() == [[[8, 9], [14, 15]], [[24, 25], [30, 31]]]


def test_the_second_stage_has_local_losses_the_first_has_not(compose, tmp_path):
    game = game_of("texturegan", compose, tmp_path)
    meeting = game.meet(real(game))
    first, second = (set(game.player(name).evaluate(meeting)) for name in ("generator", "refiner"))
    assert first == {"adversarial", "pixel", "colour", "features"}
    assert second == {"adversarial_lightness", "adversarial_local", *first, "local_pixel", "style"} - {"adversarial"}
    whole = meeting["whole"]
    whole.fake = whole.real
    for name in ("pixel", "colour"):
        assert game.player("generator").terms[name](whole, None).item() == 0
    assert meeting["lightness"].fake.shape[1] == 1 and meeting["local"].fake.shape[2:] == (8, 8)


# -- GP-GAN (blending) ------------------------------------------------------------------------------


def test_a_line_of_wanted_gradients():
    across, near = doubles([1, 1, 1]), doubles([0, 0, 6, 6])
    y = solve(torch.zeros(0, 4, dtype=torch.float64), across, near[None] if near.ndim == 1 else near, 1.0)
    assert y[0].tolist() == pytest.approx([0.2857143, 1.5714286, 4.4285714, 5.7142857], abs=1e-7)


def test_an_images_own_gradients_give_it_again_and_the_solution_is_the_least():
    torch.manual_seed(0)
    g = torch.randn(2, 3, 6, 8, dtype=torch.float64)
    assert (solve(*differences(g), g, 0.3) - g).abs().max() < 1e-12
    rows = cosines(7, g)
    assert (rows @ rows.T - torch.eye(7)).abs().max() < 1e-12
    other = torch.randn_like(g)
    y = solve(*differences(other), g, 0.3).requires_grad_()
    steps = zip(differences(y), differences(other), strict=True)
    cost = sum((a - b).square().sum() for a, b in steps) + 0.3 * (y - g).square().sum()
    cost.backward()
    assert y.grad.abs().max() < 1e-10


@pytest.mark.parametrize("levels", [1, 3])
def test_a_composite_that_is_right_already_is_left_as_it_is(levels):
    torch.manual_seed(0)
    g = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    mask = torch.zeros(2, 1, 16, 16, dtype=torch.float64)
    mask[..., 4:12, 4:12] = 1
    assert (blended(g, g, mask, 1.0, levels) - g).abs().max() < 1e-10


def test_seams_of_composites_go_and_details_stay():
    """With a blurred image of the true scene as colours, as a network makes it, blending halves the error of the pasted
    image, and is nearer to the truth than the blurred image, whose details are lost."""
    data = Composites(32, None, None, None, 50).load("test")
    truth, pasted = (x.double() / 127.5 - 1 for x in (data.samples, data.extra["source"]))
    blurred = F.interpolate(F.avg_pool2d(truth, 4), scale_factor=4, mode="bilinear")
    made = blended(blurred, pasted, data.extra["mask"].double(), 0.1, 1)

    def error(x):
        return float((x - truth).abs().mean())

    assert error(made) < 0.5 * error(pasted) and error(made) < error(blurred)


def test_samples_are_blended_and_not_the_networks(compose, tmp_path):
    game = game_of("gpgan_blending", compose, tmp_path, "networks.generator.width=4")
    batch = real(game)
    latent = game.latent_for(batch)
    made = game.sample(latent)
    game.colours = 0.0
    plain = game.sample(latent)
    wanted = blended(plain, latent.given["source"], latent.given["mask"], 1.0, 3).clamp(-1, 1)
    assert torch.allclose(made, wanted, atol=1e-5) and not torch.allclose(made, plain, atol=0.01)
    with pytest.raises(ConfigError, match="game.levels=7: images of"):
        game_of("gpgan_blending", compose, tmp_path / "other", "networks.generator.width=4", "game.levels=7")


FEW = "terms.feature_distance.steps=1"

# -- SeGAN, CDcGAN, GP-GAN (landmarks) --------------------------------------------------------------


def test_each_region_has_its_weight_and_what_is_painted_stays_inside():
    visible, full = doubles([[[1, 0, 0, 0]]]), doubles([[[1, 1, 0, 0]]])
    assert region_weights(visible, full, [3, 2, 1]).flatten().tolist() == [2, 3, 1, 1]
    assert painted(doubles([[[0.4, 0.4]]]), doubles([[[1, 0]]])).flatten().tolist() == pytest.approx([0.4, -1])


def test_a_mask_that_is_right_costs_nothing_and_the_networks_are_trained_apart(compose, tmp_path):
    game = game_of("segan_invisible", compose, tmp_path)
    batch = real(game)
    meeting = game.meet(batch)
    term, pair = game.player("segmenter").terms["mask"], meeting["mask"]
    assert term(pair, None).item() > 0.1
    found = torch.autograd.grad(
        meeting["paint"].fake.sum(), [*game.network("generator_mask").parameters()], allow_unused=True
    )
    assert all(gradient is None for gradient in found)
    pair.fake = pair.real
    assert term(pair, None).item() == pytest.approx(0, abs=1e-6)
    pair.fake = -pair.real
    worst = term(pair, None).item()
    wrong = -pair.real.clone()
    wrong[..., 8:24, 16:24] = 1  # the invisible part alone is right
    pair.fake = wrong
    invisible = 16 * 8 / 32**2
    assert worst - term(pair, None).item() == pytest.approx(9.25 * 100 * invisible, rel=1e-3)


def test_colours_and_depth_are_judged_apart(compose, tmp_path):
    game = game_of("cdcgan", compose, tmp_path)
    batch = real(game)
    assert "depth" not in game.latent_for(batch).given, "what is to be made is not given"
    meeting = game.meet(batch)
    assert meeting["colour"].judged_by_network == "discriminator_colour"
    assert meeting["depth"].fake.shape == (4, 1, 32, 32) and meeting["colour"].fake.shape == (4, 3, 32, 32)
    pair = meeting["depth"]
    pair.fake = pair.real + 0.3
    assert EdgeDistance()(pair, None).item() == pytest.approx(0, abs=1e-6), "a constant has no edges"
    pair.fake = pair.real.roll(1, 3)
    assert EdgeDistance()(pair, None).item() > 0.1


def test_a_class_is_kept_where_the_classifier_finds_it(compose, tmp_path):
    run = make_run(compose("experiment=gpgan_landmarks", "debug=smoke", "game.classifier_steps=20", FEW), tmp_path)
    game = run.game
    term = game.player("generator").terms["kept"]
    batch = run.batches()
    pair = game.meet(batch)["main"]
    before = {name: value.clone() for name, value in term.classifier.state_dict().items()}
    for opening in game.openings:
        opening(game, run.batches)
    assert not torch.equal(before["output.weight"], term.classifier.state_dict()["output.weight"])
    pair.fake = pair.real.clone().requires_grad_()
    loss = term(pair, None)
    wanted = F.cross_entropy(term.classifier(pair.real), batch.labels)
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
    assert torch.autograd.grad(loss, pair.fake)[0].abs().sum() > 0


# -- DSP-GAN ----------------------------------------------------------------------------------------


def test_the_chain_is_fitted_by_counting_and_drawn_from():
    """Of 4,000 scenes the fitted chain, drawn from, agrees with the true one: total variation below .05."""
    kinds = DepthLayers(16, None, None, None, 4000).load("train").extra["kinds"]
    layouts = Layouts(3, 3)
    layouts.count(kinds)
    assert layouts.first.sum() == 4003
    drawn = layouts(torch.rand(40_000, 3, generator=torch.Generator().manual_seed(0)))
    first, following = torch.tensor(FIRST), torch.tensor(NEXT)
    truth = first[:, None, None] * following[:, :, None] * following[None]
    found = torch.bincount(drawn[:, 0] * 9 + drawn[:, 1] * 3 + drawn[:, 2], minlength=27).view(3, 3, 3) / len(drawn)
    assert 0.5 * (found - truth).abs().sum() < 0.05
    shuffled = found.transpose(0, 1)
    assert 0.5 * (shuffled - truth).abs().sum() > 0.2, "the order counts"


def test_the_chain_of_several_processes_is_that_of_all_their_scenes(monkeypatch):
    kinds = torch.randint(3, (20, 3), generator=torch.Generator().manual_seed(0))
    whole, half, other = Layouts(3, 3), Layouts(3, 3), Layouts(3, 3)
    whole.count(kinds)
    other.count(kinds[10:])
    given = iter(other.buffers())
    monkeypatch.setattr(distributed, "mean", lambda counts: (counts + next(given)) / 2)
    monkeypatch.setattr(distributed, "world", lambda: 2)
    game = SimpleNamespace(network=lambda name: half)
    CountLayouts(1).play(game, lambda: Batch(torch.zeros(10, 1), extra={"kinds": kinds[:10]}))
    for found, expected in zip(half.buffers(), whole.buffers(), strict=True):
        torch.testing.assert_close(found, expected)


def test_numbers_are_turned_into_kinds_by_the_inverse_of_the_chances():
    layouts = Layouts(2, 2)
    layouts.first.copy_(torch.tensor([1.0, 3.0]))
    layouts.following.copy_(torch.tensor([[[1.0, 1.0], [0.0, 1.0]]]))
    u = torch.tensor([[0.2, 0.4], [0.2, 0.6], [0.3, 0.01]])
    assert layouts(u).tolist() == [[0, 0], [0, 1], [1, 1]]


def test_nearer_layers_cover_farther_ones():
    data = DepthLayers(32, None, None, None, 20).load("train")
    layers = [*(data.extra["source"].double() / 127.5 - 1).split(4, 1)]
    scene = put_together(layers, 2 * 0.15 - 1)
    assert (scene - (data.samples.double() / 127.5 - 1)).abs().max() < 0.02
    reversed_ = put_together(layers[::-1], 2 * 0.15 - 1)
    assert not torch.allclose(scene, reversed_, atol=0.1)


def test_a_scene_follows_from_its_z(compose, tmp_path):
    game = game_of("dsp_gan", compose, tmp_path, "game.batches=1")
    scenes = game.network("scenes")
    z = torch.randn(4, 51)
    *parts, u = scenes.parts(z)
    assert [part.shape[1] for part in parts] == [16] * 3 and u.shape == (4, 3)
    assert u[0, 0].item() == pytest.approx(0.5 * (1 + math.erf(z[0, -3].item() / math.sqrt(2))), abs=1e-6)
    assert torch.equal(game.sample(Latent(z)), game.sample(Latent(z)))
    with pytest.raises(ConfigError, match="prior.dim=50"):
        game_of("dsp_gan", compose, tmp_path / "other", "prior.dim=50")


# -- AlignGAN ---------------------------------------------------------------------------------------


def test_each_layer_is_told_the_domain():
    torch.manual_seed(0)
    generator = AlignedGenerator(3, 16, 1, 4).eval()
    z = torch.randn(2, 3)

    def made(sign):
        return generator.everything(z, None, {"domain": sign * torch.ones(2)})

    a, b = made(-1), made(1)
    assert not torch.equal(a["samples"], b["samples"]) and torch.equal(generator(z), b["samples"])
    assert not torch.equal(a["first"], b["first"]) and a["first"].shape == (2, 8, 4, 4)
    with torch.no_grad():
        for convolution in (generator.first[0], *(block[0] for block in generator.blocks)):
            convolution.weight[-1] = 0
    a, b = made(-1), made(1)
    assert torch.equal(a["samples"], b["samples"]) and torch.equal(a["first"], b["first"])


def test_what_both_images_of_one_latent_share_is_held_by_sums_of_squares(compose, tmp_path):
    """½ Σ (1 - 3)² + (0 - 1)² and ½ Σ of nothing: 2.5 and 0, of which the mean is 1.25."""
    assert apart(doubles([1, 0], [2, 2], [3, 1], [2, 2])).item() == pytest.approx(1.25)
    game = game_of("aligngan", compose, tmp_path, "game.first_layer=2", "game.last_layer=0.5")
    batch = real(game)
    pair = game.meet(batch)["main"]
    told = pair.real_given[0]
    assert told[:4].unique().tolist() == [-1] and told[4:].unique().tolist() == [1]
    assert torch.equal(pair.fake_given[0], told)
    assert torch.equal(pair.real, torch.cat([batch.others["a"].samples, batch.samples]))
    z, signs = torch.cat([pair.latent.z, pair.latent.z]), told[:, 0, 0, 0]
    assert torch.allclose(pair.fake, game.generate(Latent(z, given={"domain": signs})), atol=1e-6)
    first, last = (2 * apart(pair.made["first"]), 0.5 * apart(pair.fake_output.features[-1]))
    assert game.player("generator").evaluate({"main": pair})["first_layer"].item() == pytest.approx(
        first.item(), rel=1e-4
    )
    found = game.player("discriminator").evaluate({"main": pair})["last_layer"].item()
    assert found == pytest.approx(last.item(), rel=1e-4) and found > 0


@pytest.mark.parametrize(
    ("experiment", "overrides", "message"),
    [
        ("texturegan", ["game.crop=10"], "game.crop=10: squares are cut from patches of 10 pixels"),
        ("segan_invisible", ["game.weights=[1,2]"], "three numbers of at least 0"),
        ("cdcgan", ["data.task=outline", "data.source_channels=1"], "cdcgan needs the extra small_depth and depth"),
        ("dsp_gan", ["data=filaments"], "dsp_gan needs layers of four planes"),
        ("aligngan", ["data=digits"], "images of two domains of one shape"),
    ],
)
def test_what_does_not_fit_is_named(experiment, overrides, message, compose, tmp_path):
    with pytest.raises(ConfigError, match=message):
        game_of(experiment, compose, tmp_path, *overrides)
