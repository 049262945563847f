"""In which number format a step computes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from gan_framework.errors import ConfigError

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """`fp32`, `tf32` (float32 with faster matrix products on NVIDIA GPUs), `bf16` or `fp16` (autocast)."""

    def __init__(self, name: str, device: torch.device) -> None:
        """Choose a precision for a device.

        Raises:
            ConfigError: the device does not have that precision.
        """
        if name in ("tf32", "fp16") and device.type != "cuda":
            raise ConfigError(
                f"train.precision={name} needs a CUDA device, and this run is on {device.type}; use fp32 or bf16"
            )
        self.name = name
        self.device = device
        self.dtype = AUTOCAST.get(name)
        if device.type == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = name == "tf32"
            torch.backends.cudnn.allow_tf32 = name == "tf32"

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context in which networks compute."""
        if self.dtype is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    def scaler(self) -> torch.amp.GradScaler:
        """Return a gradient scaler, which does nothing except in fp16."""
        return torch.amp.GradScaler(self.device.type, enabled=self.name == "fp16")
