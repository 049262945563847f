"""Several generators in one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.nested import build_nested
from gan_zoo.priors.components import code_size, split
from gan_zoo.ranges import require_positive


class MixtureGenerator(Generator):
    """K networks alike, each with weights of its own; the last K entries of z, one-hot, say which makes a sample.

    Batch norm of a component sees that component's samples alone. One component is that network and takes all of z.

    Args:
        latent_dim: the size of z, the code of the component included.
        components: K.
        of: the settings of each network, a generator's, with its `name` and without `latent_dim`.
        shared: the names of the parts of them that all have in common, such as `layers.0`.
    """

    def __init__(self, latent_dim: int, components: int, of: Mapping[str, Any], shared: list[str]) -> None:
        super().__init__()
        require_positive(components=components)
        noise = latent_dim - code_size(components)
        self.components = components
        self.nets = nn.ModuleList(build_nested("generators", of, latent_dim=noise) for _ in range(components))
        first = self.nets[0]
        self.conditional = bool(getattr(first, "conditional", False))
        for net in self.nets[1:]:
            for name in shared:
                _share(net, first, name)

    def component(self, number: int) -> Generator:
        """Return one of the networks."""
        net = self.nets[number]
        assert isinstance(net, Generator)
        return net

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim), noise and one-hot components, to samples (N, ...)."""
        if self.components == 1:
            samples: Tensor = self.nets[0](z, labels)
            return samples
        noise, component = split(z, self.components)
        samples_wanted: Any = z.shape[0]
        if isinstance(samples_wanted, Tensor):  # it is traced, and what decides by values would be fixed
            each = torch.stack([net(noise, labels) for net in self.nets])
            return each[component, torch.arange(z.shape[0], device=z.device)]
        made: list[Tensor] = []
        places: list[Tensor] = []
        for number, net in enumerate(self.nets):
            of_one = (component == number).nonzero().squeeze(1)
            if len(of_one):
                made.append(net(noise[of_one], labels[of_one] if labels is not None else None))
                places.append(of_one)
        return torch.cat(made)[torch.cat(places).argsort()]


def _share(net: nn.Module, other: nn.Module, name: str) -> None:
    path, _, last = name.rpartition(".")
    try:
        setattr(net.get_submodule(path), last, other.get_submodule(name))
    except AttributeError as error:
        parts = ", ".join(part for part, _ in other.named_children())
        raise ValueError(f"shared={name!r}: {type(net).__name__} has no such part; it has {parts}") from error
