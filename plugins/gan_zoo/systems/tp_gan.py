"""TP-GAN (Huang et al. 2017, arXiv 1704.04086): front views by a path of the whole image and four of patches."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import EMPTY, SAMPLES, Components, ConfigError, Generator, Pair, Player, Term
from gan_zoo.datasets.digit_views import POINTS
from gan_zoo.editing import CLASS, MirrorSymmetry
from gan_zoo.games.translation import Translation
from gan_zoo.layers import init_normal
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.translating import image_in

HALF, QUARTER = "half", "quarter"
"""What is made beside the samples: the image at a half and at a quarter of the size."""

BACKGROUND = -1.0
"""What lies outside of an image."""


class SmallerScales(Term):
    """Σ λ |x - g|₁ at a half and at a quarter of the size, means over entries, x by means of squares of pixels.

    Args:
        weights: λ of the half and of the quarter.
    """

    def __init__(self, weights: tuple[float, float]) -> None:
        super().__init__()
        self.weights = weights

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        found = [
            weight * (F.avg_pool2d(pair.real, times) - pair.made[name]).abs().mean()
            for weight, name, times in zip(self.weights, (HALF, QUARTER), (2, 4), strict=True)
        ]
        return torch.stack(found).sum()


class IdentityTold(Term):
    """The cross entropy of what G's own code says of the identity, here the class (equation 8)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch."""
        assert pair.batch.labels is not None
        return F.cross_entropy(pair.made[CLASS], pair.batch.labels)


class TPGAN(Translation):
    """G makes the front view of an image from the side and the places of four points in it; D judges it alone.

        Σ_s λ_s |x - g|₁ + symmetry · |g - mirror(g)| + λ_adv L_G + λ_ip |F(x) - F(g)| + λ_tv TV + identity · CE

    The L1 of the largest scale, the adversarial weight and the total variation are those of the game `translation`,
    |F(x) - F(g)| is the term `feature_distance`. Symmetry is right for faces, and for no data
    that have a left and a right.

    Args:
        components: what the game is made of.
        half: λ of the scale of half the size.
        quarter: λ of the scale of a quarter of the size.
        symmetry: the weight of symmetry.
        identity: the weight of the cross entropy of the identity that G's code says.
        beside: whether D judges images beside their source, or alone.
        discriminator_weight: of D's loss.
        adversarial_weight: λ_adv.
        distance: `l1`, `l2` or `charbonnier`.
        distance_weight: λ of the largest scale.
        total_variation: λ_tv.
    """

    def __init__(
        self,
        components: Components,
        half: float,
        quarter: float,
        symmetry: float,
        identity: float,
        beside: bool,
        discriminator_weight: float,
        adversarial_weight: float,
        distance: str,
        distance_weight: float,
        total_variation: float,
    ) -> None:
        require_not_negative(half=half, quarter=quarter, symmetry=symmetry, identity=identity)
        super().__init__(
            components,
            beside,
            discriminator_weight,
            adversarial_weight,
            distance,
            distance_weight,
            total_variation=total_variation,
        )
        generator = self.player("generator")
        generator.add_term("smaller_scales", SmallerScales((half, quarter)))
        if symmetry:
            generator.add_term("symmetry", MirrorSymmetry(), symmetry)
        if identity:
            generator.add_term("identity", IdentityTold(), identity)

    def check(self) -> None:
        """See that points are known.

        Raises:
            ConfigError: they are not, or there are no classes.
        """
        if POINTS not in self.data.extra or not self.data.num_classes:
            raise ConfigError(
                f"TPGAN cuts patches around the extra {POINTS!r} of labelled images: choose data=digit_fronts"
            )
        super().check()


def cut_out(x: Tensor, points: Tensor, size: int) -> Tensor:
    """Return squares (N, P, C, size, size) of images (N, C, H, W) around points (N, P, 2), pixels across and down.

    What lies outside of an image is -1.
    """
    first = (points - (size - 1) / 2).round().long().clamp(-size, max(x.shape[2:])) + size
    padded = F.pad(x, (size, 2 * size, size, 2 * size), value=BACKGROUND)
    steps = torch.arange(size, device=x.device)
    columns, rows = first[..., 0, None] + steps, first[..., 1, None] + steps
    found = padded.permute(0, 2, 3, 1)[
        torch.arange(len(x), device=x.device)[:, None, None, None], rows[..., None], columns[..., None, :]
    ]
    return found.permute(0, 1, 4, 2, 3)


