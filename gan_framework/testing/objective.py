"""The contracts of losses and terms."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.core.contracts.loss import AdversarialLoss, SeparableLoss
from gan_framework.core.records import DiscriminatorOutput
from gan_framework.testing.games import PLAYED
from gan_framework.testing.guards import expect, expect_finite, inputs_kept, own_randomness
from gan_framework.testing.subject import Subject

CERTAIN = 30.0
"""A logit at which D errs once in 10^13."""


# -- losses -----------------------------------------------------------------------------------------


def _outputs(subject: Subject) -> tuple[AdversarialLoss, DiscriminatorOutput, DiscriminatorOutput]:
    """Return a loss, and what a discriminator says of two batches, as leaves that gradients can reach."""
    game = subject.game()
    assert game.loss is not None
    with torch.no_grad():
        said = [game.discriminator(*subject.labelled(seed)) for seed in (0, 1)]
    # Undecided: between 0 and 1, where every usual target or margin still pulls.
    real, fake = (_leaves(output, 0.5 + 0.1 * output.logits.tanh()) for output in said)
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
        meeting = game.meet(batch)
        for look_ahead in player.look_aheads:
            meeting = look_ahead(meeting)
        pair = next(iter(player.pairs(meeting).values()))
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
        expect(bool(reached), f"its gradient reaches nothing that the player {player.name!r} moves: is `player` right?")
        expect_finite("its gradient", *reached)
        return
    expect(False, f"it has no gradient, so the player {player.name!r} cannot lower it: is something detached?")


LOSSES = [gives_scalars, stays_finite, pulls_the_right_way, halves_add_up, *PLAYED]
TERMS = [adds_to_a_player, *PLAYED]
