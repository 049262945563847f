"""Files of MIDI: their notes as rolls, and rolls as files."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import torch
from torch import Tensor

from gan_framework.api import ConfigError, atomic, refuse_link
from gan_zoo.datasets.checks import known_file

LARGEST = 2**24
"""The largest file that is read, in bytes."""

MOST_STEPS = 2**17
"""The most steps of a file: a damaged one may say that a note comes years later. Two hours of sixteenths are fewer."""

PERCUSSION = 9
"""The channel, from 0 on, whose pitches are instruments."""

TICKS = 480
"""Of a quarter note, in files that are written."""

VELOCITY = 80


class Note(NamedTuple):
    """A note.

    Attributes:
        pitch: its number, middle C is 60.
        start: in quarter notes from the beginning.
        end: of it, after the start.
    """

    pitch: int
    start: float
    end: float


def library() -> ModuleType:
    """Return mido, which reads and writes such files.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import mido
    except ImportError:
        raise ConfigError("MIDI files are read and written by mido: pip install 'gan-framework[midi]'") from None
    found: ModuleType = mido
    return found


def read_notes(path: Path) -> list[list[Note]]:
    """Return the notes of each part of a file that has any: of each channel of each track, without percussion.

    A note that nobody ends lasts to the end of its track, and one that is begun again begins anew.

    Raises:
        ConfigError: it is no MIDI file, cut short, of tracks that do not belong together, in times that are no notes'
            values, or larger than `LARGEST`.
    """
    mido = library()
    known_file(path, LARGEST)
    try:
        file = mido.MidiFile(str(path))
        if file.type == 2:
            raise ValueError("its tracks are pieces of their own (type 2)")
        if file.ticks_per_beat <= 0:
            raise ValueError("its times are frames of a film (SMPTE)")
        parts: dict[tuple[int, int], list[Note]] = {}
        for number, track in enumerate(file.tracks):
            for channel, note in _notes_of(track, file.ticks_per_beat):
                parts.setdefault((number, channel), []).append(note)
    except Exception as error:  # damaged files make the library raise anything
        reason = str(error) or type(error).__name__
        raise ConfigError(f"{path} is no whole MIDI file: {reason}") from error
    return [sorted(parts[key], key=lambda note: note.start) for key in sorted(parts) if key[1] != PERCUSSION]


def _notes_of(track: Iterable, ticks: int) -> list[tuple[int, Note]]:  # type: ignore[type-arg]  # mido has no types
    now, found = 0, []
    sounding: dict[tuple[int, int], int] = {}

    def end(key: tuple[int, int]) -> None:
        start = sounding.pop(key)
        if now > start:
            found.append((key[0], Note(key[1], start / ticks, now / ticks)))

    for message in track:
        now += message.time
        if message.type not in ("note_on", "note_off"):
            continue
        key = (message.channel, message.note)
        if key in sounding:
            end(key)
        if message.type == "note_on" and message.velocity > 0:
            sounding[key] = now
    for key in list(sounding):
        end(key)
    return found


def as_rolls(parts: list[list[Note]], tracks: int, lowest: int, pitches: int, per_quarter: float) -> Tensor:
    """Return parts as one roll (K, P, T) of 0 and 1; what is beyond its pitches is moved by octaves.

    Args:
        parts: the notes of each; the K-th and all that follow share the last track.
        tracks: K.
        lowest: the number of the lowest pitch.
        pitches: P, at least 12.
        per_quarter: steps of a quarter note.

    Raises:
        ValueError: they are more than `MOST_STEPS` long.
    """
    length = max((note.end for part in parts for note in part), default=0.0)
    steps = math.ceil(length * per_quarter) + 1
    if steps > MOST_STEPS:
        raise ValueError(f"it is {length:,.0f} quarter notes long, {steps:,} steps; up to {MOST_STEPS:,} are read")
    roll = torch.zeros(tracks, pitches, steps)
    for number, part in enumerate(parts):
        for note in part:
            start = round(note.start * per_quarter)
            end = max(round(note.end * per_quarter), start + 1)
            roll[min(number, tracks - 1), into(note.pitch - lowest, pitches), start:end] = 1
    return roll


def into(pitch: int, pitches: int) -> int:
    """Return a pitch, or the nearest one by octaves that lies from 0 to below a number, at least 12."""
    if pitch < 0:
        return pitch + 12 * -(pitch // 12)
    return pitch - 12 * max(math.ceil((pitch - pitches + 1) / 12), 0)


def write_rolls(path: Path, rolls: Tensor, lowest: int, per_quarter: float, tempo: float) -> list[Path]:
    """Write rolls (N, K, P, T) as `000000.mid` and so on, in a folder beside a picture and named after it.

    What is from ½ on sounds; neighbouring steps of a pitch are one note.

    Args:
        path: of the picture.
        rolls: what is written.
        lowest: the number of the lowest pitch.
        per_quarter: steps of a quarter note.
        tempo: quarter notes of a minute.
    """
    mido = library()
    folder = path.with_name(f"{path.stem}_mid")
    refuse_link(folder)
    found = []
    for number, roll in enumerate(rolls >= 0.5):
        file = mido.MidiFile(ticks_per_beat=TICKS)
        for part, lines in enumerate(roll):
            track = mido.MidiTrack()
            if part == 0:
                track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo), time=0))
            track.extend(_messages(mido, lines, lowest, per_quarter, part))
            file.tracks.append(track)
        found.append(folder / f"{number:06d}.mid")
        with atomic(found[-1]) as whole:
            file.save(file=whole)
    return found


def _messages(mido: ModuleType, lines: Tensor, lowest: int, per_quarter: float, part: int) -> list:  # type: ignore[type-arg]
    silent = torch.zeros_like(lines[:, :1])
    change = torch.diff(torch.cat([silent, lines, silent], 1).int(), dim=1)
    channel = (part + (part >= PERCUSSION)) % 16
    # What ends at a step does so before what begins at it.
    events = sorted((step, int(change[pitch, step]), pitch) for pitch, step in change.nonzero().tolist())
    messages, before = [], 0
    for step, begins, pitch in events:
        tick = round(step * TICKS / per_quarter)
        kind = "note_on" if begins > 0 else "note_off"
        message = mido.Message(
            kind, channel=channel, note=lowest + pitch, velocity=VELOCITY if begins > 0 else 0, time=tick - before
        )
        messages.append(message)
        before = tick
    return messages
