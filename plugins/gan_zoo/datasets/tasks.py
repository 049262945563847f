"""What a known map leaves of images: the sources of pairs whose targets are the images themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, seeding

MASK, SOURCE = "mask", "source"

LARGEST = 255.0

STEEP = 0.2
"""The least slope of an edge, where a step from black to white has 1."""


@dataclass(frozen=True)
class Task:
    """A map from images to what is given of them.

    Attributes:
        make: returns the extras of one image (C, H, W) in [0, 1], float32 (C', H', W'), given the amount and random
            numbers; `mask` is 1 where something is missing.
        usual: the amount that is taken where none is named; None for maps that have none.
        meaning: what the amount is, in words.
        low: the least amount.
        high: the greatest amount.
        whole: whether the amount is a whole number.
        channels: of the sources; None for those of the images.
        target: maps images (N, C, H, W) uint8 and their labels to the targets, where these are not the images.
        target_channels: of the targets, where these are not the images'.
        of_any_value: whether sources leave [0, 1], so that they are kept as floating-point numbers.
        turns: whether the amount is an angle by which images are turned.
        extras: the names of what is made.
    """

    make: Callable[[Tensor, float, torch.Generator], Mapping[str, Tensor]]
    usual: float | None = None
    meaning: str = ""
    low: float = 0.0
    high: float = math.inf
    whole: bool = False
    channels: int | None = None
    target: Callable[[Tensor, Tensor | None], Tensor] | None = None
    target_channels: int | None = None
    of_any_value: bool = False
    turns: bool = False
    extras: tuple[str, ...] = field(default=(SOURCE,))

    def amount(self, name: str, wanted: float | None) -> float:
        """Return the amount that a setting asks for.

        Raises:
            ConfigError: the task has none, or it is out of its bounds.
        """
        if wanted is None:
            return self.usual if self.usual is not None else 0.0
        if self.usual is None:
            raise ConfigError(f"data.amount={wanted} has no effect: data.task={name} has no amount; set it to null")
        if not self.low <= wanted <= self.high or (self.whole and wanted != int(wanted)):
            kind = "a whole number" if self.whole else "a number"
            raise ConfigError(
                f"data.amount={wanted} of data.task={name} must be {kind} from {self.low:g} to {self.high:g}: "
                f"{self.meaning}"
            )
        return wanted


def luma(image: Tensor) -> Tensor:
    """Return an image (1 or 3, H, W) as grey (1, H, W) by ITU-R 601."""
    if len(image) == 1:
        return image
    weights = image.new_tensor([0.299, 0.587, 0.114])
    return (image * weights[:, None, None]).sum(0, keepdim=True)


def gradient(image: Tensor) -> Tensor:
    """Return the magnitude (1, H, W) of Sobel's gradient of grey (1, H, W), borders repeated; 1 for a step of 1."""
    across = image.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 4
    padded = F.pad(image[None], (1, 1, 1, 1), mode="replicate")
    kernels = torch.stack([across, across.T])[:, None]
    return F.conv2d(padded, kernels)[0].square().sum(0, keepdim=True).sqrt()


def edges(image: Tensor, amount: float, random: torch.Generator) -> Mapping[str, Tensor]:
    """Return where the gradient is steep: white lines on black."""
    return {SOURCE: (gradient(luma(image)) > amount).float()}


def grey(image: Tensor, amount: float, random: torch.Generator) -> Mapping[str, Tensor]:
    """Return the image without its colours."""
    return {SOURCE: luma(image)}


def negative(image: Tensor, amount: float, random: torch.Generator) -> Mapping[str, Tensor]:
    """Return the image with black and white exchanged."""
    return {SOURCE: 1 - image}


def inpaint(image: Tensor, amount: float, random: torch.Generator) -> Mapping[str, Tensor]:
    """Return the image with a black rectangle at a random place, and where it is."""
    height, width = image.shape[1:]
    down, across = (max(1, round(side * amount)) for side in (height, width))
    top, left = (
        int(torch.randint(side - hole + 1, (), generator=random)) for side, hole in ((height, down), (width, across))
    )
    mask = torch.zeros(1, height, width)
    mask[:, top : top + down, left : left + across] = 1
    return {SOURCE: image * (1 - mask), MASK: mask}


def smaller(image: Tensor, amount: float, random: torch.Generator) -> Mapping[str, Tensor]:
    """Return the means of squares of `amount` pixels to a side.

    Raises:
        ConfigError: the image's sides are no multiples of it.
    """
    scale = int(amount)
    if image.shape[1] % scale or image.shape[2] % scale:
        raise ConfigError(
            f"data.amount={scale} of data.task=superres: images of {image.shape[1]}x{image.shape[2]} pixels are no "
            f"multiple of it; choose data.image_size to fit"
        )
    return {SOURCE: F.avg_pool2d(image, scale)}


def rain(image: Tensor, amount: float, random: torch.Generator) -> Mapping[str, Tensor]:
    """Return the image behind 5 to 15 slanted streaks of an opacity."""
    height, width = image.shape[1:]
    count = int(torch.randint(5, 16, (), generator=random))
    slant, *drawn = torch.rand(1 + 3 * count, generator=random).split([1, count, count, count])
    top, left, length = drawn[0] * height, drawn[1] * width, height * (0.2 + 0.3 * drawn[2])
    steps = torch.arange(height)[None]
    rows, columns = (top[:, None] + steps).long(), (left[:, None] + (slant - 0.5) * steps).round().long()
    drops = (steps < length[:, None]) & (rows < height) & (columns >= 0) & (columns < width)
    streaks = torch.zeros(height, width)
    streaks[rows[drops], columns[drops]] = 1
    return {SOURCE: image + amount * streaks * (1 - image)}


def noise(image: Tensor, amount: float, random: torch.Generator) -> Mapping[str, Tensor]:
    """Return the image with Gaussian noise of a deviation."""
    return {SOURCE: image + amount * torch.randn(image.shape, generator=random)}


def blurred(image: Tensor, amount: float) -> Tensor:
    """Return an image (C, H, W) blurred by a Gaussian of a deviation in pixels, borders mirrored."""
    reach = min(math.ceil(3 * amount), min(image.shape[1:]) - 1)
    line = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / max(amount, 1e-6)).square())
    line = line / line.sum()
    padded = F.pad(image[:, None], (reach, reach, reach, reach), mode="reflect")
    return F.conv2d(F.conv2d(padded, line[None, None, None]), line[None, None, :, None])[:, 0]


