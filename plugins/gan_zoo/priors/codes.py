"""Noise and structured codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, Latent, Prior
from gan_zoo.codes import CodeList

REACH = 2.0
"""Continuous codes are shown from -2 to 2, beyond the [-1, 1] of training (Chen et al. 2016, figure 2)."""

NOISES = ("uniform", "normal")

STEPS = 10
"""The values in which a continuous code is shown."""


class Codes(Prior):
    """InfoGAN's latents: noise, uniform on [-1, 1], then structured codes (Chen et al. 2016, arXiv 1606.03657).

    Args:
        dim: the size of z, codes included; the noise has what they leave.
        codes: `{categorical: [10], continuous: 2}`: the numbers of values of the categorical codes, which
            enter z one-hot, and the number of continuous codes, uniform on [-1, 1].
        noise: `uniform`, or `normal` for games that encode it.
    """

    def __init__(self, dim: int, codes: Mapping[str, Any], noise: str = "uniform") -> None:
        super().__init__()
        if noise not in NOISES:
            raise ValueError(f"noise={noise!r}: choose {' or '.join(NOISES)}")
        self.noise = noise
        self.codes = CodeList.of(codes)
        if dim < self.codes.dim:
            raise ValueError(f"dim={dim}: the codes alone take {self.codes.dim} entries")
        self.dim = dim

    def draw(self, n: int, device: torch.device, generator: torch.Generator | None = None) -> Latent:
        """Draw noise and codes: z (n, dim), and the codes by name in `code`."""
        source = generator.device if generator is not None else device

        def uniform(size: int) -> Tensor:
            return torch.rand(n, size, device=source, generator=generator).mul(2).sub(1)

        size = self.dim - self.codes.dim
        normal = self.noise == "normal"
        noise = torch.randn(n, size, device=source, generator=generator) if normal else uniform(size)
        drawn = [
            F.one_hot(torch.randint(values, (n,), device=source, generator=generator), values).float()
            for values in self.codes.categorical
        ]
        codes = torch.cat([*drawn, uniform(self.codes.continuous)], dim=1).to(device)
        return self._latent(noise.to(device), codes)

    def vary(self, latent: Latent, code: str) -> list[Latent]:
        """Return copies of latents with one code set to each of its values, a continuous one from -2 to 2."""
        if code not in self.codes.sizes:
            raise ConfigError(f"there is no code {code!r}; the codes are {', '.join(self.codes.sizes)}")
        size = self.codes.sizes[code]
        values = torch.eye(size) if size > 1 else torch.linspace(-REACH, REACH, STEPS)[:, None]
        noise = latent.z[:, : self.dim - self.codes.dim]
        return [
            self._latent(
                noise,
                torch.cat([value.to(c).expand_as(c) if name == code else c for name, c in latent.code.items()], 1),
            )._replace(labels=latent.labels)
            for value in values
        ]

    def _latent(self, noise: Tensor, codes: Tensor) -> Latent:
        return Latent(torch.cat([noise, codes], dim=1), code=self.codes.split(codes))
