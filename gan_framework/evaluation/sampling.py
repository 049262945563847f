"""The samples of a game that are scored."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gan_framework.config.schema import EvaluateConfig
from gan_framework.core import seeding
from gan_framework.core.game import Game
from gan_framework.core.records import Latent
from gan_framework.data import Data
from gan_framework.errors import ConfigError, NonFinite, RunFailed
from gan_framework.evaluation import decoding
from gan_framework.evaluation.cost import Cost
from gan_framework.evaluation.inputs import Inputs
from gan_framework.evaluation.protocol import Protocol
from gan_framework.evaluation.sampler import AVERAGED, Sampler, as_promised
from gan_framework.storage.images import to_uint8

log = logging.getLogger(__name__)

STANDING_BATCHES = 16
"""Batches from which standing statistics are estimated."""

REDRAWS = 1000
"""How often entries beyond the truncation are drawn again before it counts as impossible."""


def inputs_for(game: Game, data: Data | None, count: int, seed: int = 0, kept: int = 0) -> Inputs | None:
    """Return what `count` samples are made of; None for games that draw them from the prior alone.

    Args:
        game: what is scored.
        data: what samples are made of, where they are.
        count: how many samples are wanted.
        seed: the sample seed.
        kept: how many of them are kept for metrics that read some.

    Raises:
        ConfigError: the game needs data, and there are none.
    """
    if game.generates_from is None:
        return None
    if data is None:
        raise ConfigError(f"{type(game).__name__} makes samples of samples, and none are given")
    return Inputs(data, count, game.device, seed, kept)


def draw_latents(
    game: Game, settings: EvaluateConfig, seed: int, labels: Tensor | None, inputs: Inputs | None = None
) -> Latent:
    """Draw the latents to be scored, the same for the same seed whatever the batch size.

    Args:
        game: what is scored.
        settings: how many latents, and their truncation.
        seed: the sample seed.
        labels: of the reference data; a conditional game is asked for labels drawn from them.
        inputs: what samples are made of, where they are: their labels are asked for, and `samples` gives them.

    Raises:
        ConfigError: these latents cannot be truncated.
    """
    random = seeding.generator(seed, "evaluate")
    latents = _draw(game, settings.samples, labels, random, inputs)
    return latents if settings.truncation is None else truncate(game, latents, settings.truncation, random)


def _draw(
    game: Game, count: int, labels: Tensor | None, random: torch.Generator, inputs: Inputs | None = None
) -> Latent:
    asked = None
    if game.conditional and inputs is not None:
        asked = inputs.labels
    elif game.conditional and labels is not None:
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


def batches(
    game: Game,
    latents: Latent,
    batch_size: int,
    sampler: Sampler | None = None,
    random: torch.Generator | None = None,
    inputs: Inputs | None = None,
    cost: Cost | None = None,
) -> Iterator[Tensor]:
    """Yield the samples of latents, float32 in the range that the game is trained on; what its decoder makes of them.

    Args:
        game: what makes them.
        latents: what they are made of.
        batch_size: samples at a time; a sampler may make others of another batch size.
        sampler: draws them; None takes what the network makes.
        random: the random numbers of the sampler.
        inputs: what the latents are given, where samples are made of samples.
        cost: where what the sampler costs is added up.
    """
    cost = Cost() if cost is None else cost
    for start in range(0, len(latents.z), batch_size):
        of = slice(start, start + batch_size)
        part = latents.part(of)
        if inputs is not None:
            part = inputs.give(game, part, of)
        if sampler is None:
            yield decoding.seen(game, _one_each(game.sample(part), len(part.z), "the generator"))
            continue
        assert random is not None, "a sampler needs random numbers"
        with as_promised(game), cost.counting(game, len(part.z)):
            if start == 0:
                sampler.prepare(game, part, random)
            drawn = _one_each(sampler.draw(game, part, random), len(part.z), f"sampler={_name(sampler)}")
            batch = drawn.float().cpu()  # waits until they are there
        yield decoding.seen(game, batch.to(game.device))
    if sampler is not None:
        log.info("sampler=%s took %s", _name(sampler), cost)


def _name(sampler: Sampler) -> str:
    return getattr(sampler, "name", type(sampler).__name__)


def _one_each(samples: Tensor, count: int, who: str) -> Tensor:
    """Return samples, of which there must be one for each latent: else scores would be of other numbers of them.

    Raises:
        RunFailed: there are more or fewer.
    """
    if not isinstance(samples, Tensor) or len(samples) != count:
        found = len(samples) if isinstance(samples, Tensor) else type(samples).__name__
        raise RunFailed(f"{who} gives {found} for {count} latents, not a sample for each")
    return samples


def samples(
    game: Game,
    latents: Latent,
    batch_size: int,
    sampler: Sampler | None = None,
    random: torch.Generator | None = None,
    inputs: Inputs | None = None,
    cost: Cost | None = None,
) -> Iterator[Tensor]:
    """Yield the samples of latents as `batches` does, but 8-bit images quantised to uint8, as they are scored.

    Raises:
        NonFinite: a sample is not finite.
    """
    for batch in batches(game, latents, batch_size, sampler, random, inputs, cost):
        if not batch.isfinite().all():
            raise NonFinite("the generated samples cannot be scored: some hold NaN or infinite values")
        yield to_uint8(batch) if decoding.shape_seen(game).is_8_bit else batch


def check(game: Game, settings: EvaluateConfig, sampler: Sampler | None = None) -> None:
    """Raise ConfigError if the settings have no effect on the game, cannot be had from it or give batches of one."""
    network = game.networks[_network_name(game, settings.ema)]
    if settings.batch_norm != "running" and not _batch_norms(network):
        raise ConfigError(
            f"evaluate.batch_norm={settings.batch_norm} has no effect: the network has no batch norm; use running"
        )
    _check_batches(settings)
    if settings.truncation is not None and (game.prior is None or sampler is not None):
        why = "latents are drawn by the sampler" if sampler is not None else f"{type(game).__name__} draws no latents"
        raise ConfigError(f"evaluate.truncation={settings.truncation} has no effect: {why}; set it to null")
    if sampler is not None:
        sampler.check(game)


def _check_batches(settings: EvaluateConfig) -> None:
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
def sampling_as(
    game: Game,
    settings: EvaluateConfig,
    labels: Tensor | None,
    sampler: Sampler | None = None,
    data: Data | None = None,
) -> Iterator[Protocol]:
    """Let the game sample from the network and with the batch norm that the settings ask for.

    What has to change is changed in a copy of the network. Yields the protocol's fields.

    Args:
        game: what is scored.
        settings: how it samples.
        labels: of the reference data, or None.
        sampler: what samples will be drawn by; None for the network alone.
        data: what samples are made of, for games that make samples of samples.

    Raises:
        ConfigError: the game has no averaged weights, the network no batch norm, or the sampler does not fit the game.
    """
    check(game, settings, sampler)
    name = game.sampling_network
    chosen = _network_name(game, settings.ema)
    game.sampling_network = chosen
    original = game.networks[chosen]
    try:
        if settings.batch_norm != "running":
            game.networks[chosen] = _with_own_statistics(original, settings.batch_norm)
        if settings.batch_norm == "standing":
            _estimate_statistics(game, settings, labels, data)
        yield {
            "ema": chosen.endswith(AVERAGED),
            "batch_norm": _describe(settings),
            **({"sampler": {"name": sampler.name, **sampler.settings()}} if sampler is not None else {}),
        }
    finally:
        game.networks[chosen] = original
        game.sampling_network = name


def _network_name(game: Game, ema: bool | None) -> str:
    name = game.sampling_network
    if ema is None:
        return name
    chosen = f"{name.removesuffix(AVERAGED)}{AVERAGED}" if ema else name.removesuffix(AVERAGED)
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
def _estimate_statistics(game: Game, settings: EvaluateConfig, labels: Tensor | None, data: Data | None) -> None:
    network = game.networks[game.sampling_network]
    random = seeding.generator(settings.seed, "standing")
    size = settings.batch_size
    inputs = inputs_for(game, data, STANDING_BATCHES * size, settings.seed)
    network.eval()
    for layer in _batch_norms(network):
        layer.train()
    for start in range(0, STANDING_BATCHES * size, size):
        latent = _draw(game, size, labels, random)
        if inputs is not None:
            latent = inputs.give(game, latent, slice(start, start + size))
        game.generate(latent, game.sampling_network)
    network.eval()


def _describe(settings: EvaluateConfig) -> str:
    return {
        "running": "running",
        "batch": f"batch of {min(settings.batch_size, settings.samples)}",
        "standing": f"standing, {STANDING_BATCHES} batches of {settings.batch_size}",
    }[settings.batch_norm]
