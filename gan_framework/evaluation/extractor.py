"""The contract of an extractor: from images to the features that metrics compare."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.cache import Cache, code_of
from gan_framework.storage import tensors

if TYPE_CHECKING:
    from gan_framework.data import DataSource

PRECISIONS = ("fp32", "tf32", "bf16")


class Features(NamedTuple):
    """What an extractor says of N samples.

    Attributes:
        features: float32 (N, D).
        logits: class logits (N, K), or None for an extractor that does not classify.
    """

    features: Tensor
    logits: Tensor | None = None


class Extractor(nn.Module, ABC):
    """Maps samples to features. Building one is cheap: weights are loaded or trained in `prepare`.

    Attributes:
        name: the entry point's name; the scores' names end in it.
        dim: the number of features D, known once prepared.
        resize: how images are brought to the size the network takes, for the protocol.
        size: the height and width of the images that the network takes; None where it takes any.
        classifies: whether it gives logits.
        classifies_labels: whether these logits are over the dataset's own classes.
        downloads: whether weights may have to be downloaded, which a run then does before it trains.
        learns: whether `prepare` trains weights on the data, which a run does before it trains: they may be of no use.
        perceives: whether `maps` gives activations, for distances of images by what the network sees in them.
        needs_splits: which splits of the data `prepare` reads.
        precision: `fp32`, `tf32` or `bf16`; part of the protocol, as it changes the features.
    """

    name: str
    dim: int
    resize: str = "none"
    size: tuple[int, int] | None = None
    classifies: bool = False
    classifies_labels: bool = False
    downloads: bool = False
    learns: bool = False
    perceives: bool = False
    needs_splits: tuple[str, ...] = ()

    def __init__(self, precision: str = "fp32") -> None:
        super().__init__()
        if precision not in PRECISIONS:
            raise ConfigError(f"extractor.precision={precision}: choose one of {', '.join(PRECISIONS)}")
        self.precision = precision

    def check(self, shape: DataShape) -> None:
        """Raise ConfigError, naming alternatives, if the extractor cannot read such data."""
        if not shape.is_image:
            raise ConfigError(
                f"extractor={self.name} reads images, and the samples of this dataset have the shape "
                f"{shape.sample}; use extractor=raw"
            )
        if not shape.is_8_bit:
            raise ConfigError(
                f"extractor={self.name} reads images of 8 bits, and those of this dataset have values in "
                f"{shape.value_range}; use extractor=raw"
            )

    @abstractmethod
    def prepare(self, source: DataSource, device: torch.device, cache: Cache) -> None:
        """Load or train the weights and go to the device; called once, before the first batch.

        Raises:
            ConfigError: features of these data would mean nothing.
        """

    @abstractmethod
    def extract(self, samples: Tensor) -> Features:
        """Return the features of samples (N, ...): 8-bit images, volumes and videos uint8, all else float32."""

    def maps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return activations (N, C', H', W') at several depths, of images (N, C, H, W) in [-1, 1].

        Only an extractor that `perceives` has them.
        """
        raise NotImplementedError

    def fingerprint(self) -> str:
        """Return a hash of the weights, which says whether two extractors are the same."""
        return fingerprint(self.state_dict())

    def cache_key(self) -> dict[str, Any]:
        """Return what features depend on beside the weights: the extractor's code, and its settings.

        Features of real samples are kept under it, so that those of an extractor that has been changed are not.
        """
        own = [kind for kind in type(self).__mro__ if issubclass(kind, Extractor) and kind is not Extractor]
        plain = {
            name: value
            for name, value in vars(self).items()
            if name != "training"
            and not name.startswith("_")
            and isinstance(value, str | int | float | bool | list | tuple)
        }
        return {"code": code_of(*own), "settings": json.dumps(plain, sort_keys=True, default=str)}

    def doubts(self) -> list[str]:
        """Return what makes all scores by these features less than they seem, as sentences; asked once prepared."""
        return []

    def describe(self) -> dict[str, str | float]:
        """Return what a reader of the scores should know of the extractor (its test accuracy)."""
        return {}

    @torch.inference_mode()
    def forward(self, samples: Tensor) -> Features:
        """Return the features of samples in the extractor's precision, as float32."""
        with computing_in(self.precision, samples.device):
            features, logits = self.extract(samples)
        return Features(features.float(), logits.float() if logits is not None else None)

    @torch.inference_mode()
    def perceive(
        self, images: Tensor, maps: Callable[[Tensor], tuple[Tensor, ...]] | None = None
    ) -> tuple[Tensor, ...]:
        """Return activations of images (N, C, H, W) in [-1, 1] in the extractor's precision, as float32.

        Args:
            images: what to look at.
            maps: another way to look than `maps`.
        """
        with computing_in(self.precision, images.device):
            found = (maps or self.maps)(images)
        return tuple(one.float() for one in found)


def fingerprint(weights: dict[str, Tensor]) -> str:
    """Return a hash of the names, types, shapes and values of tensors."""
    return tensors.sha256(weights)[:16]


def to_rgb(images: Tensor) -> Tensor:
    """Repeat the channel of grey images (N, 1, H, W); colour images pass unchanged.

    Raises:
        ConfigError: the images have neither 1 nor 3 channels.
    """
    if images.shape[1] == 3:
        return images
    if images.shape[1] == 1:
        return images.expand(-1, 3, -1, -1)
    raise ConfigError(
        f"this extractor reads images of 1 or 3 channels, not {images.shape[1]}; extractor=classifier reads any number"
    )


@contextmanager
def computing_in(precision: str, device: torch.device) -> Iterator[None]:
    """Compute in a precision, whatever the run trains in, and restore the run's settings after."""
    cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = cuda.allow_tf32, cudnn.allow_tf32
    cuda.allow_tf32 = cudnn.allow_tf32 = precision == "tf32"
    try:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
            yield
    finally:
        cuda.allow_tf32, cudnn.allow_tf32 = before
