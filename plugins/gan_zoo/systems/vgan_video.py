"""VGAN (Vondrick et al. 2016, arXiv 1609.02612): a moving foreground over a still background."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from gan_framework.api import EMPTY, SAMPLES, ConfigError, Game, Generator, Pair, Player, Term, try_meeting
from gan_zoo.ndims import as_volume, cut, init_dcgan, up, volume_shape

MASK = "mask"


class TwoStreams(Generator):
    """m ⊙ f + (1 - m) ⊙ b: foreground f and mask m of 3-D convolutions, background b of 2-D ones, in all frames.

    Foreground and mask share all layers but the last; everything is made of the same z (section 3.2).

    Args:
        latent_dim: the size of z.
        shape: of a video (T, C, H, W).
        width: channels of the layer before the video.
    """

    def __init__(self, latent_dim: int, shape: list[int], width: int) -> None:
        super().__init__()
        volume = volume_shape(shape, time_first=True)
        self.sizes = volume[1:]
        stream = up(latent_dim, volume, width, 4, 2, 4, "batch", "tanh")
        *self.before, last, _ = stream
        self.stream = nn.Sequential(*self.before)
        self.foreground = nn.Sequential(last, nn.Tanh())
        self.mask = nn.Sequential(nn.ConvTranspose3d(width, 1, 4, 2, 1), nn.Sigmoid())
        self.background = up(latent_dim, (volume[0], *volume[2:]), width, 4, 2, 4, "batch", "tanh")
        init_dcgan(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim) to videos (N, T, C, H, W) in [-1, 1]."""
        return self.everything(z, labels)[SAMPLES]

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the videos, and the `mask` (N, T, 1, H, W), the `foreground` and the `background` they are made of."""
        maps = self.stream(z)
        foreground, mask = (cut(of(maps), self.sizes) for of in (self.foreground, self.mask))
        background = cut(self.background(z), self.sizes[1:])[:, :, None]
        videos = composed(mask, foreground, background)
        return {
            SAMPLES: as_volume(videos),
            MASK: as_volume(mask),
            "foreground": as_volume(foreground),
            "background": as_volume(background),
        }


def composed(mask: Tensor, foreground: Tensor, background: Tensor) -> Tensor:
    """Return m ⊙ f + (1 - m) ⊙ b."""
    return mask * foreground + (1 - mask) * background


class SmallMask(Term):
    """The mean of the mask: most of a video is background (section 3.2)."""

    def check(self, game: Game, player: Player) -> None:
        """Raise ConfigError if the generator makes no mask."""
        if not any(MASK in pair.made for pair in try_meeting(game).values()):
            raise ConfigError(
                f"small_mask pays for the mask of a generator, and {type(game).__name__}'s makes none: choose "
                "networks.generator=two_streams"
            )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over all videos, frames and places."""
        return pair.made[MASK].float().abs().mean()
