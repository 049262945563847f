"""MD-GAN of videos (Xiong et al. 2018, arXiv 1709.07592): a video of a frame, and a second one that moves better."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    MAIN,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
)
from gan_zoo.ndims import as_volume, init_dcgan
from gan_zoo.translating import SOURCE

FIRST = "first"
"""The pair of the first stage."""


class VideoUNet(Generator):
    """A 3-D U-net that halves height and width, of a video or of an image that is repeated; tanh at the end.

    Args:
        shape: of a video (T, C, H, W).
        source_channels: of what is given.
        width: channels of the first layer.
        levels: how often height and width are halved.
        skips: whether maps are joined across; the second stage of MD-GAN has none.
    """

    def __init__(self, shape: list[int], source_channels: int, width: int, levels: int, skips: bool) -> None:
        super().__init__()
        frames, channels, height, across = shape
        if levels < 1 or height % 2**levels or across % 2**levels:
            raise ValueError(f"shape={shape} levels={levels}: height and width must be multiples of 2^{levels}")
        self.frames, self.skips = frames, skips
        widths = [source_channels, *(width * 2**i for i in range(levels))]
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv3d(a, b, (3, 4, 4), (1, 2, 2), 1), nn.BatchNorm3d(b), nn.LeakyReLU(0.2))
            for a, b in pairwise(widths)
        )
        self.up = nn.ModuleList()
        for level in reversed(range(levels)):
            inputs = widths[level + 1] * (2 if skips and level < levels - 1 else 1)
            outputs = widths[level] if level else channels
            layers: list[nn.Module] = [nn.ConvTranspose3d(inputs, outputs, (3, 4, 4), (1, 2, 2), 1)]
            layers += [nn.BatchNorm3d(outputs), nn.ReLU()] if level else [nn.Tanh()]
            self.up.append(nn.Sequential(*layers))
        init_dcgan(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map images (N, C, H, W) or videos (N, T, C, H, W), `source`, to videos (N, T, C', H, W) in [-1, 1]."""
        source = given[SOURCE]
        x = as_volume(source) if source.ndim == 5 else source[:, :, None].expand(-1, -1, self.frames, -1, -1)
        kept = []
        for layer in self.down:
            x = layer(x)
            kept.append(x)
        for number, layer in enumerate(self.up):
            x = layer(torch.cat([x, kept[-1 - number]], 1) if number and self.skips else x)
        return as_volume(x)


def gram(features: Tensor) -> Tensor:
    """Return the Gram matrices (N, C, C) of features (N, C, ...), divided by the number of their entries."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat[0].numel()


def gram_distance(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> Tensor:
    """Return the summed absolute difference (N,) of the Gram matrices of layers, a mean over layers."""
    return torch.stack([(gram(x) - gram(y)).abs().flatten(1).sum(1) for x, y in zip(a, b, strict=True)]).mean(0)


def ranking(to_real: Tensor, to_first: Tensor) -> Tensor:
    """Return -log(e^-d(g, x) / (e^-d(g, x) + e^-d(g, g₁))), a mean: nearer to the real video than to the first."""
    return F.softplus(to_real - to_first).mean()


class MotionRanking(Term):
    """`ranking` by the Gram matrices of D's layers of the refined, the real and the first video."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch."""
        made = pair.fake_output.features
        with torch.no_grad():
            real = pair.real_output.features
            first = pair.judge(pair.made[FIRST], None, *pair.fake_given).features
        return ranking(gram_distance(made, real), gram_distance(made, first))


class VideoDistance(Term):
    """The mean absolute difference of made and real videos."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over pixels."""
        return (pair.fake.float() - pair.real).abs().mean()


class MDGANVideo(Game):
    """A first generator makes a video of a frame, a second one refines it; each has a discriminator of its own.

    The schedule's stages say when which of them is trained.

    Args:
        components: what the game is made of.
        distance: the weight of the absolute difference.
        ranking: the weight of the ranking, for the second generator.
    """

    generates_from = SOURCE

    def __init__(self, components: Components, distance: float, ranking: float) -> None:
        super().__init__(components)
        if len(self.data.sample) != 4 or SOURCE not in self.data.extra:
            raise ConfigError("game=md_gan makes videos of an image, the extra 'source': choose data=videos")
        self.player("generator").add_term("distance", VideoDistance(), plan=TermPlan(distance, pairs=(FIRST,)))
        refine = self.player("generator_refine")
        refine.add_term("distance", VideoDistance(), plan=TermPlan(distance, pairs=(MAIN,)))
        refine.add_term("ranking", MotionRanking(), plan=TermPlan(ranking, pairs=(MAIN,)))

    def make_players(self) -> list[Player]:
        """Return both discriminators and both generators."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", {FIRST: "discriminator"}),
            Player("discriminator_refine", ("discriminator_refine",), "discriminator", {MAIN: "discriminator"}),
            Player("generator", ("generator",), "generator", {FIRST: "generator"}),
            Player("generator_refine", ("generator_refine",), "generator", {MAIN: "generator"}),
        ]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the first frames; classes are nobody's business."""
        return super().latent_for(batch)._replace(labels=None)

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return the refined videos, and the `first` ones."""
        first = super().make(latent, network)[SAMPLES]
        given = {SOURCE: first.detach()}
        refined = super().make(latent._replace(given=given), "generator_refine")[SAMPLES]
        return {SAMPLES: refined, FIRST: first}

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return the first and the refined videos before their discriminators."""
        made = self.make(latent)
        return {
            FIRST: Pair(self.judge("discriminator"), batch, latent, made[FIRST]),
            MAIN: Pair(
                self.judge("discriminator_refine"), batch, latent, made[SAMPLES], made={FIRST: made[FIRST].detach()}
            ),
        }
