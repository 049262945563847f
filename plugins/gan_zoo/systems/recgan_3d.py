"""3D-RecGAN (Yang et al. 2017, arXiv 1708.07969): the whole solid of what is seen of it from one side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import EMPTY, Components, Discriminator, DiscriminatorOutput, Generator, Pair, Player, Term
from gan_zoo.games.translation import Translation
from gan_zoo.ndims import init_dcgan, joined, levels
from gan_zoo.translating import SOURCE, WeighedPlayer, constant

FULL = 0.85
"""The weight of full cells in the cross entropy; empty ones have the rest."""


class VoxelUNet(Generator):
    """A 3-D U-net: convolutions of 4 and stride 2 down, transposed ones up, skips, sigmoid to [-1, 1].

    Args:
        shape: of a volume (C, D, H, W).
        width: channels of the first layer.
    """

    def __init__(self, shape: list[int], width: int) -> None:
        super().__init__()
        n, _ = levels(shape[1:], 2, 2)
        widths = [shape[0], *(width * 2**i for i in range(n))]
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv3d(a, b, 4, 2, 1), nn.BatchNorm3d(b), nn.LeakyReLU(0.2)) for a, b in pairwise(widths)
        )
        self.up = nn.ModuleList()
        for level in reversed(range(n)):
            inputs = widths[level + 1] * (1 if level == n - 1 else 2)
            layers: list[nn.Module] = [nn.ConvTranspose3d(inputs, widths[level], 4, 2, 1)]
            layers += [nn.BatchNorm3d(widths[level]), nn.ReLU()] if level else []
            self.up.append(nn.Sequential(*layers))
        init_dcgan(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map volumes (N, C, D, H, W), `source`, to whole ones in [-1, 1]."""
        x, skips = given[SOURCE], []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        for number, layer in enumerate(self.up):
            x = layer(x if number == 0 else torch.cat([x, skips[-1 - number]], 1))
        return torch.tanh(x / 2)  # 2 σ(x) - 1


def weighted_bce(full: Tensor, said: Tensor) -> Tensor:
    """Return -.85 y log p - .15 (1 - y) log(1 - p) of cells y in {0, 1} and p in (0, 1), the mean."""
    said = said.clamp(1e-6, 1 - 1e-6)
    return -(FULL * full * said.log() + (1 - FULL) * (1 - full) * (1 - said).log()).mean()


class VoxelCritic(Discriminator):
    """Convolutions of 4 and stride 2, no norm, σ of each entry of the last maps; the score is their sum.

    The authors' program takes the mean for the adversarial loss and the slope of the sum for the penalty; `RecGAN3D`
    divides by the number of entries.

    Args:
        shape: of a volume (C, D, H, W).
        width: channels of the first layer; 64 in the paper.
        given_channels: of what volumes are judged beside, 0 for nothing.
    """

    batch_independent = True

    def __init__(self, shape: list[int], width: int, given_channels: int) -> None:
        super().__init__()
        n, sizes = levels(shape[1:], 2, 4)
        widths = [shape[0] + given_channels, *(width * 2**i for i in range(n))]
        self.convolutions = nn.ModuleList(nn.Conv3d(a, b, 4, 2, 1) for a, b in pairwise(widths))
        self.values = widths[-1] * math.prod(sizes)
        init_dcgan(self)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the maps after every layer, the last between 0 and 1."""
        maps, found = joined(x, given), []
        for number, layer in enumerate(self.convolutions, 1):
            maps = layer(maps)
            maps = maps.sigmoid() if number == len(self.convolutions) else F.leaky_relu(maps, 0.2)
            found.append(maps)
        return tuple(found)

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Score volumes (N, C, D, H, W) and what is given beside them."""
        features = self.features(x, labels, *given)
        flat = features[-1].flatten(1)
        return DiscriminatorOutput(flat.float().sum(1), features, {n: head(flat) for n, head in self.heads.items()})


class WeightedCrossEntropy(Term):
    """`weighted_bce` of made volumes and what they should be, both in [-1, 1]."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over cells."""
        return weighted_bce((pair.batch.samples + 1) / 2, (pair.fake.float() + 1) / 2)


class RecGAN3D(Translation):
    """Pairs of a view and a solid; G minimises `cross_entropy` · weighted BCE + `adversarial` · (-D).

    With a `VoxelCritic` D is the mean of its entries in both losses, and their sum in the penalty of slopes.

    Args:
        components: what the game is made of.
        cross_entropy: the weight of the cross entropy; 95 in the authors' program.
        adversarial: of the adversarial loss; 5 there.
    """

    def __init__(self, components: Components, cross_entropy: float, adversarial: float) -> None:
        super().__init__(components, True, 1.0, adversarial, "l1", 0.0)
        critic = self.networks["discriminator"] if "discriminator" in self.networks else None
        if isinstance(critic, VoxelCritic):
            for name, weight in (("discriminator", 1.0), ("generator", adversarial)):
                player = self.player(name)
                assert isinstance(player, WeighedPlayer)
                player.weight_at = partial(constant, weight / critic.values)
        self.player("generator").add_term("cross_entropy", WeightedCrossEntropy(), cross_entropy)
