"""A plugin-based experiment framework for generative adversarial networks.

`load` gives a trained model, `train` trains one. Importing this module costs nothing; both are looked up when they are
first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_framework.library.model import Model as Model
    from gan_framework.library.model import load as load
    from gan_framework.library.training import Result as Result
    from gan_framework.library.training import train as train

__version__ = "0.2.0"

_PLACES = {"Model": "library.model", "load": "library.model", "Result": "library.training", "train": "library.training"}

__all__ = ["Model", "Result", "__version__", "load", "train"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'gan_framework' has no attribute {name!r}")
    return getattr(import_module(f"gan_framework.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
