"""3D-IWGAN with an encoder of images (Smith & Meger 2017, arXiv 1707.09557): voxels of a picture."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import SAMPLES, Batch, Components, ConfigError, Game, Latent, Pair, Player, Term
from gan_zoo.autoencoding import decode
from gan_zoo.ndims import down, init_dcgan
from gan_zoo.translating import SOURCE


class ImageEncoder(nn.Module):
    """DCGAN's convolutions from an image to a vector.

    Args:
        shape: of the image (C, H, W).
        width: channels of the first layer.
        outputs: the size of the vector; twice that of z for means and logarithms of variances.
    """

    def __init__(self, shape: list[int], width: int, outputs: int) -> None:
        super().__init__()
        blocks, values = down(shape, width, 4, 2, 4, "batch")
        self.layers = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(values, outputs))
        init_dcgan(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) to vectors (N, outputs)."""
        vectors: Tensor = self.layers(x)
        return vectors


class CodeDivergence(Term):
    """KL(N(mean, variance) ‖ N(0, 1)) of the codes of images, a sum over entries and a mean over the batch."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean in nats."""
        mean, log_variance = pair.made["mean"].float(), pair.made["log_variance"].float()
        return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()


class VolumeReconstruction(Term):
    """The mean square of the difference of real volumes and what is made of their images."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over cells."""
        return F.mse_loss(pair.made["reconstructed"].float(), pair.batch.samples)


class IWGAN3DVAE(Game):
    """A GAN of volumes whose generator also makes the volume of an image of it, through an encoder: with KL and error.

    D sees samples of the prior alone; E and G are updated together.

    Args:
        components: what the game is made of.
        divergence: the weight of the KL.
        reconstruction: the weight of the error.
    """

    def __init__(self, components: Components, divergence: float, reconstruction: float) -> None:
        super().__init__(components)
        if SOURCE not in self.data.extra:
            raise ConfigError("game=iwgan_3d_vae needs images of the volumes, the extra 'source': data.give=silhouette")
        generator = self.player("generator")
        generator.add_term("divergence", CodeDivergence(), divergence)
        generator.add_term("reconstruction", VolumeReconstruction(), reconstruction)

    def make_players(self) -> list[Player]:
        """Return D, and G with E."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", "discriminator"),
            Player("generator", ("generator", "encoder"), "generator", "generator"),
        ]

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and logarithms of variances (N, D) of the codes of images."""
        with self.autocast():
            mean, log_variance = self.network("encoder")(images).chunk(2, 1)
        return mean, log_variance

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real and made volumes, and those that are made of the real ones' images."""
        made: Mapping[str, Tensor] = self.make(latent)
        mean, log_variance = self.encode(batch.extra[SOURCE])
        code = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        reconstructed = decode(self, Latent(code, latent.labels))
        more = {**made, "mean": mean, "log_variance": log_variance, "reconstructed": reconstructed}
        return Pair(self.judge("discriminator"), batch, latent, made[SAMPLES], made=more)
