"""Data sets that are damaged, mistaken or meant to harm: folders of images, zip files, arrays."""

from __future__ import annotations

import io
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tests.fuzzing.case import Case

TRAINING = (
    "model=mlp",
    "debug=smoke",
    "train.batch_size=2",
    "sample.count=4",
    "metrics=[]",
    "extractor=raw",
    "data.image_size=8",
)
MODES = {
    "L": "PNG",
    "RGB": "PNG",
    "RGBA": "PNG",
    "P": "GIF",
    "1": "TIFF",
    "CMYK": "JPEG",
    "F": "TIFF",
    "I;16": "PNG",
    "LA": "PNG",
}
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
SUFFIXES = ("png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "ppm", "PNG", "txt", "svg", "")
STEMS = (
    "a", "0", "image one", "ünïcödé", "日本語", "-rf", ".hidden", "x" * 200, "line\nbreak", "tab\tname", "con",
    "[bold]", "%s", "'quote\"",
)  # fmt: skip
CLIMBING = (
    "../out.png",
    "/etc/out.png",
    "a/../../out.png",
    "..\\out.png",
    "C:\\out.png",
    "//host/out.png",
    "./a.png",
    "a//b.png",
)


def cases(choice: random.Random, count: int) -> Iterator[Case]:
    """Yield data sets of all three kinds in turn."""
    kinds = (folder_case, zip_case, npz_case)
    for number in range(count):
        yield kinds[number % len(kinds)](random.Random(choice.random()))


def folder_case(choice: random.Random) -> Case:
    """Return a folder of images, some of them bad."""
    files = image_files(choice)
    extra = choice.sample(
        ("pipe", "loop", "dangling", "outside", "folder named png", "unreadable"), choice.choice((0, 0, 1, 2))
    )

    def write(folder: Path) -> None:
        root = folder / "images"
        root.mkdir()
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for kind in extra:
            place_special(kind, root, folder)

    return Case("folder", (*TRAINING, "data=folder", "data.path={folder}/images", *reading(choice)), write)


def place_special(kind: str, root: Path, folder: Path) -> None:
    """Put something that is no plain file into a folder."""
    if kind == "pipe":
        os.mkfifo(root / "pipe.png")
    elif kind == "loop":
        (root / "loop").symlink_to(root, target_is_directory=True)
    elif kind == "dangling":
        (root / "dangling.png").symlink_to(folder / "nothing.png")
    elif kind == "outside":
        (root / "passwd.png").symlink_to("/etc/passwd")
    elif kind == "folder named png":
        (root / "folder.png").mkdir()
    else:
        (root / "unreadable.png").write_bytes(b"")
        (root / "unreadable.png").chmod(0)


def zip_case(choice: random.Random) -> Case:
    """Return a zip file of images, damaged in most cases."""
    buffer = io.BytesIO()
    compression = choice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in image_files(choice).items():
            archive.writestr(name, content)
        kind = choice.randrange(8)
        if kind == 0:
            archive.writestr(choice.choice(CLIMBING), encoded(choice))
        elif kind == 1:
            link = zipfile.ZipInfo("link.png")
            link.external_attr = 0o120777 << 16
            archive.writestr(link, "/etc/passwd")
        elif kind == 2:
            archive.writestr("bomb.png", bytes(70 * 2**20), zipfile.ZIP_DEFLATED)
        elif kind == 3:
            archive.writestr("inner.zip", buffer.getvalue())
        elif kind == 4:
            archive.comment = bytes(choice.randrange(256) for _ in range(100))
    content = damaged(buffer.getvalue(), choice)
    return Case(
        "zip",
        (*TRAINING, "data=folder", "data.path={folder}/images.zip", *reading(choice)),
        writer("images.zip", content),
    )


def npz_case(choice: random.Random) -> Case:
    """Return arrays of all kinds, and files that only look like some."""
    buffer = io.BytesIO()
    length = choice.choice((0, 1, 3, 8, 8, 20, 20))
    arrays = {
        "x": array(choice, length, labels=False),
        "y": array(choice, choice.choice((length, length, 3)), labels=True),
    }
    names = choice.sample(list(arrays), choice.choice((1, 2, 2, 2, 2)))
    np.savez(buffer, **{name: arrays[name] for name in names})
    content = buffer.getvalue()
    if choice.random() < 0.3:
        content = forged(content, choice)
    if choice.random() < 0.4:
        content = damaged(content, choice)
    size = choice.choice(("data.image_size=8", "data.image_size=null", "data.image_size=5"))
    channels = choice.choice(("data.channels=1", "data.channels=3", "data.channels=null"))
    labels = choice.choice(("data.y=y", "data.y=null", "data.y=x"))
    given = (size, channels, labels, choice.choice(("data.test_share=0", "data.test_share=0.5")))
    return Case("npz", (*TRAINING, "data=npz", "data.path={folder}/a.npz", *given), writer("a.npz", content))


def writer(name: str, content: bytes):  # noqa: ANN201
    """Return what writes one file into a case's folder."""

    def write(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return write


def reading(choice: random.Random) -> tuple[str, ...]:
    """Return settings of a folder or zip file."""
    return (
        f"data.channels={choice.choice((1, 3))}",
        f"data.on_bad={choice.choice(('skip', 'skip', 'refuse'))}",
        f"data.in_memory_mb={choice.choice((0, 10))}",
        f"data.test_share={choice.choice((0, 0, 0.3))}",
        f"data.flip={choice.choice(('true', 'false'))}",
    )


def image_files(choice: random.Random) -> dict[str, bytes]:
    """Return image files by name, in classes or without, most of them whole."""
    folders = choice.choice(
        (
            [""],
            [""],
            ["cat/", "dog/"],
            ["a/", "b/", "日本/"],
            ["", "a/"],
            ["deep/er/", "deep/est/"],
            ["train/", "test/"],
        )
    )
    files = {}
    for number in range(choice.choice((0, 1, 2, 4, 8, 8, 16))):
        stem = choice.choice(STEMS) if choice.random() < 0.3 else str(number)
        suffix = choice.choice(SUFFIXES) if choice.random() < 0.5 else "png"
        content = encoded(choice) if choice.random() < 0.75 else bad_image(choice)
        files[f"{choice.choice(folders)}{stem}.{suffix}"] = content
    return files


def encoded(choice: random.Random) -> bytes:
    """Return an image in some mode, size and format."""
    mode = choice.choice((*MODES, "RGB", "RGB", "L"))
    size = (choice.choice((1, 2, 7, 8, 40)), choice.choice((1, 8, 8, 33)))
    pixels = np.frombuffer(choice.randbytes(size[0] * size[1] * 4), np.uint8).reshape(size[1], size[0], 4)
    if mode == "I;16":
        image = Image.fromarray(pixels[..., :2].copy().view(np.uint16)[..., 0])
    elif mode == "F":
        image = Image.fromarray(pixels.copy().view(np.float32)[..., 0])
    else:
        image = Image.fromarray(pixels).convert(mode if mode != "CMYK" else "RGB").convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, choice.choice(FORMATS) if mode == "RGB" else MODES[mode])
    return buffer.getvalue()


def bad_image(choice: random.Random) -> bytes:
    """Return what is no image, or no whole one."""
    kind = choice.randrange(6)
    if kind == 0:
        return b""
    if kind == 1:
        return choice.choice(
            (b"<svg/>", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"RIFF", b"P6\n", b"II*\x00", b"%!PS")
        )
    if kind == 2:
        return png_header(choice.choice((0, 1, 2**15, 2**31 - 1)), choice.choice((0, 1, 2**15, 2**31 - 1)))
    if kind == 3:
        return choice.choice(
            (b"P5\n99999 99999\n255\n", b"P6\n-1 5\n255\n", b"P5\n3 3\n0\n", b"P5 1 1 70000 ")
        ) + bytes(50)
    return damaged(encoded(choice), choice)


def png_header(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that announces any number of pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def damaged(content: bytes, choice: random.Random) -> bytes:
    """Return a file with bits flipped, cut short, doubled, mixed up, or as it was."""
    if not content:
        return content
    kind = choice.randrange(6)
    if kind == 0:
        return content
    if kind == 1:
        return content[: choice.randrange(len(content))]
    if kind == 2:
        return content + content[: choice.randrange(len(content))]
    if kind == 3:
        start, stop = sorted(choice.sample(range(len(content) + 1), 2))
        return content[:start] + content[stop:]
    changed = bytearray(content)
    for _ in range(choice.choice((1, 1, 5, 50))):
        changed[choice.randrange(len(changed))] ^= 1 << choice.randrange(8)
    return bytes(changed)


def array(choice: random.Random, length: int, labels: bool) -> np.ndarray:
    """Return an array that may or may not be samples, or labels."""
    shapes: list[tuple[int, ...]] = [(length,), (length, 5), ()] if labels else []
    shapes += [
        (length, 8, 8),
        (length, 8, 8, 1),
        (length, 3, 8, 8),
        (length, 8, 8, 3),
        (length, 5),
        (length, 0),
        (length, 2, 2, 2, 2),
    ]
    shape = choice.choice(shapes[:2] if labels and choice.random() < 0.7 else shapes)
    kinds = ("u1", "u1", "u1", "f4", "f8", "f2", ">f4", "i8", "i1", ">i2", "?", "c8", "U3", "S3", "M8[s]", "O", "i4,f4")
    kind = choice.choice(("i8", "u1", "f4") if labels and choice.random() < 0.7 else kinds)
    raw = np.random.default_rng(choice.randrange(2**32)).integers(0, 4 if labels else 256, shape)
    if kind == "O":
        return np.array([Path("x")] * max(length, 1), dtype=object)
    if kind == "i4,f4":
        return np.zeros(shape, kind)
    values = raw.astype(kind)
    if values.dtype.kind == "f" and values.size and choice.random() < 0.3:
        values.flat[0] = choice.choice((np.nan, np.inf, -np.inf, np.finfo(values.dtype).max))
    if values.dtype.kind == "i" and values.size and choice.random() < 0.3:
        values.flat[0] = choice.choice((-1, np.iinfo(values.dtype).max))
    return values


def forged(content: bytes, choice: random.Random) -> bytes:
    """Return an `.npz` file with another header in one of its arrays."""
    headers = (
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 8, 8), }",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 8, 8), }",
        b"{'descr': '|u1', 'fortran_order': True, 'shape': (8, 8, 8), }",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (8,), }",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (8, 8, 8",
        b"__import__('os').system('touch escaped')",
        b"{'descr': [('a', '<i4', (9999999, 9999999))], 'fortran_order': False, 'shape': (1,), }",
        b"{" * 200,
        b"",
    )
    header = choice.choice(headers)
    version = choice.choice((b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x09"))
    length = struct.pack("<H" if version[0] == 1 else "<I", len(header))
    made = b"\x93NUMPY" + version + length + header + bytes(choice.choice((0, 8, 512)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for number, name in enumerate(old.namelist()):
            new.writestr(name, made if number == 0 else old.read(name))
    return buffer.getvalue()
