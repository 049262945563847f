"""Gives networks the trained weights that fit them, by name and shape, and says which did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from gan_framework.errors import ConfigError
from gan_framework.storage.text import few
from gan_framework.weights.names import plain_name, tensors_of
from gan_framework.weights.pretrained import tensors_of_pretrained

COUNTER = "num_batches_tracked"
"""What every batch norm has, of a shape that always fits: it says nothing of whether weights fit."""


@dataclass(frozen=True)
class Trained:
    """A network's trained weights.

    Attributes:
        setting: what the user asked for, `networks.generator.from=outputs/first`.
        where: what has been found there: the file, the network, the step.
        tensors: by their names in the network as it was built.
    """

    setting: str
    where: str
    tensors: Mapping[str, Tensor]


@dataclass
class WarmStart:
    """Gives networks trained weights while a game is put together.

    It does so twice, and never draws a random number: when the networks are built, so that what strategies copy (an
    average) begins with these weights, and again when strategies have added layers that may have weights there too.

    Attributes:
        trained: the weights by the name of the network that starts from them.
        fitted: the names that were found and fitted, by network.
    """

    trained: Mapping[str, Trained]
    fitted: dict[str, set[str]] = field(default_factory=dict)

    @torch.no_grad()
    def fill(self, networks: Mapping[str, nn.Module] | nn.ModuleDict) -> None:
        """Copy into each network what fits it."""
        for name, found in self.trained.items():
            fitted = self.fitted.setdefault(name, set())
            for own, tensor in tensors_of(networks[name]).items():
                given = found.tensors.get(plain_name(own))
                if given is not None and given.shape == tensor.shape:
                    tensor.copy_(given)
                    fitted.add(plain_name(own))

    def report(self, networks: Mapping[str, nn.Module] | nn.ModuleDict) -> list[str]:
        """Return a line for each network: what it starts from, what did not fit.

        Raises:
            ConfigError: nothing fitted.
        """
        return [self._line(name, found, networks[name]) for name, found in self.trained.items()]

    def _line(self, name: str, found: Trained, network: nn.Module) -> str:
        own = {plain_name(key): tuple(tensor.shape) for key, tensor in tensors_of(network).items()}
        there = {key: tuple(tensor.shape) for key, tensor in found.tensors.items()}
        fitted = self.fitted.get(name, set())
        came_with = {plain_name(key) for key in tensors_of_pretrained(network)} - fitted
        own = {key: shape for key, shape in own.items() if key not in came_with}
        left, unused = ([key for key in side if key not in fitted] for side in (own, there))
        if not any(key.rpartition(".")[2] != COUNTER for key in fitted):
            raise ConfigError(
                f"{found.setting}: nothing of {found.where} fits networks.{name} by name and shape; there are "
                f"{_named(unused, there)}; the network has {_named(left, own)}"
            )
        said = [f"networks.{name} starts from {found.where}: {len(fitted)} of {len(own)} tensors fit"]
        if left:
            said.append(f"left as drawn: {_named(left, own)}")
        if unused:
            said.append(f"not used: {_named(unused, there)}")
        return "; ".join(said)


def _named(keys: list[str], shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(few([f"{key} {shapes[key]}" for key in keys])) or "none"