def blur(image: Tensor, amount: float, random: torch.Generator) -> Mapping[str, Tensor]:
    """Return the image blurred."""
    return {SOURCE: blurred(image, amount)}


def thermal(image: Tensor, amount: float, random: torch.Generator) -> Mapping[str, Tensor]:
    """Return a non-linear, monotone map of the blurred intensity: what is bright is warm, and details are lost."""
    return {SOURCE: blurred(luma(image), amount).clamp(0, 1) ** 0.4}


def cluttered(image: Tensor, amount: float, random: torch.Generator) -> Mapping[str, Tensor]:
    """Return the image, its brightness drawn anew, before a cloudy background, with noise."""
    clouds = blurred(torch.rand(image.shape, generator=random), 2.0)
    clouds = (clouds - clouds.min()) / (clouds.max() - clouds.min()).clamp(min=1e-6)
    shade = 0.6 + 0.4 * float(torch.rand((), generator=random))
    before = torch.maximum(shade * image, 0.4 * clouds)
    return {SOURCE: before + amount * torch.randn(image.shape, generator=random)}


def as_mask(images: Tensor, labels: Tensor | None) -> Tensor:
    """Return where images (N, 1, H, W) uint8 are brighter than grey, 255 there and 0 elsewhere."""
    return (images > LARGEST / 2).to(torch.uint8) * int(LARGEST)


SPREAD = 3.0
"""Pixels by which attention spreads about what is bright."""


def as_density(images: Tensor, labels: Tensor | None) -> Tensor:
    """Return where one looks: images (N, 1, H, W) uint8 blurred, the brightest place of each 255."""
    maps = torch.stack([blurred(image.float(), SPREAD) for image in images])
    return (maps / maps.amax((1, 2, 3), keepdim=True).clamp(min=1) * LARGEST).round().to(torch.uint8)


