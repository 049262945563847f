"""TP-GAN and FF-GAN: front views of what was seen from the side."""

import pytest
import torch
from torch.nn import functional as F

from gan_framework.api import Batch, ConfigError, DataShape
from gan_zoo.datasets.digit_views import POINTS, POSE, DigitFronts
from gan_zoo.editing import MirrorSymmetry
from gan_zoo.systems.tp_gan import HALF, QUARTER, SmallerScales, cut_out, pasted
from gan_zoo.translating import SOURCE
from tests.zoo.editing.common import GREY, noise, started

FRONTS = DataShape((1, 16, 16), 10, extra={SOURCE: (1, 16, 16), POSE: (4,), POINTS: (4, 2)})
NARROW = [f"networks.{name}.width=2" for name in ("generator", "discriminator")]
TP = [*NARROW, "networks.generator.code=4", "networks.generator.patch=8", "networks.discriminator.layers=1"]
TP += ["terms.feature_distance.steps=1", "terms.feature_distance.width=2"]
FF = [*NARROW, "networks.regressor.width=2", "networks.discriminator.layers=1"]
FF += ["terms.feature_distance.steps=1", "terms.feature_distance.width=2"]
CENTRES = torch.tensor([[3.5, 3.5], [11.5, 3.5], [3.5, 11.5], [11.5, 11.5]])


def batch():
    extra = {SOURCE: noise(4, seed=1), POSE: noise(4, 2, seed=2).flatten(1), POINTS: CENTRES.double().repeat(4, 1, 1)}
    return Batch(noise(4), torch.arange(4), extra)


def test_patches_of_an_image_that_was_not_moved_are_its_quarters_and_make_it_again():
    x = noise(2) + 1
    patches = cut_out(x - 1, CENTRES.repeat(2, 1, 1), 8) + 1
    for i, (rows, columns) in enumerate([(0, 0), (0, 8), (8, 0), (8, 8)]):
        assert torch.equal(patches[:, i], x[:, :, rows : rows + 8, columns : columns + 8])
    assert torch.equal(pasted(patches, 16, 16), x)


def test_patches_follow_their_points_and_end_in_the_background():
    x = noise(1)
    found = cut_out(x, torch.tensor([[[5.5, 2.5], [-1.5, 14.5], [100.0, -100.0]]]), 4)[0]
    assert torch.equal(found[0], x[0, :, 1:5, 4:8])
    assert torch.equal(found[1, :, :3, 3], x[0, :, 13:16, 0]) and (found[1, :, :, :3] == -1).all()
    assert (found[2] == -1).all()


def test_overlapping_patches_are_joined_by_maximum():
    maps = torch.zeros(1, 4, 1, 10, 10)
    maps[0, :, 0] = torch.tensor([1.0, 2.0, 3.0, 4.0])[:, None, None]
    whole = pasted(maps, 16, 16)[0, 0]
    # Squares of 10 around the centres of quarters of 8 reach one pixel into their neighbours.
    assert whole[0].tolist() == [1] * 7 + [2] * 9
    assert whole[:, 0].tolist() == [1] * 7 + [3] * 9
    assert whole[7:, 7:].unique().tolist() == [4]


def test_smaller_scales_and_symmetry_are_means():
    pair = type("Pair", (), {})()
    pair.real, pair.fake = torch.ones(1, 1, 8, 8).double(), torch.arange(4.0).double().expand(1, 1, 4, 4)
    pair.made = {HALF: torch.zeros(1, 1, 4, 4).double(), QUARTER: torch.full((1, 1, 2, 2), -1.0).double()}
    assert float(SmallerScales((1.0, 1.5))(pair, None)) == pytest.approx(1 + 1.5 * 2)
    assert float(MirrorSymmetry()(pair, None)) == pytest.approx((3 + 1 + 1 + 3) / 4)


def test_the_losses_of_tp_gan(compose):
    game = started(compose, "tp_gan", *TP, "game.symmetry=0.3", shape=FRONTS)
    given = batch()
    pair = game.meet(given)["main"]
    losses = game.player("generator").evaluate({"main": pair})
    g, x = pair.fake, given.samples
    expected = {
        "adversarial": 1e-3 * F.softplus(-pair.fake_output.logits).mean(),
        "distance": (x - g).abs().mean(),
        "smaller_scales": (F.avg_pool2d(x, 2) - pair.made[HALF]).abs().mean()
        + 1.5 * (F.avg_pool2d(x, 4) - pair.made[QUARTER]).abs().mean(),
        "symmetry": 0.3 * (g - g.flip(3)).abs().mean(),
        "identity": 0.1 * F.cross_entropy(pair.made["class"], given.labels),
        "total_variation": 1e-4 * (g.diff(dim=2).abs().mean() + g.diff(dim=3).abs().mean()),
    }
    assert losses.keys() == {*expected, "feature_distance"}
    for name, value in expected.items():
        assert float(losses[name].detach()) == pytest.approx(float(value.detach()), abs=1e-7), name
    assert pair.fake_output.logits.shape[1] == 1
    total = sum(losses.values())
    assert all(p is not None for p in torch.autograd.grad(total, [*game.generator.parameters()], allow_unused=True))


