"""MIDI files of one's own as piano rolls."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, is_hidden
from gan_zoo.datasets.array_sizes import check_size
from gan_zoo.datasets.checks import known_split
from gan_zoo.datasets.midi_files import as_rolls, library, read_notes, write_rolls
from gan_zoo.datasets.splits import held_out, known_share, members

SUFFIXES = (".mid", ".midi")
ON_BAD = ("skip", "refuse")
SHOWN = 10
HIGHEST = 127


class Midi(DataSource):
    """Pieces of a folder's MIDI files as rolls (K, P, T) of 0 and 1, as those of `data=pianorolls`.

    A file's parts, its tracks or channels that have notes, are taken in its own order; those beyond the K-th share the
    last track, and of a file with fewer the further ones are silent. Percussion, loudness and the pedal are left out.
    Times are rounded to steps; what is beyond the pitches is moved by octaves. The end of a file is filled with
    silence, and pieces of silence alone are left out. The extra `melody` is the first track.

    Args:
        path: a folder of .mid and .midi files, in any of its subfolders.
        test_share: of the files, chosen by name, that is held out as `test`.
        tracks: K.
        bars: of a piece.
        steps: of a bar.
        beats: quarter notes of a bar.
        pitches: P, at least 12.
        lowest: the number of the lowest pitch; middle C is 60.
        tempo: of what is written, in quarter notes of a minute.
        on_bad: whether to `skip` or `refuse` files that cannot be read.
    """

    def __init__(
        self,
        path: Path | None,
        test_share: float,
        tracks: int,
        bars: int,
        steps: int,
        beats: int,
        pitches: int,
        lowest: int,
        tempo: float,
        on_bad: str,
    ) -> None:
        library()
        if not path:
            raise ConfigError("data.path is missing: a folder of MIDI files")
        if min(tracks, bars, steps, beats) < 1 or pitches < 12 or not tempo > 0:
            raise ConfigError(
                f"data.tracks={tracks} data.bars={bars} data.steps={steps} data.beats={beats} data.pitches={pitches} "
                f"data.tempo={tempo}: there is at least one track of a bar, a step and a beat, 12 pitches, and a tempo"
            )
        if lowest < 0 or lowest + pitches - 1 > HIGHEST:
            raise ConfigError(
                f"data.lowest={lowest} data.pitches={pitches}: the highest pitch would be {lowest + pitches - 1}, and "
                f"there are those from 0 to {HIGHEST}"
            )
        if on_bad not in ON_BAD:
            raise ConfigError(f"data.on_bad={on_bad!r} must be {' or '.join(ON_BAD)}")
        self.path, self.test_share, self.on_bad = Path(path).expanduser(), known_share(test_share), on_bad
        if not self.path.is_dir():
            raise ConfigError(f"data.path={path} is no folder: it must be one with MIDI files")
        self.names = sorted(
            name
            for file in self.path.rglob("*")
            if file.suffix.lower() in SUFFIXES and not is_hidden(name := file.relative_to(self.path).as_posix())
        )
        if not self.names:
            raise ConfigError(f"data.path={path}: there are no .mid or .midi files in it")
        self.tracks, self.length, self.per_quarter = tracks, bars * steps, steps / beats
        self.pitches, self.lowest = pitches, lowest
        size = (pitches, self.length)
        self.shape = DataShape((tracks, *size), value_range=(0.0, 1.0), extra={"melody": (1, *size)})
        self.mirrors = {"melody": False}

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`.

        Raises:
            ConfigError: there is no such split, none of its files has a note, or one is damaged and `on_bad=refuse`.
        """
        known_split("midi", split, ("train", "test"))
        held = held_out(map(os.fsencode, self.names), self.test_share)
        chosen = [self.names[index] for index in members(held, self.test_share, split).tolist()]
        found, bad, total = [], {}, 0
        for name in chosen:
            try:
                pieces = self._pieces(self.path / name)
            except (ConfigError, ValueError) as error:
                bad[name] = str(error).removeprefix(f"{self.path / name} ")
                continue
            total += pieces.numel() * 4
            check_size(f"data.path={self.path}", total)
            found.append(pieces)
        if bad and self.on_bad == "refuse":
            raise ConfigError(f"{self._told(bad, len(chosen))}. Remove or repair them, or set data.on_bad=skip")
        rolls = torch.cat(found) if found else torch.zeros(0)
        if not len(rolls):
            why = f"; {self._told(bad, len(chosen))}" if bad else ""
            raise ConfigError(f"{self.path} has no note in the {len(chosen)} files of the split {split!r}{why}")
        data = InMemory(rolls, None, {"melody": rolls[:, :1].clone()})
        data.notes = (self._told(bad, len(chosen)),) if bad else ()
        return data

    def _told(self, bad: Mapping[str, str], count: int) -> str:
        named = "; ".join(f"{name} {why}" for name, why in list(bad.items())[:SHOWN])
        more = f"; and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
        return f"{len(bad)} of {count} MIDI files cannot be read: {named}{more}"

    def _pieces(self, file: Path) -> Tensor:
        """Return the pieces (n, K, P, T) of a file that are not silent."""
        roll = as_rolls(read_notes(file), self.tracks, self.lowest, self.pitches, self.per_quarter)
        count = -(-roll.shape[2] // self.length)
        whole = torch.nn.functional.pad(roll, (0, count * self.length - roll.shape[2]))
        pieces = whole.unflatten(2, (count, self.length)).movedim(2, 0)
        sounding: Tensor = pieces[pieces.flatten(1).any(1)].contiguous()
        return sounding

    @classmethod
    def write(cls, path: Path, samples: Tensor, settings: Mapping[str, Any]) -> list[Path]:
        """Write rolls as MIDI files in the folder `<name of the picture>_mid`."""
        per_quarter = int(settings["steps"]) / int(settings["beats"])
        return write_rolls(path, samples, int(settings["lowest"]), per_quarter, float(settings["tempo"]))
