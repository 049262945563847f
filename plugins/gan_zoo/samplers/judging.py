"""What samplers that ask the discriminator share."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import MAIN, ConfigError, Game, Latent, RunFailed, pairs_of, try_meeting
from gan_zoo.packs import refuse_packs


def check_asked(name: str, game: Game) -> None:
    """See that latents are drawn, and that what is made of them is judged sample by sample.

    Raises:
        ConfigError: names the sampler and what is missing.
    """
    if game.prior is None:
        raise ConfigError(f"sampler={name} draws latents again, and {type(game).__name__} draws none")
    meeting = try_meeting(game)
    if MAIN not in meeting or not meeting[MAIN].has_judge:
        raise ConfigError(
            f"sampler={name} asks the judge of the pair {MAIN!r}, and {type(game).__name__} has none; "
            f"its pairs are {', '.join(meeting)}"
        )
    if (network := meeting[MAIN].judged_by_network) is not None:
        refuse_packs(game, network, f"sampler={name}")


def check_judged(name: str, game: Game) -> None:
    """See that latents can be drawn again and that what is drawn is judged by a logit of log p_data / p_g.

    Raises:
        ConfigError: names the sampler and what is missing.
    """
    if game.prior is not None and (game.loss is None or not game.loss.probabilistic):
        loss = type(game.loss).__name__ if game.loss is not None else "none"
        raise ConfigError(
            f"sampler={name} needs a loss whose discriminator says how probable it is that a sample is real, "
            f"as loss=nonsaturating, and the loss is {loss}"
        )
    check_asked(name, game)


def judged(name: str, game: Game, latent: Latent) -> tuple[Tensor, Tensor]:
    """Return the samples of latents, and what their judge says of them, float64 (N,) on the CPU.

    Raises:
        RunFailed: that is not finite; names the sampler.
    """
    pair = pairs_of(game, latent)[MAIN]
    return pair.fake, finite(name, pair.fake_output.scores)


def finite(name: str, scores: Tensor) -> Tensor:
    """Return what a judge says of samples as float64 (N,) on the CPU.

    Raises:
        RunFailed: it is not finite; names the sampler.
    """
    logits = scores.double().cpu()
    if not logits.isfinite().all():
        raise RunFailed(f"sampler={name} cannot draw: what the discriminator says of some samples is not finite")
    return logits


def again(game: Game, latent: Latent, random: torch.Generator) -> Latent:
    """Return latents with the same labels and inputs, drawn again."""
    return game.latent(len(latent.z), latent.labels, generator=random)._replace(given=latent.given)


def at_rows(latent: Latent, rows: Tensor) -> Latent:
    """Return the latents at some positions."""
    at = rows.to(latent.z.device)
    labels = latent.labels[at] if latent.labels is not None else None
    return Latent(latent.z[at], labels, given={name: tensor[at] for name, tensor in latent.given.items()})


def coins(count: int, random: torch.Generator) -> Tensor:
    """Return numbers drawn evenly from [0, 1), float64 (count,) on the CPU."""
    return torch.rand(count, generator=random, device=random.device, dtype=torch.float64).cpu()


def latent_gradient(name: str, game: Game, latent: Latent) -> Tensor:
    """Return the gradient of what the judge says of the samples of latents with respect to z.

    Raises:
        RunFailed: it is not finite; names the sampler.
    """
    with torch.enable_grad():
        z = latent.z.detach().requires_grad_()
        scores = pairs_of(game, latent._replace(z=z))[MAIN].fake_output.scores
        (gradient,) = torch.autograd.grad(scores.sum(), z)
    if not gradient.isfinite().all():
        raise RunFailed(f"sampler={name} cannot draw: the discriminator's gradient at some samples is not finite")
    return gradient
