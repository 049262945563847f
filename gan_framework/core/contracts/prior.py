"""The contract of a prior: where latents come from."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import nn

from gan_framework.core.records import Latent
from gan_framework.errors import ConfigError


class Prior(nn.Module, ABC):
    """A distribution over latents.

    Attributes:
        dim: the size of z, structured codes included.
    """

    dim: int

    @abstractmethod
    def draw(self, n: int, device: torch.device, generator: torch.Generator | None = None) -> Latent:
        """Draw n latents on the device, from the generator's random numbers where one is given.

        A given generator may live on the CPU whatever the device, so that the latents of sample
        grids and scores are the same everywhere.
        """

    def vary(self, latent: Latent, code: str) -> list[Latent]:
        """Return copies of latents with one code set to each value worth showing, in order.

        Raises:
            ConfigError: the prior has no such code.
        """
        raise ConfigError(f"there is no code {code!r}: the latents of {type(self).__name__} have no structured codes")
