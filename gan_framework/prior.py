"""The contract of a prior: where latents come from."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import nn

from gan_framework.types import Latent


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
