import pytest
import torch

from gan_framework.data import build_source
from gan_framework.errors import ConfigError
from gan_zoo.shapes import (
    BITS,
    COLOURS,
    HELD_OUT,
    SHAPES,
    WORDS,
    Scenes,
    drawn,
    is_held_out,
    random_scenes,
    read_scenes,
)

SETTINGS = {
    "name": "shapes",
    "image_size": 32,
    "channels": 3,
    "num_classes": 3,
    "samples": 500,
    "objects": 1,
    "hold_out": True,
    "text_dim": 64,
    "text_noise": 0.1,
    "extras": None,
}


def source(**changes):
    return build_source(SETTINGS | changes)


def one(shape, colour, *, large, x, y):
    """A scene of one object."""
    index = [[SHAPES.index(shape)]], [[COLOURS.index(colour)]]
    return Scenes(
        torch.tensor([[True]]), *map(torch.tensor, index), *(torch.tensor([[value]]) for value in (large, x, y))
    )


@pytest.mark.parametrize(("objects", "size"), [(1, 32), (3, 32), (1, 16), (3, 64)])
def test_what_is_drawn_is_read_back(objects, size):
    data = source(objects=objects, image_size=size, hold_out=False, samples=100).load("train")
    attributes, points = data.extra["attributes"], data.extra["points"]
    found = read_scenes(data.samples, objects)
    wrong = (found.attributes() != attributes).any(1).float().mean()
    assert wrong == 0 if size > 16 else wrong < 0.05  # a small shape of seven pixels may pass for another
    centres = points[:, ::5]
    assert torch.equal(found.present, centres[..., 2] == 1)
    away = (torch.stack([found.x, found.y], 2) / 32 - centres[..., :2]).norm(dim=2)[found.present]
    assert away.max() * 32 < (0.5 if size > 16 else 1.0)


def test_grey_shows_nothing():
    found = read_scenes(torch.full((2, 3, 32, 32), 90, dtype=torch.uint8))
    assert not found.present.any() and not found.attributes().any()


def test_a_large_red_circle_has_its_area_its_box_and_its_words():
    scene = one("circle", "red", large=True, x=10.0, y=20.0)
    images, masks = drawn(scene, 64, torch.tensor([0.0]), torch.ones(1, 1))
    assert masks.sum().item() / 4 == pytest.approx(torch.pi * 5.5**2, rel=0.02)
    assert images[0, :, 40, 20].tolist() == [255, 0, 0] and not images[0, :, 0].any()
    torch.testing.assert_close(scene.boxes() * 32, torch.tensor([[4.5, 14.5, 15.5, 25.5]]))
    assert " ".join(WORDS[word] for word in scene.captions()[0]) == "a large red circle at the bottom left ."
    assert [name for name, bit in zip(BITS, scene.attributes()[0], strict=True) if bit] == [
        "circle",
        "red",
        "large",
        "left",
    ]


def test_triangles_have_their_corners_inside_and_their_area():
    scene = one("triangle", "green", large=True, x=16.0, y=16.0)
    _, masks = drawn(scene, 128, torch.tensor([0.0]), torch.ones(1, 1))
    assert masks.sum().item() / 16 == pytest.approx(0.75 * 3**0.5 * 6.6**2, rel=0.02)
    x, y = (scene.points()[0, 1:, :2].mul(128)).T  # top, right, below the middle, left: all on the outline
    for dx, dy, i in ((0, 2, 0), (-3, -2, 1), (0, -2, 2), (3, -2, 3)):
        assert masks[0, 0, int(y[i] + dy), int(x[i] + dx)] and not masks[0, 0, int(y[i] - dy), int(x[i] - dx)]


def test_boxes_masks_and_layouts_agree():
    data = source(objects=2, image_size=64).load("train")
    mask, layout, boxes = data.extra["mask"], data.extra["layout"], data.extra["box"].unflatten(1, (2, 4))
    assert torch.equal(layout.sum(1), torch.ones(500, 64, 64))
    assert torch.equal(1 - layout[:, :1], mask)
    rows, columns = mask.amax(3)[:, 0], mask.amax(2)[:, 0]
    present = data.extra["points"][:, ::5, 2] == 1
    least = torch.where(present, boxes[..., 1], 9.0).amin(1) * 64
    greatest = boxes[..., 2].amax(1) * 64
    assert (rows.argmax(1) - least).abs().max() < 1.5
    assert (63 - columns.flip(1).argmax(1) + 1 - greatest).abs().max() < 1.5
    assert data.extra["depth"].dtype == torch.uint8


