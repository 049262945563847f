"""Scores by what a network sees in images: LPIPS and DISTS of pairs, and path lengths of generators."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import (
    Comparison,
    ConfigError,
    Extractor,
    Game,
    Latent,
    Metric,
    evaluation_mode,
    seeding,
)
from gan_zoo.extractors.layered import VGG16
from gan_zoo.mapping import StyleGenerator
from gan_zoo.perceptual_distances import LEARNT, dists, learnt, lpips, of_dists
from gan_zoo.ranges import require_positive

BATCH = 50
"""Images at most that are looked at together."""

PIXELS = 2**20
"""Pixels at most of these: at 256x256, the activations of VGG-16 of 16 images take a gigabyte."""

LARGEST = 256
"""Larger images are averaged down to this size before path lengths are measured (StyleGAN's program)."""

PAIRS_ARE_BLANK = "it asks the extractor for its activations, and the suite's comparisons have no extractor"


class _Perceptual(Metric):
    """What these scores share: an extractor with activations at several depths."""

    name: ClassVar[str]
    published: ClassVar[bool]
    needs_images: ClassVar[bool] = True
    exempt: ClassVar[Mapping[str, str]] = {"scores": PAIRS_ARE_BLANK}
    extractors: ClassVar[tuple[str, ...]] = tuple(LEARNT)

    def check_extractor(self, extractor: Extractor) -> None:
        """Raise ConfigError, naming both parts, if the extractor has no activations, or not those of the paper."""
        if not extractor.perceives:
            raise ConfigError(
                f"metrics.{self.name} compares what a network sees at several depths, and extractor={extractor.name} "
                "shows nothing of this; choose classifier, efficientnet_lite0, vgg16 or alexnet"
            )
        if self.published and extractor.name not in self.extractors:
            raise ConfigError(
                f"metrics.{self.name} is defined for extractor={' or extractor='.join(self.extractors)}, and this is "
                f"{extractor.name}: its form without learnt weights, for any network, is metrics={self.name}_like"
            )


class _OfPairs(_Perceptual):
    """The mean distance of samples and what they should be."""

    needs_pairs: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 10_000

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return the mean over pairs."""
        assert comparison.pairs is not None and comparison.game is not None and comparison.extractor is not None
        total, count, device = 0.0, 0, comparison.game.device
        for part in comparison.pairs():
            size = together(part.target.shape)
            for a, b in zip(part.generated.split(size), part.target.split(size), strict=True):
                total += float(self.distance(comparison.extractor, as_seen(a, device), as_seen(b, device)).sum())
                count += len(a)
        return {self.name: total / count if count else math.nan}

    @abstractmethod
    def distance(self, extractor: Extractor, a: Tensor, b: Tensor) -> Tensor:
        """Return the distances (N,) of images a and b (N, C, H, W) in [-1, 1]."""


class LPIPSLike(_OfPairs):
    """LPIPS without learnt weights: all channels of a depth count alike (Zhang et al. 2018, arXiv 1801.03924).

    Σ_l mean_hw mean_c (a_l / |a_l| - b_l / |b_l|)², a_l and b_l the activations of both images at depth l, their
    lengths over channels. It compares models of this program, with one extractor.
    """

    name = "lpips_like"
    published = False
    higher_is_better: ClassVar[dict[str, bool]] = {"lpips_like": False}
    legend: ClassVar[dict[str, str]] = {
        "lpips_like": "distance of samples and what they should be, by the extractor's activations: 0 is equal",
    }

    def distance(self, extractor: Extractor, a: Tensor, b: Tensor) -> Tensor:
        """Return the distances (N,) of images a and b (N, C, H, W) in [-1, 1]."""
        return lpips(extractor.perceive(a), extractor.perceive(b))


class LPIPS(_OfPairs):
    """Learned perceptual image patch similarity, version 0.1 (Zhang et al. 2018, arXiv 1801.03924, equation 1).

    Σ_l mean_hw Σ_c w_lc (a_l / |a_l| - b_l / |b_l|)² with the authors' learnt w, of VGG-16 or AlexNet. Images have the
    size of the data. It compares with published numbers of the same network and the same size.
    """

    name = "lpips"
    published = True
    higher_is_better: ClassVar[dict[str, bool]] = {"lpips": False}
    legend: ClassVar[dict[str, str]] = {
        "lpips": "LPIPS of samples and what they should be, by extractor=alexnet or vgg16, about 0 to 1: 0 is equal",
    }

    def distance(self, extractor: Extractor, a: Tensor, b: Tensor) -> Tensor:
        """Return the distances (N,) of images a and b (N, C, H, W) in [-1, 1]."""
        return lpips(extractor.perceive(a), extractor.perceive(b), learnt(extractor.name))


class DISTSLike(_OfPairs):
    """DISTS without learnt weights: structure and texture of each channel count alike (Ding et al. 2020).

    1 - mean over the channels of all depths, the image itself the first, of half the similarity of means and half that
    of their variation (section 3.2, equations 5 to 7). It compares models of this program, with one extractor.
    """

    name = "dists_like"
    published = False
    higher_is_better: ClassVar[dict[str, bool]] = {"dists_like": False}
    legend: ClassVar[dict[str, str]] = {
        "dists_like": "structure and texture in which samples differ from what they should be, 0 to 2: 0 is equal",
    }

    def distance(self, extractor: Extractor, a: Tensor, b: Tensor) -> Tensor:
        """Return the distances (N,) of images a and b (N, C, H, W) in [-1, 1]."""
        one, other = ([(x + 1) / 2, *extractor.perceive(x)] for x in (a, b))
        return dists(one, other)


class DISTS(_OfPairs):
    """Deep image structure and texture similarity (Ding et al. 2020, arXiv 2004.07728), of VGG-16.

    As `dists_like`, with the authors' learnt weights of both similarities and their smooth pooling. It compares with
    published numbers of images of the same size.
    """

    name = "dists"
    published = True
    extractors = ("vgg16",)
    higher_is_better: ClassVar[dict[str, bool]] = {"dists": False}
    legend: ClassVar[dict[str, str]] = {
        "dists": "DISTS of samples and what they should be, by extractor=vgg16, about 0 to 1: 0 is equal",
    }

    def distance(self, extractor: Extractor, a: Tensor, b: Tensor) -> Tensor:
        """Return the distances (N,) of images a and b (N, C, H, W) in [-1, 1]."""
        assert isinstance(extractor, VGG16), "checked at composition"
        smooth = extractor.smooth_maps
        colours = ((x if x.shape[1] == 3 else x.expand(-1, 3, -1, -1)) for x in (a, b))
        one, other = ([(x + 1) / 2, *extractor.perceive(x, smooth)] for x in colours)
        return dists(one, other, of_dists())


class PPLLike(_Perceptual):
    """How far images move when their latents do (Karras et al. 2019, arXiv 1812.04948, section 4.1, equations 2 and 3).

    E d(G(slerp(z₁, z₂; t)), G(slerp(z₁, z₂; t + ε))) / ε², t uniform in [0, 1], and with straight lines between two w
    where the generator maps z to w. ε is 1e-4; images larger than 256 pixels are averaged down to this; the lowest and
    the highest hundredth are left out, as in the authors' program. d is that of `lpips_like`.

    Args:
        samples: how many short paths are measured.
    """

    name = "ppl_like"
    published = False
    epsilon = 1e-4
    needs_game: ClassVar[bool] = True
    higher_is_better: ClassVar[dict[str, bool]] = {"ppl_like_z": False}
    legend: ClassVar[dict[str, str]] = {
        "ppl_like_z": "mean squared speed of images, by the extractor's activations, as z moves evenly, 0 or more",
        "ppl_like_w": "the same, as w moves evenly, of generators that map z to w",
    }

    def __init__(self, samples: int) -> None:
        require_positive(samples=samples)
        self.samples = samples

    def check_extractor(self, extractor: Extractor) -> None:
        """Raise ConfigError if it cannot tell images apart that differ so little."""
        super().check_extractor(extractor)
        if extractor.precision != "fp32":
            raise ConfigError(
                f"metrics.{self.name} compares images that hardly differ, and extractor.precision="
                f"{extractor.precision} rounds this away: use fp32"
            )

    def check(self, game: Game) -> None:
        """Raise ConfigError if there are no latents to move, or the game's precision rounds their steps away."""
        if game.prior is None or game.generates_from is not None:
            raise ConfigError(
                f"metrics.{self.name} moves latents, and {type(game).__name__} draws none, or makes samples of samples"
            )
        if game.latent(1, generator=seeding.generator(0, "ppl")).code:
            raise ConfigError(f"metrics.{self.name} moves latents evenly, and those of this prior hold codes")
        if game.precision.name != "fp32":
            raise ConfigError(
                f"metrics.{self.name} compares images that hardly differ, and train.precision={game.precision.name} "
                "rounds this away: use fp32, or score the finished run with train.precision=fp32"
            )

    def weights(self, extractor: Extractor) -> Sequence[Tensor] | None:
        """Return the weights of channels; None where all count alike."""
        return None

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return the path length in z, and in w where there is one."""
        game, extractor = comparison.game, comparison.extractor
        assert game is not None and extractor is not None
        styles = isinstance(game.networks[game.sampling_network], StyleGenerator)
        found: dict[str, list[Tensor]] = {}
        random = seeding.generator(0, "ppl")
        labels = comparison.real.labels if game.conditional else None
        size = together(game.data.sample)
        for start in range(0, self.samples, size):
            count = min(size, self.samples - start)
            asked = None
            if labels is not None:
                asked = labels[torch.randint(len(labels), (count,), generator=random)].to(game.device)
            ends = [game.latent(count, asked, generator=random) for _ in range(2)]
            shares = torch.rand(count, generator=random, dtype=torch.float64).to(game.device)
            for space in ("z", "w")[: 1 + styles]:
                pair = []
                for step in (0, self.epsilon):
                    seeding.reseed(0, "ppl", start)  # a generator that draws noise draws the same for both
                    pair.append(_point(game, space, ends, shares + step))
                one, other = (extractor.perceive(_at_most(x, LARGEST)) for x in pair)
                moved = lpips(one, other, self.weights(extractor))
                found.setdefault(f"{self.name}_{space}", []).append(moved / self.epsilon**2)
        return {name: float(without_ends(torch.cat(parts).double().cpu()).mean()) for name, parts in found.items()}


class PPL(PPLLike):
    """Perceptual path length as published: with LPIPS of VGG-16 (Karras et al. 2019, arXiv 1812.04948, section 4.1).

    It compares with published numbers of 50,000 or 100,000 samples and images cut as theirs (faces were, for `ppl_w`
    of faces alone). StyleGAN2's has t = 0.

    Args:
        samples: how many short paths are measured.
    """

    name = "ppl"
    published = True
    extractors = ("vgg16",)
    higher_is_better: ClassVar[dict[str, bool]] = {"ppl_z": False}
    legend: ClassVar[dict[str, str]] = {
        "ppl_z": "perceptual path length in z, by extractor=vgg16, 0 or more: less is a smoother generator",
        "ppl_w": "the same in w, of generators that map z to w",
    }

    def weights(self, extractor: Extractor) -> Sequence[Tensor] | None:
        """Return LPIPS' weights of channels."""
        return learnt(extractor.name)


def together(shape: Sequence[int]) -> int:
    """Return how many images of a shape (..., H, W) are looked at together."""
    return max(1, min(BATCH, PIXELS // math.prod(shape[-2:])))


@torch.no_grad()
def _point(game: Game, space: str, ends: list[Latent], shares: Tensor) -> Tensor:
    """Return the images at shares (N,) of the ways between latents, on great circles in z, straight in w."""
    network, a, b = game.networks[game.sampling_network], *ends
    if space == "z":
        z = on_great_circles(a.z.double(), b.z.double(), shares)
        return game.sample(a._replace(z=z.to(a.z)))
    assert isinstance(network, StyleGenerator)
    with evaluation_mode(network):
        first, last = (network.map(end.z, end.labels).double() for end in ends)
        w = torch.lerp(first, last, shares[:, None, None])
        return network.synthesise(w.to(a.z), a.labels).float()


def on_great_circles(a: Tensor, b: Tensor, shares: Tensor) -> Tensor:
    """Return the points (N, D) at shares (N,) of the ways from a to b (N, D): directions turn and lengths grow evenly.

    A generator that normalises z, as StyleGAN's, sees the authors' points.
    """
    angle = torch.acos(torch.cosine_similarity(a, b).clamp(-1 + 1e-12, 1 - 1e-12))
    of_a, of_b = a.norm(dim=1), b.norm(dim=1)
    first, last = (torch.sin(share * angle) / torch.sin(angle) for share in (1 - shares, shares))
    turned = (first / of_a)[:, None] * a + (last / of_b)[:, None] * b
    points: Tensor = torch.lerp(of_a, of_b, shares)[:, None] * turned
    return points


def _at_most(images: Tensor, size: int) -> Tensor:
    factor = images.shape[2] // size
    return F.avg_pool2d(images, factor) if factor > 1 else images


def without_ends(values: Tensor, share: float = 0.01) -> Tensor:
    """Return values (N,) without the lowest and the highest share, which a rare break in an image makes."""
    plain = values.numpy()
    low = np.percentile(plain, 100 * share, method="lower")
    high = np.percentile(plain, 100 * (1 - share), method="higher")
    return values[(values >= low) & (values <= high)]


def as_seen(images: Tensor, device: torch.device) -> Tensor:
    """Return images of 8 bits (N, C, H, W) in [-1, 1], on a device."""
    return images.to(device).float() / 127.5 - 1
