"""The contract of samplers."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor

from gan_framework.core import seeding
from gan_framework.core.game import Game
from gan_framework.evaluation import held_out
from gan_framework.evaluation.sampler import Sampler, as_promised
from gan_framework.testing.games import fixed, play
from gan_framework.testing.guards import expect, expect_finite, inputs_kept, own_randomness, same
from gan_framework.testing.subject import Subject

DRAWN = 4
"""How many samples are drawn."""


def _trained(subject: Subject) -> Game:
    game = subject.game()
    play(subject, game, range(1))
    return game


def _drawn(subject: Subject, game: Game, sampler: Sampler, seed: int = 0) -> Tensor:
    random, latent = seeding.generator(seed, "sampler"), fixed(subject, game, DRAWN)
    sampler.check(game)
    if sampler.held_out:
        held_out.show(sampler, game, [subject.batch()])
    with (
        own_randomness("drawing", torch_too=True),
        inputs_kept("draw", z=latent.z, labels=latent.labels, **latent.given),
        as_promised(game),
    ):
        sampler.prepare(game, latent, random)
        return sampler.draw(game, latent, random)


def draws_samples(subject: Subject) -> None:
    """It draws a sample for each latent, of the shape and the type that the game itself makes."""
    game, sampler = _trained(subject), subject.build()
    expect(
        getattr(sampler, "name", None) == subject.name.rpartition(":")[2],
        "its attribute `name` is not its entry point's name, by which protocols call it",
    )
    samples, own = _drawn(subject, game, sampler), game.sample(fixed(subject, game, DRAWN))
    expect(
        samples.shape == own.shape and samples.dtype == own.dtype,
        f"draw gives {samples.dtype} {tuple(samples.shape)} for {DRAWN} latents, and the game's own samples are "
        f"{own.dtype} {tuple(own.shape)}",
    )
    expect(not samples.requires_grad, "the samples that draw gives have a graph: detach them")
    expect_finite("what draw gives", samples)


def follows_from_its_random_numbers(subject: Subject) -> None:
    """What it draws follows from the random numbers that it is given, whatever it has drawn before."""
    game = _trained(subject)
    used = subject.build()
    _drawn(subject, game, used, seed=1)
    expect(
        torch.equal(_drawn(subject, game, used), _drawn(subject, game, subject.build())),
        "prepared anew and given the same random numbers it draws other samples than before: keep nothing of what was "
        "drawn, and draw from the generator it is given alone",
    )


def leaves_the_game_alone(subject: Subject) -> None:
    """The game, and the sampler's own settings, are afterwards as they were."""
    game, sampler = _trained(subject), subject.build()
    before, settings = _state(game), copy.deepcopy(sampler.settings())
    _drawn(subject, game, sampler)
    after = _state(game)
    changed = [name for name in before if not same(before[name], after.get(name))]
    expect(
        not changed, f"drawing changes the game ({', '.join(changed[:3])}): work on copies, or put back what you change"
    )
    expect(same(sampler.settings(), settings), "drawing changes its public attributes, which are its settings")


def _state(game: Game) -> dict[str, Any]:
    """Return copies of all that a game holds, its networks' modes and gradients among it."""
    modes = {f"the mode of {name}": module.training for name, module in game.named_modules()}
    gradients = {f"the gradient of {name}": parameter.grad for name, parameter in game.named_parameters()}
    return copy.deepcopy({**game.state_dict(), **modes, **gradients, "its networks": list(game.networks)})


SAMPLERS = [draws_samples, follows_from_its_random_numbers, leaves_the_game_alone]
