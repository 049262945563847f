"""Generators in forms that run without this framework: ONNX and TorchScript."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gan_framework.core.game import Game
from gan_framework.core.records import Latent
from gan_framework.errors import ConfigError
from gan_framework.evaluation import latents
from gan_framework.library.model import Model
from gan_framework.storage import files

OPSET = 20
"""The first that has affine grids."""
TOLERANCE = 1e-5
"""How far an exported generator's samples may be from the model's."""

NUMBERS = (2, 5)
"""Of how many samples a generator is traced, and of how many it is tried."""


class Drawn(nn.Module):
    """A generator as a function of tensors alone: z (N, D), and labels where they change what is generated."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return samples (N, ...) of latents."""
        samples: Tensor = self.generator(z, labels)
        return samples.float()


class Kept(nn.Module):
    """Stands for a parametrization, and gives the tensor that it has made."""

    tensor: Tensor

    def __init__(self, tensor: Tensor) -> None:
        super().__init__()
        self.register_buffer("tensor", tensor.detach().clone())

    def forward(self) -> Tensor:
        """Return the tensor."""
        return self.tensor


def onnx(model: Model, path: Path) -> None:
    """Write a generator as ONNX, for any number of samples, and see that it makes the model's samples.

    Raises:
        ConfigError: it cannot be written so, or the packages are not installed.
    """
    try:
        import onnx as checker
        import onnxruntime
    except ModuleNotFoundError as error:
        raise ConfigError(f"--format onnx needs the package {error.name}: pip install 'gan-framework[onnx]'") from None
    drawn, inputs = _prepared(model, "onnx")
    names = ["z", "labels"][: len(inputs)]
    written: Any = io.BytesIO()

    def write() -> None:
        torch.onnx.export(
            drawn,
            inputs,
            written,
            input_names=names,
            output_names=["samples"],
            dynamic_axes={name: {0: "n"} for name in (*names, "samples")},
            opset_version=OPSET,
            dynamo=False,
        )
        checker.checker.check_model(checker.load_from_string(written.getvalue()))

    _attempt(write, "onnx", model)
    session = onnxruntime.InferenceSession(written.getvalue(), providers=["CPUExecutionProvider"])
    wanted = [one.name for one in session.get_inputs()]  # a label that has no influence is no input

    def draw(*given: Tensor) -> Tensor:
        named = {name: tensor.numpy() for name, tensor in zip(names, given, strict=True) if name in wanted}
        return torch.from_numpy(session.run(None, named)[0])

    _compare(model, draw, "onnx")
    with files.atomic(path) as file:
        file.write(written.getvalue())


def torchscript(model: Model, path: Path) -> None:
    """Write a generator as TorchScript, which needs torch alone, and see that it makes the model's samples.

    Raises:
        ConfigError: it cannot be written so.
    """
    drawn, inputs = _prepared(model, "torchscript")
    written = io.BytesIO()
    _attempt(lambda: torch.jit.save(torch.jit.trace(drawn, inputs), written), "torchscript", model)
    written.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded: Callable[..., Tensor] = torch.jit.load(written)
    _compare(model, loaded, "torchscript")
    with files.atomic(path) as file:
        file.write(written.getvalue())


def _prepared(model: Model, form: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
    game = model.game
    if game.generates_from is not None or game.prior is None:
        raise ConfigError(
            f"--format {form} is for generators of latents, and {type(game).__name__} makes samples of something else"
        )
    return Drawn(_plain(model.generator)).eval(), _inputs(game, latents.fixed_latent(game, NUMBERS[0], 0))


def _plain(generator: nn.Module) -> nn.Module:
    """Return a copy in evaluation mode in which weights are what parametrizations (spectral norm) make of them."""
    memo: dict[int, Any] = {}
    copied = copy.deepcopy(generator, memo).eval()
    for part in memo.values():  # those of networks within that are no submodules, which stay with their players, too
        if isinstance(part, nn.Parameter):
            part.requires_grad_(False)
    for layer in copied.modules():
        around = getattr(layer, "parametrizations", None)
        if isinstance(around, nn.ModuleDict):
            # Not removed: the class of the layer is that of the original too, and would lose its weight.
            around.update({name: Kept(getattr(layer, name)) for name in around})
    return copied


def _inputs(game: Game, latent: Latent) -> tuple[Tensor, ...]:
    return (latent.z, latent.labels) if game.conditional and latent.labels is not None else (latent.z,)


def _attempt(write: Callable[[], Any], form: str, model: Model) -> None:
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of deprecations, and of Python values that a trace keeps
            write()
    except Exception as error:  # whatever the exporter makes of a plugin's network
        reason = " ".join(str(error).split())[:300]
        raise ConfigError(
            f"{type(model.generator).__name__} cannot be written as {form}: {type(error).__name__}: {reason}"
        ) from error


@torch.no_grad()
def _compare(model: Model, draw: Callable[..., Tensor], form: str) -> None:
    """Raise ConfigError if what was written makes other samples, of another number of latents than it was made of."""
    latent = latents.fixed_latent(model.game, NUMBERS[1], 1)
    wanted = model.game.sample(latent)
    try:
        found = draw(*_inputs(model.game, latent))
    except Exception as error:  # of whatever runs it
        raise ConfigError(
            f"as {form}, {type(model.generator).__name__} makes {NUMBERS[0]} samples and fails with {NUMBERS[1]}, as "
            f"the number of samples is fixed within it (`x.shape[0]` can be traced, `len(x)` cannot): "
            f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        ) from error
    if wanted.shape != found.shape:
        raise ConfigError(
            f"{type(model.generator).__name__} alone makes {tuple(found.shape[1:])}, and the model's samples are "
            f"{tuple(wanted.shape[1:])}: other networks make them of it, which {form} would lack"
        )
    distance = float((wanted - found).abs().max())
    if not distance <= TOLERANCE:
        raise ConfigError(
            f"as {form}, {type(model.generator).__name__} makes other samples than in torch, by {distance:.2g}: it "
            "decides something by its inputs, or draws random numbers of its own"
        )
