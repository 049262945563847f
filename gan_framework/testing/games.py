"""The contracts of games, and of schedules, strategies and priors."""

from __future__ import annotations

import copy
import io
from typing import Any

import torch
from torch import Tensor

from gan_framework.core import seeding
from gan_framework.core.contracts.prior import Prior
from gan_framework.core.game import Game
from gan_framework.core.records import Latent
from gan_framework.errors import ConfigError
from gan_framework.evaluation import drawing, latents
from gan_framework.testing.guards import expect, expect_finite, own_randomness, same
from gan_framework.testing.samples import BATCH_SIZE
from gan_framework.testing.subject import Subject, calls_in

# -- games, and all that plays in them --------------------------------------------------------------


def play(subject: Subject, game: Game, steps: range) -> list[dict[str, Tensor]]:
    """Play steps of a game on the data; what is random in a step follows from its number."""
    measured = []
    for step in steps:
        seeding.reseed(0, "step", step)
        draws = iter(range(1000 * step, 1000 * (step + 1)))
        with own_randomness("a step"):
            measured.append(game.step(lambda draws=draws: subject.batch(next(draws))))  # type: ignore[misc]
    return measured


def plays_on_exactly(subject: Subject) -> None:
    """Saved, loaded into a new game and played on, the game goes the way it would have gone."""
    first = subject.game(seed=0)
    play(subject, first, range(2))
    saved = io.BytesIO()
    torch.save(first.state_dict(), saved)
    expected = play(subject, first, range(2, 4))  # what counts in twos is seen in the second of them
    second = subject.game(seed=1)
    saved.seek(0)
    try:
        state = torch.load(saved, weights_only=True)
    except Exception as error:
        expect(False, f"its state holds more than tensors and plain values: {str(error).splitlines()[0]}")
    second.load_state_dict(state)
    found = play(subject, second, range(2, 4))
    expect(
        same(expected, found) and same(_weights(first), _weights(second)),
        "a game saved and loaded with it goes another way than one that was never saved: keep all it remembers in "
        "buffers (or get_extra_state), and the random numbers it draws in steps",
    )


def losses_are_finite(subject: Subject) -> None:
    """Three steps leave finite losses and weights."""
    game = subject.game()
    for measured in play(subject, game, range(3)):
        for name, value in measured.items():
            expect_finite(f"what is measured as {name}", value)
    for name, weight in _weights(game).items():
        expect_finite(f"after three steps {name}", weight)


def measures_well(subject: Subject) -> None:
    """A step returns tensors without a graph: scalars, or flat logits."""
    game = subject.game()
    for name, value in play(subject, game, range(1))[0].items():
        expect(isinstance(value, Tensor), f"a step returns {name} as {type(value).__name__}, not as a tensor")
        expect(value.ndim <= 1, f"a step returns {name} of shape {tuple(value.shape)}: a scalar, or logits (N,)")
        expect(not value.requires_grad, f"a step returns {name} with its graph, which keeps memory: detach it")


def players_move(subject: Subject) -> None:
    """Every player is updated within three steps, and every network that changes is updated by one."""
    game = subject.game()
    before = copy.deepcopy(_weights(game))
    play(subject, game, range(3))
    for name in game.players:
        player = game.player(name)
        expect(player.updates > 0, f"the player {name!r} has not been updated in three steps")
        missing = sum(parameter.grad is None for parameter in player.trained)
        expect(not missing, f"{missing} of the parameters that the player {name!r} updates never receive a gradient")
    updated = {id(parameter) for name in game.players for parameter in game.player(name).trained}
    for name, parameter in game.networks.named_parameters():
        expect(
            id(parameter) in updated or torch.equal(parameter, before[f"networks.{name}"]),
            f"networks.{name} has changed though no player updates it",
        )


def judges_every_sample(subject: Subject) -> None:
    """In each of its pairs the judge says something of every sample."""
    game = subject.game()
    seeding.reseed(0, "pairs")
    for name, pair in game.meet(subject.batch(), graph=False).items():
        if not pair.has_judge:
            continue
        for side, output in zip(("real", "fake"), pair.outputs, strict=True):
            samples = getattr(pair, side)
            expect(
                len(output.logits) == len(samples),
                f"the judge of the pair {name!r} says {len(output.logits)} things of {len(samples)} {side} samples",
            )


