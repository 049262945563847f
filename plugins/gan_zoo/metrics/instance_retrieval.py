"""Whether codes find an image again that has been turned, resized and shifted."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Comparison, Game, Metric, seeding
from gan_zoo.metrics.encoding import require_codes, through

GROUND = -1.0
"""What lies beyond the border of an image."""


class InstanceRetrieval(Metric):
    """The mean average precision with which a changed test image finds itself among all, by the cosine of codes.

    There is one right answer to each query, so that its precision is 1 divided by the rank. Beside it stands that of
    the pixels.

    Args:
        samples: how many test images there are to be found, evenly spread.
        degrees: the greatest rotation to either side.
        scale: the greatest share by which images are larger or smaller.
        shift: the greatest shift, in shares of the side.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"instance_retrieval": True}
    legend: ClassVar[dict[str, str]] = {
        "instance_retrieval": "mean average precision of finding a changed image again by its code, 0 to 1",
        "instance_retrieval_pixels": "the same by its pixels",
    }
    needs_images: ClassVar[bool] = True
    needs_samples: ClassVar[bool] = False
    needs_game: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("test",)

    def __init__(self, samples: int, degrees: float, scale: float, shift: float) -> None:
        if samples < 2 or min(degrees, scale, shift) < 0 or scale >= 1:
            raise ValueError(
                f"samples={samples}, degrees={degrees}, scale={scale}, shift={shift}: at least 2 samples, the others "
                "not negative, and scale below 1"
            )
        self.samples, self.degrees, self.scale, self.shift = samples, degrees, scale, shift

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game has no codes."""
        require_codes(game, "instance_retrieval")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return both precisions."""
        game, test = comparison.game, comparison.split("test")
        assert game is not None
        chosen = torch.linspace(0, len(test.features) - 1, min(len(test.features), self.samples)).long()
        images = test.read(chosen).float() / 127.5 - 1
        queries = changed(images, self.degrees, self.scale, self.shift)
        one = test._replace(read=lambda index: queries[index])
        places = torch.arange(len(chosen))
        codes = through(game, test, chosen, game.code_of), through(game, one, places, game.code_of)  # type: ignore[arg-type]
        return {
            "instance_retrieval": precision(codes[1], codes[0]),
            "instance_retrieval_pixels": precision(queries, images),
        }


def changed(images: Tensor, degrees: float, scale: float, shift: float) -> Tensor:
    """Return images (N, C, H, W) turned, resized and shifted at random, the same each time."""
    random = seeding.generator(0, "retrieval", len(images))
    turn, size, across, down = (2 * torch.rand(4, len(images), generator=random) - 1).unbind(0)
    angle, factor = turn * math.radians(degrees), 1 / (1 + scale * size)
    cos, sin = factor * angle.cos(), factor * angle.sin()
    rows = torch.stack([cos, -sin, 2 * shift * across, sin, cos, 2 * shift * down], 1).view(-1, 2, 3)
    grid = F.affine_grid(rows, list(images.shape), align_corners=False)
    return F.grid_sample(images - GROUND, grid, align_corners=False) + GROUND


def precision(queries: Tensor, codes: Tensor) -> float:
    """Return the mean of 1 / rank of the code of a query's own among codes (N, ...), by cosines; ties count against."""
    a, b = (F.normalize(x.flatten(1).double(), dim=1) for x in (queries, codes))
    near = a @ b.T
    rank = (near >= near.diagonal()[:, None]).sum(1)
    return float((1 / rank.double()).mean())
