"""3D-GAN (Wu et al. 2016, arXiv 1610.07584): volumes, in the plain game."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import Discriminator, Generator


class VolumeGenerator(Generator):
    """Transposed convolutions from z to volumes (1, 8, 8, 8).

    Args:
        latent_dim: the size of z.
        width: channels between.
    """

    def __init__(self, latent_dim: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ConvTranspose3d(latent_dim, width, 4), nn.ReLU(), nn.ConvTranspose3d(width, 1, 4, 2, 1), nn.Tanh()
        )

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to volumes (N, 1, 8, 8, 8)."""
        made: Tensor = self.layers(z[..., None, None, None])
        return made


class VolumeJudge(Discriminator):
    """Convolutions from volumes to one logit.

    Args:
        width: channels between.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Conv3d(1, width, 4, 2, 1), nn.LeakyReLU(0.2))
        self.output = nn.Linear(width * 4**3, 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the maps (N, width, 4, 4, 4)."""
        return (self.inner(x),)