def draws_pictures(subject: Subject) -> None:
    """It draws its samples, and samples have the data's shape."""
    game = subject.game()
    play(subject, game, range(1))
    latent = fixed(subject, game, 4)
    samples = game.sample(latent)
    wanted = _sampled_shape(subject, game)
    expect(
        tuple(samples.shape) == (4, *wanted),
        f"sample makes {tuple(samples.shape)} of four latents, and the data have the shape {wanted}",
    )
    picture = drawing.draw(game, latent, columns=2).image
    expect(
        picture.dtype == torch.uint8 and picture.ndim == 3 and picture.shape[0] in (1, 3),
        f"its picture is {picture.dtype} {tuple(picture.shape)}, not uint8 (1 or 3, H, W)",
    )


def fixed(subject: Subject, game: Game, n: int) -> Latent:
    """Return what n samples are made of, always the same."""
    return latents.fixed_latent(game, n, seed=0, inputs=subject.batch())


def _sampled_shape(subject: Subject, game: Game) -> tuple[int, ...]:
    """Return the shape of a game's samples: that of the real ones in the pair for which they are made."""
    calls = calls_in(game, [game.sampling_network], subject.batch()) if game.sampling_network in game.networks else []
    return next((call.wanted for call in calls if call.wanted is not None), subject.shape.sample)


def has_effect(subject: Subject) -> None:
    """A strategy changes something: a game with it is not the game without it."""
    outcomes = []
    for without in (False, True):
        try:
            game = subject.game(without=without)
        except ConfigError:
            if without:
                return  # what is no game without it would not be this game
            raise
        measured = play(subject, game, range(2))
        updates = {name: game.player(name).updates for name in game.players}
        sampled = game.sample(fixed(subject, game, 2)) if game.generates else None
        settings = [_plain(group) for name in game.players for group in game.player(name).optimizer.param_groups]
        outcomes.append((measured, updates, sampled, settings, _weights(game)))
    expect(
        not same(outcomes[0], outcomes[1]),
        "a game with it is the same as one without it: if something in the game leaves it without effect, raise a "
        "ConfigError in `apply` that names both",
    )


def _weights(game: Game) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in game.named_parameters()}


def _plain(group: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in group.items() if key != "params"}


# -- priors -----------------------------------------------------------------------------------------


def draws_latents(subject: Subject) -> None:
    """Latents have the size they say, follow from the generator they are given, and hold their codes."""
    prior: Prior = subject.build()
    cpu = torch.device("cpu")
    with own_randomness("draw, given a generator,", torch_too=True):
        first, again, other = (prior.draw(BATCH_SIZE, cpu, seeding.generator(seed, "prior")) for seed in (0, 0, 1))
    expect(
        tuple(first.z.shape) == (BATCH_SIZE, prior.dim) and first.z.dtype == torch.float32,
        f"z is {first.z.dtype} {tuple(first.z.shape)}, not float32 ({BATCH_SIZE}, dim={prior.dim})",
    )
    expect_finite("z", first.z)
    expect(torch.equal(first.z, again.z), "draw gives different latents for the same generator")
    expect(not torch.equal(first.z, other.z), "draw gives the same latents for different generators")
    torch.manual_seed(0)
    expect(not torch.equal(prior.draw(4, cpu).z, prior.draw(4, cpu).z), "draw without a generator repeats itself")
    for name, code in first.code.items():
        expect(len(code) == BATCH_SIZE, f"the code {name!r} has {len(code)} values for {BATCH_SIZE} latents")
        varied = prior.vary(first, name)
        expect(len(varied) > 1, f"vary shows {len(varied)} values of the code {name!r}")
        expect(
            all(latent.z.shape == first.z.shape for latent in varied) and not torch.equal(varied[0].z, varied[-1].z),
            f"vary does not change z for the code {name!r}",
        )


PLAYED = [plays_on_exactly, losses_are_finite, measures_well]
SCHEDULES = [players_move, *PLAYED]
STRATEGIES = [has_effect, *PLAYED]
GAMES = [players_move, judges_every_sample, draws_pictures, *PLAYED]
PRIORS = [draws_latents, *PLAYED]
