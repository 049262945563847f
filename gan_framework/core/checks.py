"""What is known of a game before its first step, by trying it on blank samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gan_framework.core.contracts.networks import Discriminator
from gan_framework.core.judge import Judge
from gan_framework.core.pair import MAIN, Meeting, Pair
from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError

if TYPE_CHECKING:
    from gan_framework.core.game import Game
    from gan_framework.core.player import Player

BLANKS = 2


@contextmanager
def evaluation_mode(network: nn.Module) -> Iterator[None]:
    """Keep a network, with all in it, in evaluation mode inside the context."""
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def blank(shape: DataShape, n: int = BLANKS, device: torch.device | str = "cpu") -> Batch:
    """Return n blank samples of a shape with labels, extras and batches of further sources."""
    zeros = partial(torch.zeros, device=device)
    samples = zeros(n, *shape.sample)
    if shape.vocabulary:
        samples[..., 0] = 1
    labels = None
    if shape.condition_dim:
        labels = zeros(n, shape.condition_dim)
    elif shape.num_classes:
        labels = zeros(n).long() + shape.num_classes - 1  # the last, which a network for fewer classes does not know
    extra = {name: zeros(n, *of_one) for name, of_one in shape.extra.items()}
    extra |= {name: extra[name].long() for name in shape.integers}
    others = {name: blank(other, n, device) for name, other in shape.others.items()}
    return Batch(samples, labels, extra, torch.arange(n, device=device), others)


@contextmanager
def without_a_trace(game: Game) -> Iterator[None]:
    """Leave no gradient, no running statistics and no random number behind."""
    with torch.no_grad(), evaluation_mode(game.networks), forked_random_numbers(game.device):
        yield


@contextmanager
def _tried(game: Game, complaint: str) -> Iterator[None]:
    """Leave no trace, and let what fails inside be a ConfigError that begins with a complaint."""
    try:
        with without_a_trace(game):
            yield
    except ConfigError:
        raise
    except (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
        raise ConfigError(f"{complaint}: {error}") from error


@contextmanager
def forked_random_numbers(device: torch.device) -> Iterator[None]:
    """Have torch's random numbers go on after the context as if it had not been."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield


def try_meeting(game: Game, batch: Batch | None = None) -> Meeting:
    """Return the pairs that the game's players face, over blank samples unless others are given."""
    batch = blank(game.data, device=game.device) if batch is None else batch
    with without_a_trace(game):
        return game.pair_up(batch, game.latent_for(batch))


def check_pairs(game: Game, pairs: Callable[[Batch], Mapping[str, Pair]], one_each: bool = False) -> None:
    """See that generated samples have the shape of the real ones, and that the judges take both.

    Args:
        game: the game.
        pairs: makes the pairs of a blank batch.
        one_each: whether there should be a sample for each latent.

    Raises:
        ConfigError: the shapes do not fit.
    """
    with _tried(game, f"the networks do not fit the data {game.data.sample}"):
        meeting = pairs(blank(game.data, device=game.device))
        for pair in meeting.values():
            if pair.has_judge:
                pair.outputs  # noqa: B018 (asks the judge about both sides)
    for name, pair in meeting.items():
        if isinstance(pair.judge, Judge) and isinstance(pair.judge.network, Discriminator):
            _check_logits(pair.judge, pair.fake_output.logits, len(pair.fake))
        made, real = tuple(pair.fake.shape[1:]), tuple(pair.real.shape[1:])
        if made != real:
            where = "" if name == MAIN else f" in the pair {name!r}"
            raise ConfigError(f"the generator makes samples {made}{where}, but the data are {real}")
        if one_each and len(pair.fake) != len(pair.latent.z):
            raise ConfigError(
                f"networks.generator makes {len(pair.fake)} samples of {len(pair.latent.z)} latents, not one of each"
            )


def _check_logits(judge: Judge, logits: Tensor, count: int) -> None:
    """Raise ConfigError if a discriminator without patches says anything but one number of each sample."""
    several = judge.network.patches or type(judge.network).forward is not Discriminator.forward
    if not several and tuple(logits.shape) != (count,):
        raise ConfigError(
            f"networks.{judge.name} says {tuple(logits.shape)} of {count} samples, not one number of each: its "
            "`output` must map the flat penultimate features (N, A) to (N, 1), unless the class says patches = True"
        )


def scalar(value: object, what: str) -> None:
    """Raise ConfigError if what a loss or a term has returned is no tensor of one number."""
    if not isinstance(value, Tensor):
        raise ConfigError(f"{what} returns {type(value).__name__}, not a tensor of one number")
    if value.numel() != 1:
        raise ConfigError(f"{what} returns the shape {tuple(value.shape)}, not a scalar: take the mean")


def check_loss(game: Game, player: Player, meeting: Meeting) -> None:
    """Raise ConfigError if a player's parts of the loss cannot be computed of what is said of blank samples."""
    with _tried(game, f"the loss {type(game.loss).__name__} does not fit what the player {player.name!r} faces"):
        losses = player.adversarial(player.pairs(meeting))
    for name, loss in losses.items():
        scalar(loss, f"the {name} loss of the player {player.name!r}, {type(game.loss).__name__}")
