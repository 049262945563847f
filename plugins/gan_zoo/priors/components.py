"""Noise, and which of several generators it goes to."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, Latent, Prior
from gan_zoo.priors.normal import Normal
from gan_zoo.priors.uniform import Uniform
from gan_zoo.ranges import require_positive

NOISES = {"normal": Normal, "uniform": Uniform}

COMPONENT = "component"
"""The name of the code."""


class Components(Prior):
    """Noise, followed by the one-hot number of the component that it goes to, for a mixture of generators.

    In a draw the components take turns, and the first is drawn: each makes its share of every batch. A single component
    has no code, and its latents are those of the prior of its noise, to the bit.

    Args:
        dim: the size of z, the code included.
        components: K, the number of components.
        noise: the prior of the rest of z, `normal` or `uniform`.
    """

    def __init__(self, dim: int, components: int, noise: str) -> None:
        super().__init__()
        require_positive(components=components)
        if noise not in NOISES:
            raise ValueError(f"noise={noise!r}: choose one of {', '.join(NOISES)}")
        if dim < code_size(components):
            raise ValueError(f"dim={dim}: the code alone takes {components} entries")
        self.dim = dim
        self.components = components
        self.noise: Prior = NOISES[noise](dim - code_size(components))

    def draw(self, n: int, device: torch.device, generator: torch.Generator | None = None) -> Latent:
        """Draw z (n, dim), and `component` (n, K) as its code."""
        latent = self.noise.draw(n, device, generator)
        if self.components == 1:
            return latent
        source = generator.device if generator is not None else device
        first = torch.randint(self.components, (1,), device=source, generator=generator)
        return self._joined(latent, ((torch.arange(n, device=source) + first) % self.components).to(device))

    def choose(self, latent: Latent, component: Tensor) -> Latent:
        """Return latents of the same noise that go to other components (N,)."""
        if self.components == 1:
            return latent
        return self._joined(latent._replace(z=latent.z[:, : -self.components]), component)

    def in_common(self, latent: Latent) -> Latent:
        """Return latents in which as many neighbours as there are components have their noise in common."""
        if self.components == 1:
            return latent
        same = latent.z[:: self.components].repeat_interleave(self.components, dim=0)[: len(latent.z)]
        return self.choose(latent._replace(z=same), component_of(latent))

    def vary(self, latent: Latent, code: str) -> list[Latent]:
        """Return the same noise before each component."""
        if code != COMPONENT or self.components == 1:
            raise ConfigError(
                f"there is no code {code!r}; the code of {self.components} components is "
                f"{COMPONENT if self.components > 1 else 'none'}"
            )
        everything = range(self.components)
        return [self.choose(latent, latent.z.new_full((len(latent.z),), i, dtype=torch.long)) for i in everything]

    def _joined(self, latent: Latent, component: Tensor) -> Latent:
        code = F.one_hot(component, self.components).to(latent.z.dtype)
        return latent._replace(z=torch.cat([latent.z, code], dim=1), code={COMPONENT: code})


def code_size(components: int) -> int:
    """Return how many entries of z say which component it goes to: none where there is one."""
    return components if components > 1 else 0


def split(z: Tensor, components: int) -> tuple[Tensor, Tensor]:
    """Return the noise (N, D) of z, and the numbers (N,) of the components that it goes to."""
    if components == 1:
        return z, z.new_zeros(len(z), dtype=torch.long)
    return z[:, :-components], z[:, -components:].argmax(1)


def component_of(latent: Latent) -> Tensor:
    """Return the numbers (N,) of the components that latents go to."""
    if COMPONENT not in latent.code:
        return latent.z.new_zeros(len(latent.z), dtype=torch.long)
    return latent.code[COMPONENT].argmax(1)


def require_components(game: str, prior: Prior | None) -> Components:
    """Return the prior of a game of several generators.

    Raises:
        ConfigError: it is another one.
    """
    if not isinstance(prior, Components):
        raise ConfigError(
            f"game={game} lets components take turns, and the latents of "
            f"{'no prior' if prior is None else type(prior).__name__} name none: set prior=components"
        )
    return prior
