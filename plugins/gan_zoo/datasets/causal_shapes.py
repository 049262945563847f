"""Images of a shape whose attributes cause each other in a known way."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import DataShape, DataSource, InMemory, seeding
from gan_zoo.causal_graph import CausalGraph
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.datasets.shapes import check_drawing, in_random_light
from gan_zoo.shapes import COLOURS, SHAPES, Scenes, places

GRAPH = CausalGraph(
    {"large": (), "circle": (), "red": ("large", "circle"), "top": ("red",)},
    {
        "large": torch.tensor(0.5),
        "circle": torch.tensor(0.5),
        "red": torch.tensor([[0.05, 0.15], [0.85, 0.95]]),
        "top": torch.tensor([0.2, 0.8]),
    },
)
"""What causes what: large objects are red 9 times in 10, small ones 1 time in 10, and circles a little more often; red
ones are at the top 8 times in 10, others 2 times in 10."""


class CausalShapes(DataSource):
    """Shapes of which it is known what causes what: being large and a circle being red, and this being at the top.

    The extra `attributes` has the bits `large`, `circle`, `red` and `top` of `GRAPH`; what these leave open (which
    other shape or colour, left or right) is drawn evenly. All distributions, interventions' too, are known.

    Args:
        image_size: height and width in pixels, at least 16.
        channels: 3.
        num_classes: 0, as there are no classes.
        samples: images in the split `train`; `test` has a fifth.
    """

    mirrors = {"attributes": False}  # noqa: RUF012 (declared by the base class)
    graph = GRAPH

    def __init__(self, image_size: int, channels: int | None, num_classes: int | None, samples: int) -> None:
        known_classes("causal_shapes", num_classes, 0)
        check_drawing("causal_shapes", image_size, channels, samples)
        self.shape = DataShape((3, image_size, image_size))
        self.samples = samples

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("causal_shapes", split, ("train", "test"))
        random = seeding.generator(0, "causal shapes", split)
        bits = GRAPH.draw(self.samples if split == "train" else self.samples // 5, random)
        made = in_random_light(scenes_of(bits, random), self.shape.sample[1], random)
        return InMemory(made.images, None, {"attributes": bits})


def scenes_of(bits: Tensor, random: torch.Generator) -> Scenes:
    """Return scenes of one object each with the bits of `GRAPH` (N, 4), all else drawn evenly."""
    large, circle, red, top = (bits[:, i, None] > 0.5 for i in range(bits.shape[1]))
    shape = torch.where(circle, 0, torch.randint(1, len(SHAPES), large.shape, generator=random))
    colour = torch.where(red, 0, torch.randint(1, len(COLOURS), large.shape, generator=random))
    left = torch.rand(large.shape, generator=random) < 0.5
    return Scenes(torch.ones_like(large), shape, colour, large, *places(large, top, left, True, random))