def kept_lines(height: int, rate: float) -> Tensor:
    """Return which rows (H,) of a spectrum are measured: about a share of all, the lowest always, the same each time.

    Half of them are the lowest in frequency, and of the others each has the same chance; a row and the one of the
    opposite frequency are kept together, so that what is measured of a real image is a real image.
    """
    frequencies = torch.fft.fftfreq(height).abs() * height
    each = frequencies.unique()
    wanted = max(1, round(rate * len(each)))
    lowest = max(1, wanted // 2)
    random = seeding.generator(0, "kept lines", height)
    others = lowest + torch.randperm(len(each) - lowest, generator=random)[: wanted - lowest]
    chosen = each[torch.cat([torch.arange(lowest), others])]
    return torch.isin(frequencies, chosen)


def fourier(image: Tensor, amount: float, random: torch.Generator) -> Mapping[str, Tensor]:
    """Return the image of some rows of its spectrum, the others zero, and which rows (`mask`, 1 where measured)."""
    kept = kept_lines(image.shape[1], amount).float()[None, :, None].expand(1, *image.shape[1:])
    x = 2 * image - 1
    return {SOURCE: torch.fft.ifft2(torch.fft.fft2(x) * kept).real, MASK: kept.contiguous()}


def rotate(image: Tensor, amount: float, random: torch.Generator) -> Mapping[str, Tensor]:
    """Return the image turned about its centre, anticlockwise, black beyond its border."""
    return {SOURCE: turned(image, amount)}


def turned(image: Tensor, degrees: float) -> Tensor:
    """Return an image (C, H, W) turned about its centre, anticlockwise; quarter turns are exact."""
    if degrees % 90 == 0 and image.shape[1] == image.shape[2]:
        return torch.rot90(image, int(degrees // 90), (1, 2))
    angle = math.radians(degrees)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle), 0.0], [math.sin(angle), math.cos(angle), 0.0]])
    grid = F.affine_grid(turn[None], [1, *image.shape], align_corners=False)
    return F.grid_sample(image[None], grid, align_corners=False)[0]


def in_hues(images: Tensor, labels: Tensor | None) -> Tensor:
    """Return grey images (N, 1, H, W) uint8 in a hue that their class decides, (N, 3, H, W) uint8.

    Raises:
        ConfigError: there are no classes.
    """
    if labels is None:
        raise ConfigError("data.task=colour gives images the hue of their class, and these have no classes")
    shades = images[:, :1].float() * hues(int(labels.max()) + 1)[labels][:, :, None, None]
    return shades.round().to(torch.uint8)


def hues(count: int) -> Tensor:
    """Return colours (count, 3) in [0, 1] around the wheel, evenly spaced up to ten; the brightest entry is 1."""
    places = torch.arange(count) / 10.0
    offsets = torch.tensor([0.0, 1 / 3, 2 / 3])
    away = (places[:, None] - offsets + 0.5) % 1.0 - 0.5
    return (2 - 6 * away.abs()).clamp(0, 1) * 0.8 + 0.2


TASKS: dict[str, Task] = {
    "edges": Task(
        edges, STEEP, "the least slope of an edge, where a step from black to white has 1", 0.0, 1.0, channels=1
    ),
    "grey": Task(grey, channels=1),
    "colour": Task(grey, channels=1, target=in_hues, target_channels=3),
    "mask": Task(cluttered, 0.05, "the deviation of the noise", 0.0, 1.0, target=as_mask, target_channels=1),
    "density": Task(cluttered, 0.05, "the deviation of the noise", 0.0, 1.0, target=as_density, target_channels=1),
    "negative": Task(negative),
    "inpaint": Task(inpaint, 0.5, "the hole's share of either side", 0.01, 0.99, extras=(SOURCE, MASK)),
    "superres": Task(smaller, 4, "pixels to a side of each that is given", 2, 16, whole=True),
    "rain": Task(rain, 0.6, "the streaks' opacity", 0.0, 1.0),
    "noise": Task(noise, 0.2, "the deviation, where white is 1", 0.0, 10.0),
    "blur": Task(blur, 1.5, "the deviation in pixels", 0.1, 20.0),
    "thermal": Task(thermal, 1.0, "the deviation of the blur in pixels", 0.1, 20.0, channels=1),
    "fourier": Task(
        fourier, 0.3, "the share of rows that are measured", 0.01, 1.0, of_any_value=True, extras=(SOURCE, MASK)
    ),
    "rotate": Task(rotate, 90, "the angle in degrees", -360.0, 360.0, turns=True),
}
"""By name, as in the setting `task`."""


def known_task(name: str) -> Task:
    """Return a task by its name.

    Raises:
        ConfigError: there is none.
    """
    if name not in TASKS:
        raise ConfigError(f"data.task={name} must be one of {', '.join(TASKS)}")
    return TASKS[name]


def applied(task: Task, amount: float, images: Tensor, indices: Tensor, split: str) -> dict[str, Tensor]:
    """Return the extras of images (N, C, H, W) uint8; images uint8 where their values have bounds, else float32.

    Args:
        task: the map.
        amount: how much of it.
        images: what is mapped.
        indices: their positions (N,) in their split, which random numbers follow from.
        split: the split.
    """
    made = []
    for image, index in zip(images, indices.tolist(), strict=True):
        made.append(task.make(image.float() / LARGEST, amount, seeding.generator(0, "task", split, index)))
    stacked = {name: torch.stack([one[name] for one in made]) for name in task.extras}
    if not task.of_any_value:
        stacked[SOURCE] = (stacked[SOURCE].clamp(0, 1) * LARGEST).round().to(torch.uint8)
    return stacked
