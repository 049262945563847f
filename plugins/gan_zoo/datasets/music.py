"""Made music: melodies as events, and rolls of two tracks, by rules that scores know."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_split
from gan_zoo.datasets.midi_files import write_rolls

log = logging.getLogger(__name__)

SCALE = (0, 2, 4, 5, 7, 9, 11)
"""The semitones of C major."""

CHORDS = ((0, 4, 7), (5, 9, 0), (7, 11, 2), (9, 0, 4))
"""I, IV, V and vi in C major, as pitch classes; the first of each is its root."""

EIGHTH = 0.25
"""Seconds of an eighth note at 120 beats a minute."""

MIDDLE_C = 60

LOWEST = MIDDLE_C - 12
"""The number of the lowest pitch of a roll, the C below middle C."""

TEMPO = 120
"""Quarter notes of a minute."""


def _melody(n: int, length: int, random: torch.Generator) -> Tensor:
    """Return degrees of the scale (n, length): walks of at most two degrees, within two octaves from middle C."""
    steps = torch.randint(-2, 3, (n, length), generator=random)
    degree = torch.randint(4, 11, (n,), generator=random)
    found = []
    for step in steps.unbind(1):
        degree = (degree + step).clamp(0, 14)
        found.append(degree)
    return torch.stack(found, 1)


def _pitch(degree: Tensor) -> Tensor:
    """Return semitones above middle C of degrees of the scale."""
    return torch.tensor(SCALE)[degree % 7] + 12 * torch.div(degree, 7, rounding_mode="floor")


class Notes(DataSource):
    """Melodies as events (4, T): a note's length, its pitch, its intensity, and the time since the last one began.

    Times are in seconds on a grid of eighths at 120 beats a minute, ±5 ms; pitches in octaves above middle C, of C
    major; intensities rise and fall over 8 notes.

    Args:
        length: T, the notes of a melody.
        channels: 4.
        samples: of each split.
    """

    def __init__(self, length: int, channels: int, samples: int) -> None:
        if length < 2 or channels != 4 or samples < 1:
            raise ConfigError(
                f"data.length={length} data.channels={channels} data.samples={samples}: there are at least two notes "
                "of 4 values, and one sample"
            )
        self.samples = samples
        self.shape = DataShape((4, length))

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("notes", split, ("train", "test"))
        random = seeding.generator(0, "notes", split)
        n, length = self.samples, self.shape.sample[1]
        pitch = _pitch(_melody(n, length, random)) / 12
        eighths = torch.tensor([1, 2, 4])[torch.randint(3, (n, length), generator=random)]
        jitter = (torch.rand(2, n, length, generator=random) - 0.5) * 0.01
        last = torch.cat([torch.zeros(n, 1), EIGHTH * eighths[:, :-1]], 1)
        phase = torch.arange(length) + torch.randint(8, (n, 1), generator=random)
        intensity = 0.5 - 0.3 * (2 * math.pi * phase / 8).cos()
        events = torch.stack([EIGHTH * eighths + jitter[0], pitch, intensity, (last + jitter[1]).clamp(min=0)], 1)
        return InMemory(events.float())


class PianoRolls(DataSource):
    """Rolls (2, P, T) of 0 and 1: a melody and a bass, of bars with a chord each; the extra `melody` is the former.

    The chords are I, IV, V or vi of C major. The melody's notes last 4 steps, a quarter of a bar each, and are of the
    chord, or, one in four, of the scale; the bass has the root on the first and the third beat. The lowest pitch is C.

    Args:
        bars: of a sample.
        steps: of a bar, a multiple of 4.
        pitches: P, at least 24: the bass is in the lower octave, the melody above it.
        samples: of each split.
    """

    def __init__(self, bars: int, steps: int, pitches: int, samples: int) -> None:
        if bars < 1 or steps < 4 or steps % 4 or pitches < 24 or samples < 1:
            raise ConfigError(
                f"data.bars={bars} data.steps={steps} data.pitches={pitches} data.samples={samples}: there is at least "
                "one bar of a multiple of 4 steps, at least 24 pitches, and one sample"
            )
        self.bars, self.steps, self.samples = bars, steps, samples
        size = (pitches, bars * steps)
        self.shape = DataShape((2, *size), value_range=(0.0, 1.0), extra={"melody": (1, *size)})
        self.mirrors = {"melody": False}

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("pianorolls", split, ("train", "test"))
        random = seeding.generator(0, "pianorolls", split)
        n, beats = self.samples, 4 * self.bars
        beat = self.steps // 4
        chord = torch.randint(4, (n, self.bars), generator=random).repeat_interleave(4, 1)
        tone = torch.randint(3, (n, beats), generator=random)
        passing = torch.rand(n, beats, generator=random) < 0.25
        degree = torch.tensor(SCALE)[torch.randint(7, (n, beats), generator=random)]
        melody = torch.where(passing, degree, torch.tensor(CHORDS)[chord, tone]) + 12
        root = torch.tensor(CHORDS)[chord, 0]
        sounds = torch.stack([melody, root], 1)  # (n, 2, beats)
        on = torch.ones(n, 2, beats)
        on[:, 1, 1::2] = 0
        pitches = self.shape.sample[1]
        rolls = torch.zeros(n, 2, beats, pitches).scatter(3, sounds[..., None], on[..., None])
        rolls = rolls.movedim(3, 2).repeat_interleave(beat, 3)
        return InMemory(rolls, None, {"melody": rolls[:, :1].clone()})

    @classmethod
    def write(cls, path: Path, samples: Tensor, settings: Mapping[str, Any]) -> list[Path]:
        """Write rolls as MIDI files in the folder `<name of the picture>_mid`, if there is what writes them."""
        if not _has_library():
            log.info("no MIDI files are written beside the picture: pip install 'gan-framework[midi]'")
            return []
        return write_rolls(path, samples, LOWEST, int(settings["steps"]) / 4, TEMPO)


def _has_library() -> bool:
    return find_spec("mido") is not None


def in_scale(semitones: Tensor) -> Tensor:
    """Return whether pitches, in semitones above a C and perhaps between them, are nearest to one of C major."""
    classes = semitones.round().long() % 12
    return torch.isin(classes, torch.tensor(SCALE))
