"""The contracts of what makes up a game: losses, terms, schedules, strategies, priors, and games themselves."""

from __future__ import annotations

import copy
import io
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_framework import sampling, seeding
from gan_framework.game import Game
from gan_framework.loss import AdversarialLoss, SeparableLoss
from gan_framework.prior import Prior
from gan_framework.testing.guards import expect, expect_finite, inputs_kept, own_randomness, same
from gan_framework.testing.subject import BATCH_SIZE, Subject
from gan_framework.types import DiscriminatorOutput

CERTAIN = 30.0
"""A logit at which D errs once in 10^13."""


# -- games, and all that plays in them --------------------------------------------------------------


def play(subject: Subject, game: Game, steps: range) -> list[dict[str, Tensor]]:
    """Play steps of a game on noise; what is random in a step follows from its number."""
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
    expected = play(subject, first, range(2, 3))
    second = subject.game(seed=1)
    saved.seek(0)
    try:
        state = torch.load(saved, weights_only=True)
    except Exception as error:
        expect(False, f"its state holds more than tensors and plain values: {str(error).splitlines()[0]}")
    second.load_state_dict(state)
    found = play(subject, second, range(2, 3))
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
    """A step returns tensors without a graph: scalars, or logits (N,)."""
    game = subject.game()
    for name, value in play(subject, game, range(1))[0].items():
        expect(isinstance(value, Tensor), f"a step returns {name} as {type(value).__name__}, not as a tensor")
        expect(value.ndim <= 1, f"a step returns {name} of shape {tuple(value.shape)}: a scalar, or logits (N,)")
        expect(not value.requires_grad, f"a step returns {name} with its graph, which keeps memory: detach it")


def players_move(subject: Subject) -> None:
    """Every player moves within three steps, and every network that is in play is moved by one."""
    game = subject.game()
    before = copy.deepcopy(_weights(game))
    play(subject, game, range(3))
    for name in game.players:
        player = game.player(name)
        expect(player.updates > 0, f"the player {name!r} has not moved in three steps")
        missing = sum(parameter.grad is None for parameter in player.moved)
        expect(not missing, f"{missing} of the parameters that the player {name!r} moves never receive a gradient")
    moved = {id(parameter) for name in game.players for parameter in game.player(name).moved}
    for name, parameter in game.networks.named_parameters():
        expect(
            id(parameter) in moved or torch.equal(parameter, before[f"networks.{name}"]),
            f"networks.{name} has changed though no player moves it",
        )


