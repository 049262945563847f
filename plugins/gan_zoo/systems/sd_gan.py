"""SD-GAN (Donahue et al. 2018, arXiv 1705.07904): latents of an identity and of what varies around it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Batch, Components, ConfigError, Discriminator, Game, Latent, Pair, Player, Ramp, grid
from gan_zoo.datasets.digit_views import TOGETHER
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.layers import ImageSize, activations, init_normal
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.translating import WeighedPlayer


class SDGAN(Game):
    """D tells two real images of one identity from two that are made of one identity's latent.

    z is of two parts, z_I and z_O; the images of a pair are G(z_I, z_O) and G(z_I, z_O'), so that what they share
    follows from z_I alone. The second real image is the extra `together` (algorithm 1, k = 2). In pictures rows have
    one z_I, and columns one z_O.

    Args:
        components: what the game is made of.
        identity_dim: the size of z_I, the first part of z.
        discriminator_weight: of D's loss; its two halves are averaged in the paper.
    """

    def __init__(self, components: Components, identity_dim: int, discriminator_weight: float) -> None:
        require_not_negative(discriminator_weight=discriminator_weight)
        super().__init__(components)
        dim = self.prior.dim if self.prior is not None else 0
        if not 0 < identity_dim < dim:
            raise ConfigError(
                f"game.identity_dim={identity_dim}: it must lie between 0 and the size of z, and prior.dim is {dim}"
            )
        self.identity_dim = identity_dim
        player = self.player("discriminator")
        assert isinstance(player, WeighedPlayer)
        player.weight_at = Ramp(discriminator_weight, discriminator_weight, 1).at

    def make_players(self) -> list[Player]:
        """Return D and G."""
        return [
            WeighedPlayer("discriminator", ("discriminator",), "discriminator", "discriminator"),
            *super().make_players()[1:],
        ]

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return two images of each identity side by side as channels, real and made."""
        channels = self.data.sample[0]
        fresh = self.latent(len(latent.z)).z.to(latent.z.dtype)
        other = torch.cat([latent.z[:, : self.identity_dim], fresh[:, self.identity_dim :]], 1)
        first, second = self.generate(latent), self.generate(latent._replace(z=other))
        real = torch.cat([batch.samples, batch.extra[TOGETHER][:, :channels]], 1)
        return Pair(self.judge("discriminator"), batch, latent, torch.cat([first, second], 1), real=real)

    def check(self) -> None:
        """See that images come with others of the same identity.

        Raises:
            ConfigError: they do not.
        """
        if TOGETHER not in self.data.extra or not self.data.is_image:
            raise ConfigError(
                f"SDGAN needs two images of each identity, the second as the extra {TOGETHER!r}: choose "
                "data=digit_views with data.together=2"
            )
        super().check()

    def picture(self, latent: Latent, columns: int) -> Tensor | None:
        """Draw a row for each z_I, with a z_O in each column."""
        if not self.data.is_8_bit or self.data.sample[0] not in (1, 3):
            return None
        rows = max(len(latent.z) // columns, 1)
        own, varied = latent.z[:rows, : self.identity_dim], latent.z[:columns, self.identity_dim :]
        n = len(varied)
        z = torch.cat([own.repeat_interleave(n, 0), varied.repeat(len(own), 1)], 1)
        return grid(self.sample(Latent(z)), n)


class SiameseDiscriminator(Discriminator):
    """DCGAN's layers for each of several images, their maps joined, a convolution of 3x3, and one logit.

    Args:
        image_size: of square images, or height and width.
        channels: of each image.
        width: channels of the first layer.
        images: how many are judged together.
        norm: see `DCGANDiscriminator`.
    """

    def __init__(self, image_size: ImageSize, channels: int, width: int, images: int, norm: str) -> None:
        super().__init__()
        require_positive(images=images)
        trunk = DCGANDiscriminator(image_size, channels, width, norm)
        assert isinstance(trunk.output, nn.Linear)
        self.channels, self.images = channels, images
        self.blocks = trunk.blocks
        last = next(layer for layer in reversed([*trunk.modules()]) if isinstance(layer, nn.Conv2d)).out_channels
        self.joined = nn.Sequential(nn.Conv2d(images * last, last, 3, 1, 1), nn.LeakyReLU(0.2))
        self.output = nn.Linear(trunk.output.in_features, 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations for several images each (N, images · C, H, W) in [-1, 1].

        Raises:
            ValueError: there are others than so many.
        """
        if x.shape[1] != self.images * self.channels:
            raise ValueError(
                f"images={self.images} of channels={self.channels} are judged together, and {x.shape[1]} channels are "
                "given"
            )
        apart = activations(self.blocks, x.unflatten(1, (self.images, self.channels)).flatten(0, 1))
        maps = [found.unflatten(0, (len(x), self.images)).flatten(1, 2) for found in apart]
        return *maps, self.joined(maps[-1])
