"""Digits of several thicknesses, views and marks, and what each is after its edit."""

import pytest
import torch

from gan_framework.api import ConfigError
from gan_zoo.datasets.digit_marks import DigitMarks
from gan_zoo.datasets.digit_strokes import DigitStrokes
from gan_zoo.datasets.digit_views import POINTS, POSE, TOGETHER, DigitFronts, DigitViews
from gan_zoo.datasets.digits import Digits
from gan_zoo.datasets.edited_digits import DIGIT, IDENTITY, TARGET, moved, thickened


@pytest.fixture(scope="module")
def digits():
    data = Digits(32, 1, None).load("test")
    return data.read(range(len(data))), data.labels


def everything(data):
    every = range(len(data))
    return data.read(every), data.labels, data.read_extra(every), data.read_truth(every)


def test_a_point_is_thickened_to_a_square_and_thinned_to_nothing():
    point = torch.zeros(1, 1, 7, 7, dtype=torch.uint8)
    point[0, 0, 3, 3] = 200
    square = thickened(point, 2)
    assert square.sum() == 25 * 200 and square[0, 0, 1:6, 1:6].min() == 200
    assert torch.equal(thickened(square, -2), point)
    assert thickened(point, -1).sum() == 0


def test_strokes_know_themselves_at_every_thickness(digits):
    images, labels, extra, truth = everything(DigitStrokes(32, 1, 4).load("test"))
    plain, classes = digits
    assert len(images) == 4 * len(plain) and labels.bincount().tolist() == [len(plain)] * 4
    assert torch.equal(images[labels == 1], plain) and torch.equal(extra[DIGIT], classes[extra[IDENTITY]])
    assert (extra[TARGET] != labels).all() and set(extra[TARGET].tolist()) == {0, 1, 2, 3}
    ink = [float(images[labels == k].float().mean()) for k in range(4)]
    assert ink == sorted(ink)
    for k in range(4):
        asked = extra[TARGET] == k
        assert torch.equal(truth[asked], images[labels == k][extra[IDENTITY][asked]])


def test_marks_are_bars_of_three_rows_and_their_truth_has_none(digits):
    images, labels, extra, truth = everything(DigitMarks(32, 1, 2, None).load("test"))
    plain, _ = digits
    assert torch.equal(truth, plain) and extra[TARGET].sum() == 0
    assert torch.equal(images[labels == 0], plain[labels == 0])
    rows = (images[labels == 1] == 255).all(3)[:, 0]
    assert (rows.sum(1) == 3).all()
    first = rows.float().argmax(1)
    assert first.min() == 10 and first.max() == 22
    changed = (images != truth).any(3)[:, 0]
    assert not (changed[labels == 1] & ~rows).any()


def test_halves_with_and_without_marks_share_no_digit():
    found = [DigitMarks(32, 1, 2, marked).load("train") for marked in (True, False)]
    identities = [set(data.read_extra(range(len(data)))[IDENTITY].tolist()) for data in found]
    assert [set(data.labels.tolist()) for data in found] == [{1}, {0}]
    assert not identities[0] & identities[1] and len(identities[0] | identities[1]) == 1442


def test_quarter_turns_are_exact_and_go_the_way_of_the_clock_backwards(digits):
    x = digits[0][:4]
    turned = moved(x, torch.tensor([0.0, 90.0, 180.0, 270.0]), torch.zeros(4, 2))
    for k in range(4):
        assert (turned[k].int() - torch.rot90(x[k], k, (1, 2)).int()).abs().max() <= 1
    shifted = moved(x[:1], torch.zeros(1), torch.tensor([[2.0, -1.0]]))
    assert torch.equal(shifted[..., :-1, 2:], x[:1, :, 1:, :-2])


def test_views_know_themselves_in_every_view_with_their_own_shift(digits):
    source = DigitViews(32, 1, 4, 360.0, 0.0, 3)
    images, labels, extra, truth = everything(source.load("test"))
    assert source.classes == ("0 degrees", "90 degrees", "180 degrees", "270 degrees")
    assert (extra[TARGET] != labels).all()
    for k in range(4):
        asked = extra[TARGET] == k
        assert torch.equal(truth[asked], images[labels == k][extra[IDENTITY][asked]])
    # Three of four views of one digit, all different: those given together are turned by what is left.
    assert extra[TOGETHER].shape[1:] == source.shape.extra[TOGETHER] == (2, 32, 32)
    views = torch.stack([images[labels == k] for k in range(4)])
    for n in (0, 500, 1300):
        own = views[:, extra[IDENTITY][n], 0]
        found = [int((own == x).all((1, 2)).nonzero()[0]) for x in extra[TOGETHER][n]]
        assert len({*found, int(labels[n])}) == 3


def test_the_truth_of_a_shifted_view_is_shifted_as_it_is():
    images, labels, extra, truth = everything(DigitViews(32, 1, 2, 360.0, 2.0, 1).load("test"))
    back = moved(images, 180.0 * (extra[TARGET] - labels), torch.zeros(len(images), 2))
    assert (images != truth).any()
    # Turning an image about its centre turns its shift too, so only what was hardly shifted is the same.
    error = (back.float() - truth.float()).abs().flatten(1).mean(1)
    assert error.min() < 8 < error.max()


def test_sources_of_fronts_are_where_their_pose_says(digits):
    source = DigitFronts(32, 1, 1, 10, 120.0, 2.0, 0.2, 3)
    data = source.load("test")
    images, labels, extra = data.read(range(len(data))), data.labels, data.read_extra(range(len(data)))
    plain, classes = digits
    assert torch.equal(images, plain.repeat(3, 1, 1, 1)) and torch.equal(labels, classes.repeat(3))
    assert {name: tuple(t.shape[1:]) for name, t in extra.items()} == dict(source.shape.extra)
    assert float(extra[POSE].abs().max()) <= 1
    # A blob at the centre of a quarter is found at the point that is named for it.
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    blob = 255 * torch.exp(-((rows - 7.5) ** 2 + (columns - 23.5) ** 2) / 4)
    pose = extra[POSE][:5]
    made = moved(blob.to(torch.uint8).expand(5, 1, 32, 32), 60 * pose[:, 0], 2 * pose[:, 1:3], 1 + 0.2 * pose[:, 3])
    weights = made[:, 0].float()
    found = torch.stack([(weights * axis).sum((1, 2)) for axis in (columns, rows)], 1) / weights.sum((1, 2))[:, None]
    assert (found - extra[POINTS][:5, 1]).abs().max() < 0.3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DigitStrokes(32, 1, 9), "data.num_classes=9: there are from 2 to 5 thicknesses"),
        (lambda: DigitMarks(32, 1, 3, None), "data.num_classes=3: digit_marks has the classes plain and marked"),
        (lambda: DigitViews(32, 1, 1, 360.0, 2.0, 1), "data.num_classes=1: there must be at least 2 views"),
        (lambda: DigitViews(32, 1, 4, 0.0, 2.0, 1), "data.span=0.0"),
        (lambda: DigitViews(32, 1, 4, 90.0, 2.0, 5), "data.together=5"),
        (lambda: DigitFronts(32, 3, 1, 10, 90.0, 2.0, 0.1, 1), "data.channels=3"),
        (lambda: DigitFronts(32, 1, 1, 10, 90.0, 2.0, 1.0, 1), "data.scale=1.0"),
    ],
)
def test_wrong_settings_are_named(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