def test_patches_change_what_is_made_and_can_be_left_out(compose):
    game = started(compose, "tp_gan", *TP, shape=FRONTS)
    game.generator.eval()
    given = batch().extra
    moved = {**given, POINTS: given[POINTS] + 3}
    z = torch.zeros(4, 0)
    assert not torch.allclose(game.generator(z, None, given), game.generator(z, None, moved))
    alone = started(compose, "tp_gan", *TP, "networks.generator.local=false", shape=FRONTS)
    alone.generator.eval()
    assert torch.equal(alone.generator(z, None, given), alone.generator(z, None, moved))


def test_the_losses_of_ff_gan_and_whom_they_reach(compose):
    game = started(compose, "ff_gan", *FF, "game.mirror=0.5", shape=FRONTS)
    given = batch()
    pair = game.meet(given)["main"]
    losses = game.player("generator").evaluate({"main": pair})
    g = pair.fake
    found = game.network("regressor")(given.extra[SOURCE])
    expected = {
        "adversarial": 0.01 * F.softplus(-pair.fake_output.logits).mean(),
        "distance": (given.samples - g).abs().mean(),
        "symmetry": 0.5 * (g - g.flip(3)).abs().mean(),
        "total_variation": 1e-3 * (g.diff(dim=2).abs().mean() + g.diff(dim=3).abs().mean()),
    }
    assert losses.keys() == {*expected, "feature_distance"}
    for name, value in expected.items():
        assert float(losses[name].detach()) == pytest.approx(float(value.detach()), abs=1e-7), name
    regressor = [*game.network("regressor").parameters()]
    reached = torch.autograd.grad(sum(losses.values()), regressor, allow_unused=True)
    assert not any(gradient is not None for gradient in reached)
    regression = game.player("regressor").evaluate({"main": pair})["regression"]
    assert float(regression.detach()) == pytest.approx(float((found - given.extra[POSE]).square().mean().detach()))


def test_g_is_never_told_the_true_view(compose):
    game = started(compose, "ff_gan", *FF, shape=FRONTS)
    game.networks.eval()
    given = batch()
    other = Batch(given.samples, given.labels, {**given.extra, POSE: -given.extra[POSE]})
    assert torch.equal(game.meet(given, graph=False)["main"].fake, game.meet(other, graph=False)["main"].fake)


def test_a_pose_is_learnt_from_images(compose):
    """On real sources R soon finds the view better than the mean does."""
    data = DigitFronts(16, 1, 1, 10, 120.0, 1.0, 0.2, 1).load("train")
    game = started(
        compose, "ff_gan", *FF, "networks.regressor.width=8", "optimizer.generator.lr=0.003", shape=FRONTS, double=False
    )
    extra = data.read_extra(range(len(data)))
    source, pose = extra[SOURCE].float() / 127.5 - 1, extra[POSE]
    player = game.player("regressor")
    for step in range(40):
        of = torch.arange(32) + 32 * step
        made = Batch(data.read(of).float() / 127.5 - 1, data.labels[of], {SOURCE: source[of], POSE: pose[of]})
        pair = type("Pair", (), {"latent": game.latent_for(made), "batch": made})()
        player.backward({"regression": player.term("regression")(pair, player)})
        player.optimizer.step()
    with torch.no_grad():
        left = (game.network("regressor")(source[1300:]) - pose[1300:]).square().mean(0)
    assert float(left[0]) < 0.7 * float(pose[:, 0].square().mean())


def test_data_without_points_or_poses_are_refused(compose):
    paired = GREY._replace(num_classes=10, extra={SOURCE: (1, 16, 16)})
    with pytest.raises(ConfigError, match="TPGAN cuts patches around the extra 'points' of labelled images"):
        started(compose, "tp_gan", *TP, shape=paired)
    with pytest.raises(ConfigError, match="FFGAN learns how images were seen from their extra 'pose'"):
        started(compose, "ff_gan", *FF, shape=paired)
    with pytest.raises(
        ConfigError, match=r"networks.regressor makes \(3,\) of an image, and the extra 'pose' is \(4,\)"
    ):
        started(compose, "ff_gan", *FF, "networks.regressor.outputs=[3]", shape=FRONTS)
