"""DeLiGAN (Gurumurthy, Sarvadevabhatla & Babu 2017, arXiv 1706.02071): z is a mixture of Gaussians that are learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gan_framework.api import Components, ConfigError, Discriminator, Game, Generator, Pair, Player, Term
from gan_zoo.layers import activations, init_normal
from gan_zoo.nested import build_nested
from gan_zoo.priors.components import code_size, split
from gan_zoo.ranges import require_positive


class DeltaMixtureGenerator(Generator):
    """A generator of μ_i + σ_i ε, where ε is normal and i one of the components (equation 3).

    Goes with `prior=components`, whose noise is ε and whose code says which i.

    Args:
        latent_dim: the size of z, the code of the component included.
        components: the number of Gaussians.
        of: the settings of the generator, with its `name` and without `latent_dim`.
        sigma: where all σ begin; the μ begin uniform on [-1, 1].
    """

    def __init__(self, latent_dim: int, components: int, of: Mapping[str, Any], sigma: float) -> None:
        super().__init__()
        require_positive(components=components)
        noise = latent_dim - code_size(components)
        self.components = components
        self.of = build_nested("generators", of, latent_dim=noise)
        self.conditional = bool(getattr(self.of, "conditional", False))
        self.mean = nn.Parameter(torch.empty(components, noise).uniform_(-1, 1))
        self.sigma = nn.Parameter(torch.full((components, noise), float(sigma)))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim), noise and one-hot components, to samples (N, ...)."""
        noise, component = split(z, self.components)
        samples: Tensor = self.of(self.mean[component] + self.sigma[component] * noise, labels)
        return samples


class UnitSigma(Term):
    """The mean of (1 - σ)²: deviations do not vanish (equation 6)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return how far all deviations are from 1."""
        generator = self.game.generator
        assert isinstance(generator, DeltaMixtureGenerator)
        return (1 - generator.sigma).square().mean()


class DeLiGAN(Game):
    """The game of two players, in which G has the Gaussians of its latents and keeps their deviations from vanishing.

    Args:
        components: what the game is made of.
        deviations: λ, the weight of the mean of (1 - σ)².
    """

    def __init__(self, components: Components, deviations: float) -> None:
        super().__init__(components)
        if not isinstance(self.generator, DeltaMixtureGenerator):
            raise ConfigError(
                f"game=deligan learns the Gaussians of networks.generator, and {type(self.generator).__name__} has "
                "none: set generator=delta_mixture"
            )
        self.player("generator").add_term("sigma", UnitSigma(), deviations)


class DeLiGANGenerator(Generator):
    """The paper's network for 28 pixels: 4x4, 7x7, 14x14, 28x28, batch norm and ReLU, tanh at the end.

    Args:
        latent_dim: the size of what it takes.
        channels: of the images.
        width: channels of the 4x4 maps; each further map has half of them.
    """

    def __init__(self, latent_dim: int, channels: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, 16 * width),
            nn.BatchNorm1d(16 * width),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (width, 4, 4)),
            nn.ConvTranspose2d(width, width // 2, 3, 2, 1),
            nn.BatchNorm2d(width // 2),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(width // 2, width // 4, 5, 2, 2, 1),
            nn.BatchNorm2d(width // 4),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(width // 4, channels, 5, 2, 2, 1),
            nn.Tanh(),
        )
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, 28, 28) in [-1, 1]."""
        images: Tensor = self.layers(z)
        return images


class DeLiGANDiscriminator(Discriminator):
    """The paper's network for 28 pixels: three convolutions that halve the side, leaky ReLU 0.2, and 4x4 maxima.

    Batch norm after the second and the third one, as in the authors' program, which has minibatch discrimination on the
    maxima too: `strategy=[minibatch_discrimination]`.

    Args:
        channels: of the images.
        width: channels of the first map; the further ones have two and four times as many.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        widths, kernels = [channels, width, 2 * width, 4 * width], [5, 5, 3]
        blocks = []
        for i, (narrow, wide, kernel) in enumerate(zip(widths, widths[1:], kernels, strict=False)):
            norm = [nn.BatchNorm2d(wide)] if i else []
            blocks.append(nn.Sequential(nn.Conv2d(narrow, wide, kernel, 2, kernel // 2), *norm, nn.LeakyReLU(0.2)))
        self.blocks = nn.ModuleList([*blocks, nn.Sequential(nn.MaxPool2d(4), nn.Flatten())])
        self.output = nn.Linear(4 * width, 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the maps after every convolution, and the last ones' maxima, for images (N, C, 28, 28) in [-1, 1]."""
        return activations(self.blocks, x)
