"""CoGAN (Liu & Tuzel 2016, arXiv 1606.07536): two GANs that share layers make pairs, and none went in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    Batch,
    Components,
    ConfigError,
    Discriminator,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    grid,
)
from gan_zoo.layers import SigmoidImage, UnitPixels, init_scaled

DOMAINS = ("a", "b")


def edges(x: Tensor) -> Tensor:
    """Return the edges of images (N, C, H, W) in [-1, 1]: a 3x3 maximum less the image (the authors' program)."""
    return F.max_pool2d(x, 3, 1, 1) - x - 1


TRANSFORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "edges": edges,
    "negative": lambda x: -x,
}
"""What makes images of the second domain of those of the source `b`."""


class Coupled(nn.Module):
    """A network of one domain that has some layers in common with that of the other.

    Attributes:
        common: the names of the parts that are shared.
    """

    common: tuple[str, ...]

    def share(self, other: nn.Module) -> None:
        """Take over another's shared layers."""
        for name in self.common:
            setattr(self, name, getattr(other, name))


class CoGAN(Game):
    """The networks `generator_a` and `generator_b` make of one z a sample of each domain (section 3).

    Domain A is the data, B the further source `b`, seen through `transform`; no sample of one belongs to one of the
    other. Each domain has its judge, `discriminator_a` or `discriminator_b`, and both sides minimise the sum of their
    losses in both. Shared layers get the sum of both gradients.

    Args:
        components: what the game is made of.
        transform: what makes the second domain of the source `b`: `edges`, `negative` or `none`.
    """

    sampling_network = "generator_a"

    def __init__(self, components: Components, transform: str) -> None:
        super().__init__(components)
        if transform not in TRANSFORMS:
            raise ValueError(f"transform={transform!r}: choose one of {', '.join(TRANSFORMS)}")
        self.transform = TRANSFORMS[transform]

    def make_players(self) -> list[Player]:
        """Return both judges as one player, then both generators."""
        teams = ("discriminator", "generator")
        for team in teams:
            first, second = (self.network(f"{team}_{domain}") for domain in DOMAINS)
            if not isinstance(second, Coupled) or type(first) is not type(second):
                raise ConfigError(
                    f"game=cogan shares layers of networks.{team}_a and networks.{team}_b: both must be of one kind "
                    f"that says which are shared (name: cogan), not {type(first).__name__} and {type(second).__name__}"
                )
            second.share(first)
        of = {team: tuple(f"{team}_{domain}" for domain in DOMAINS) for team in teams}
        return [Player(team, of[team], team, dict.fromkeys(DOMAINS, team)) for team in teams]

    def check(self) -> None:
        """Raise ConfigError unless there is a second domain."""
        if "b" not in self.data.others:
            raise ConfigError("game=cogan needs a second domain: set sources.b to a dataset, such as '${data}'")
        super().check()

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return each domain before its judge."""
        second = batch.others["b"]
        real = {"a": batch, "b": Batch(self.transform(second.samples), second.labels)}
        found = {}
        for domain in DOMAINS:
            made = self.generate(latent, f"generator_{domain}")
            found[domain] = Pair(self.judge(f"discriminator_{domain}"), real[domain], latent, made)
        return found

    def picture(self, latent: Latent, columns: int) -> Tensor | None:
        """Draw a row of samples of the first domain over a row of those of the second, of the same z."""
        if not self.data.is_image or self.data.sample[0] not in (1, 3):
            return None
        with torch.no_grad():
            both = [self.sample_of(latent, domain) for domain in DOMAINS]
        rows = [part for pair in zip(*(one.split(columns) for one in both), strict=True) for part in pair]
        return grid(torch.cat(rows), columns)

    def sample_of(self, latent: Latent, domain: str) -> Tensor:
        """Return the samples of latents in a domain, `a` or `b`, averaged weights used if those of A are."""
        before = self.sampling_network
        self.sampling_network = before.replace("generator_a", f"generator_{domain}")
        try:
            return self.sample(latent)
        finally:
            self.sampling_network = before


class CoGANGenerator(Coupled, Generator):
    """The network of the authors' program for 28 pixels: 4x4, 7x7, 13x13, 25x25 shared, then a layer of its own.

    Batch norm and PReLU after each shared layer, a sigmoid (rescaled to [-1, 1]) at the end.

    Args:
        latent_dim: the size of z.
        channels: of the images.
        width: channels of the first map; each further one has half of them.
    """

    common = ("shared",)

    def __init__(self, latent_dim: int, channels: int, width: int) -> None:
        super().__init__()
        widths = [latent_dim, width, width // 2, width // 4, width // 8]
        layers: list[nn.Module] = [nn.Unflatten(1, (latent_dim, 1, 1))]
        for wide, narrow in pairwise(widths):
            first = wide == latent_dim and len(layers) == 1
            layers += [
                nn.ConvTranspose2d(wide, narrow, 4) if first else nn.ConvTranspose2d(wide, narrow, 3, 2, 1),
                nn.BatchNorm2d(narrow),
                nn.PReLU(),
            ]
        self.shared = nn.Sequential(*layers)
        self.own = nn.Sequential(nn.ConvTranspose2d(widths[-1], channels, 6, 1, 1), SigmoidImage())
        init_scaled(self, "he")

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, 28, 28) in [-1, 1]."""
        images: Tensor = self.own(self.shared(z))
        return images


class CoGANDiscriminator(Coupled, Discriminator):
    """The network of the authors' program for 28 pixels: a first layer of its own, all others shared.

    A convolution of 5x5 and a maximum over 2x2, twice, then a hidden layer with PReLU and dropout. The two scores of
    the authors' softmax are one logit here.

    Args:
        channels: of the images.
        width: channels of its own layer; the second map has 2.5 times as many, the hidden layer 25 times.
        dropout: the share of the hidden layer that is dropped in training.
    """

    common = ("shared", "output")

    def __init__(self, channels: int, width: int, dropout: float) -> None:
        super().__init__()
        second, hidden = width * 5 // 2, width * 25
        self.own = nn.Sequential(UnitPixels(), nn.Conv2d(channels, width, 5), nn.MaxPool2d(2))
        self.shared = nn.Sequential(
            nn.Conv2d(width, second, 5),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(second * 16, hidden),
            nn.PReLU(),
            nn.Dropout(dropout),
        )
        self.output = nn.Linear(hidden, 1)
        init_scaled(self, "he")

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the maps of its own layer (N, width, 12, 12) and the hidden layer (N, 25 width)."""
        own = self.own(x)
        return own, self.shared(own)
