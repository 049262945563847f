"""pix2pix (Isola et al. 2017, arXiv 1611.07004): images of images, judged in patches beside their source."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import EMPTY, Batch, Discriminator, Game, Generator, Latent, Pair, Player, Term


class Translator(Generator):
    """Two convolutions from source images to images.

    Args:
        channels: of either.
        width: channels between.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, channels, 3, padding=1), nn.Tanh()
        )

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `source` (N, C, H, W) to images of the same shape."""
        made: Tensor = self.layers(given["source"])
        return made


class PatchJudge(Discriminator):
    """A logit for each patch of an image beside its source (section 3.2.2).

    Args:
        channels: of an image.
        width: channels between.
    """

    patches = True

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.inner = nn.Conv2d(2 * channels, width, 4, stride=2, padding=1)
        self.output = nn.Conv2d(width, 1, 3, padding=1)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the maps (N, width, H / 2, W / 2) of images and their sources."""
        (source,) = given
        return (nn.functional.leaky_relu(self.inner(torch.cat([x, source], dim=1)), 0.2),)


class Pix2Pix(Game):
    """The source image is the extra `source`; there is no z."""

    generates_from = "source"

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real and made images, each beside its source."""
        source = (batch.extra["source"],)
        made = self.generate(latent)
        return Pair(self.judge("discriminator"), batch, latent, made, real_given=source, fake_given=source)


class Absolute(Term):
    """‖y - G(x)‖₁, a mean over entries (equation 3)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance of the made images from those they should be."""
        return (pair.fake - pair.real).abs().mean()
