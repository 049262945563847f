"""MuseGAN (Dong et al. 2018, arXiv 1709.06298): several tracks of bars, jammed, composed, or both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from gan_framework.api import EMPTY, Discriminator, Game, Generator, Latent, grid
from gan_zoo.layers import activations
from gan_zoo.ranges import require_positive

FORMS = ("jamming", "composer", "hybrid")
MELODY = "melody"

COLOURS, CELL = 3, 3
"""Tracks that a picture has colours for, and pixels to a side for one step of one pitch."""


class BarNet(nn.Module):
    """Makes a bar (outputs, P, steps) of a vector: transposed convolutions, over time first, then over pitch.

    Args:
        inputs: the size of the vector.
        outputs: tracks.
        pitches: P, a multiple of 6.
        steps: of a bar, a multiple of 4.
        width: channels at first.
    """

    def __init__(self, inputs: int, outputs: int, pitches: int, steps: int, width: int) -> None:
        super().__init__()
        if pitches % 6 or steps % 4:
            raise ValueError(f"pitches={pitches} steps={steps}: multiples of 6 and of 4")
        self.layers = nn.Sequential(
            nn.Linear(inputs, width * 4),
            nn.BatchNorm1d(width * 4),
            nn.ReLU(),
            nn.Unflatten(1, (width, 1, 4)),
            nn.ConvTranspose2d(width, width, (1, steps // 4), (1, steps // 4)),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, width // 2, (6, 1), (6, 1)),
            nn.BatchNorm2d(width // 2),
            nn.ReLU(),
            nn.ConvTranspose2d(width // 2, outputs, (pitches // 6, 1), (pitches // 6, 1)),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map vectors (N, inputs) to bars (N, outputs, P, steps) in [0, 1]."""
        bars: Tensor = self.layers(x)
        return bars


