"""Frozen networks that come with their weights, from a package or a download: checkpoints name these, by their hash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from torch import Tensor, nn

from gan_framework.errors import ConfigError
from gan_framework.storage import tensors

_NAMED = "_pretrained_as"

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Pretrained:
    """Which weights a network came with.

    Attributes:
        name: what messages call them, `EfficientNet-Lite0`.
        sha256: the hash of the tensors of its `state_dict`, with their names, types and shapes.
    """

    name: str
    sha256: str


def mark_pretrained(network: Network, name: str) -> Network:
    """Freeze a network that is built with the same weights wherever it is: checkpoints name and do not store them.

    Args:
        network: with its weights.
        name: what messages call them, the same whenever they are.
    """
    setattr(network, _NAMED, Pretrained(name, tensors.sha256(network.state_dict())))
    return network.requires_grad_(False)


def named(root: nn.Module) -> Iterator[tuple[str, nn.Module, Pretrained]]:
    """Yield the pretrained networks within a module, at each place where they are, and which they are."""
    for place, module in root.named_modules(remove_duplicate=False):
        found = getattr(module, _NAMED, None)
        if isinstance(found, Pretrained):
            yield place, module, found


def without_pretrained(root: nn.Module) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Return a module's state without the weights that networks in it came with, and which these are by their place.

    A network whose weights are not those any more is kept as it is.
    """
    state, places = root.state_dict(), {}
    for place, module, found in named(root):
        own = module.state_dict()
        if tensors.sha256(own) == found.sha256:
            places[place] = asdict(found)
            state = {name: value for name, value in state.items() if name not in _below(place, own)}
    return state, places


def with_pretrained(root: nn.Module, state: Mapping[str, Any], places: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole of a state that `without_pretrained` made of a module built alike.

    Raises:
        ConfigError: a network is not there, or came with other weights.
    """
    here = {place: (module, found) for place, module, found in named(root)}
    whole = dict(state)
    for place, wanted in places.items():
        name, digest = wanted["name"], wanted["sha256"]
        if place not in here:
            raise ConfigError(
                f"it was written with the pretrained {name} (SHA-256 {digest}) at {place}, and none is there"
            )
        module, found = here[place]
        if found.sha256 != digest:
            raise ConfigError(
                f"it was written with the pretrained {name} of SHA-256 {digest} at {place}, and the {found.name} that "
                f"is installed here has {found.sha256}: install the weights that it was trained with"
            )
        whole |= _below(place, module.state_dict())
    return whole


def tensors_of_pretrained(network: nn.Module) -> set[str]:
    """Return the names of the tensors of a network that it came with."""
    return {name for place, module, _ in named(network) for name in _below(place, module.state_dict())}


def _below(place: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{place}.{name}" if place else name: value for name, value in state.items()}
