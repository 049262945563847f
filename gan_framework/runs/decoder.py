"""The decoder that `data.decoder` names: a network of another run, or what was exported of one as ONNX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gan_framework.core.checks import evaluation_mode
from gan_framework.core.game import Game
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.decoding import Decoder
from gan_framework.registry.paths import absolute
from gan_framework.runs.exported import sha256
from gan_framework.storage import tensors

ONNX = ".onnx"

Load = Callable[[Path, torch.device], tuple[Game, dict[str, Any]]]


def opened(data: Mapping[str, Any], shape: DataShape, device: torch.device, load: Load) -> Decoder | None:
    """Return the decoder that the settings of `data` name, tried on two blank samples; None where they name none.

    Args:
        data: the settings.
        shape: of the latents.
        device: where samples are decoded.
        load: rebuilds the game of a run.

    Raises:
        ConfigError: there is no such run, file or network, or it does not decode these data.
    """
    named, network = data.get("decoder"), data.get("decoder_network")
    if not named:
        if network:
            raise ConfigError(f"data.decoder_network={network} names a network of data.decoder: set that too")
        return None
    path, setting = absolute(named), f"data.decoder={named}"
    if path.suffix == ONNX:
        if network:
            raise ConfigError(f"data.decoder_network={network} has no effect: {named} holds one network")
        return _of_onnx(path, shape, setting)
    try:
        game, _ = load(path, device)
    except ConfigError as error:
        raise ConfigError(f"{setting}: {error}") from error
    name = network or game.sampling_network
    try:
        module = game.networks.get_submodule(name)
    except AttributeError:
        raise ConfigError(
            f"data.decoder_network={name}: the run has the networks {', '.join(game.networks)}, or one within them: "
            "autoencoder.decoder"
        ) from None

    def decode(latents: Tensor) -> Tensor:
        with evaluation_mode(module):
            made: Tensor = module(latents.to(device))
        return made.to(latents.device)

    return Decoder.tried(decode, shape, _hash(module), f"{setting} ({name})")


def _hash(module: nn.Module) -> str:
    state = {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}
    return tensors.sha256(state)


def _of_onnx(path: Path, shape: DataShape, setting: str) -> Decoder:
    """Return what an ONNX file computes: operations alone, none of which runs code or reads files."""
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise ConfigError(f"{setting} needs the package onnxruntime: pip install 'gan-framework[onnx]'") from None
    if not path.is_file():
        raise ConfigError(f"{setting}: there is no such file")
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    except Exception as error:  # whatever the library makes of a file that is somebody else's
        raise ConfigError(f"{setting} is no ONNX model: {' '.join(str(error).split())[:200]}") from error
    inputs = [entry.name for entry in session.get_inputs()]
    if len(inputs) != 1:
        raise ConfigError(f"{setting} takes {', '.join(inputs)}, and a decoder takes samples alone")

    def decode(latents: Tensor) -> Tensor:
        made = session.run(None, {inputs[0]: latents.cpu().numpy()})[0]
        return torch.from_numpy(made).to(latents.device)

    return Decoder.tried(decode, shape, sha256(path), setting)
