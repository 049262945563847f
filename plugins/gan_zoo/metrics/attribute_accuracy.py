"""Whether images have the attributes that were asked for, as rules read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, Metric
from gan_zoo.shapes import COLOURS, SHAPES, Scenes, is_held_out, read_scenes

READ: dict[str, Callable[[Scenes], Tensor]] = {
    "shape": lambda scenes: scenes.shape,
    "colour": lambda scenes: scenes.colour,
    "large": lambda scenes: scenes.large,
    "top": lambda scenes: scenes.top,
    "left": lambda scenes: scenes.left,
    **{name: lambda scenes, i=i: scenes.shape == i for i, name in enumerate(SHAPES)},  # type: ignore[misc]
    **{name: lambda scenes, i=i: scenes.colour == i for i, name in enumerate(COLOURS)},  # type: ignore[misc]
}
"""What can be asked about each object of a scene (N, K), by name."""


class AttributeAccuracy(Metric):
    """The share of attributes that images of shapes have in common with what they should be.

    Both are read from the pixels by rules (`gan_zoo.shapes.read_scenes`), which are right on all images of
    `data=shapes`; of an object that is missing all attributes are wrong. Where some of the images should show
    combinations of shape and colour that the data may hold out of training, `unseen` is the share in these alone.

    Args:
        of: the names of attributes: shape, colour, large, top, left, or one shape or colour.
        objects: the most objects of an image.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"attribute_accuracy": True}
    legend: ClassVar[dict[str, str]] = {
        "attribute_accuracy": "share of the attributes asked for that are read from the images, 0 to 1",
        "attribute_accuracy_unseen": "the same where shape and colour never came together in training, 0 to 1",
    }
    needs_pairs: ClassVar[bool] = True
    needs_images: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 10_000

    def __init__(self, of: list[str], objects: int) -> None:
        for name in of:
            if name not in READ:
                raise ConfigError(f"metrics.attribute_accuracy.of: {name!r} must be one of {', '.join(READ)}")
        if not of or objects < 1:
            raise ConfigError(
                f"metrics.attribute_accuracy: of={of} must name an attribute, objects={objects} be 1 or more"
            )
        self.of, self.objects = list(of), objects

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if samples are no square colour images."""
        if len(shape.sample) != 3 or shape.sample[0] != 3 or shape.sample[1] != shape.sample[2]:
            raise ConfigError(f"metrics.attribute_accuracy reads square colour images, and samples are {shape.sample}")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `attribute_accuracy`, and `attribute_accuracy_unseen` where there are such combinations."""
        assert comparison.pairs is not None, "only games of pairs come this far"
        right, counted, unseen = [], [], []
        for part in comparison.pairs():
            found, asked = read_scenes(part.generated, self.objects), read_scenes(part.target, self.objects)
            right.append(shared(found, asked, self.of))
            counted.append(asked.present)
            unseen.append(asked.present & is_held_out(asked.shape, asked.colour))
        shares, present, held = torch.cat(right), torch.cat(counted), torch.cat(unseen)
        scores = {"attribute_accuracy": shares[present].mean().item()}
        if held.any():
            scores["attribute_accuracy_unseen"] = shares[held].mean().item()
        return scores


def shared(found: Scenes, asked: Scenes, of: list[str]) -> Tensor:
    """Return the share of attributes (N, K) of objects that are found as asked; 0 for those that are missing."""
    same = torch.stack([READ[name](found) == READ[name](asked) for name in of]).float().mean(0)
    return same * found.present
