"""What notebooks show as pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_framework.storage import pictures
from gan_framework.storage.pictures import Range

COLUMNS = 8


def png(image: Tensor) -> bytes:
    """Return an image (1 or 3, H, W), uint8, as a PNG file has it."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).squeeze(2).contiguous().numpy()).save(file, format="PNG")
    return file.getvalue()


class Samples(Tensor):
    """Samples (N, ...) that a notebook shows as a picture; whatever is computed of them is a plain tensor."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]
    _value_range: Range | None = None
    _vocabulary: int = 0
    _symbols: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, samples: Tensor, value_range: Range | None, vocabulary: int = 0, symbols: Sequence[str] = ()
    ) -> Samples:
        """Return samples that know how they are drawn.

        Args:
            samples: the samples.
            value_range: the values that are black and white; None where that is not known.
            vocabulary: the number of symbols where they are tokens, else 0.
            symbols: what each symbol is written as.
        """
        made = samples.as_subclass(cls)
        made._value_range, made._vocabulary, made._symbols = value_range, vocabulary, tuple(symbols)
        return made

    def picture(self, columns: int = COLUMNS) -> Tensor:
        """Return a picture (1 or 3, H, W), uint8, of the samples side by side."""
        return self._drawn(columns).image

    def save(self, path: str | Path, columns: int = COLUMNS) -> Path:
        """Write the picture as a PNG, what is text and what moves as a file beside it, and return the PNG's path."""
        return pictures.write(Path(path), self._drawn(columns))

    def _drawn(self, columns: int) -> pictures.Picture:
        plain = self.detach().as_subclass(Tensor)
        return pictures.draw(plain, columns, self._value_range, self._vocabulary, self._symbols)

    def _repr_png_(self) -> bytes:
        return png(self.picture())

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle as a plain tensor, which everybody can read."""
        return self.as_subclass(Tensor).__reduce_ex__(protocol)


class Picture:
    """A PNG file that a notebook shows.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def _repr_png_(self) -> bytes:
        return self.path.read_bytes()

    def __repr__(self) -> str:
        return f"Picture({str(self.path)!r})"
