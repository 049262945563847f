"""Waves: files, emphasis, loudness."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan_framework.api import ConfigError, atomic, refuse_link

WIDTHS = {1: ("u1", 128.0, 128.0), 2: ("<i2", 0.0, 2.0**15), 4: ("<i4", 0.0, 2.0**31)}
"""By the bytes of a value its type, what is silence, and what is full."""


def emphasised(x: Tensor, factor: float) -> Tensor:
    """Return waves (..., T) with y_t = x_t - factor · x_t-1: high frequencies are louder."""
    return torch.cat([x[..., :1], x[..., 1:] - factor * x[..., :-1]], -1)


def deemphasised(y: Tensor, factor: float) -> Tensor:
    """Return waves (..., T) with x_t = y_t + factor · x_t-1, the inverse of `emphasised`."""
    if not factor:
        return y
    found, before = [], torch.zeros_like(y[..., 0])
    for value in y.unbind(-1):
        before = value + factor * before
        found.append(before)
    return torch.stack(found, -1)


def read_wave(path: Path) -> tuple[Tensor, int]:
    """Return a WAV file's wave (T,) in [-1, 1], its channels averaged, and its rate in Hz.

    Raises:
        ConfigError: it is no WAV file of whole numbers.
    """
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            content = file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise ConfigError(f"{path} is no WAV file of whole numbers (PCM): {error}") from error
    if width == 3:
        # Three bytes become the upper ones of four.
        raw = np.frombuffer(content, np.uint8).reshape(-1, 3)
        content, width = np.pad(raw, ((0, 0), (1, 0))).tobytes(), 4
    kind, silence, full = WIDTHS[width]
    values = (np.frombuffer(content, np.dtype(kind)).astype(np.float64) - silence) / full
    return torch.from_numpy(values.reshape(-1, channels).mean(1).astype(np.float32)), rate


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


def snr(truth: Tensor, other: Tensor) -> Tensor:
    """Return the signal-to-noise ratios (N,) in dB of waves (N, C, T) beside the true ones."""
    power = truth.double().square().flatten(1).sum(1)
    noise = (other.double() - truth.double()).square().flatten(1).sum(1)
    return 10 * (power.clamp(min=1e-12) / noise.clamp(min=1e-12)).log10()
