"""From the arrays of strangers to samples and extras, a few rows at a time, each checked for what it is to be."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gan_framework.api import ConfigError

log = logging.getLogger(__name__)

BYTES = (np.dtype(np.uint8), np.dtype(np.bool_))
"""The types of 8-bit images; False and True are 0 and 1."""


@dataclass
class Seen:
    """What has been seen of an array's values.

    Attributes:
        least: the least of them.
        greatest: the greatest of them.
        bad: how many rows have values that are not finite in float32.
    """

    least: float = math.inf
    greatest: float = -math.inf
    bad: int = 0

    def add(self, stored: np.ndarray, rows: Tensor) -> None:
        """See further rows (n, ...), as they are stored and as they become."""
        if rows.is_floating_point():
            least, greatest = (float(bound) for bound in rows.aminmax())
            if not (math.isfinite(least) and math.isfinite(greatest)):
                self.bad += int(
                    (~rows.isfinite()).flatten(1).any(1).sum() if rows.ndim > 1 else (~rows.isfinite()).sum()
                )
        else:  # as they are stored: what does not fit in 64 bits becomes another number
            least, greatest = int(stored.min()), int(stored.max())
        self.least, self.greatest = min(self.least, least), max(self.greatest, greatest)


@dataclass(frozen=True)
class ArrayKind:
    """What the rows of an array become.

    Attributes:
        shape: of one row, once it is a tensor.
        dtype: the tensor's: float32, int64, or uint8 for 8-bit images.
        convert: makes tensors (n, ...) of rows (n, ...), which may be changed by that.
        check: raises ConfigError if what has been seen of all rows is not what they are to be.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    convert: Callable[[np.ndarray], Tensor]
    check: Callable[[Seen], None] = lambda seen: None


def holds_images(shape: tuple[int, ...], dtype: np.dtype) -> bool:
    """Return whether an array is one of images: 8 bits, (N, H, W), or with 1 or 3 channels first or last."""
    return dtype in BYTES and (len(shape) == 3 or (len(shape) == 4 and bool({shape[1], shape[3]} & {1, 3})))


def channels_of(shape: tuple[int, ...], dtype: np.dtype, where: str) -> int:
    """Return the number of channels, 1 or 3, of an array of images.

    Args:
        shape: the array's, (N, H, W), (N, H, W, C) or (N, C, H, W).
        dtype: the array's, uint8 or bool.
        where: names the array in messages.

    Raises:
        ConfigError: these are no images.
    """
    if 0 in shape or not shape:
        raise ConfigError(f"{where} has no samples")
    if dtype not in BYTES:
        hint = ". For vectors leave out data.image_size, or set it to null" if len(shape) == 2 else ""
        raise ConfigError(f"{where} is {dtype}, but images are uint8 from 0 to 255{hint}")
    if len(shape) == 3:
        return 1
    if len(shape) == 4:
        if shape[3] in (1, 3):
            return shape[3]
        if shape[1] in (1, 3):
            return shape[1]
    raise ConfigError(
        f"{where} has the shape {shape}, but images are (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1 or 3"
    )


def images(shape: tuple[int, ...], dtype: np.dtype, where: str) -> ArrayKind:
    """Return how an array becomes images (N, C, H, W) uint8.

    Raises:
        ConfigError: it holds no images.
    """
    channels = channels_of(shape, dtype, where)
    if len(shape) == 3:
        return ArrayKind((1, *shape[1:]), torch.uint8, lambda rows: _bytes(rows[:, None]))
    if shape[3] in (1, 3):
        return ArrayKind((channels, *shape[1:3]), torch.uint8, lambda rows: _bytes(rows.transpose(0, 3, 1, 2)))
    return ArrayKind(shape[1:], torch.uint8, _bytes)


