"""What `experiment=auto` chooses for images, by their size and number and by the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gan_framework.api import Choice, Chooser, ConfigError, DataShape, Facts
from gan_zoo.layers import doublings

MOST_PIXELS = {"cpu": 64, "mps": 64, "cuda": 256}
"""The shorter side that images of several sizes, or larger ones, are brought to."""

LEAST_PIXELS = 8
"""The shortest side that the networks can make."""

STEP = 16
"""Sides that are multiples of this are made without a margin that is cut off, from 64 pixels on."""

FEW = 20_000
"""Images below which a discriminator learns them by heart in a run of this length."""

IMAGES = {"cpu": 640_000, "mps": 640_000, "cuda": 25_000_000}
"""Training images that a run sees; the latter as `auto` of StyleGAN2-ADA has it."""

LAZY_R1, LAZY_PATH = 16, 4
"""Every so many updates R1 and the regularisation of path lengths are computed."""


class ForImages(Chooser):
    """StyleGAN2-ADA with the heuristics of its program's `auto` on a GPU, a small DCGAN of the same kind elsewhere.

    Karras et al. 2020, arXiv 2006.06676, as the published program sets `--cfg=auto`: R1's weight 0.0002 · pixels /
    batch, a half-life of 10,000 · batch / 32 images for the averaged weights, a batch of 4096 / side, from 32 for each
    GPU to 64 for all. The small networks have the same weight and half-life; their sizes, and what an image's size has
    to be, are this framework's.
    """

    def of_data(self, facts: Facts) -> Sequence[Choice]:
        """Return a size for images that have several, or are larger than the device has time for."""
        if facts.shape is None:
            side = MOST_PIXELS[facts.device]
            return [
                Choice({"data.image_size": side}, f"the images have several sizes; {side} pixels suit {facts.device}")
            ]
        height, width = _sides(facts.shape)
        most = MOST_PIXELS[facts.device]
        if min(height, width) <= most:
            return []
        scale = most / min(height, width)
        size = [max(round(side * scale / STEP), 1) * STEP for side in (height, width)]
        shown = size[0] if size[0] == size[1] else size
        return [Choice({"data.image_size": shown}, f"{height}x{width} pixels are many for {facts.device}")]

    def of_run(self, facts: Facts) -> Sequence[Choice]:
        """Return the networks, and all that follows from their kind, the image size and the number of images."""
        assert facts.shape is not None
        height, width = _sides(facts.shape)
        _check_sides(height, width)
        if facts.device == "cuda":
            return [*_stylegan2(facts, facts.shape), *_margin(facts.shape)]
        return [*_dcgan(facts, facts.shape), *_margin(facts.shape)]


def _sides(shape: DataShape) -> tuple[int, int]:
    if not shape.is_image:
        sample = "x".join(map(str, shape.sample))
        raise ConfigError(
            f"experiment=auto chooses for images (C, H, W), and the samples are {sample}: name an experiment, "
            "`gan-framework plugins experiments` lists them"
        )
    _, height, width = shape.sample
    return height, width


def _check_sides(height: int, width: int) -> None:
    if min(height, width) < LEAST_PIXELS:
        raise ConfigError(
            f"experiment=auto: images of {height}x{width} pixels are too small, {LEAST_PIXELS} on each side are the "
            f"least: data.image_size={LEAST_PIXELS * 2}"
        )


def made_at(height: int, width: int) -> tuple[int, int]:
    """Return the size at which the networks make images of a size, before they cut it out at the centre."""
    (low, across), n = doublings((height, width))
    return low << n, across << n


def _margin(shape: DataShape) -> list[Choice]:
    """Return no setting, but what fits where images are made larger than they are."""
    height, width = _sides(shape)
    whole = made_at(height, width)
    if whole == (height, width):
        return []
    whole_step = 2 ** doublings((height, width))[1]
    fits = [side // whole_step * whole_step for side in (height, width)]
    size = f"data.image_size={fits[0]}" if fits[0] == fits[1] else f"'data.image_size=[{fits[0]},{fits[1]}]'"
    why = f"{height}x{width} is made as {whole[0]}x{whole[1]} and cut; {size} would leave nothing to cut"
    return [Choice({}, why)]


def _batch(facts: Facts, shape: DataShape, most: int) -> int:
    """Return a batch size: a power of 2 that the images suffice for."""
    if facts.batch_size is not None:
        return facts.batch_size
    while most > max(shape.size, 1) and most > facts.processes:
        most //= 2
    return most


def _averaging(batch: int) -> Choice:
    settings = {
        "strategy.ema.half_life": 10_000 * batch // 32,
        "strategy.ema.batch_size": "${train.batch_size}",
        "strategy.ema.ramp": 0.05,
    }
    return Choice(settings, "samples come from averaged weights, with a half-life of 10,000 images for a batch of 32")


def _r1(shape: DataShape, batch: int) -> Choice:
    height, width = _sides(shape)
    weight = float(f"{0.0002 * height * width / batch:.4g}")
    settings = {"terms.r1.weight": weight, "terms.r1.every": LAZY_R1}
    return Choice(settings, f"0.0002 times {height}x{width} pixels, divided by the batch of {batch}")


def _length(device: str, batch: int, why: str) -> Choice:
    return Choice({"train.steps": IMAGES[device] // batch}, why)


def _lazy(rate: float, betas: Sequence[float], every: int) -> Mapping[str, Any]:
    """Return Adam's settings for a player whose regularisation is lazy (Karras et al. 2020, appendix B)."""
    share = every / (every + 1)
    return {
        "lr": float(f"{rate * share:.7g}"),
        "betas": [float(f"{beta**share:.6g}") if beta else 0.0 for beta in betas],
    }


