"""The contracts of losses and terms."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from gan_framework.core import seeding
from gan_framework.core.contracts.loss import AdversarialLoss, SeparableLoss
from gan_framework.core.contracts.term import Term
from gan_framework.core.game import Game
from gan_framework.core.pair import Meeting, Pair
from gan_framework.core.player import Player
from gan_framework.core.records import DiscriminatorOutput
from gan_framework.testing.games import PLAYED
from gan_framework.testing.guards import expect, expect_finite, inputs_kept, own_randomness, same
from gan_framework.testing.subject import Subject

CERTAIN = 30.0
"""A logit at which D errs once in 10^13."""


# -- losses -----------------------------------------------------------------------------------------


def _outputs(subject: Subject) -> tuple[AdversarialLoss, DiscriminatorOutput, DiscriminatorOutput]:
    """Return a loss, and what a judge says of real and generated samples, as leaves that gradients can reach."""
    game = subject.game()
    assert game.loss is not None
    seeding.reseed(0, "outputs")
    with torch.no_grad():
        meeting = game.meet(subject.batch(), graph=False)
        judged = [pair for pair in meeting.values() if pair.has_judge]
        expect(bool(judged), f"nobody in {type(game).__name__} says anything of samples: try it elsewhere (overrides)")
        said = judged[0].outputs
    # Undecided: between 0 and 1, where every usual target or margin still pulls.
    real, fake = (_leaves(output, 0.5 + 0.1 * output.logits.tanh()) for output in said)
    return game.loss, real, fake


def _leaves(output: DiscriminatorOutput, logits: Tensor) -> DiscriminatorOutput:
    return output._replace(
        logits=logits.detach().clone().requires_grad_(),
        features=tuple(feature.detach().clone().requires_grad_() for feature in output.features),
        heads={name: head.detach().clone().requires_grad_() for name, head in output.heads.items()},
    )


def _both(loss: AdversarialLoss, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> dict[str, Tensor]:
    return {
        "discriminator()": loss.discriminator(real, fake),
        "generator()": loss.generator(fake, real if loss.generator_needs_real else None),
    }


def gives_scalars(subject: Subject) -> None:
    """Both losses are scalars, means over the batch, and change nothing."""
    loss, real, fake = _outputs(subject)
    with torch.no_grad(), own_randomness("the loss"), inputs_kept("the loss", real=real.logits, fake=fake.logits):
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
    def twice(tensor: Tensor) -> Tensor:
        return torch.cat([tensor] * 2)

    return DiscriminatorOutput(
        twice(output.logits),
        tuple(map(twice, output.features)),
        {name: twice(head) for name, head in output.heads.items()},
        *(twice(tensor) if tensor is not None else None for tensor in (output.samples, output.labels)),
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
    _backward(_both(loss, real, fake)["discriminator()"], "discriminator()")
    for name, output, sign in (("real", real, -1), ("generated", fake, 1)):
        gradient = _reached(output, f"discriminator() does not depend on the {name} side")
        wrong = gradient is not None and sign * gradient.sum().item() < 0
        expect(not wrong, f"discriminator() falls when {name} samples are scored wrongly: is a sign wrong?")
    loss, real, fake = _outputs(subject)
    _backward(_both(loss, real, fake)["generator()"], "generator()")
    gradient = _reached(fake, "generator() does not depend on what the discriminator says of the samples")
    expect(
        gradient is None or gradient.sum().item() <= 0,
        "generator() falls when its samples are taken for generated: is a sign wrong?",
    )


def _backward(value: Tensor, name: str) -> None:
    expect(value.requires_grad, f"{name} has no gradient: is something detached, or turned into a number?")
    value.backward()


def _reached(output: DiscriminatorOutput, message: str) -> Tensor | None:
    """Return the gradient of the logits, None if only features or heads have one; raise if nothing has."""
    inner = any(tensor.grad is not None for tensor in (*output.features, *output.heads.values()))
    expect(output.logits.grad is not None or inner, message)
    return output.logits.grad


def loss_adapts_after_updates_alone(subject: Subject) -> None:
    """Computing the loss changes nothing that it keeps: it is also computed where it is only measured."""
    loss, real, fake = _outputs(subject)
    before = copy.deepcopy(loss.state_dict())
    _both(loss, real, fake)
    changed = [name for name, value in loss.state_dict().items() if not same(value, before[name])]
    expect(
        not changed,
        f"computing it changes {', '.join(changed)}, but a loss is also computed where it is only measured or looked "
        "ahead at: change what it keeps in after_update",
    )


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
    """The term is a finite scalar whose gradient reaches what its player updates."""
    game = subject.game()
    player, term, pairs = _at_work(subject, game)
    batch = subject.batch()
    seeding.reseed(0, "term")
    for _ in range(2):
        pair = pairs(game.meet(batch))
        pair.differentiate(term.differentiates)
        with (
            own_randomness("the term"),
            inputs_kept("the term", real=batch.samples, labels=batch.labels, fake=pair.fake, z=pair.latent.z),
        ):
            value = term(pair, player)
        expect(value.shape == (), f"it returns the shape {tuple(value.shape)}, not a scalar: take the mean")
        expect_finite("what it returns", value)
        if not value.requires_grad:  # a first pair may only be remembered
            player.play(game.meet(batch))
            continue
        gradients = torch.autograd.grad(value, player.trained, allow_unused=True)
        reached = [gradient for gradient in gradients if gradient is not None]
        expect(
            bool(reached), f"its gradient reaches nothing that the player {player.name!r} updates: is `player` right?"
        )
        expect_finite("its gradient", *reached)
        return
    expect(False, f"it has no gradient, so the player {player.name!r} cannot lower it: is something detached?")


def adapts_after_updates_alone(subject: Subject) -> None:
    """Computing the term changes nothing that it keeps: it is also computed where a loss is only measured."""
    game = subject.game()
    player, term, pairs = _at_work(subject, game)
    player.play(game.meet(subject.batch()))
    before = copy.deepcopy(term.state_dict())
    pair = pairs(game.meet(subject.batch(1)))
    pair.differentiate(term.differentiates)
    term(pair, player)
    changed = [name for name, value in term.state_dict().items() if not same(value, before[name])]
    expect(
        not changed,
        f"forward changes {', '.join(changed)}, but a loss is also computed where it is only measured or looked ahead "
        "at: change what it keeps in after_update",
    )


def _at_work(subject: Subject, game: Game) -> tuple[Player, Term, Callable[[Meeting], Pair]]:
    """Return a player that has the term, the term, and what finds the first pair that it is computed for."""
    kind = type(subject.build())
    player, name = next(
        (player, name)
        for player in map(game.player, game.players)
        for name in player.terms
        if isinstance(player.term(name), kind)
    )

    def pair_of(meeting: Meeting) -> Pair:
        for look_ahead in player.look_aheads:
            meeting = look_ahead(meeting)
        named = player.plans[name].pairs
        return meeting[named[0]] if named else next(iter(player.pairs(meeting).values()))

    return player, player.term(name), pair_of


LOSSES = [
    gives_scalars,
    stays_finite,
    pulls_the_right_way,
    halves_add_up,
    loss_adapts_after_updates_alone,
    *PLAYED,
]
TERMS = [adds_to_a_player, adapts_after_updates_alone, *PLAYED]
