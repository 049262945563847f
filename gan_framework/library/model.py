"""A trained model: its networks, and samples of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gan_framework.build import build_game
from gan_framework.core import seeding
from gan_framework.core.game import Game
from gan_framework.data import build_source
from gan_framework.errors import ConfigError
from gan_framework.evaluation import drawing, latents, sampling
from gan_framework.evaluation.classes import class_numbers
from gan_framework.evaluation.held_out import show_held_out
from gan_framework.evaluation.sampler import AVERAGED, Sampler
from gan_framework.library.shown import Samples
from gan_framework.registry import registry
from gan_framework.registry.paths import absolute
from gan_framework.runs import exported, restore
from gan_framework.runs.device import choose_device
from gan_framework.runs.exported import Exported
from gan_framework.storage import hub, tensors
from gan_framework.storage.numbers import score

SCORES = "eval/"
"""How the names of scores begin among a run's metrics."""


class Model:
    """A trained model.

    Attributes:
        game: all of it: networks, prior, loss.
        config: the configuration that it was trained with.
        where: what it was loaded from.
        step: the step of its training.
        classes: the names of its classes; empty where they have none.
        scores: the scores at that step, by name.
        protocol: how they were measured.
        sampler: draws samples where the configuration names one, else None.
    """

    def __init__(self, game: Game, config: Mapping[str, Any], about: Mapping[str, Any], where: str) -> None:
        self.game = game
        self.config = dict(config)
        self.where = where
        self.step = int(about.get("step") or 0)
        self.classes = [*(config["data"].get("classes") or ())]
        self.scores: dict[str, float] = dict(about.get("scores") or {})
        self.protocol: dict[str, Any] = dict(about.get("protocol") or {})
        self.sampler: Sampler | None = None
        self._shown: Sampler | None = None
        self._networks: frozenset[str] | None = None
        if config.get("sampler"):
            self.sampler = registry.build("samplers", config["sampler"])
            self.sampler.check(game)

    @property
    def generator(self) -> nn.Module:
        """The network that samples come from: the one with averaged weights, where they were averaged."""
        return self.game.networks[self.game.sampling_network]

    @property
    def discriminator(self) -> nn.Module:
        """The discriminator.

        Raises:
            ConfigError: the game has none of that name, or it was not exported.
        """
        network = self.game.discriminator
        if self._networks is not None and "discriminator" not in self._networks:
            raise ConfigError(f"{self.where} was exported without its discriminator: export it with --discriminator")
        return network

    @property
    def device(self) -> torch.device:
        """The device of the networks."""
        return self.game.device

    def sample(
        self,
        n: int = 64,
        classes: Sequence[str | int] | None = None,
        seed: int = 0,
        batch_size: int = 100,
    ) -> Samples:
        """Return samples (n, ...), images in [-1, 1]: those that `gan-framework sample` draws of the same seed.

        Args:
            n: how many.
            classes: the classes to go through in turn, by name or number; None for all.
            seed: what their latents follow from.
            batch_size: samples at a time.

        Raises:
            ConfigError: there is no such class, the model makes samples of other samples, or its sampler asks
                for data that are not here.
        """
        if n < 1 or batch_size < 1:
            raise ConfigError(f"n={n}, batch_size={batch_size}: both must be at least 1")
        game = self.game
        if game.generates_from is not None:
            raise ConfigError(
                f"{type(game).__name__} makes samples of samples: `gan-framework sample --from` gives it some, and "
                "`game.sample(latent)` takes a latent with `given`"
            )
        numbers = None if classes is None else class_numbers(classes, self.classes, "classes=")
        latent = latents.fixed_latent(game, n, seed, numbers)
        random = seeding.generator(seed, "sampler")
        sampler = self.ready_sampler()
        with latents.drawing_from(seed, game.device):
            drawn = torch.cat([*sampling.batches(game, latent, batch_size, sampler, random)])
        symbols = self.config["data"].get("symbols") or ()
        return Samples.of(drawn, drawing.value_range_of(game), game.data.vocabulary, symbols)

    def ready_sampler(self) -> Sampler | None:
        """Return the sampler, shown held-out samples of the data that the configuration names if it asks for some.

        Raises:
            ConfigError: it asks for some, and the data or their held-out split are not here.
        """
        if self._shown is not self.sampler:
            show_held_out(self.sampler, self.game, lambda split: build_source(self.config["data"]).load(split))
            self._shown = self.sampler
        return self.sampler

    def __repr__(self) -> str:
        names = (self.config["networks"].get(self.game.sampling_network.removesuffix(AVERAGED)) or {}).get("name")
        shape = "x".join(map(str, self.game.data.sample))
        scores = "".join(f", {name} {score(value)}" for name, value in self.scores.items())
        return f"Model({names} on {self.config['data']['name']} {shape}, step {self.step:,}{scores})"


