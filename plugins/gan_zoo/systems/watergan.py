"""WaterGAN (Li et al. 2017, arXiv 1702.07392): images in air, with their depth, are put under water."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import EMPTY, Components, ConfigError, Generator, Pair, Player, Term
from gan_zoo.adapting import A
from gan_zoo.layers import ImageSize, sides
from gan_zoo.made_alike import MadeAlike, weigh
from gan_zoo.ranges import require_not_negative, require_positive

DEPTH = "depth"
STARTS = (0.35, 0.038, 0.0194)
"""η of red, green and blue at the beginning, as in the authors' program."""


def vignetting(c: Tensor, height: int, width: int) -> Tensor:
    """Return V = 1 / (1 + C₁ r² + C₂ r⁴ + C₃ r⁶) (1, H, W), r the distance from the centre, 1 in the corners."""
    y, x = (torch.linspace(-1, 1, side, device=c.device, dtype=c.dtype) for side in (height, width))
    square = (y[:, None].square() + x[None].square()) / 2
    falling: Tensor = 1 / (1 + c[0] * square + c[1] * square.square() + c[2] * square**3)
    return falling[None]


class WaterGenerator(Generator):
    """x = A · V ⊙ (I ⊙ e^(-η d) + haze(z, d)), cut off at 0 and 1 (section 3.2).

    Attenuation η of each colour, the camera's A and C are parameters; the haze is a network of z and the depth.

    Args:
        image_size: of square images, or height and width.
        latent_dim: the size of z.
        width: of the maps of the haze's network.
        vignette: what C begins at; 1 in the authors' program.
    """

    def __init__(self, image_size: ImageSize, latent_dim: int, width: int, vignette: float) -> None:
        super().__init__()
        require_positive(latent_dim=latent_dim, width=width)
        self.latent_dim = latent_dim
        height, across = sides(image_size)
        self.eta = nn.Parameter(torch.tensor(STARTS))
        self.gain = nn.Parameter(torch.tensor(0.9))
        self.c = nn.Parameter(torch.full((3,), float(vignette)))
        self.noise = nn.Sequential(nn.Linear(latent_dim, height * across), nn.Unflatten(1, (1, height, across)))
        last = nn.Conv2d(width, 3, 5, 1, 2)
        assert last.bias is not None
        nn.init.constant_(last.bias, -2.0)
        self.haze = nn.Sequential(nn.Conv2d(2, width, 5, 1, 2), nn.LeakyReLU(0.2), last, nn.Sigmoid())

    def attenuated(self, air: Tensor, depth: Tensor) -> Tensor:
        """Return I ⊙ e^(-η d) of images (N, 3, H, W) in [0, 1] and depths (N, 1, H, W)."""
        left: Tensor = air * torch.exp(-self.eta[:, None, None] * depth)
        return left

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z, the given images `a` (N, 3, H, W) and `depth` (N, 1, H, W) to images (N, 3, H, W) in [-1, 1]."""
        air, depth = (given[A] + 1) / 2, given[DEPTH]
        scattered = self.haze(torch.cat([self.noise(z), depth], dim=1))
        light = vignetting(self.c, *air.shape[2:]) * (self.attenuated(air, depth) + scattered)
        images: Tensor = 2 * (self.gain * light).clamp(0, 1) - 1
        return images


def implausible(network: WaterGenerator) -> Tensor:
    """Return how far the parameters are from what water and a lens can have: 0 where they may be so.

    η and A must not be negative, nor C₃; and V falls from the centre on, if 4 C₂² < 12 C₁ C₃ (section 3.2.3).
    """
    c = network.c
    beyond = [(-network.eta).relu().sum(), (-network.gain).relu(), (-c[2]).relu()]
    return torch.stack([*beyond, (4 * c[1].square() - 12 * c[0] * c[2]).relu()]).sum()


class Plausible(Term):
    """See `implausible`."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the generator's parameters."""
        return implausible(self._water())

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return the attenuation of the colours."""
        return {f"eta_{name}": eta for name, eta in zip(("red", "green", "blue"), self._water().eta, strict=True)}

    def _water(self) -> WaterGenerator:
        network = self.game.network("generator")
        assert isinstance(network, WaterGenerator)
        return network


class WaterGAN(MadeAlike):
    """D tells underwater images from images in air that G has put under water; G pays for impossible parameters.

    The program's network that restores colours, trained on what is made, is left out: `metrics=[label_transfer]` says
    what can be learnt from what is made.

    Args:
        components: what the game is made of.
        plausibility: the weight of what cannot be.
    """

    def __init__(self, components: Components, plausibility: float) -> None:
        require_not_negative(plausibility=plausibility)
        super().__init__(components)
        if not isinstance(self.network("generator"), WaterGenerator):
            raise ConfigError(f"game=watergan asks generator=water, not {type(self.network('generator')).__name__}")
        self.player("generator").add_term("implausible", Plausible(), plausibility)
        weigh(self, {"discriminator": 1.0, "generator": 1.0})

    def check(self) -> None:
        """See that images come with their depth.

        Raises:
            ConfigError: they do not.
        """
        if A in self.data.others and DEPTH not in self.data.others[A].extra:
            raise ConfigError(f"WaterGAN needs the {DEPTH!r} of every image of sources.{A}: choose data=underwater")
        super().check()