def _of_optimizer(player: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {f"optimizer.{player}.{key}": value for key, value in settings.items()}


def _stylegan2(facts: Facts, shape: DataShape) -> list[Choice]:
    side = max(_sides(shape))
    each = min(4096 // side, 32)
    batch = _batch(facts, shape, max(min(facts.processes * each, 64), facts.processes))
    base = 32768 if side >= 512 else 16384
    rate = 0.002 if side >= 1024 else 0.0025
    widths = {
        f"networks.{name}.{key}": value
        for name in ("generator", "discriminator")
        for key, value in (("base", base), ("most", 512))
    }
    return [
        Choice(
            {"generator": "stylegan2", "discriminator": "stylegan2", "prior": "normal"}, "a GPU has time for StyleGAN2"
        ),
        Choice(
            {**widths, "networks.generator.style_size": 512, "prior.dim": 512},
            f"the published widths {'from' if side >= 512 else 'below'} 512 pixels",
        ),
        Choice({"train.batch_size": batch}, f"4096 / {side} images for each GPU, at most 32; there are {shape.size:,}"),
        Choice(
            {"networks.discriminator.group": min(max(batch // facts.processes, 1), 4)}, "what is compared in a batch"
        ),
        Choice(
            {"term": ["r1", "path_length"], "strategy": ["style_mixing", "ada", "ema"]},
            f"augmentation by how much D overfits to {shape.size:,} images",
        ),
        *_policy(shape),
        _r1(shape, batch),
        Choice({"terms.path_length.every": LAZY_PATH}, "as published"),
        _averaging(batch),
        Choice(
            {
                **_of_optimizer("generator", _lazy(rate, (0.0, 0.99), LAZY_PATH)),
                **_of_optimizer("discriminator", _lazy(rate, (0.0, 0.99), LAZY_R1)),
            },
            f"a rate of {rate:g}, less what lazy regularisation adds",
        ),
        _length("cuda", batch, "25 million images, as published: days; stop when samples no longer gain"),
    ]


def _policy(shape: DataShape) -> list[Choice]:
    if shape.sample[0] not in (1, 3):
        return []
    return [Choice({"strategy.ada.policy": ["geometry", "colours"]}, "the published augmentations")]


def _dcgan(facts: Facts, shape: DataShape) -> list[Choice]:
    batch = _batch(facts, shape, 32)
    few = shape.size < FEW
    shown = f"{shape.size:,} images are"
    return [
        Choice(
            {"generator": "dcgan", "discriminator": "dcgan", "prior": "normal", "networks.discriminator.norm": "none"},
            f"{facts.device} has no time for more; D judges each image by itself, as R1 asks",
        ),
        Choice({"train.batch_size": batch}, f"32 where there are as many images; there are {shape.size:,}"),
        Choice(
            {"term": ["r1"], "strategy": ["ada", "ema"], "strategy.ada.images": IMAGES[facts.device] // 6}
            if few
            else {"term": ["r1"], "strategy": ["ema"]},
            f"{shown} few: augmentation by how much D overfits" if few else f"{shown} too many to be learnt by heart",
        ),
        _r1(shape, batch),
        _averaging(batch),
        Choice(
            {
                **_of_optimizer("generator", {"lr": 2.0e-4, "betas": [0.5, 0.99]}),
                **_of_optimizer("discriminator", _lazy(2.0e-4, (0.5, 0.99), LAZY_R1)),
            },
            "DCGAN's rate, and StyleGAN2's memory of squares",
        ),
        _length(facts.device, batch, "640,000 images: hours at 64 pixels, minutes below 32"),
    ]
