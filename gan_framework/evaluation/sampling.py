"""The samples of a game that are scored."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gan_framework.core import seeding
from gan_framework.core.game import Game
from gan_framework.core.records import Latent
from gan_framework.errors import ConfigError, RunFailed
from gan_framework.evaluation.protocol import Protocol
from gan_framework.evaluation.settings import Settings
from gan_framework.storage.images import to_uint8

STANDING_BATCHES = 16
"""Batches from which standing statistics are estimated."""

REDRAWS = 1000
"""How often entries beyond the truncation are drawn again before it counts as impossible."""


def draw_latents(game: Game, settings: Settings, seed: int, labels: Tensor | None) -> Latent:
    """Draw the latents to be scored, the same for the same seed whatever the batch size.

    Args:
        game: what is scored.
        settings: how many latents, and their truncation.
        seed: the sample seed.
        labels: of the reference data; a conditional game is asked for labels drawn from them.

    Raises:
        ConfigError: these latents cannot be truncated.
    """
    random = seeding.generator(seed, "evaluate")
    latents = _draw(game, settings.samples, labels, random)
    return latents if settings.truncation is None else truncate(game, latents, settings.truncation, random)


def _draw(game: Game, count: int, labels: Tensor | None, random: torch.Generator) -> Latent:
    asked = None
    if game.conditional and labels is not None:
        asked = labels[torch.randint(len(labels), (count,), generator=random)].to(game.device)
    return game.latent(count, asked, generator=random)


def truncate(game: Game, latents: Latent, threshold: float, random: torch.Generator) -> Latent:
    """Draw every entry again that is larger than the threshold, until none is."""
    if latents.code:
        raise ConfigError("evaluate.truncation cannot be used with latents that hold codes; set it to null")
    z = latents.z
    for _ in range(REDRAWS):
        outside = z.abs() > threshold
        if not outside.any():
            return latents._replace(z=z)
        z = torch.where(outside, game.latent(len(z), latents.labels, generator=random).z, z)
    raise ConfigError(f"evaluate.truncation={threshold} leaves almost no latents of this prior")


def samples(game: Game, latents: Latent, batch_size: int) -> Iterator[Tensor]:
    """Yield the samples of latents, images quantised to uint8 and vectors as they are.

    Raises:
        RunFailed: a sample is not finite.
    """
    for start in range(0, len(latents.z), batch_size):
        batch = game.sample(latents.part(slice(start, start + batch_size)))
        if not batch.isfinite().all():
            raise RunFailed("the generated samples cannot be scored: some hold NaN or infinite values")
        yield to_uint8(batch) if batch.ndim == 4 else batch


def check(game: Game, settings: Settings) -> None:
    """Raise ConfigError if the settings have no effect on the game, cannot be had from it or give batches of one."""
    if not game.generates:
        raise ConfigError(f"metrics score samples, and {type(game).__name__} makes none: set metrics=[]")
    network = game.networks[_network_name(game, settings.ema)]
    if settings.batch_norm != "running" and not _batch_norms(network):
        raise ConfigError(
            f"evaluate.batch_norm={settings.batch_norm} has no effect: the network has no batch norm; use running"
        )
    _check_batches(settings)


def _check_batches(settings: Settings) -> None:
    """Raise ConfigError if batch norm would take statistics from a single sample or from a smaller last batch."""
    if settings.batch_norm == "running":
        return
    size, count = settings.batch_size, settings.samples
    if size < 2:
        raise ConfigError(
            f"evaluate.batch_size={size} must be at least 2 with evaluate.batch_norm={settings.batch_norm}: "
            "a single sample has no statistics"
        )
    if settings.batch_norm == "batch" and count > size and count % size:
        raise ConfigError(
            f"evaluate.samples={count} must be a multiple of evaluate.batch_size={size}, or fewer, with "
            f"evaluate.batch_norm=batch: the last {count % size} would be normalised by statistics of their own"
        )


@contextmanager
def sampling_as(game: Game, settings: Settings, labels: Tensor | None) -> Iterator[Protocol]:
    """Let the game sample from the network and with the batch norm that the settings ask for.

    What has to change is changed in a copy of the network. Yields the protocol's fields.

    Raises:
        ConfigError: the game has no averaged weights, or the network no batch norm.
    """
    check(game, settings)
    name = game.sampling_network
    chosen = _network_name(game, settings.ema)
    game.sampling_network = chosen
    original = game.networks[chosen]
    try:
        if settings.batch_norm != "running":
            game.networks[chosen] = _with_own_statistics(original, settings.batch_norm)
        if settings.batch_norm == "standing":
            _estimate_statistics(game, settings, labels)
        yield {"ema": chosen.endswith("_ema"), "batch_norm": _describe(settings)}
    finally:
        game.networks[chosen] = original
        game.sampling_network = name


def _network_name(game: Game, ema: bool | None) -> str:
    name = game.sampling_network
    if ema is None:
        return name
    chosen = f"{name.removesuffix('_ema')}_ema" if ema else name.removesuffix("_ema")
    if chosen not in game.networks:
        raise ConfigError("evaluate.ema=true needs averaged weights, and this model was trained without strategy=[ema]")
    return chosen


def _batch_norms(network: nn.Module) -> list[_BatchNorm]:
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


def _with_own_statistics(network: nn.Module, mode: str) -> nn.Module:
    changed = copy.deepcopy(network)
    for layer in _batch_norms(changed):
        if mode == "batch":
            # Without running statistics a layer uses the batch's, in evaluation mode too.
            layer.track_running_stats, layer.running_mean, layer.running_var = False, None, None
        else:
            layer.reset_running_stats()
            layer.momentum = None  # a plain average over all batches
    return changed


@torch.no_grad()
def _estimate_statistics(game: Game, settings: Settings, labels: Tensor | None) -> None:
    network = game.networks[game.sampling_network]
    random = seeding.generator(settings.seed, "standing")
    network.eval()
    for layer in _batch_norms(network):
        layer.train()
    for _ in range(STANDING_BATCHES):
        game.generate(_draw(game, settings.batch_size, labels, random), game.sampling_network)
    network.eval()


def _describe(settings: Settings) -> str:
    return {
        "running": "running",
        "batch": f"batch of {min(settings.batch_size, settings.samples)}",
        "standing": f"standing, {STANDING_BATCHES} batches of {settings.batch_size}",
    }[settings.batch_norm]
