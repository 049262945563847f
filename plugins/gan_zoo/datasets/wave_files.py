"""Files of waves, WAV."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan_framework.api import ConfigError, atomic, refuse_link
from gan_zoo.datasets.checks import known_file
from gan_zoo.waves import deemphasised

WIDTHS = {1: ("u1", 128.0, 128.0), 2: ("<i2", 0.0, 2.0**15), 4: ("<i4", 0.0, 2.0**31)}
"""By the bytes of a value its type, what is silence, and what is full."""

LARGEST = 2**30
"""The largest file that is read, in bytes: three hours of 44,100 Hz, 16 bits and two channels fit."""

MOST_CHANNELS = 64

MOST_RATE = 10**7
"""In Hz; a number in a file's head is no more than that."""

FRAMES = 2**18
"""Values of each channel that are brought to numbers at a time."""


def read_wave(path: Path) -> tuple[Tensor, int]:
    """Return a WAV file's wave (T,) in [-1, 1], its channels averaged, and its rate in Hz.

    Raises:
        ConfigError: it is no WAV file of whole numbers, cut short, or larger than `LARGEST`.
    """
    known_file(path, LARGEST)
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            if not (1 <= width <= 4 and channels <= MOST_CHANNELS and 0 < rate <= MOST_RATE):
                raise ValueError(f"it has {8 * width} bits, {channels} channels and {rate} Hz")
            announced, size = file.getnframes(), width * channels
            pieces = iter(lambda: file.readframes(FRAMES), b"")
            parts = [_values(piece[: len(piece) // size * size], width, channels) for piece in pieces]
    except Exception as error:  # a damaged head can make the library raise anything
        reason = str(error) or type(error).__name__
        raise ConfigError(f"{path} is no WAV file of whole numbers (PCM): {reason}") from error
    found = torch.from_numpy(np.concatenate(parts) if parts else np.zeros(0, np.float32))
    if len(found) != announced or not announced:
        raise ConfigError(f"{path} is cut short or empty: it announces {announced:,} values and holds {len(found):,}")
    return found, rate


def _values(content: bytes, width: int, channels: int) -> np.ndarray:
    """Return whole frames as values (n,) float32, the channels averaged."""
    if width == 3:
        # Three bytes become the upper ones of four.
        raw = np.frombuffer(content, np.uint8).reshape(-1, 3)
        content, width = np.pad(raw, ((0, 0), (1, 0))).tobytes(), 4
    kind, silence, full = WIDTHS[width]
    values = (np.frombuffer(content, np.dtype(kind)).astype(np.float64) - silence) / full
    averaged: np.ndarray = values.reshape(-1, channels).mean(1).astype(np.float32)
    return averaged


def write_wave(path: Path, values: Tensor, rate: int) -> None:
    """Write a wave (C, T) in [-1, 1] as a WAV file of 16 bits; what is beyond is cut off."""
    numbers = (values.clamp(-1, 1).T.numpy() * 32767).round().astype("<i2")
    with atomic(path) as whole, wave.open(whole, "wb") as file:
        file.setnchannels(values.shape[0])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(numbers.tobytes())


def write_waves(path: Path, samples: Tensor, rate: int, emphasis: float) -> list[Path]:
    """Write waves (N, C, T) as `000000.wav` and so on, in a folder beside a picture and named after it."""
    folder = path.with_name(f"{path.stem}_wav")
    refuse_link(folder)
    files = []
    for number, values in enumerate(deemphasised(samples.float(), emphasis)):
        files.append(folder / f"{number:06d}.wav")
        write_wave(files[-1], values, rate)
    return files