def load(source: str | Path, device: str = "auto") -> Model:
    """Load a trained model: `load("outputs/first").sample(16)`.

    Args:
        source: a run's folder (its newest checkpoint), a checkpoint, an exported model's folder or a file in it, or
            `hf:OWNER/NAME` on the Hugging Face Hub.
        device: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.

    Raises:
        ConfigError: there is no such model, it is damaged, or a plugin that it is made of is not installed.
    """
    where = choose_device(device)
    if isinstance(source, str) and hub.is_on_hub(source):
        return _load_exported(Exported.read(hub.fetch(source, only=exported.NEEDED), source), where, source)
    path = absolute(source)
    if path.suffix == tensors.SUFFIX and path.is_file():
        path = path.parent
        if not exported.is_exported(path):
            raise ConfigError(f"{source}: weights alone are no model; beside them must lie {exported.ABOUT}")
    if exported.is_exported(path):
        return _load_exported(Exported.read(path), where, str(source))
    if not path.exists():
        raise ConfigError(f"{source}: there is no such run's folder, checkpoint or exported model")
    game, state = restore.load(path, where)
    return Model(game, state["config"], about(state), str(source))


def about(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a checkpoint says of its model: step, images seen, scores and their protocol.

    Scores that were measured at an earlier step are those of another model; checkpoints of version 0.2 do not say when
    theirs were.
    """
    step = state["clock"]["step"]
    metrics = (state.get("metrics") or {}) if state.get("scored", step) == step else {}
    return {
        "step": step,
        "images_seen": state.get("images_seen"),
        "scores": {name.removeprefix(SCORES): value for name, value in metrics.items() if name.startswith(SCORES)},
        "protocol": state.get("protocol") or {},
    }


def _load_exported(found: Exported, device: torch.device, where: str) -> Model:
    shape = found.shape
    try:
        game = build_game(found.config, shape, device)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    for name in found.networks:
        if name not in game.networks:
            raise ConfigError(f"{where} has weights of a network {name}, and its configuration makes none")
        _take_up(game.networks[name], found, name, where)
        plain = name.removesuffix(AVERAGED)
        if plain != name and plain in game.networks and plain not in found.networks:
            _take_up(game.networks[plain], found, name, where)
    rest = found.rest()
    if "conditions" in rest:
        game.conditions.copy_(rest["conditions"])
    if game.prior is not None:
        own = {name.removeprefix("prior."): tensor for name, tensor in rest.items() if name.startswith("prior.")}
        _load(game.prior, own, f"{where}: prior")
    model = Model(game, found.config, found.about, where)
    model._networks = frozenset(found.networks)
    return model


def _take_up(network: nn.Module, found: Exported, name: str, where: str) -> None:
    _load(network, {**found.weights(name), **((found.about.get("plain") or {}).get(name) or {})}, f"{where}: {name}")


def _load(module: nn.Module, state: Mapping[str, Any], where: str) -> None:
    try:
        module.load_state_dict(dict(state))
    except Exception as error:  # plugins take up the states that they are given, whatever these hold
        raise ConfigError(f"{where} does not fit its configuration: {' '.join(str(error).split())[:300]}") from error
    for name, tensor in module.state_dict().items():
        if isinstance(tensor, torch.Tensor) and not tensor.isfinite().all():
            raise ConfigError(f"{where} holds weights that are not finite: {name}")
