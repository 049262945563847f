"""SegAN (Xue et al. 2017, arXiv 1706.01805): maps of images, judged by what a critic sees of the image inside them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import SAMPLES, Batch, Components, ConfigError, Discriminator, Game, Latent, Pair, Player, Term
from gan_zoo.layers import activations, init_normal
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.translating import SOURCE


class MeanFeature(nn.Module):
    """The mean of flat features (N, D) as a logit (N, 1): a critic of features has no score of its own."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the means."""
        return x.mean(1, keepdim=True)


class SegANCritic(Discriminator):
    """Strided convolutions whose layers are compared, the image itself the first of them (section 2.2).

    Args:
        channels: of the images.
        width: of the first layer, doubled with each.
        layers: of stride 2.
    """

    batch_independent = False

    def __init__(self, channels: int, width: int, layers: int) -> None:
        super().__init__()
        require_positive(channels=channels, width=width, layers=layers)
        widths = [channels, *(width * 2**i for i in range(layers))]
        blocks = []
        for i in range(layers):
            norm = [nn.BatchNorm2d(widths[i + 1])] if i else []
            blocks.append(nn.Sequential(nn.Conv2d(widths[i], widths[i + 1], 4, 2, 1), *norm, nn.LeakyReLU(0.2)))
        self.blocks = nn.ModuleList(blocks)
        self.output = MeanFeature()
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the images (N, C, H, W) and the activations after every block."""
        return (x, *activations(self.blocks, x))


class MultiScaleDistance(Term):
    """± the mean over layers of |f(x ⊙ ŷ) - f(x ⊙ y)|₁ (equation 2): the critic raises it, the segmenter lowers it."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's images."""
        layers = zip(pair.real_output.features, pair.fake_output.features, strict=True)
        apart = torch.stack([(real - fake).abs().mean() for real, fake in layers]).mean()
        return -apart if player.team == "discriminator" else apart


class DiceLoss(Term):
    """1 - 2 Σ ŷ y / (Σ ŷ + Σ y), as the authors' program adds to the segmenter's loss."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the maps that were made."""
        return 1 - dice(pair.made["map"].float(), pair.made["truth"])


def dice(a: Tensor, b: Tensor) -> Tensor:
    """Return 2 Σ a b / (Σ a + Σ b) of maps in [0, 1]."""
    return 2 * (a * b).sum() / (a.sum() + b.sum()).clamp(min=1e-6)


class SegAN(Game):
    """S makes a map of an image; a critic compares the image inside that map with the image inside the true one.

    Args:
        components: what the game is made of.
        dice_weight: of the overlap in S's loss; 0 as in the paper, 1 as in its program.
    """

    generates_from = SOURCE

    def __init__(self, components: Components, dice_weight: float) -> None:
        require_not_negative(dice_weight=dice_weight)
        super().__init__(components)
        for name in self.players:
            self.player(name).add_term("distance", MultiScaleDistance())
        if dice_weight:
            self.player("generator").add_term("dice", DiceLoss(), dice_weight)

    def make_players(self) -> list[Player]:
        """Return the critic and the segmenter; both have terms alone."""
        return [
            Player("discriminator", ("discriminator",), "discriminator"),
            Player("generator", ("generator",), "generator"),
        ]

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return images inside the true map and inside the one that was made."""
        image, made = (latent.given[SOURCE] + 1) / 2, self.make(latent)
        found, truth = (made[SAMPLES].float() + 1) / 2, (batch.samples + 1) / 2
        maps = {"map": found, "truth": truth}
        return Pair(self.judge("discriminator"), batch, latent, image * found, real=image * truth, made=maps)

    def check(self) -> None:
        """See that there are images to make maps of.

        Raises:
            ConfigError: there are none, or samples are no maps.
        """
        if SOURCE not in self.data.extra or self.data.sample[0] != 1:
            raise ConfigError(
                f"SegAN makes maps of one channel of the extra {SOURCE!r}, and the data have samples "
                f"{self.data.sample} and the extras {', '.join(self.data.extra) or 'none'}: choose data.task=mask"
            )
        super().check()
