"""What is mirrored left to right when a sample is."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from gan_framework.core.contracts.networks import SAMPLES
from gan_framework.errors import ConfigError


def has_left_and_right(stored: Tensor) -> bool:
    """Return whether the last axis of a tensor (N, ...) is an image's: (C, H, W), (T, C, H, W) or (C, D, H, W)."""
    return stored.ndim in (4, 5)


def mirrored_with(record: Mapping[str, Tensor], mirrors: Mapping[str, bool], setting: str) -> frozenset[str]:
    """Return the names of the tensors that are mirrored together.

    Args:
        record: samples, named `samples`, and their extras by name.
        mirrors: for each extra whether it is mirrored with its sample or left as it is.
        setting: the setting that asks for mirroring, for messages.

    Raises:
        ConfigError: the samples have no left and right, or of an extra it is not known what becomes of it.
    """
    samples = record[SAMPLES]
    if not has_left_and_right(samples):
        raise ConfigError(
            f"{setting}=true mirrors images, but the samples have the shape {tuple(samples.shape[1:])}: "
            f"set {setting}=false"
        )
    for name in record.keys() - {SAMPLES} - mirrors.keys():
        raise ConfigError(
            f"{setting}=true: the dataset does not say whether its extra {name!r} is mirrored together with the "
            f"samples (`mirrors`): set {setting}=false"
        )
    names = [name for name in record if name != SAMPLES and mirrors[name]]
    for name in names:
        if not has_left_and_right(record[name]):
            raise ConfigError(
                f"{setting}=true: the dataset's extra {name!r} has the shape {tuple(record[name].shape[1:])} and "
                f"cannot be mirrored as `mirrors` says: set {setting}=false"
            )
    return frozenset([SAMPLES, *names])
