import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.data import build_source
from gan_framework.errors import ConfigError
from gan_framework.evaluation.metric import Comparison, FeatureSet, PairedSamples
from gan_zoo.causal_graph import CausalGraph, ordered
from gan_zoo.datasets.causal_shapes import GRAPH
from gan_zoo.metrics.attribute_accuracy import AttributeAccuracy
from gan_zoo.metrics.leaf_count import LeafCount
from gan_zoo.metrics.object_place import ObjectPlace
from gan_zoo.rosettes import count_leaves, draw_rosettes
from gan_zoo.shapes import read_scenes
from tests.zoo.described.shares import joint_of, total_variation

SHAPES = {
    "name": "shapes",
    "image_size": 32,
    "channels": 3,
    "num_classes": 3,
    "samples": 150,
    "objects": 1,
    "hold_out": False,
    "text_dim": 8,
    "text_noise": 0.0,
    "extras": ["attributes"],
}


def comparison(generated, target, labels=None):
    """What a metric is given of 8-bit images and what they should be."""
    set_of = FeatureSet(torch.zeros(len(generated), 1), None, labels, lambda indices: generated[indices])
    pairs = lambda: iter([PairedSamples(target, generated, target, {})])  # noqa: E731
    return Comparison(set_of, set_of, lambda split: set_of, DataShape((3, 32, 32), 8), False, pairs=pairs)


# -- causes ---------------------------------------------------------------------------------------


def two_bits():
    """A causes B: P(A) = 0.5, P(B | A) = 0.9, P(B | not A) = 0.1."""
    return CausalGraph({"a": (), "b": ("a",)}, {"a": torch.tensor(0.5), "b": torch.tensor([0.1, 0.9])})


def test_seeing_is_not_doing():
    joint = two_bits().joint()
    torch.testing.assert_close(
        joint, torch.tensor([[0.45, 0.05], [0.05, 0.45]], dtype=torch.float64), atol=1e-7, rtol=0
    )
    assert (joint[1, 1] / joint[:, 1].sum()).item() == pytest.approx(0.9)
    done = two_bits().joint({"b": 1})
    assert done[1, 1].item() == pytest.approx(0.5) and not done[:, 0].any()
    assert two_bits().joint({"a": 1})[1, 1].item() == pytest.approx(0.9)


@pytest.mark.parametrize("do", [None, {"b": 1}, {"a": 0}])
def test_drawn_bits_have_the_joint_table(do):
    bits = two_bits().draw(40_000, torch.Generator().manual_seed(0), do)
    assert total_variation(joint_of(bits), two_bits().joint(do)) < 0.01


def test_causes_come_first():
    assert ordered([["a"], ["b", "a"]]) == {"a": (), "b": ("a",)}
    for graph, message in (
        ([["a", "b"], ["b"]], "'b', a cause of 'a', must come before it"),
        ([["a"], ["a"]], "'a' is named twice"),
        (["a"], "'a' must be a list"),
        ([], "at least one bit"),
    ):
        with pytest.raises(ValueError, match=message):
            ordered(graph)


def test_causal_shapes_show_their_bits():
    settings = {"name": "causal_shapes", "image_size": 32, "channels": 3, "num_classes": 0, "samples": 5000}
    data = build_source(settings).load("train")
    bits = data.extra["attributes"]
    assert total_variation(joint_of(bits), GRAPH.joint()) < 0.03
    found = read_scenes(data.samples[:500])
    shown = torch.cat([found.large, found.shape == 0, found.colour == 0, found.top], 1).float()
    assert torch.equal(shown, bits[:500])
    assert GRAPH.joint().sum(dim=(1, 3))[1, 1].item() == pytest.approx(0.45)  # large and red


# -- leaves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [24, 32, 64])
def test_leaves_are_counted(size):
    counts = torch.arange(1, 9).repeat(40)
    images = draw_rosettes(counts, size, torch.Generator().manual_seed(0))
    assert (count_leaves(images) == counts).float().mean() > 0.99


def test_brown_noise_has_no_leaves():
    grey = torch.full((3, 3, 32, 32), 100, dtype=torch.uint8)
    assert count_leaves(grey).tolist() == [0, 0, 0]


def test_rosettes_are_of_their_class():
    settings = {"name": "rosettes", "image_size": 32, "channels": 3, "num_classes": 8, "samples": 400}
    data = build_source(settings).load("train")
    assert data.labels.bincount().min() > 30
    found = LeafCount().scores(comparison(data.samples, data.samples, data.labels))
    assert found["leaves_right"] > 0.99 and found["leaves_near"] == 1
    wrong = LeafCount().scores(comparison(data.samples, data.samples, (data.labels + 1) % 8))
    assert wrong["leaves_right"] < 0.02 and 0.8 < wrong["leaves_near"] < 0.95


# -- scores ---------------------------------------------------------------------------------------


def test_attributes_of_the_right_images_agree_and_those_of_others_by_chance():
    images = build_source(SHAPES).load("train").samples
    metric = AttributeAccuracy(["shape", "colour", "large", "top", "left"], 1)
    assert metric.scores(comparison(images, images)) == {"attribute_accuracy": 1, "attribute_accuracy_unseen": 1}
    shuffled = metric.scores(comparison(images.roll(1, 0), images))["attribute_accuracy"]
    assert shuffled == pytest.approx((1 / 3 + 1 / 6 + 3 / 2) / 5, abs=0.05)
    empty = torch.zeros_like(images)
    assert metric.scores(comparison(empty, images))["attribute_accuracy"] == 0
    red = AttributeAccuracy(["red"], 1).scores(comparison(images.flip(1), images))["attribute_accuracy"]
    assert red == pytest.approx(2 / 3, abs=0.09)  # red and blue have changed places


def test_unseen_combinations_are_scored_apart():
    seen = build_source({**SHAPES, "hold_out": True}).load("train").samples
    assert "attribute_accuracy_unseen" not in AttributeAccuracy(["shape"], 1).scores(comparison(seen, seen))


def test_objects_that_have_moved_are_off_their_place():
    black = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    here, there = black.clone(), black.clone()
    here[:, 0, 4:8, 4:8] = 255
    there[:, 0, 5:9, 5:9] = 255
    found = ObjectPlace().scores(comparison(torch.cat([here, there]), torch.cat([here, here])))
    assert found["object_iou"] == pytest.approx((16 + 9) / (16 + 23))
    assert found["place_error"] == pytest.approx(2**0.5 / 2) and found["placed"] == 1
    lost = ObjectPlace().scores(comparison(black, here))
    assert lost == {"object_iou": 0, "place_error": pytest.approx(32 * 2**0.5), "placed": 0}


def test_what_cannot_be_read_is_refused():
    with pytest.raises(ConfigError, match="'size' must be one of shape, colour"):
        AttributeAccuracy(["size"], 1)
    for metric in (AttributeAccuracy(["shape"], 1), ObjectPlace(), LeafCount()):
        with pytest.raises(ConfigError, match="samples are"):
            metric.check_samples(DataShape((1, 32, 32)), 10, 10)
