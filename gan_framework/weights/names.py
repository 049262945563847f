"""The names of parameters, as they are whatever has been put around the layers that have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from torch import Tensor, nn

_AROUND = re.compile(r"(^|\.)parametrizations\.(\w+)\.original$")
"""Where torch keeps the weight that a parametrization (spectral norm) is of."""


def plain_name(name: str) -> str:
    """Return the name that a tensor of a network has in the network as it was built."""
    return _AROUND.sub(r"\1\2", name.replace("_orig_mod.", ""))


def tensors_of(network: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and the kept buffers of a network themselves by name, each with its gradient's settings."""
    return {name: kept for name, kept in network.state_dict(keep_vars=True).items() if isinstance(kept, Tensor)}


def matching(network: nn.Module, pattern: str) -> Iterator[nn.Parameter]:
    """Yield the parameters whose names, or the names of modules that they are in, fit a pattern: `blocks.[01]`."""
    for name, parameter in network.named_parameters():
        if any(fnmatchcase(plain_name(name), wanted) for wanted in (pattern, f"{pattern}.*")):
            yield parameter
