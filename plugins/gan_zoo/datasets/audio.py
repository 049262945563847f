"""Waves: tones that are made, with noise on them, and the user's own WAV files."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.array_sizes import check_size
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.datasets.splits import held_out, known_share, members
from gan_zoo.datasets.wave_files import read_wave, write_waves
from gan_zoo.waves import emphasised


class _Waves(DataSource):
    @classmethod
    def write(cls, path: Path, samples: Tensor, settings: Mapping[str, Any]) -> list[Path]:
        """Write waves as WAV files in the folder `<name of the picture>_wav`."""
        return write_waves(path, samples, int(settings["rate"]), settings["emphasis"])

    @classmethod
    def read_folder(cls, folder: Path, most: int, shape: tuple[int, ...], settings: Mapping[str, Any]) -> Tensor | None:
        """Return the first pieces (N, 1, T) of a folder's WAV files.

        Raises:
            ConfigError: there are none, or one cannot be read or has another rate than the data.
        """
        found: list[Tensor] = []
        for file in wave_files(folder, f"--from {folder}"):
            if sum(map(len, found)) >= most:
                break
            found.append(pieces(file, shape[-1], int(settings["rate"]), float(settings["emphasis"])))
        return torch.cat(found)[:most]


class Tones(_Waves):
    """Five harmonics of 80 to 300 Hz under an attack and a decay (1, T); the extra `source` has white noise on it.

    Args:
        length: T.
        rate: in Hz.
        snr: of the noisy ones in dB, the least and the greatest.
        emphasis: of high frequencies, x_t - emphasis · x_t-1, in both; undone where waves are written.
        samples: of each split.
        channels: 1, or null.
        num_classes: null.
        image_size: null.
    """

    def __init__(
        self,
        length: int,
        rate: int,
        snr: tuple[float, float],
        emphasis: float,
        samples: int,
        channels: int | None,
        num_classes: int | None = None,
        image_size: None = None,
    ) -> None:
        known_classes("tones", num_classes, 0)
        if length < 64 or rate < 1000 or samples < 1 or not 0 <= emphasis < 1 or snr[0] > snr[1]:
            raise ConfigError(
                f"data.length={length} data.rate={rate} data.samples={samples} data.emphasis={emphasis} data.snr={snr}:"
                " at least 64 values, 1000 Hz and a sample, an emphasis from 0 to below 1, and the smaller ratio first"
            )
        self.length, self.rate, self.snr, self.emphasis, self.samples = length, rate, snr, emphasis, samples
        self.shape = DataShape((1, length))

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("tones", split, ("train", "test"))
        random = seeding.generator(0, "tones", split)
        n, time = self.samples, torch.arange(self.length) / self.rate
        pitch = 80 + 220 * torch.rand(n, 1, 1, generator=random)
        harmonic = torch.arange(1, 6)[None, :, None]
        loud = torch.rand(n, 5, 1, generator=random) / harmonic
        phase = 2 * math.pi * torch.rand(n, 5, 1, generator=random)
        wave = (loud * torch.sin(2 * math.pi * pitch * harmonic * time + phase)).sum(1)
        duration = self.length / self.rate
        attack = (time / (0.05 * duration)).clamp(max=1) * torch.exp(-2 * time / duration)
        wave = wave * attack
        clean = 0.5 * wave / wave.abs().amax(1, keepdim=True)
        ratio = self.snr[0] + (self.snr[1] - self.snr[0]) * torch.rand(n, 1, generator=random)
        power = clean.square().mean(1, keepdim=True) * 10 ** (-ratio / 10)
        noisy = clean + power.sqrt() * torch.randn(n, self.length, generator=random)
        clean, noisy = (emphasised(x, self.emphasis)[:, None].contiguous() for x in (clean, noisy))
        return InMemory(clean, None, {"source": noisy})


class WavFolder(_Waves):
    """Pieces (1, T) of a folder's WAV files; with `source_path`, noisy ones of the same names as the extra `source`.

    Channels are averaged; what is left at the end of a file is dropped, and shorter files are filled with silence.

    Args:
        path: a folder of .wav files, in any of its subfolders.
        source_path: a folder with the same files, noisy, or null.
        test_share: of the files, chosen by name, that is held out as `test`.
        length: T.
        rate: in Hz, which all files must have; null for that of the first.
        emphasis: of high frequencies, undone where waves are written.
        channels: 1, or null.
        num_classes: null.
        image_size: null.
    """

    def __init__(
        self,
        path: Path | None,
        source_path: Path | None,
        test_share: float,
        length: int,
        rate: int | None,
        emphasis: float,
        channels: int | None,
        num_classes: int | None = None,
        image_size: None = None,
    ) -> None:
        known_classes("wav", num_classes, 0)
        known_share(test_share)
        if not path:
            raise ConfigError("data.path is missing: a folder of WAV files")
        if length < 64 or not 0 <= emphasis < 1:
            raise ConfigError(f"data.length={length} data.emphasis={emphasis}: at least 64, and from 0 to below 1")
        self.path, self.source_path = Path(path), Path(source_path) if source_path else None
        self.length, self.emphasis, self.test_share = length, emphasis, test_share
        self.files = wave_files(self.path, f"data.path={path}")
        if rate is not None and rate < 1:
            raise ConfigError(f"data.rate={rate} must be at least 1, or null for that of the first file")
        self._check_size()
        self.rate = rate or read_wave(self.files[0])[1]
        self.found = {"rate": self.rate}
        self.shape = DataShape((1, length))

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("wav", split, ("train", "test"))
        held = held_out([os.fsencode(file.relative_to(self.path)) for file in self.files], self.test_share)
        clean, noisy = [], []
        for index in members(held, self.test_share, split).tolist():
            file = self.files[index]
            wave = pieces(file, self.length, self.rate, self.emphasis)
            clean.append(wave)
            if self.source_path is not None:
                other = self.source_path / file.relative_to(self.path)
                if not other.is_file():
                    raise ConfigError(f"data.source_path={self.source_path} has no {file.relative_to(self.path)}")
                source = pieces(other, self.length, self.rate, self.emphasis)
                if len(source) != len(wave):
                    raise ConfigError(f"{other} and {file} are of different lengths")
                noisy.append(source)
        return InMemory(torch.cat(clean), None, {"source": torch.cat(noisy)} if noisy else None)

    def _check_size(self) -> None:
        """Raise ConfigError if what is read of the files does not fit into the memory; shorter ones are filled up."""
        sizes = (file.stat().st_size if file.is_file() else 0 for file in self.files)
        check_size(
            f"data.path={self.path} data.length={self.length}", sum(4 * max(size, self.length) for size in sizes)
        )


def wave_files(folder: Path, where: str) -> list[Path]:
    """Return a folder's .wav files, in any of its subfolders, in order.

    Raises:
        ConfigError: there are none; `where` says how the folder was named.
    """
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() == ".wav")
    if not files:
        raise ConfigError(f"{where}: there are no .wav files in it")
    return files


def pieces(file: Path, length: int, rate: int, emphasis: float) -> Tensor:
    """Return a file's wave with emphasis in pieces (N, 1, length); see `WavFolder`.

    Raises:
        ConfigError: it cannot be read, or has another rate.
    """
    wave, own = read_wave(file)
    if own != rate:
        raise ConfigError(f"{file} has {own} Hz and the others {rate}: all must have one rate (data.rate)")
    wave = emphasised(wave, emphasis)
    if len(wave) < length:
        wave = torch.cat([wave, wave.new_zeros(length - len(wave))])
    count = len(wave) // length
    return wave[: count * length].reshape(count, 1, length).contiguous()
