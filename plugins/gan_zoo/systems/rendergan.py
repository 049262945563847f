"""RenderGAN (Sixt et al. 2016, arXiv 1611.01331): a rendered tag is blurred, lit, given a ground and details."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import EMPTY, Components, ConfigError, Generator, Pair, Player, Term
from gan_zoo.adapting import A
from gan_zoo.layers import ImageSize, sides
from gan_zoo.made_alike import MadeAlike, weigh
from gan_zoo.ranges import require_not_negative, require_positive

MASK = "mask"
LIGHTS = 4
"""The light is a map of so many cells to a side, so that it cannot change a single cell of the tag."""

BOUNDS = {"blur": (0.0, 1.0), "contrast": (0.2, 1.0), "shift": (-0.4, 0.4)}
"""What augmentations may be: beyond, they are cut off, and pay."""


class TagAugmenter(Generator):
    """A tag t through four augmentations in a row, each with what it needs of z (section 4).

    Blur: t + α (b(t) - t), b a mean over 3x3. Light: c ⊙ t + s, of coarse maps. Ground: what lies outside the tag.
    Details: a fine map without its low frequencies, at most 0.1. α, c and s are cut off at their bounds, so that the
    tag's bits survive whatever z is.

    Args:
        image_size: of square images, or height and width.
        latent_dim: the size of z.
        width: of the maps of the network that draws grounds and details.
    """

    def __init__(self, image_size: ImageSize, latent_dim: int, width: int) -> None:
        super().__init__()
        require_positive(latent_dim=latent_dim, width=width)
        self.latent_dim = latent_dim
        self.size = sides(image_size)
        self.strengths = nn.Sequential(nn.Linear(latent_dim, 64), nn.ReLU(), nn.Linear(64, 1 + 2 * LIGHTS * LIGHTS))
        coarse = (-(-self.size[0] // 4), -(-self.size[1] // 4))
        self.start = nn.Sequential(
            nn.Linear(latent_dim, width * coarse[0] * coarse[1]), nn.Unflatten(1, (width, *coarse)), nn.ReLU()
        )
        self.maps = nn.Sequential(
            nn.Conv2d(width + 1, width, 3, 1, 1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1),
            nn.ReLU(),
            nn.Conv2d(width, 2, 3, 1, 1),
        )

    def raw(self, z: Tensor) -> dict[str, Tensor]:
        """Return α (N, 1, 1, 1), c and s (N, 1, 4, 4) as they are before they are cut off."""
        found = self.strengths(z)
        light, shift = (part.unflatten(1, (1, LIGHTS, LIGHTS)) for part in found[:, 1:].chunk(2, dim=1))
        return {"blur": 0.5 + found[:, :1, None, None], "contrast": 0.6 + light, "shift": shift}

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z, the given tags `a` and their `mask` (N, 1, H, W) to images (N, 1, H, W) in [-1, 1]."""
        tag, mask = given[A], given[MASK]
        cut = {name: value.clamp(*BOUNDS[name]) for name, value in self.raw(z).items()}
        x = tag + cut["blur"] * (mean_of_nine(tag) - tag)
        contrast, shift = (spread(cut[name], self.size) for name in ("contrast", "shift"))
        x = contrast * x + shift
        drawn = self.maps(torch.cat([spread(self.start(z), self.size), tag], dim=1))
        ground, fine = drawn.chunk(2, dim=1)
        x = mask * x + (1 - mask) * torch.tanh(ground)
        fine = 0.1 * torch.tanh(fine)
        return (x + 0.5 * (fine - mean_of_nine(fine))).clamp(-1, 1)


def mean_of_nine(x: Tensor) -> Tensor:
    """Return the mean over 3x3 of maps (N, C, H, W), of those that there are at borders."""
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def spread(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Return maps (N, C, h, w) at a size, bilinearly."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)


def excess(values: Mapping[str, Tensor]) -> Tensor:
    """Return the sum over augmentations of the mean distance from what they may be."""
    beyond = [
        (low - values[name]).relu().mean() + (values[name] - high).relu().mean() for name, (low, high) in BOUNDS.items()
    ]
    return torch.stack(beyond).sum()


class ClipPenalty(Term):
    """See `excess`."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's latents."""
        network = self.game.network("generator")
        assert isinstance(network, TagAugmenter)
        return excess(network.raw(pair.latent.z))


class RenderGAN(MadeAlike):
    """D tells photographs of tags from rendered ones that G has augmented; the bits of the latter are known.

    The renderer is `data=tags`, in the place of the paper's learnt 3-D model; the pose is drawn with the bits. What a
    decoder learns from made tags is what `metrics=[label_transfer]` says.

    Args:
        components: what the game is made of.
        clipping: the weight of strengths beyond their bounds.
    """

    def __init__(self, components: Components, clipping: float) -> None:
        require_not_negative(clipping=clipping)
        super().__init__(components)
        if not isinstance(self.network("generator"), TagAugmenter):
            kind = type(self.network("generator")).__name__
            raise ConfigError(f"game=rendergan asks generator=tag_augmenter, not {kind}")
        self.player("generator").add_term("clipping", ClipPenalty(), clipping)
        weigh(self, {"discriminator": 1.0, "generator": 1.0})

    def check(self) -> None:
        """See that tags come with their masks.

        Raises:
            ConfigError: they do not.
        """
        if A in self.data.others and MASK not in self.data.others[A].extra:
            raise ConfigError(f"RenderGAN needs the {MASK!r} of every tag of sources.{A}: choose data=tags")
        super().check()
