"""Digits from several sides."""

from __future__ import annotations

import torch

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.datasets.digits import Digits
from gan_zoo.datasets.edited_digits import (
    DIGIT,
    IDENTITY,
    TARGET,
    Edited,
    digits_of,
    moved,
    other_labels,
    shape_of,
)
from gan_zoo.translating import SOURCE

TOGETHER = "together"
"""The extra with further images of the same digit, side by side as channels."""

POSE, POINTS = "pose", "points"
WHOLE = 360.0


class DigitViews(DataSource):
    """Each digit once in every view, which is its label: turned by `span` · view / views degrees, and shifted a little.

    Beside each image come the index and the class of the digit, another view, of which the truth is the same digit with
    the same shift, and, if wanted, further images of the same digit in other views.

    Args:
        image_size: height and width in pixels.
        channels: 1.
        num_classes: the number of views V, at least 2.
        span: the degrees that views are spread over.
        shift: the greatest shift in pixels, down and across.
        together: images of a digit in all, the sample among them; 1 for the sample alone. The others are the extra
            `together`, (together - 1) channels.
        digits: so many digits of a split alone, the first; None for all.
    """

    def __init__(
        self,
        image_size: int,
        channels: int | None,
        num_classes: int,
        span: float,
        shift: float,
        together: int,
        digits: int | None = None,
    ) -> None:
        if num_classes < 2:
            raise ConfigError(f"data.num_classes={num_classes}: there must be at least 2 views")
        if not 0 < span <= WHOLE or not 0 <= shift <= image_size / 2:
            raise ConfigError(
                f"data.span={span} data.shift={shift}: the first must lie between 0 and 360 degrees, the second "
                f"between 0 and half of data.image_size={image_size}"
            )
        if not 1 <= together <= num_classes:
            raise ConfigError(
                f"data.together={together}: each digit has data.num_classes={num_classes} images, the least is 1"
            )
        if digits is not None and digits < 1:
            raise ConfigError(f"data.digits={digits} must be at least 1, or null for all digits of a split")
        self.count, self.span, self.shift, self.together, self.digits = num_classes, span, shift, together, digits
        further = {TOGETHER: (together - 1, image_size, image_size)} if together > 1 else {}
        self.shape = shape_of(image_size, channels, num_classes, **further)
        self.classes = tuple(f"{span * view / num_classes:g} degrees" for view in range(num_classes))

    def load(self, split: str) -> Edited:
        """Return a split, `train` or `test`: all digits in one view, then all in the next."""
        known_split("digit_views", split, ("train", "test"))
        digits, classes = (found[: self.digits] for found in digits_of(self.shape.sample[1], split))
        n, views = len(digits), self.count
        labels, identity = torch.arange(views).repeat_interleave(n), torch.arange(n).repeat(views)
        random = seeding.generator(0, "digit views", split)
        shift = self.shift * (2 * torch.rand(n * views, 2, generator=random) - 1)
        target = other_labels(labels, views, "digit views", split)
        turn = self.span / views
        images = moved(digits[identity], turn * labels, shift)
        extra = {IDENTITY: identity, DIGIT: classes[identity], TARGET: target}
        if self.together > 1:
            steps = 1 + torch.rand(n * views, views - 1, generator=random).argsort(1)[:, : self.together - 1]
            others = (labels[:, None] + steps) % views * n + identity[:, None]
            extra[TOGETHER] = images[others, 0]
        return Edited(images, labels, extra, moved(digits[identity], turn * target, shift))


class DigitFronts(DataSource):
    """Digits as they are, each with the extra `source`: the same digit turned, scaled and shifted, several times.

    The extra `pose` says by how much, four numbers from -1 to 1: the turn as a share of half the `span`, the shifts to
    the right and down as shares of `shift`, and the scale minus 1 as a share of `scale`. The extra `points` holds where
    the centres of the four quarters of the digit are in its source: their pixels across and down, (4, 2).

    Args:
        image_size: height and width in pixels.
        channels: 1.
        source_channels: 1.
        num_classes: 10, the digits.
        span: sources are turned by at most half as many degrees to either side.
        shift: the greatest shift in pixels.
        scale: how much smaller or larger sources are at most.
        views: sources of each digit.
    """

    def __init__(
        self,
        image_size: int,
        channels: int | None,
        source_channels: int | None,
        num_classes: int | None,
        span: float,
        shift: float,
        scale: float,
        views: int,
    ) -> None:
        known_classes("digit_fronts", num_classes, len(Digits.classes))
        if channels not in (None, 1) or source_channels not in (None, 1):
            raise ConfigError(f"data.channels={channels} data.source_channels={source_channels}: these digits are grey")
        if not 0 < span <= WHOLE or not 0 <= shift <= image_size / 2 or not 0 <= scale < 1 or views < 1:
            raise ConfigError(
                f"data.span={span} data.shift={shift} data.scale={scale} data.views={views}: the first must lie "
                f"between 0 and 360, the second between 0 and half of data.image_size={image_size}, the third from 0 "
                "to below 1, the last be at least 1"
            )
        self.classes = Digits.classes
        self.span, self.shift, self.scale, self.views = span, shift, scale, views
        sample = (1, image_size, image_size)
        extra = {SOURCE: sample, POSE: (4,), POINTS: (4, 2), IDENTITY: ()}
        self.shape = DataShape(sample, len(self.classes), extra=extra, integers=(IDENTITY,))

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`: all digits with one source, then all with another."""
        known_split("digit_fronts", split, ("train", "test"))
        digits, classes = digits_of(self.shape.sample[1], split)
        identity = torch.arange(len(digits)).repeat(self.views)
        fronts, labels, size = digits[identity], classes[identity], digits.shape[2]
        pose = 2 * torch.rand(len(identity), 4, generator=seeding.generator(0, "digit fronts", split)) - 1
        degrees, shift, scale = self.span / 2 * pose[:, 0], self.shift * pose[:, 1:3], 1 + self.scale * pose[:, 3]
        quarter = size / 4
        corners = torch.tensor([[-quarter, -quarter], [quarter, -quarter], [-quarter, quarter], [quarter, quarter]])
        angle = torch.deg2rad(degrees)
        sine, cosine = angle.sin()[:, None], angle.cos()[:, None]
        across, down = corners.T
        turned = torch.stack([cosine * across + sine * down, cosine * down - sine * across], 2)
        points = scale[:, None, None] * turned + shift[:, None] + (size - 1) / 2
        extra = {SOURCE: moved(fronts, degrees, shift, scale), POSE: pose, POINTS: points, IDENTITY: identity}
        return InMemory(fronts, labels, extra)
