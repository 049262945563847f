"""The settings that say how images are brought to one shape: size, channels, crop and filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gan_framework.api import ConfigError, Fit, named_sizes, used

ImageSize = int | tuple[int, int]
"""The setting `image_size`: of square images, or height and width."""

Crop = str | int | tuple[int, int] | None
"""The setting `crop`: `center`, `none`, or how many pixels at the centre are used."""

Shapes = Mapping[tuple[int, int, int], int]
"""How many images there are of each shape (C, H, W)."""

CROPS = ("center", "none")
FILTERS = ("bicubic", "bilinear", "nearest")
LARGEST = 4096


def fitting(
    image_size: ImageSize | None, channels: int | None, crop: Crop, resize: str, look: Callable[[], Shapes], where: str
) -> Fit:
    """Return how images are brought to one shape; what no setting says is as the images are.

    Args:
        image_size: the wanted size; None for the one that all images have.
        channels: 1 or 3; None for colour where one image is coloured, grey otherwise.
        crop: `center`, `none`, or how many pixels at the centre are used.
        resize: the filter.
        look: returns how many images there are of each shape; asked only where a setting does not say it.
        where: names the images in messages.

    Raises:
        ConfigError: a setting is wrong, or it says no size and the images have several.
    """
    known_channels(channels)
    size, part = known_size(image_size), _known_crop(crop)
    if resize not in FILTERS:
        raise ConfigError(f"data.resize={resize} must be one of {', '.join(FILTERS)}")
    found = look() if size is None or channels is None else {}
    if size is None:
        size = known_size(_one_size(found, part, where))
        assert size is not None
    return Fit((channels or max(shape[0] for shape in found), *size), part, resize)


def image_shape(image_size: int, channels: int) -> tuple[int, int, int]:
    """Return the shape (C, H, W) of square images that settings ask for.

    Raises:
        ConfigError: no image has this size or this number of channels.
    """
    known_channels(channels)
    size = known_size(image_size)
    assert size is not None
    return channels, *size


def known_channels(channels: int | None) -> None:
    """Raise ConfigError if no image has this number of channels."""
    if channels not in (None, 1, 3):
        raise ConfigError(f"data.channels={channels} must be 1 (grey) or 3 (colour)")


def known_size(image_size: ImageSize | None, setting: str = "data.image_size") -> tuple[int, int] | None:
    """Return the height and width that a setting says, or None.

    Raises:
        ConfigError: no image has this size.
    """
    if image_size is None:
        return None
    sides = [image_size, image_size] if isinstance(image_size, int) else [*image_size]
    if not all(isinstance(side, int) and 1 <= side <= LARGEST for side in sides):
        raise ConfigError(
            f"{setting}={_shown(image_size)} must be a whole number from 1 to {LARGEST}, or two: [height,width]"
        )
    return sides[0], sides[1]


def _known_crop(crop: Crop) -> str | tuple[int, int]:
    if crop is None or (isinstance(crop, str) and crop in CROPS):
        return crop or "none"
    sides = [crop, crop] if isinstance(crop, int) else [*crop]
    if isinstance(crop, str) or not all(isinstance(side, int) and side >= 1 for side in sides):
        raise ConfigError(
            f"data.crop={crop if isinstance(crop, str) else _shown(crop)} must be {', '.join(CROPS)}, or how many "
            "pixels at the centre are used: 108 or [height,width]"
        )
    return sides[0], sides[1]


def _one_size(found: Shapes, crop: str | tuple[int, int], where: str) -> tuple[int, int]:
    sizes = {used((height, width), None, crop) for _, height, width in found}
    if len(sizes) == 1:
        return sizes.pop()
    raise ConfigError(
        f"{where} has images of {len({shape[1:] for shape in found}):,} sizes: {named_sizes(found, counted=True)} "
        "(height x width, how many); say the one to bring them to: data.image_size=64 crops the central square and "
        "resizes it, data.crop=none with it squeezes the whole image"
    )


def _shown(size: int | tuple[int, int]) -> str:
    return str(size) if isinstance(size, int) else f"[{','.join(map(str, size))}]"