def pasted(maps: Tensor, height: int, width: int) -> Tensor:
    """Return maps (N, 4, C, S, S), none negative, at the centres of four quarters, joined by maximum: (N, C, H, W)."""
    whole = maps.new_zeros(len(maps), maps.shape[2], height, width)
    size = maps.shape[-1]
    for i in range(4):
        left = round((width - 1) / 2 + (2 * (i % 2) - 1) * width / 4 - (size - 1) / 2)
        top = round((height - 1) / 2 + (2 * (i // 2) - 1) * height / 4 - (size - 1) / 2)
        # Negative padding cuts off what lies outside.
        placed = F.pad(maps[:, i], (left, width - left - size, top, height - top - size))
        whole = torch.maximum(whole, placed)
    return whole


def _down(a: int, b: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2))


def _up(a: int, b: int) -> nn.Module:
    return nn.Sequential(nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU())


class PatchPath(nn.Module):
    """A patch halved twice and doubled again, with what was halved joined: maps of its size."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, width, 3, 1, 1), nn.LeakyReLU(0.2))
        self.second, self.third = _down(width, 2 * width), _down(2 * width, 4 * width)
        self.fourth, self.last = _up(4 * width, 2 * width), _up(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, S, S) to (N, width, S, S), none negative."""
        half = self.second(self.first(x))
        made: Tensor = self.last(torch.cat([self.fourth(self.third(half)), half], 1))
        return made


class TPGANGenerator(Generator):
    """An encoder and decoder of the whole image, four nets of patches, and a fusion of both (section 3.1).

    Three convolutions of stride 2, a code, and as many transposed ones, with what was halved joined; images of a
    quarter and of a half of the size are made on the way. The maps of the patches are pasted at
    the centres of the quarters.

    Args:
        image_size: of square images, a multiple of 8.
        channels: of the images made.
        source_channels: of the images that they are made of.
        num_classes: that the code tells.
        width: channels of the first layer.
        code: the size of the code; 256 in the paper.
        patch: the side of the patches, a multiple of 4.
        local: whether there are patches.
    """

    def __init__(
        self,
        image_size: int,
        channels: int,
        source_channels: int,
        num_classes: int,
        width: int,
        code: int,
        patch: int,
        local: bool,
    ) -> None:
        super().__init__()
        require_positive(width=width, code=code, patch=patch, num_classes=num_classes)
        if image_size % 8 or patch % 4 or patch > image_size:
            raise ValueError(
                f"image_size={image_size} patch={patch}: the first must be a multiple of 8, the second one of 4, and "
                "not larger"
            )
        self.patch, self.local, inner = patch, local, image_size // 8
        self.first = nn.Sequential(nn.Conv2d(source_channels, width, 5, 1, 2), nn.LeakyReLU(0.2))
        self.down = nn.ModuleList([_down(width * 2**i, width * 2 ** (i + 1)) for i in range(3)])
        self.code = nn.Sequential(nn.Flatten(), nn.Linear(8 * width * inner**2, code))
        self.told = nn.Linear(code, num_classes)
        self.start = nn.Sequential(nn.Linear(code, 8 * width * inner**2), nn.Unflatten(1, (8 * width, inner, inner)))
        self.up = nn.ModuleList([_up(16 * width, 4 * width), _up(8 * width, 2 * width), _up(4 * width, width)])
        self.small = nn.ModuleList(nn.Conv2d(wide, channels, 3, 1, 1) for wide in (4 * width, 2 * width))
        self.paths = nn.ModuleList(PatchPath(source_channels, width) for _ in range(4 if local else 0))
        fused = (3 if local else 2) * width
        self.last = nn.Sequential(
            nn.Conv2d(fused, width, 5, 1, 2), nn.LeakyReLU(0.2), nn.Conv2d(width, channels, 3, 1, 1), nn.Tanh()
        )
        init_normal(self, 0.02)

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the front views of given `source` images with `points`, smaller ones, and scores of the `class`."""
        x = image_in(given)
        outer = self.first(x)
        first = self.down[0](outer)
        second = self.down[1](first)
        third = self.down[2](second)
        code = self.code(third)
        quarter = self.up[0](torch.cat([self.start(code), third], 1))
        half = self.up[1](torch.cat([quarter, second], 1))
        maps = [self.up[2](torch.cat([half, first], 1)), outer]
        if self.local:
            patches = cut_out(x, given[POINTS], self.patch)
            found = torch.stack([path(patches[:, i]) for i, path in enumerate(self.paths)], 1)
            maps.append(pasted(found, *x.shape[2:]))
        return {
            SAMPLES: self.last(torch.cat(maps, 1)),
            HALF: torch.tanh(self.small[1](half)),
            QUARTER: torch.tanh(self.small[0](quarter)),
            CLASS: self.told(code),
        }

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `source` (N, C, H, W) and `points` (N, 4, 2) to images (N, channels, H, W) in [-1, 1]."""
        return self.everything(z, labels, given)[SAMPLES]