def draws_pictures(subject: Subject) -> None:
    """It draws its samples, and samples have the data's shape."""
    game = subject.game()
    play(subject, game, range(1))
    if game.prior is None:
        return
    latent = sampling.fixed_latent(game, 4, seed=0)
    samples = game.sample(latent)
    expect(
        tuple(samples.shape) == (4, *subject.shape.sample),
        f"sample makes {tuple(samples.shape)} of four latents, and the data have the shape {subject.shape.sample}",
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.png"
        game.picture(path, latent, columns=2)
        expect(path.is_file() and path.stat().st_size > 0, "picture has written no file")


def has_effect(subject: Subject) -> None:
    """A strategy changes something: a game with it is not the game without it."""
    outcomes = []
    for without in (False, True):
        game = subject.game(without=without)
        measured = play(subject, game, range(2))
        updates = {name: game.player(name).updates for name in game.players}
        sampled = None if game.prior is None else game.sample(sampling.fixed_latent(game, 2, seed=0))
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


# -- losses -----------------------------------------------------------------------------------------


def _outputs(subject: Subject) -> tuple[AdversarialLoss, DiscriminatorOutput, DiscriminatorOutput]:
    """Return a loss, and what a discriminator says of two batches, as leaves that gradients can reach."""
    game = subject.game()
    assert game.loss is not None
    with torch.no_grad():
        said = [game.discriminator(*subject.batch(seed)) for seed in (0, 1)]
    real, fake = (_leaves(output, output.logits + 0.5) for output in said)
    return game.loss, real, fake


def _leaves(output: DiscriminatorOutput, logits: Tensor) -> DiscriminatorOutput:
    return DiscriminatorOutput(
        logits.detach().clone().requires_grad_(),
        tuple(feature.detach().clone().requires_grad_() for feature in output.features),
        {name: head.detach().clone().requires_grad_() for name, head in output.heads.items()},
    )


def _both(loss: AdversarialLoss, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> dict[str, Tensor]:
    return {
        "discriminator()": loss.discriminator(real, fake),
        "generator()": loss.generator(fake, real if loss.generator_needs_real else None),
    }


def gives_scalars(subject: Subject) -> None:
    """Both losses are scalars, means over the batch, and change nothing."""
    loss, real, fake = _outputs(subject)
    with own_randomness("the loss"), inputs_kept("the loss", real=real.logits, fake=fake.logits):
        for name, value in _both(loss, real, fake).items():
            expect(value.shape == (), f"{name} returns the shape {tuple(value.shape)}, not a scalar: take the mean")
            expect_finite(f"what {name} returns", value)
    loss, real, fake = _outputs(subject)
    twice = [_doubled(output) for output in (real, fake)]
    once, doubled = _both(loss, real, fake), _both(_outputs(subject)[0], *twice)
    for name in once:
        expect(
            torch.allclose(once[name], doubled[name], rtol=1e-3, atol=1e-5),
            f"{name} is {once[name]:.4g} for a batch and {doubled[name]:.4g} for the same batch twice: take the mean, "
            "so that train.batch_size does not change the weight of other terms",
        )


def _doubled(output: DiscriminatorOutput) -> DiscriminatorOutput:
    return DiscriminatorOutput(
        torch.cat([output.logits] * 2),
        tuple(torch.cat([feature] * 2) for feature in output.features),
        {name: torch.cat([head] * 2) for name, head in output.heads.items()},
    )


def stays_finite(subject: Subject) -> None:
    """A discriminator that is certain, right or wrong, gives finite losses and gradients."""
    for right in (1.0, -1.0):
        loss, real, fake = _outputs(subject)
        real = _leaves(real, torch.full_like(real.logits, right * CERTAIN))
        fake = _leaves(fake, torch.full_like(fake.logits, -right * CERTAIN))
        for name, value in _both(loss, real, fake).items():
            expect_finite(
                f"with logits of ±{CERTAIN:g} what {name} returns (compute it from logits, with softplus or "
                "logsigmoid, not from probabilities)",
                value,
            )
            if value.requires_grad:
                value.backward(retain_graph=True)
        for output in (real, fake):
            if output.logits.grad is not None:
                expect_finite(f"with logits of ±{CERTAIN:g} the gradient", output.logits.grad)


def pulls_the_right_way(subject: Subject) -> None:
    """The discriminator wants high logits on real samples and low ones on generated; the generator high ones."""
    loss, real, fake = _outputs(subject)
    _both(loss, real, fake)["discriminator()"].backward()
    for name, output, sign in (("real", real, -1), ("generated", fake, 1)):
        gradient = _reached(output, f"discriminator() does not depend on the {name} side")
        wrong = gradient is not None and sign * gradient.sum().item() < 0
        expect(not wrong, f"discriminator() falls when {name} samples are scored wrongly: is a sign wrong?")
    loss, real, fake = _outputs(subject)
    _both(loss, real, fake)["generator()"].backward()
    gradient = _reached(fake, "generator() does not depend on what the discriminator says of the samples")
    expect(
        gradient is None or gradient.sum().item() <= 0,
        "generator() falls when its samples are taken for generated: is a sign wrong?",
    )


def _reached(output: DiscriminatorOutput, message: str) -> Tensor | None:
    """Return the gradient of the logits, None if only features or heads have one; raise if nothing has."""
    inner = any(tensor.grad is not None for tensor in (*output.features, *output.heads.values()))
    expect(output.logits.grad is not None or inner, message)
    return output.logits.grad


def halves_add_up(subject: Subject) -> None:
    """The halves of a separable loss add up to the whole."""
    loss, real, fake = _outputs(subject)
    if isinstance(loss, SeparableLoss):
        halves = loss.real_half(real) + loss.fake_half(fake)
        expect(
            torch.allclose(halves, loss.discriminator(real, fake)),
            "real_half() + fake_half() is not discriminator(): derive from AdversarialLoss if it is no such sum",
        )


# -- terms ------------------------------------------------------------------------------------------


def adds_to_a_player(subject: Subject) -> None:
    """The term is a finite scalar whose gradient reaches what its player moves."""
    game = subject.game()
    term, player = next(
        (term, game.player(name))
        for name in game.players
        for term in game.player(name).terms.values()
        if isinstance(term, type(subject.build()))
    )
    batch = subject.batch()
    for _ in range(2):
        round = game.meet(batch)
        if player.view is not None:
            round = player.view(round)
        with (
            own_randomness("the term"),
            inputs_kept("the term", real=batch.samples, labels=batch.labels, fake=round.fake, z=round.latent.z),
        ):
            value = term(round, player)
        expect(value.shape == (), f"it returns the shape {tuple(value.shape)}, not a scalar: take the mean")
        expect_finite("what it returns", value)
        if not value.requires_grad:  # a first round may only be remembered
            player.play(game.meet(batch))
            continue
        gradients = torch.autograd.grad(value, player.moved, allow_unused=True)
        reached = [gradient for gradient in gradients if gradient is not None]
        expect(bool(reached), f"its gradient reaches nothing that the player {player.name!r} moves: is `player` right?")
        expect_finite("its gradient", *reached)
        return
    expect(False, f"it has no gradient, so the player {player.name!r} cannot lower it: is something detached?")


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
LOSSES = [gives_scalars, stays_finite, pulls_the_right_way, halves_add_up, *PLAYED]
TERMS = [adds_to_a_player, *PLAYED]
SCHEDULES = [players_move, *PLAYED]
STRATEGIES = [has_effect, *PLAYED]
GAMES = [players_move, draws_pictures, *PLAYED]
PRIORS = [draws_latents, *PLAYED]
