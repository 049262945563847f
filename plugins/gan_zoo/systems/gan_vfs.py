"""GAN-VFS (Zhang et al. 2017, arXiv 1708.02681): visible images of thermal ones, guided at half the size."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import EMPTY, SAMPLES, Components, ConfigError, Generator, Pair, Player, Term
from gan_zoo.games.translation import Translation
from gan_zoo.layers import init_normal
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.translating import image_in

GUIDE = "guide"


class GuidedGenerator(Generator):
    """An encoder and decoder, whose encoder's maps at half the size also make the image at that size (section 3.1).

    Args:
        channels: of the images made.
        source_channels: of the images that they are made of; their sides are multiples of 4.
        width: channels of the maps at half the size; those at a quarter have twice as many.
    """

    def __init__(self, channels: int, source_channels: int, width: int) -> None:
        super().__init__()
        require_positive(channels=channels, source_channels=source_channels, width=width)

        def normed(layer: nn.Module, outputs: int) -> list[nn.Module]:
            return [layer, nn.InstanceNorm2d(outputs), nn.ReLU()]

        self.to_half = nn.Sequential(
            *normed(nn.Conv2d(source_channels, width, 4, 2, 1), width),
            *normed(nn.Conv2d(width, width, 3, padding=1), width),
        )
        self.guide = nn.Sequential(nn.Conv2d(width, channels, 3, padding=1), nn.Tanh())
        self.to_quarter = nn.Sequential(
            *normed(nn.Conv2d(width, 2 * width, 4, 2, 1), 2 * width),
            *normed(nn.Conv2d(2 * width, 2 * width, 3, padding=1), 2 * width),
            *normed(nn.ConvTranspose2d(2 * width, width, 4, 2, 1), width),
        )
        self.up = nn.Sequential(
            *normed(nn.ConvTranspose2d(2 * width + channels, width, 4, 2, 1), width),
            nn.Conv2d(width, channels, 3, padding=1),
            nn.Tanh(),
        )
        init_normal(self, 0.02)

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the `samples`, and the `guide` (N, channels, H/2, W/2)."""
        half = self.to_half(image_in(given))
        guide = self.guide(half)
        return {SAMPLES: self.up(torch.cat([self.to_quarter(half), half, guide], 1)), GUIDE: guide}

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given images (N, source_channels, H, W) to images (N, channels, H, W) in [-1, 1]."""
        return self.everything(z, labels, given)[SAMPLES]


class Guidance(Term):
    """mean (x↓ - guide)², x↓ the target at half the size."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        return (F.avg_pool2d(pair.real, 2) - pair.made[GUIDE].float()).square().mean()


class GANVFS(Translation):
    """G minimises adversarial L_G + distance |x - g|² + guidance |x↓ - guide|², and what terms add.

    The paper's perceptual and identity losses are the term `feature_distance`, of a classifier's maps and of its hidden
    layer. Of the weights ours are a choice.

    Args:
        components: what the game is made of.
        adversarial: the weight of G's adversarial loss.
        distance: of the squared distance of pixels.
        guidance: of the guide.
    """

    def __init__(self, components: Components, adversarial: float, distance: float, guidance: float) -> None:
        require_not_negative(guidance=guidance)
        super().__init__(components, True, 0.5, adversarial, "l2", distance)
        self.player("generator").add_term("guidance", Guidance(), guidance)

    def check(self) -> None:
        """See that G guides itself.

        Raises:
            ConfigError: it does not.
        """
        if not isinstance(self.generator, GuidedGenerator):
            raise ConfigError(f"gan_vfs needs a generator with a guide, not {type(self.generator).__name__}: guided")
        super().check()