def as_they_are(
    shape: tuple[int, ...],
    dtype: np.dtype,
    where: str,
    vocabulary: int,
    value_range: tuple[float, float] | None = None,
) -> ArrayKind:
    """Return how an array becomes samples of any shape: float32 (N, ...), uint8 as it is, or tokens (N, T) int64.

    Args:
        shape: the array's: floating-point (N, ...); 8-bit images (N, C, H, W), volumes or videos of five dimensions,
            uint8; or tokens, whole numbers (N, T).
        dtype: the array's.
        where: names the array in messages.
        vocabulary: the number of symbols where they are tokens, else 0.
        value_range: within which floating-point samples are to lie, or None for any.

    Raises:
        ConfigError: it is none of these.
    """
    if 0 in shape or not shape:
        raise ConfigError(f"{where} has no samples")
    if vocabulary:
        if dtype.kind not in "iu" or len(shape) != 2:
            raise ConfigError(
                f"{where} is {dtype} {shape}, but with data.vocabulary={vocabulary} samples are tokens, whole numbers "
                "(N, T)"
            )
        return ArrayKind(shape[1:], torch.int64, _integers, lambda seen: _check_tokens(seen, where, vocabulary))
    if dtype.kind == "f" and len(shape) >= 2:
        _warn_of_channels_last(shape, where)
        return ArrayKind(shape[1:], torch.float32, _floats, lambda seen: _check_floats(seen, where, value_range))
    if dtype in BYTES and len(shape) in (4, 5):
        _warn_of_channels_last(shape, where)
        return ArrayKind(shape[1:], torch.uint8, _bytes)
    hint = ". For tokens set data.vocabulary" if dtype.kind in "iu" and len(shape) == 2 else ""
    if dtype == np.uint16 and len(shape) >= 3:
        hint = ". Of 16 bits, save x / 65535 as floats and set data.value_range=[0,1], or (x // 257) as uint8"
    raise ConfigError(
        f"{where} is {dtype} {shape}, but vectors are floating-point (N, D), other samples are "
        f"floating-point (N, ...), images uint8 (N, H, W) to (N, C, H, W), or volumes or videos uint8{hint}"
    )


def extra(shape: tuple[int, ...], dtype: np.dtype, where: str) -> ArrayKind:
    """Return how an array becomes an extra (N, ...): 8-bit images (N, C, H, W), other whole numbers int64, or float32.

    Raises:
        ConfigError: it is none.
    """
    refusal = ConfigError(
        f"{where} is {dtype} {shape}, but extras are images uint8, whole numbers, or floating-point (N, ...)"
    )
    if not shape or 0 in shape:
        raise refusal
    _warn_of_channels_last(shape, where)
    if dtype in BYTES and len(shape) == 3:
        return ArrayKind((1, *shape[1:]), torch.uint8, lambda rows: _bytes(rows[:, None]))
    if dtype in BYTES and len(shape) > 3:
        return ArrayKind(shape[1:], torch.uint8, _bytes)
    if dtype.kind == "f":
        return ArrayKind(shape[1:], torch.float32, _floats, lambda seen: _check_floats(seen, where))

    def check(seen: Seen) -> None:
        if seen.greatest >= 2**63:
            raise refusal

    if dtype.kind in "iu":
        return ArrayKind(shape[1:], torch.int64, _integers, check)
    raise refusal


def finite(array: np.ndarray, where: str) -> Tensor:
    """Return an array as float32.

    Raises:
        ConfigError: it has values that are not finite.
    """
    values, seen = _floats(array), Seen()
    if array.size:
        seen.add(array, values)
    _check_floats(seen, where)
    return values


def _bytes(rows: np.ndarray) -> Tensor:
    return torch.from_numpy(rows.view(np.uint8))


def _integers(rows: np.ndarray) -> Tensor:
    return torch.from_numpy(rows.astype(np.int64))


def _floats(rows: np.ndarray) -> Tensor:
    with np.errstate(over="ignore"):
        return torch.from_numpy(rows.astype(np.float32))


def _warn_of_channels_last(shape: tuple[int, ...], where: str) -> None:
    if len(shape) == 4 and shape[3] in (1, 3) and shape[1] not in (1, 3):
        log.warning(
            "%s is %s: used as it is, that is %d channels of %dx%d pixels. Images (N, H, W, C) are to be saved as "
            "(N, C, H, W); only samples of 8 bits are turned",
            *(where, shape, *shape[1:]),
        )


def _check_tokens(seen: Seen, where: str, vocabulary: int) -> None:
    if seen.least < 0 or seen.greatest >= vocabulary:
        raise ConfigError(
            f"{where} has tokens from {seen.least} to {seen.greatest}: with data.vocabulary={vocabulary} they must lie "
            f"between 0 and {vocabulary - 1}"
        )


def _check_floats(seen: Seen, where: str, value_range: tuple[float, float] | None = None) -> None:
    if seen.bad:
        raise ConfigError(f"{where} has {seen.bad} rows with values that are not finite in float32")
    if value_range is not None and (seen.least < value_range[0] or seen.greatest > value_range[1]):
        raise ConfigError(
            f"{where} has values from {seen.least:g} to {seen.greatest:g}, not within data.value_range={[*value_range]}"
        )