def test_train_lacks_combinations_that_test_has():
    splits = {split: source().load(split) for split in ("train", "test")}
    held = {
        split: is_held_out(data.extra["attributes"][:, :3].argmax(1), data.extra["attributes"][:, 3:9].argmax(1))
        for split, data in splits.items()
    }
    assert not held["train"].any() and 0.08 < held["test"].float().mean() < 0.28
    pairs = {(shape, colour) for colour, shape in HELD_OUT.items()}
    seen = splits["train"].extra["attributes"]
    combinations = {(SHAPES[row[:3].argmax()], COLOURS[row[3:9].argmax()]) for row in seen}
    assert len(combinations) == 18 - len(pairs) and not combinations & pairs


def test_texts_are_a_projection_of_the_attributes():
    quiet = source(text_noise=0.0, samples=200).load("train").extra
    fitted = torch.linalg.lstsq(quiet["attributes"], quiet["text"]).solution
    torch.testing.assert_close(quiet["attributes"] @ fitted, quiet["text"], atol=1e-4, rtol=0)
    noisy = source(samples=200).load("train").extra
    assert (noisy["text"] - quiet["text"]).std().item() == pytest.approx(0.1, rel=0.05)
    assert quiet["text"].std().item() == pytest.approx(1, rel=0.3)
    assert torch.equal(source(samples=200).load("train").extra["text"], noisy["text"])


def test_objects_are_of_different_colours_and_quarters():
    scenes = random_scenes(1000, 3, True, torch.Generator().manual_seed(0))
    counts = scenes.present.sum(1).bincount().tolist()
    assert counts[0] == 0 and min(counts[1:]) > 250
    colour = torch.where(scenes.present, scenes.colour, torch.tensor([10, 11, 12]))
    assert (colour.diff(dim=1) > 0).all()
    quarter = torch.where(scenes.present, 2 * scenes.top + scenes.left, torch.tensor([10, 11, 12])).sort(1).values
    assert (quarter.diff(dim=1) > 0).all()


def test_only_what_is_wanted_comes():
    data = source(extras=["text", "box"]).load("test")
    assert {name: tuple(tensor.shape) for name, tensor in data.extra.items()} == {"text": (100, 64), "box": (100, 4)}
    assert torch.equal(data.extra["text"], source().load("test").extra["text"])


@pytest.mark.parametrize(("edit", "of"), [("shape", slice(0, 3)), ("colour", slice(3, 9)), ("large", slice(9, 10))])
def test_an_edit_changes_one_attribute_and_nothing_else(edit, of):
    data, plain = source(edit=edit, samples=100).load("train"), source(samples=100).load("train")
    assert torch.equal(data.samples, plain.samples)
    before, asked = data.extra["attributes"], data.extra["asked"]
    truth = data.read_truth(torch.arange(100))
    assert torch.equal(read_scenes(truth).attributes(), asked)
    changed = before != asked
    assert changed[:, of].any(1).all()
    changed[:, of] = False
    assert not changed.any()
    assert torch.equal(truth[:, :, 0, 0], data.samples[:, :, 0, 0])  # the same ground
    assert plain.read_truth([0]) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objects": 4}, "objects=4 must be 1, 2 or 3"),
        ({"image_size": 8}, "image_size=8 must be a whole number, at least 16"),
        ({"channels": 1}, "have 3 channels"),
        ({"num_classes": 6}, "shapes has 3 classes"),
        ({"extras": ["colour"]}, "'colour' must be one of attributes, caption"),
        ({"text_dim": 0}, "text_dim=0"),
        ({"edit": "place"}, "edit=place must be shape, colour, large or null"),
        ({"edit": "colour", "objects": 2}, "null with data.objects above 1"),
        ({"samples": 5}, "samples=5 must be at least 10"),
    ],
)
def test_other_settings_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        source(**changes)
