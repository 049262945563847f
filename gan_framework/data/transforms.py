"""Random changes of training images by torchvision's transforms, drawn anew for each sample of each batch."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gan_framework.core import seeding
from gan_framework.core.contracts.networks import SAMPLES
from gan_framework.errors import ConfigError

SHAPE = "of transforms, each a name or a mapping of a name and arguments: [AutoAugment,{name: RandomCrop,size: 32}]"
"""How the setting is written."""

Settings = Sequence[str | Mapping[str, Any]]


class Transforms:
    """Transforms 8-bit images (n, C, H, W), and the images and maps that belong to them alike.

    Of one sample all tensors see the same random numbers, which follow from (seed, number of the batch, position in
    it) alone. Extras that are 8-bit images are changed as the sample is; others of an image's shape are maps, which
    move with it and keep their values.

    Args:
        settings: transforms of `torchvision.transforms.v2` in their order, by name, or as mappings of a `name` and
            arguments.
        mirrors: for each extra whether it belongs to the image's places, and is mirrored with it, or stays as it is.
        example: one sample with its extras, (1, ...).
        setting: names the setting in messages.

    Raises:
        ConfigError: there is no such transform, it refuses its arguments, the samples are no 8-bit images, they would
            get another shape or type, or of an extra of their size it is not known what becomes of it.
    """

    def __init__(
        self, settings: Settings, mirrors: Mapping[str, bool], example: Mapping[str, Tensor], setting: str
    ) -> None:
        samples = example[SAMPLES]
        if samples.dtype != torch.uint8 or samples.ndim != 4:
            raise ConfigError(
                f"{setting} changes 8-bit images, but the samples are {samples.dtype} of the shape "
                f"{tuple(samples.shape[1:])}: set it to null"
            )
        self.settings, self.setting = settings, setting
        for name in example.keys() - {SAMPLES} - mirrors.keys():
            if example[name].ndim == 4 and example[name].shape[2:] == samples.shape[2:]:
                raise ConfigError(
                    f"{setting}: the dataset does not say whether its extra {name!r} is changed together with the "
                    f"samples (`mirrors`): set {setting}=null, or say it where data have the setting `mirrors`"
                )
        self.together = (SAMPLES, *sorted(name for name in mirrors if mirrors[name] and example[name].ndim == 4))
        self._compose = _composed(settings, setting)
        try:
            changed = self({name: example[name] for name in example}, 0, [0])
        except Exception as error:  # a transform says what it cannot take when it is called
            raise ConfigError(f"{setting} cannot change the samples: {type(error).__name__}: {error}") from error
        for name in self.together:
            before, after = example[name], changed[name]
            if (before.shape, before.dtype) != (after.shape, after.dtype):
                raise ConfigError(
                    f"{setting} makes {after.dtype} {tuple(after.shape[1:])} of {name}, which are {before.dtype} "
                    f"{tuple(before.shape[1:])}: it must keep shape and type; data.image_size says the size"
                )

    def __call__(self, record: Mapping[str, Tensor], seed: int, positions: Sequence[int]) -> dict[str, Tensor]:
        """Return a batch's tensors with those of images changed.

        Args:
            record: the samples and extras of a batch by name.
            seed: that of the batch.
            positions: each sample's position in the global batch.
        """
        from torchvision import tv_tensors

        rows = []
        with torch.random.fork_rng(devices=[]):
            for row, position in enumerate(positions):
                torch.default_generator.manual_seed(seeding.derive(seed, position))
                images = {
                    name: (tv_tensors.Image if record[name].dtype == torch.uint8 else tv_tensors.Mask)(
                        record[name][row]
                    )
                    for name in self.together
                }
                rows.append(self._compose(images))
        changed = {name: torch.stack([row[name].as_subclass(Tensor) for row in rows]) for name in self.together}
        return {**record, **changed}


def _composed(settings: Settings, setting: str) -> Any:
    from torchvision.transforms import v2

    known = {
        name: kind
        for name, kind in vars(v2).items()
        if isinstance(kind, type) and issubclass(kind, v2.Transform) and kind is not v2.Transform
    }
    if isinstance(settings, (str, Mapping)) or not isinstance(settings, Sequence):
        raise ConfigError(f"{setting}={settings} must be a list {SHAPE}")
    steps = []
    for entry in settings:
        if not isinstance(entry, (str, Mapping)):
            raise ConfigError(f"{setting} holds {entry}, and must be a list {SHAPE}")
        given = {"name": entry} if isinstance(entry, str) else dict(entry)
        name = str(given.pop("name", None))
        if name not in known:
            near = difflib.get_close_matches(name, known, 3)
            proposals = f": {', '.join(near)}?" if near else " (its names: RandomCrop, ColorJitter, RandomAffine, ...)"
            raise ConfigError(f"{setting}: torchvision.transforms.v2 has no transform {name}{proposals}")
        try:
            steps.append(known[name](**given))
        except Exception as error:  # arguments that a transform does not take make it raise anything
            raise ConfigError(f"{setting}: {name} refuses {given}: {error}") from error
    return v2.Compose(steps)
