"""Images in an archive of SPLIT/CLASS/NAME.jpg."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image


class Archived(NamedTuple):
    """An image that is not decoded yet.

    Attributes:
        split: the folder of its class's folder.
        kind: its class.
        file: its bytes.
    """

    split: str
    kind: str
    file: IO[bytes]

    def decoded(self) -> Image:
        """Return the image in colour."""
        from PIL import Image

        return Image.open(io.BytesIO(self.file.read())).convert("RGB")


def archived(archive: Path) -> Iterator[Archived]:
    """Yield the images of an archive in its order; each is to be decoded before the next one is asked for."""
    with tarfile.open(archive) as opened:
        for member in opened:
            path = PurePosixPath(member.name)
            file = opened.extractfile(member) if path.suffix == ".jpg" else None
            if file is not None:
                yield Archived(path.parts[-3], path.parts[-2], file)