class MuseGenerator(Generator):
    """Bars of noise that is partly of the whole and partly of the bar, partly of all tracks and partly of one.

    z has four parts: for all tracks and for each, and each of these for the whole and, through a small network that
    makes a vector for each bar of it, in time. `jamming` has a network of bars for each track and no part for all;
    `composer` one network for all, and no parts of tracks; `hybrid` a network for each track and all parts.

    Where a melody is given, an encoder of each of its bars joins, and the first track is the melody itself.

    Args:
        latent_dim: the size of z; a multiple of the number of parts.
        tracks: K.
        pitches: P, a multiple of 6.
        bars: of a sample.
        steps: of a bar, a multiple of 4.
        width: channels of the networks of bars.
        form: `jamming`, `composer` or `hybrid`.
        accompany: whether a melody is given.
    """

    def __init__(
        self,
        latent_dim: int,
        tracks: int,
        pitches: int,
        bars: int,
        steps: int,
        width: int,
        form: str,
        accompany: bool,
    ) -> None:
        super().__init__()
        require_positive(tracks=tracks, bars=bars, width=width)
        if form not in FORMS:
            raise ValueError(f"form={form!r}: choose one of {', '.join(FORMS)}")
        if accompany and tracks < 2:
            raise ValueError(f"tracks={tracks}: with accompany=true the first one is given, and others are made")
        self.bars, self.form, self.accompany = bars, form, accompany
        made = tracks - 1 if accompany else tracks
        owners = {"jamming": made, "composer": 1, "hybrid": made + 1}[form]
        if latent_dim % (2 * owners):
            raise ValueError(f"latent_dim={latent_dim} must be a multiple of {2 * owners}: its parts with form={form}")
        self.part = latent_dim // (2 * owners)
        self.owners = owners
        self.in_time = nn.ModuleList(nn.Linear(self.part, bars * self.part) for _ in range(owners))
        seen = width if accompany else 0
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(pitches * steps, width), nn.ReLU()) if accompany else None
        inputs = 2 * self.part * (2 if form == "hybrid" else 1) + seen
        nets, outputs = (1, made) if form == "composer" else (made, 1)
        self.nets = nn.ModuleList(BarNet(inputs, outputs, pitches, steps, width) for _ in range(nets))

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim), and a melody (N, 1, P, T) where one is given, to rolls (N, K, P, T) in [0, 1]."""
        parts = z.unflatten(1, (self.owners, 2, self.part))
        vectors = []  # of each owner (N, bars, 2 part)
        for owner, network in enumerate(self.in_time):
            whole = parts[:, owner, 0, None].expand(-1, self.bars, -1)
            vectors.append(torch.cat([whole, network(parts[:, owner, 1]).unflatten(1, (self.bars, -1))], 2))
        if self.form == "hybrid":
            vectors = [torch.cat([vectors[0], own], 2) for own in vectors[1:]]
        if self.encoder is not None:
            bars = given[MELODY].unflatten(3, (self.bars, -1)).movedim(3, 1)  # (N, bars, 1, P, steps)
            read = self.encoder(bars.flatten(0, 1)).unflatten(0, (-1, self.bars))
            vectors = [torch.cat([vector, read], 2) for vector in vectors]
        made = [net(vector.flatten(0, 1)) for net, vector in zip(self.nets, vectors, strict=True)]
        rolls = torch.cat(made, 1).unflatten(0, (-1, self.bars))  # (N, bars, K, P, steps)
        rolls = rolls.movedim(1, 3).flatten(3, 4)
        return torch.cat([given[MELODY], rolls], 1) if self.encoder is not None else rolls


class MuseDiscriminator(Discriminator):
    """Convolutions over pitch, then over time; with `jamming` of each track alone, each with a word of its own.

    Args:
        tracks: K.
        pitches: P, a multiple of 6.
        bars: of a sample.
        steps: of a bar, a multiple of 4.
        width: channels.
        form: `jamming`, or `composer` or `hybrid`, which have one discriminator of all tracks.
    """

    patches = True
    batch_independent = True

    def __init__(self, tracks: int, pitches: int, bars: int, steps: int, width: int, form: str) -> None:
        super().__init__()
        require_positive(tracks=tracks, bars=bars, width=width)
        if form not in FORMS:
            raise ValueError(f"form={form!r}: choose one of {', '.join(FORMS)}")
        groups = tracks if form == "jamming" else 1
        channels, self.groups = width * groups, groups
        self.blocks = nn.ModuleList(
            nn.Sequential(layer, nn.LeakyReLU(0.2))
            for layer in (
                nn.Conv2d(tracks, channels, (pitches // 6, 1), (pitches // 6, 1), groups=groups),
                nn.Conv2d(channels, channels, (6, 1), groups=groups),
                nn.Conv2d(channels, channels, (1, steps // 4), (1, steps // 4), groups=groups),
                nn.Conv2d(channels, channels, (1, 4), (1, 4), groups=groups),
            )
        )
        self.output = nn.Sequential(
            nn.Conv2d(channels, groups, (1, bars), groups=groups), nn.Flatten(1), nn.Unflatten(1, (1, groups))
        )

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the maps of rolls (N, K, P, T) after each layer."""
        return activations(self.blocks, x)


class MuseGAN(Game):
    """The two-player game of rolls, which are drawn as such: high notes above low ones, a colour for each track."""

    def picture(self, latent: Latent, columns: int) -> Tensor | None:
        """Return rolls of up to three tracks side by side in red, green and blue; None for more."""
        rolls = self.sample(latent).flip(2)
        tracks = rolls.shape[1]
        if tracks > COLOURS:
            return None
        coloured = torch.cat([rolls, torch.zeros_like(rolls[:, :1]).expand(-1, COLOURS - tracks, -1, -1)], 1)
        return grid(coloured.repeat_interleave(CELL, 2).repeat_interleave(CELL, 3), columns, (0.0, 1.0))


class MuseAccompany(MuseGAN):
    """The game of rolls whose first track, the extra `melody`, is given to the generator."""

    generates_from: ClassVar[str | None] = MELODY
