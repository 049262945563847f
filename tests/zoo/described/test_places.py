"""AL-CGAN and GAWWN: images of layouts, boxes and key points."""

import pytest
import torch
from torch.nn import functional as F

from gan_framework.errors import ConfigError
from gan_zoo.systems.gawwn import into_box, out_of_box, point_maps
from tests.zoo.described.playing import FEW, NARROW, as_asked, played

SMALL = [*FEW, *NARROW, "prior.dim=5"]
BOXES = ["experiment=gawwn_box", *SMALL]
POINTS = ["experiment=gawwn_keypoints", *SMALL]


def maps(n=2, size=16):
    return torch.randn(n, 3, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def boxes(*corners):
    return torch.tensor(corners, dtype=torch.float64)


def entropy(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


# -- boxes ----------------------------------------------------------------------------------------


def test_the_whole_image_as_a_box_changes_nothing():
    x, whole = maps(), boxes([0, 0, 1, 1], [0, 0, 1, 1])
    torch.testing.assert_close(into_box(x, whole), x)
    torch.testing.assert_close(out_of_box(x, whole), x)


def test_a_box_of_half_the_size_fills_exactly_its_quarter():
    filled = into_box(torch.ones(1, 1, 16, 16, dtype=torch.float64), boxes([0, 0, 0.5, 0.5]))
    expected = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    expected[..., :8, :8] = 1
    torch.testing.assert_close(filled, expected)


def test_what_is_squeezed_is_the_mean_of_four_pixels():
    x = maps()
    squeezed = into_box(x, boxes([0.5, 0, 1, 0.5], [0, 0.5, 0.5, 1]))
    half = F.avg_pool2d(x, 2)
    torch.testing.assert_close(squeezed[0, :, :8, 8:], half[0])
    torch.testing.assert_close(squeezed[1, :, 8:, :8], half[1])
    assert not squeezed[0, :, 8:].any() and not squeezed[1, :, :8].any()


def test_what_is_cut_out_is_what_was_in_the_box():
    x = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    x[..., 4:8, 8:12] = 1
    found = out_of_box(x, boxes([0.5, 0.25, 0.75, 0.5]))  # its outermost pixels lie between inside and outside
    torch.testing.assert_close(found[..., 2:-2, 2:-2], torch.ones(1, 1, 12, 12, dtype=torch.float64))
    assert not out_of_box(x, boxes([0, 0.5, 0.4, 1])).any()


def test_only_what_is_in_the_box_reaches_the_local_path(compose):
    game, batch = played(compose, *BOXES)
    judge, text = game.network("discriminator"), batch.extra["text"]
    x = batch.samples.clone().requires_grad_()
    box = boxes([0, 0, 0.5, 0.5]).expand(8, 4)
    (near,) = torch.autograd.grad(out_of_box(judge.first[1](x), box).square().sum(), x)
    assert near[..., :8, :8].any() and not near[..., 12:, :].any() and not near[..., 12:].any()
    with torch.no_grad():
        moved = judge(x, None, boxes([0.5, 0.5, 1, 1]).expand(8, 4), text).logits
        assert not torch.allclose(moved, judge(x, None, box, text).logits)


def test_gawwn_pays_as_gan_cls_with_places_that_are_right(compose):
    game, batch = played(compose, *BOXES)
    meeting, judge = game.meet(batch), game.network("discriminator")
    x, t, box = batch.samples, batch.extra["text"], batch.extra["box"]
    made = meeting["made"].fake
    expected = entropy(judge(x, None, box, t).logits, 1) + 0.5 * entropy(judge(x, None, box, t.roll(1, 0)).logits, 0)
    expected = expected + 0.5 * entropy(judge(made, None, box, t).logits, 0)
    torch.testing.assert_close(as_asked(game, "discriminator", meeting), expected)
    torch.testing.assert_close(as_asked(game, "generator", meeting), entropy(judge(made, None, box, t).logits, 1))


# -- key points -----------------------------------------------------------------------------------


def test_points_are_ones_where_they_are_and_those_not_shown_are_nowhere():
    points = torch.tensor([[[0.0, 0.0, 1.0], [0.99, 0.5, 1.0], [0.3, 0.3, 0.0]]], dtype=torch.float64)
    found = point_maps(points, 4)
    expected = torch.zeros(1, 3, 4, 4, dtype=torch.float64)
    expected[0, 0, 0, 0] = expected[0, 1, 2, 3] = 1
    assert torch.equal(found, expected)


def test_points_that_are_shown_are_copied_and_others_made(compose):
    game, batch = played(compose, *POINTS)
    points = batch.extra["points"].clone()
    shown = torch.zeros(8, 5, 1, dtype=torch.float64)
    shown[:, :2] = 1
    z = torch.randn(8, 5, dtype=torch.float64)
    given = {"text": batch.extra["text"], "points": points, "shown": shown}
    made = game.network("generator_points")(z, None, given)
    assert torch.equal(made[:, :2], points[:, :2])
    assert (made[:, 2:, :2] != points[:, 2:, :2]).all() and (made[..., 2] == 1).all()
    changed = points.clone()
    changed[:, 2:, :2] = 0.5  # what is hidden has no influence
    again = game.network("generator_points")(z, None, {**given, "points": changed})
    assert torch.equal(made, again)


def test_the_second_gan_pays_for_points_alone(compose):
    game, batch = played(compose, *POINTS)
    meeting, t = game.meet(batch), batch.extra["text"]
    judge, pair = game.network("discriminator_points"), meeting["points"]
    expected = entropy(judge(batch.extra["points"], None, t).logits, 1) + entropy(judge(pair.fake, None, t).logits, 0)
    torch.testing.assert_close(as_asked(game, "discriminator_points", meeting), expected)
    torch.testing.assert_close(
        as_asked(game, "generator_points", meeting), entropy(judge(pair.fake, None, t).logits, 1)
    )
    assert 0 < pair.latent.given["shown"].mean() < 1
    assert set(game.player("generator").pairs(meeting)) == {"made"}


def test_samples_have_missing_points_filled_in(compose):
    game, batch = played(compose, *POINTS)
    latent = game.latent_for(batch)
    latent = latent._replace(z=latent.z.double())
    whole = game.sample(latent)
    game.networks["generator"].eval()
    torch.testing.assert_close(whole, game.generate(latent).float())
    missing = batch.extra["points"].clone()
    missing[:, 1:, 2] = 0
    some = latent._replace(given={**latent.given, "points": missing})
    assert not torch.equal(game.sample(some), whole)
    assert not torch.equal(game.sample(some), game.generate(some).float())


# -- layouts --------------------------------------------------------------------------------------


def test_al_cgan_pays_by_the_formula(compose):
    game, batch = played(compose, "experiment=al_cgan", *SMALL)
    meeting, judge = game.meet(batch), game.network("discriminator")
    a, layout, made = batch.extra["attributes"], batch.extra["layout"], meeting["made"].fake
    assert set(meeting) == {"right", "made"}
    expected = entropy(judge(batch.samples, None, layout, a).logits, 1) + entropy(
        judge(made, None, layout, a).logits, 0
    )
    torch.testing.assert_close(as_asked(game, "discriminator", meeting), expected)
    torch.testing.assert_close(as_asked(game, "generator", meeting), entropy(judge(made, None, layout, a).logits, 1))


def test_all_that_is_given_reaches_al_cgans_image(compose):
    game, batch = played(compose, "experiment=al_cgan", *SMALL)
    given = {name: batch.extra[name].clone().requires_grad_() for name in ("attributes", "layout")}
    z = torch.randn(8, 5, dtype=torch.float64, requires_grad=True)
    image = game.network("generator")(z, None, given)
    for gradient in torch.autograd.grad(image.square().sum(), [z, *given.values()]):
        assert (gradient.flatten(1).abs().sum(1) > 0).all()


def test_sizes_that_cannot_be_halved_are_refused(compose):
    for experiment, size in (("al_cgan", 24), ("gawwn_box", 24), ("gawwn_keypoints", 40)):
        with pytest.raises(ConfigError, match="are doubled some times"):
            played(compose, f"experiment={experiment}", *SMALL, f"data.image_size={size}")
    with pytest.raises(ConfigError, match="hidden=0"):
        played(compose, *POINTS, "game.hidden=0")
