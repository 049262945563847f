"""The four networks of StarGAN v2 (Choi et al. 2020, arXiv 1912.01865, appendix): one style for each domain."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import EMPTY, SAMPLES, Discriminator, DiscriminatorOutput, Generator
from gan_zoo.layers import ImageSize, activations, given, sides
from gan_zoo.ranges import require_positive

STYLE = "style"
"""The styles (N, style_dim) among what a generator is given."""

SLOPE = 0.2
SMALLEST = 16
"""Generators halve images until their shorter side is from this size on below its double."""

LAST = 4
"""Judges and encoders halve images until their shorter side is from this size on below its double."""


def of_domain(answers: Tensor, labels: Tensor | None) -> Tensor:
    """Return of the answers of all branches (N, K, ...) those of the samples' own domains (N,), as (N, ...).

    Raises:
        ValueError: there are no labels.
    """
    labels = given(labels)
    index = labels.view(-1, 1, *[1] * (answers.ndim - 2)).expand(-1, 1, *answers.shape[2:])
    return answers.gather(1, index).squeeze(1)


def init_he(module: nn.Module) -> None:
    """Draw all weights of convolutions and linear layers from N(0, 2 / inputs), as the authors' program; biases 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class PreActivation(nn.Module):
    """(shortcut + C3(lrelu(norm(C3(lrelu(norm(x))))))) / √2, perhaps averaged down to half the size between the two.

    Args:
        inputs: channels before.
        outputs: channels after.
        halved: whether the size is halved.
        normed: whether there are instance norms.
    """

    def __init__(self, inputs: int, outputs: int, halved: bool, normed: bool) -> None:
        super().__init__()

        def norm() -> nn.Module:
            return nn.InstanceNorm2d(inputs, affine=True) if normed else nn.Identity()

        def down() -> nn.Module:
            return nn.AvgPool2d(2) if halved else nn.Identity()

        through = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()
        self.shortcut = nn.Sequential(through, down())
        first = (norm(), nn.LeakyReLU(SLOPE), nn.Conv2d(inputs, inputs, 3, 1, 1), down())
        self.residual = nn.Sequential(*first, norm(), nn.LeakyReLU(SLOPE), nn.Conv2d(inputs, outputs, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W) or half the height and width."""
        made: Tensor = (self.shortcut(x) + self.residual(x)) / math.sqrt(2)
        return made


class StyledNorm(nn.Module):
    """AdaIN (Huang & Belongie 2017): instance norm, then (1 + γ) x + β with γ and β linear in a style."""

    def __init__(self, style_dim: int, width: int) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(width)
        self.moments = nn.Linear(style_dim, 2 * width)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Map (N, width, H, W) and styles (N, style_dim) to the same shape."""
        gain, bias = self.moments(style)[:, :, None, None].chunk(2, 1)
        made: Tensor = (1 + gain) * self.norm(x) + bias
        return made


class StyledUp(nn.Module):
    """(shortcut + C3(lrelu(AdaIN(C3(lrelu(AdaIN(x))))))) / √2, perhaps doubled by nearest pixels before the first."""

    def __init__(self, inputs: int, outputs: int, style_dim: int, doubled: bool) -> None:
        super().__init__()
        self.up = nn.Upsample(scale_factor=2) if doubled else nn.Identity()
        self.through = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()
        self.norms = nn.ModuleList([StyledNorm(style_dim, inputs), StyledNorm(style_dim, outputs)])
        self.convolutions = nn.ModuleList([nn.Conv2d(inputs, outputs, 3, 1, 1), nn.Conv2d(outputs, outputs, 3, 1, 1)])

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Map (N, inputs, H, W) and styles to (N, outputs, H, W) or double the height and width."""
        y = self.convolutions[0](self.up(F.leaky_relu(self.norms[0](x, style), SLOPE)))
        y = self.convolutions[1](F.leaky_relu(self.norms[1](y, style), SLOPE))
        made: Tensor = (y + self.through(self.up(x))) / math.sqrt(2)
        return made


def _widths(width: int, most: int, halvings: int) -> list[int]:
    return [min(width * 2**i, most) for i in range(halvings + 1)]


class StyledGenerator(Generator):
    """Makes of an image one in another style, without the high-pass filters that faces have in the program.

    Args:
        channels: of the images.
        style_dim: the size of a style.
        width: channels of the first layer, doubled with each halving; 64 in the paper.
        most: the most channels; 512.
        halvings: how often images are halved and doubled again; None for as often as in the authors' program, until
            the shorter side has 16 pixels to 31, and once at least.
        blocks: residual blocks at the smallest size with instance norm, and as many more with AdaIN; 2.
        image_size: of square images, or height and width; needed where halvings follow from it.
    """

    def __init__(
        self,
        channels: int,
        style_dim: int,
        width: int,
        most: int,
        halvings: int | None,
        blocks: int,
        image_size: ImageSize | None = None,
    ) -> None:
        super().__init__()
        if halvings is None:
            if image_size is None:
                raise ValueError("halvings=None: they follow from image_size, and there is none")
            halvings = max(int(math.log2(min(sides(image_size)) / SMALLEST)), 1)
        require_positive(channels=channels, style_dim=style_dim, width=width, most=most, halvings=halvings)
        require_positive(blocks=blocks)
        self.halvings = halvings
        widths = _widths(width, most, halvings)
        down = [PreActivation(a, b, True, True) for a, b in pairwise(widths)]
        inner = widths[-1]
        kept = [PreActivation(inner, inner, False, True) for _ in range(blocks)]
        self.encode = nn.Sequential(nn.Conv2d(channels, width, 3, 1, 1), *down, *kept)
        up = [StyledUp(b, a, style_dim, True) for a, b in zip(widths[-2::-1], widths[:0:-1], strict=True)]
        self.decode = nn.ModuleList([*(StyledUp(inner, inner, style_dim, False) for _ in range(blocks)), *up])
        self.to_image = nn.Sequential(
            nn.InstanceNorm2d(width, affine=True), nn.LeakyReLU(SLOPE), nn.Conv2d(width, channels, 1)
        )
        init_he(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `samples` (N, C, H, W) and `style` (N, style_dim) to images of the same shape.

        Raises:
            ValueError: a side of the images cannot be halved so often.
        """
        x = given[SAMPLES]
        if any(side % 2**self.halvings for side in x.shape[2:]):
            raise ValueError(f"halvings={self.halvings}: images have {x.shape[2]}x{x.shape[3]} pixels")
        made = self.encode(x)
        for block in self.decode:
            made = block(made, given[STYLE])
        image: Tensor = self.to_image(made)
        return image


def _reading(image_size: ImageSize, channels: int, width: int, most: int) -> tuple[list[nn.Module], int]:
    """Return the layers that read an image down to a single place, as judges and encoders do, and their channels."""
    height, across = sides(image_size)
    require_positive(channels=channels, width=width, most=most)
    halvings = max(int(math.log2(min(height, across) / LAST)), 0) if min(height, across) >= LAST else 0
    if min(height, across) < LAST or height % 2**halvings or across % 2**halvings:
        raise ValueError(
            f"image_size={image_size}: both sides are at least {LAST} and can be halved {halvings} times, as 16 or 256"
        )
    widths = _widths(width, most, halvings)
    blocks = [PreActivation(a, b, True, False) for a, b in pairwise(widths)]
    last = nn.Conv2d(widths[-1], widths[-1], (height // 2**halvings, across // 2**halvings))
    whole = nn.Sequential(nn.LeakyReLU(SLOPE), last, nn.LeakyReLU(SLOPE))
    return [nn.Conv2d(channels, width, 3, 1, 1), *blocks, whole], widths[-1]


class DomainDiscriminator(Discriminator):
    """Residual blocks that halve the image, and a logit for each domain, of which a sample's label chooses one.

    Args:
        labels: the number of domains.
        image_size: of square images, or height and width.
        channels: of the images.
        width: channels of the first layer, doubled with each halving; 64 in the paper, for images of 256 pixels.
        most: the most channels; 512.
    """

    conditional = True

    def __init__(self, labels: int, image_size: ImageSize, channels: int, width: int, most: int) -> None:
        super().__init__()
        require_positive(labels=labels)
        layers, last = _reading(image_size, channels, width, most)
        self.blocks = nn.ModuleList(layers)
        self.output = nn.Linear(last, labels)
        init_he(self)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every layer for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)

    def forward(self, x: Tensor, labels: Tensor | None = None, *_: Tensor) -> DiscriminatorOutput:
        """Score images (N, C, H, W) in [-1, 1] as those of their domains (N,)."""
        features = self.features(x, labels)
        last = features[-1].flatten(1)
        heads = {name: head(last) for name, head in self.heads.items()}
        return DiscriminatorOutput(of_domain(self.output(last), labels), features, heads)


class StyleEncoder(nn.Module):
    """Finds the style of an image in its domain: layers as those of the judge, and a linear one for each domain.

    Args:
        labels: the number of domains.
        image_size: of square images, or height and width.
        channels: of the images.
        style_dim: the size of a style.
        width: channels of the first layer; 64 in the paper, for images of 256 pixels.
        most: the most channels; 512.
    """

    def __init__(
        self, labels: int, image_size: ImageSize, channels: int, style_dim: int, width: int, most: int
    ) -> None:
        super().__init__()
        require_positive(labels=labels, style_dim=style_dim)
        layers, last = _reading(image_size, channels, width, most)
        self.shared = nn.Sequential(*layers, nn.Flatten())
        self.branches = nn.ModuleList(nn.Linear(last, style_dim) for _ in range(labels))
        init_he(self)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map images (N, C, H, W) of domains (N,) to styles (N, style_dim)."""
        read = self.shared(x)
        return of_domain(torch.stack([branch(read) for branch in self.branches], 1), labels)


class StyleMapping(nn.Module):
    """Makes a style of noise in a domain: layers that all domains share, then some of each domain's own.

    Args:
        labels: the number of domains.
        latent_dim: the size of the noise; 16 in the paper.
        style_dim: the size of a style; 64.
        hidden: the size of all layers before; 512.
    """

    def __init__(self, labels: int, latent_dim: int, style_dim: int, hidden: int) -> None:
        super().__init__()
        require_positive(labels=labels, latent_dim=latent_dim, style_dim=style_dim, hidden=hidden)

        def layers(sizes: list[int]) -> list[nn.Module]:
            return [m for a, b in pairwise(sizes) for m in (nn.Linear(a, b), nn.ReLU())]

        self.shared = nn.Sequential(*layers([latent_dim, *4 * [hidden]]))
        self.branches = nn.ModuleList(
            nn.Sequential(*layers(4 * [hidden]), nn.Linear(hidden, style_dim)) for _ in range(labels)
        )

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map noise (N, latent_dim) and domains (N,) to styles (N, style_dim)."""
        shared = self.shared(z)
        return of_domain(torch.stack([branch(shared) for branch in self.branches], 1), labels)
