"""Tensors in files that anybody can read and that can hold nothing else: safetensors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from gan_framework.errors import ConfigError
from gan_framework.storage import files

SUFFIX = ".safetensors"


def write(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> None:
    """Write tensors by name, atomically; what shares memory is written as often as it is named.

    Args:
        path: the file.
        tensors: on any device.
        about: plain text that stands beside them.

    Raises:
        ConfigError: the package `safetensors` is not installed.
    """
    content = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    data: bytes = _library().save(content, {**about})
    with files.atomic(path) as file:
        file.write(data)


def read(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by name, on the CPU.

    Raises:
        ConfigError: there is no such file, it is damaged, or the package `safetensors` is not installed.
    """
    library = _library()
    if not path.is_file():
        raise ConfigError(f"there is no file {path}")
    try:
        return dict(library.load_file(path))
    except Exception as error:  # whatever the library makes of a file that is somebody else's
        raise ConfigError(f"{path} is damaged, or no safetensors file: {' '.join(str(error).split())}") from error


def sha256(tensors: Mapping[str, Tensor]) -> str:
    """Return a hash of the names, types, shapes and values of tensors."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def check_size(path: Path) -> None:
    """Raise ConfigError if a file is not as large as its head says, before any more of it is read.

    Raises:
        ConfigError: it is damaged, or no such file.
    """
    library = _library()
    try:
        with library.safe_open(path, framework="pt"):
            pass
    except Exception as error:
        raise ConfigError(f"{path} is damaged, or no safetensors file: {' '.join(str(error).split())}") from error


def _library() -> ModuleType:
    try:
        import safetensors.torch
    except ModuleNotFoundError:
        raise ConfigError(
            "exported weights need the package safetensors: pip install 'gan-framework[publish]'"
        ) from None
    return safetensors.torch
