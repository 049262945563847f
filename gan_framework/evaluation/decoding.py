"""Latents as data: a game makes codes of another model, and a decoder makes of these the images that are seen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from gan_framework.core.game import Game
from gan_framework.core.records import DataShape
from gan_framework.data import Data, DataSource
from gan_framework.errors import ConfigError
from gan_framework.storage.images import to_uint8

AT_ONCE = 64
"""Latents that are decoded at a time."""


@dataclass(frozen=True)
class Decoder:
    """Makes images of latents.

    Attributes:
        decode: maps latents (n, ...) of the data to images (n, C, H, W) in [-1, 1], on the device that they are on.
        sample: the shape (C, H, W) of these images.
        sha256: the hash of the decoder, for what is computed of its images.
        name: what messages call it.
    """

    decode: Callable[[Tensor], Tensor]
    sample: tuple[int, ...]
    sha256: str
    name: str

    @classmethod
    def tried(cls, decode: Callable[[Tensor], Tensor], latents: DataShape, sha256: str, name: str) -> Decoder:
        """Return a decoder whose shape is what it makes of two blank latents.

        Raises:
            ConfigError: it cannot decode these data, or makes no images.
        """
        try:
            made = decode(torch.zeros(2, *latents.sample))
        except Exception as error:  # networks raise whatever they do on inputs of another shape
            reason = " ".join(str(error).split())[:200]
            raise ConfigError(f"{name} cannot decode samples of shape {latents.sample}: {reason}") from error
        if not isinstance(made, Tensor) or made.ndim != 4 or len(made) != 2 or not made.is_floating_point():
            found = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
            raise ConfigError(f"{name} makes no images (N, C, H, W) of samples {latents.sample}, but {found}")
        return cls(decode, tuple(made.shape[1:]), sha256, name)

    @torch.no_grad()
    def __call__(self, latents: Tensor) -> Tensor:
        """Return the images (n, C, H, W) of latents (n, ...), float32 in [-1, 1]."""
        parts = [self.decode(part.float()).float().clamp(-1, 1) for part in latents.split(AT_ONCE)]
        return torch.cat(parts) if parts else latents.new_zeros(0, *self.sample)


_decoders: WeakKeyDictionary[Game, Decoder] = WeakKeyDictionary()


def give(game: Game, decoder: Decoder | None) -> None:
    """Have what a game makes be seen as a decoder's images from here on.

    Raises:
        ConfigError: it makes samples of other samples, which would have to be decoded too.
    """
    if decoder is None:
        return
    if game.generates_from is not None:
        raise ConfigError(
            f"data.decoder decodes what is made of a prior, and {type(game).__name__} makes samples of samples: set it "
            "to null"
        )
    _decoders[game] = decoder


def of(game: Game) -> Decoder | None:
    """Return the decoder of what a game makes; None where that is seen as it is."""
    return _decoders.get(game)


def seen(game: Game, samples: Tensor) -> Tensor:
    """Return samples that a game has made, or is trained on, as they are seen."""
    decoder = of(game)
    return samples if decoder is None else decoder(samples)


def shape_seen(game: Game) -> DataShape:
    """Return the shape of a game's samples as they are seen."""
    decoder = of(game)
    return game.data if decoder is None else _decoded(game.data, decoder)


def _decoded(shape: DataShape, decoder: Decoder) -> DataShape:
    return shape._replace(sample=decoder.sample, value_range=None)


def decoded(source: DataSource, decoder: Decoder | None) -> DataSource:
    """Return the images of a source of latents, as scores see them."""
    return source if decoder is None else DecodedSource(source, decoder)


class DecodedSource(DataSource):
    """The images that a decoder makes of latents."""

    def __init__(self, source: DataSource, decoder: Decoder) -> None:
        self._source = source
        self._decoder = decoder
        self.shape = _decoded(source.shape, decoder)
        self.classes = source.classes

    def load(self, split: str) -> Data:
        """Return the images of a split."""
        return DecodedData(self._source.load(split), self._decoder)


class DecodedData(Data):
    """The images that a decoder makes of the latents of a split, when they are read.

    Attributes:
        latents: the split itself.
    """

    def __init__(self, latents: Data, decoder: Decoder) -> None:
        self.latents = latents
        self.labels = latents.labels
        self.notes = latents.notes
        self._decoder = decoder

    def __len__(self) -> int:
        return len(self.latents)

    def read(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return images (n, C, H, W), uint8."""
        return to_uint8(self._decoder(self.latents.read(indices)))

    def content_hash(self) -> str:
        """Return the hash of what they follow from: latents and decoder."""
        return hashlib.sha256(f"{self.latents.content_hash()} {self._decoder.sha256}".encode()).hexdigest()
