"""From the arrays of strangers to samples and extras, each checked for what it is to be."""

from __future__ import annotations

import logging

import numpy as np
import torch
from torch import Tensor

from gan_framework.api import ConfigError

log = logging.getLogger(__name__)

BYTES = (np.dtype(np.uint8), np.dtype(np.bool_))
"""The types of 8-bit images; False and True are 0 and 1."""


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
        hint = ". For vectors set data.image_size=null data.channels=null" if len(shape) == 2 else ""
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


def images(array: np.ndarray, where: str) -> Tensor:
    """Return images (N, C, H, W) uint8."""
    channels_of(array.shape, array.dtype, where)
    if array.ndim == 3:
        array = array[:, None]
    elif array.shape[3] in (1, 3):
        array = array.transpose(0, 3, 1, 2)
    return torch.from_numpy(array.view(np.uint8))


def as_they_are(array: np.ndarray, where: str, vocabulary: int) -> Tensor:
    """Return samples of any shape.

    Args:
        array: floating-point (N, ...); 8-bit images (N, C, H, W), volumes or videos of five dimensions, uint8; or
            tokens, whole numbers (N, T).
        where: names the array in messages.
        vocabulary: the number of symbols where they are tokens, else 0.

    Returns:
        float32 (N, ...), uint8 as it is, or tokens (N, T) int64.

    Raises:
        ConfigError: it is none of these.
    """
    if vocabulary:
        return _tokens(array, where, vocabulary)
    _warn_of_channels_last(array, where)
    if array.dtype.kind == "f" and array.ndim >= 2:
        return finite(array, where)
    if array.dtype in BYTES and array.ndim in (4, 5):
        return torch.from_numpy(array.view(np.uint8))
    hint = ". For tokens set data.vocabulary" if array.dtype.kind in "iu" and array.ndim == 2 else ""
    raise ConfigError(
        f"{where} is {array.dtype} {array.shape}, but vectors are floating-point (N, D), other samples are "
        "floating-point (N, ...), or uint8 of four or five dimensions, (N, C, H, W) first. For images to be resized "
        f"set data.image_size and data.channels{hint}"
    )


def _warn_of_channels_last(array: np.ndarray, where: str) -> None:
    if array.ndim == 4 and array.shape[3] in (1, 3) and array.shape[1] not in (1, 3):
        log.warning(
            "%s is %s: used as it is, that is %d channels of %dx%d pixels. Images (N, H, W, C) are to be saved as "
            "(N, C, H, W); samples of 8 bits are also turned where data.image_size is set",
            *(where, array.shape, *array.shape[1:]),
        )


def _tokens(array: np.ndarray, where: str, vocabulary: int) -> Tensor:
    if array.dtype.kind not in "iu" or array.ndim != 2:
        raise ConfigError(
            f"{where} is {array.dtype} {array.shape}, but with data.vocabulary={vocabulary} samples are tokens, whole "
            "numbers (N, T)"
        )
    if array.min() < 0 or array.max() >= vocabulary:
        raise ConfigError(
            f"{where} has tokens from {array.min()} to {array.max()}: with data.vocabulary={vocabulary} they must lie "
            f"between 0 and {vocabulary - 1}"
        )
    return torch.from_numpy(array.astype(np.int64))


def extra(array: np.ndarray, where: str) -> Tensor:
    """Return an extra (N, ...): 8-bit images uint8 (N, C, H, W), other whole numbers int64, or float32."""
    if array.ndim and array.size:
        _warn_of_channels_last(array, where)
        if array.dtype in BYTES and array.ndim >= 3:
            return torch.from_numpy((array[:, None] if array.ndim == 3 else array).view(np.uint8))
        if array.dtype.kind == "f":
            return finite(array, where)
        if array.dtype.kind in "iu" and array.max() < 2**63:
            return torch.from_numpy(array.astype(np.int64))
    raise ConfigError(
        f"{where} is {array.dtype} {array.shape}, but extras are images uint8, whole numbers, or floating-point "
        "(N, ...)"
    )


def finite(array: np.ndarray, where: str) -> Tensor:
    """Return an array as float32.

    Raises:
        ConfigError: it has values that are not finite.
    """
    with np.errstate(over="ignore"):
        values = torch.from_numpy(array.astype(np.float32))
    bad = int((~values.isfinite()).flatten(1).any(1).sum()) if values.ndim > 1 else int((~values.isfinite()).sum())
    if bad:
        raise ConfigError(f"{where} has {bad} rows with values that are not finite in float32")
    return values
