"""Figures that show how a game is going, from what a step measured."""

from __future__ import annotations

import copy
import math
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gan_framework.core.records import DiscriminatorOutput
from gan_framework.errors import NonFinite

if TYPE_CHECKING:
    from gan_framework.core.contracts.loss import AdversarialLoss
    from gan_framework.core.game import Game


SURE = math.log(0.001 / 0.999)
"""The logit of a sample that D takes for generated."""

VANISHING = 0.1
"""A derivative smaller by this factor has vanished."""

RIGHT = {"real": torch.gt, "fake": torch.lt}
"""On which side of zero the logits of real and of generated samples belong."""


def figures(measured: dict[str, Tensor], probabilistic: bool = True) -> dict[str, float]:
    """Summarise one step: losses as `train/...`, what the discriminator says as `health/...`.

    `d_real` and `d_fake` (`d_real_<pair>` where a game has several pairs) are the means of D(x) and D(G(z));
    accuracies are the shares of samples on the right side of zero. A critic gives neither: of it `critic_real` and
    `critic_fake` are the mean scores, and `distance` is what it tells them apart by, their difference (an estimate of
    the Wasserstein distance for a critic that is 1-Lipschitz; Arjovsky et al. 2017, arXiv 1701.07875, equation 2).

    Args:
        measured: what the players of the step have measured.
        probabilistic: whether the discriminator is trained to be a probability.
    """
    result = {f"train/{name}": value for name, value in measured.items() if value.ndim == 0}
    for name, value in measured.items():
        side = name.partition("_")[0]
        if value.ndim and side in RIGHT:
            logits = value.float()
            if not probabilistic:
                result[f"health/critic_{name}"] = logits.mean()
                continue
            result[f"health/logit_{name}"] = logits.mean()
            result[f"health/d_{name}"] = logits.sigmoid().mean()
            result[f"health/accuracy_{name}"] = RIGHT[side](logits, 0).float().mean()
    for name in [name for name in result if name.startswith("health/critic_real")]:
        fake = name.replace("real", "fake", 1)
        if fake in result:  # a step may judge one side alone
            result[name.replace("critic_real", "distance", 1)] = result[name] - result[fake]
    return numbers(result)


def generator_gradient_vanishes(loss: AdversarialLoss) -> bool:
    """Return whether the generator's loss is flat where D is sure that a sample is generated.

    It is where its derivative after the logit, at D(G(z)) = 0.001, is less than a tenth of the one at D(G(z)) = 1/2:
    with the minimax loss, not with the non-saturating one (Goodfellow et al. 2014, arXiv 1406.2661, section 3).
    """
    asked = copy.deepcopy(loss)  # it may keep something of what it is asked

    def slope(logit: float) -> float:
        fake = torch.tensor([logit], requires_grad=True)
        real = DiscriminatorOutput(-fake.detach()) if asked.generator_needs_real else None
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(asked.generator(DiscriminatorOutput(fake), real), fake)
        return float(gradient.abs())

    try:
        return slope(SURE) < VANISHING * slope(0.0)
    except (RuntimeError, TypeError, ValueError, AttributeError, LookupError):  # it reads more than logits
        return False


def reported(game: Game) -> dict[str, float]:
    """Return what losses, terms and other parts of a game report beside the losses, as `train/<part>/<figure>`."""
    parts: dict[str, nn.Module] = {"schedule": game.schedule}
    if game.loss is not None:
        parts["loss"] = game.loss
    for name in game.players:
        player = game.player(name)
        parts |= {f"{name}/{term}": module for term, module in player.terms.items()}
        parts |= {f"{name}/{_name(module)}": module for module in player.after_step}
    parts |= {f"transforms/{_name(module)}": module for module in game.transforms}
    return numbers(
        {
            f"train/{part}/{figure}": value
            for part, module in parts.items()
            for figure, value in getattr(module, "figures", dict)().items()
        }
    )


def _name(module: nn.Module) -> str:
    return type(module).__name__.lower()


def gradient_norms(game: Game) -> dict[str, float]:
    """Return the norm of the last gradient of each player that has been updated in this step."""
    return numbers(
        {
            f"health/gradient_norm_{name}": game.player(name).gradient_norm()
            for name in game.players
            if game.player(name).gradients
        }
    )


def learning_rates(game: Game) -> dict[str, float]:
    """Return the learning rate of each player as `train/lr/<player>`; the first group's where there are several."""
    rates = {name: game.player(name).optimizer.param_groups[0].get("lr") for name in game.players}
    return numbers({f"train/lr/{name}": rate for name, rate in rates.items() if rate is not None})


def unreached(game: Game) -> list[tuple[str, str]]:
    """Return (player, network) for each network that a player has updated in this step and no gradient has reached."""
    found = []
    for name in game.players:
        player = game.player(name)
        reached = {p for p, gradient in zip(player.trained, player.gradients, strict=False) if gradient is not None}
        if player.gradients:
            found += [(name, net) for net in player.networks if reached.isdisjoint(game.trainable((net,)))]
    return found


def numbers(values: Mapping[str, Tensor | float]) -> dict[str, float]:
    """Return values of one element each as numbers, in one transfer for all that are alike in type and device."""
    numbers = {name: 0.0 if isinstance(value, Tensor) else float(value) for name, value in values.items()}
    alike: dict[tuple[torch.dtype, torch.device], dict[str, Tensor]] = defaultdict(dict)
    for name, value in values.items():
        if isinstance(value, Tensor):
            alike[value.dtype, value.device][name] = value.detach().reshape(())
    for tensors in alike.values():
        numbers |= dict(zip(tensors, map(float, torch.stack([*tensors.values()]).tolist()), strict=True))
    return numbers


def first_nonfinite(history: list[dict[str, Tensor]], last_step: int) -> tuple[int, str] | None:
    """Return (step, `player/term`) of the first loss that is not finite in the steps up to `last_step`."""
    named = [
        (last_step - len(history) + 1 + i, name, value)
        for i, measured in enumerate(history)
        for name, value in measured.items()
        if value.ndim == 0
    ]
    # One transfer for all: reading them one by one would wait for the device each time.
    finite = torch.isfinite(torch.stack([value.float() for *_, value in named])).tolist() if named else []
    return next(((step, name) for (step, name, _), fine in zip(named, finite, strict=True) if not fine), None)


def require_finite(history: list[dict[str, Tensor]], last_step: int) -> None:
    """Raise NonFinite, naming step, player and term, if a loss was not finite in the steps up to `last_step`."""
    found = first_nonfinite(history, last_step)
    if found is not None:
        step, name = found
        player, _, term = name.partition("/")
        raise NonFinite(f"at step {step} the {term} loss of the player {player!r} is not finite")


def require_finite_gradients(game: Game, norms: Mapping[str, float], step: int) -> None:
    """Raise NonFinite, naming step and player, if one of the `gradient_norms` is not finite.

    In fp16 such gradients are to be expected: the scaler leaves them out.
    """
    for name in game.players:
        norm = norms.get(f"health/gradient_norm_{name}", 0.0)
        if not math.isfinite(norm) and not game.player(name).scaler.is_enabled():
            raise NonFinite(f"at step {step} the gradient of the player {name!r} is not finite")
