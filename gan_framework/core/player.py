"""A player: some networks' parameters, what they minimise, and how they move."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gan_framework.core import distributed
from gan_framework.core.contracts.loss import AdversarialLoss, SeparableLoss
from gan_framework.core.contracts.term import Term
from gan_framework.errors import ConfigError

if TYPE_CHECKING:
    from gan_framework.core.pair import Round

OptimizerFactory = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]

SIDES: dict[str, Callable[[Any, Round], Tensor]] = {
    "discriminator": lambda loss, round: loss.discriminator(*round.on_both),
    "discriminator_real": lambda loss, round: loss.real_half(round.on_real),
    "discriminator_fake": lambda loss, round: loss.fake_half(round.on_fake),
    "generator": lambda loss, round: loss.generator(
        round.on_fake, round.on_real if loss.generator_needs_real else None
    ),
}
"""The parts of an adversarial loss that a player can take."""


class Player(nn.Module):
    """Moves some networks' parameters to lower the sum of its losses, in one optimizer step.

    Attributes:
        name: the player's name; `optimizer.<name>` holds its optimizer's settings.
        networks: the names of the networks whose parameters it moves.
        side: the part of the adversarial loss it minimises (a key of `SIDES`), or None.
        terms: further summands of its objective by name, with their `weights`.
        view: what the player makes of a round before it evaluates it (an unrolled discriminator); None
            to take it as it is.
        after_step: modules called without arguments after every move (weight clipping, EMA).
        updates: how often it has moved.
        gradients: of the parameters it moves, from its last `backward`; kept because another player
            that moves the same parameters overwrites their `grad`.
        annealed: the settings of its optimizer that a strategy sets anew after every move.
        skip_nonfinite: leave out moves whose loss or gradient is not finite. Each move then
            waits for the device once.
    """

    def __init__(self, name: str, networks: tuple[str, ...], side: str | None = None) -> None:
        super().__init__()
        self.name = name
        self.networks = networks
        self.side = side
        self.terms = nn.ModuleDict()
        self.weights: dict[str, float] = {}
        self.view: Callable[[Round], Round] | None = None
        self.after_step = nn.ModuleList()
        self.updates = 0
        self.gradients: list[Tensor | None] = []
        self.annealed: set[str] = set()
        self.skip_nonfinite = False
        self._parameters_moved: list[nn.Parameter] = []
        self._loss: tuple[AdversarialLoss, ...] = ()

    def add_term(self, name: str, term: Term, weight: float = 1.0) -> None:
        """Add a summand to the objective.

        Raises:
            ConfigError: the player already has a term of that name.
        """
        if name in self.terms:
            raise ConfigError(f"the player {self.name!r} already has a term named {name!r}")
        self.terms[name] = term
        self.weights[name] = weight

    def start(
        self,
        parameters: list[nn.Parameter],
        loss: AdversarialLoss | None,
        optimizer: OptimizerFactory,
        scaler: torch.amp.GradScaler,
    ) -> None:
        """Take up the parameters to move, once all strategies have been applied.

        Raises:
            ConfigError: the player has nothing to minimise or nothing to move.
        """
        if self.side is None and not self.terms:
            raise ConfigError(f"the player {self.name!r} has no loss and no term: it has nothing to minimise")
        if self.side is not None and loss is None:
            raise ConfigError(
                f"the player {self.name!r} moves on an adversarial loss, and there is none: choose a loss"
            )
        if self.side in ("discriminator_real", "discriminator_fake") and not isinstance(loss, SeparableLoss):
            raise ConfigError(
                f"the player {self.name!r} moves on half of the discriminator's loss, but the loss "
                f"{type(loss).__name__} is no sum of a real and a generated half"
            )
        if not parameters:
            raise ConfigError(f"the player {self.name!r} has no parameters to move in {self.networks}")
        self._parameters_moved = parameters
        # Kept in a tuple: the loss belongs to the game, and must not be registered twice.
        self._loss = (loss,) if loss is not None else ()
        self.optimizer = optimizer(parameters)
        self.scaler = scaler

    @property
    def moved(self) -> list[nn.Parameter]:
        """The parameters this player moves."""
        return self._parameters_moved

    def evaluate(self, round: Round) -> dict[str, Tensor]:
        """Return this player's losses in the round by name, weighted, ready to be summed."""
        if self.view is not None:
            round = self.view(round)
        losses = {}
        if self.side is not None:
            losses["adversarial"] = SIDES[self.side](self._loss[0], round)
        for name, term in self.terms.items():
            losses[name] = self.weights[name] * term(round, self)
        return losses

    def move(self, losses: dict[str, Tensor]) -> None:
        """Change this player's parameters, and no others, by one optimizer step on the sum of losses."""
        self.step(self.backward(losses))

    def backward(self, losses: dict[str, Tensor]) -> Tensor:
        """Give this player's parameters, and no others, the gradient of the sum of losses; return the sum."""
        self.gradients = []
        for parameter in self.moved:
            parameter.grad = None
        total = reduce(add, losses.values())
        # Naming the inputs spares the gradients of every other player's parameters.
        self.scaler.scale(total).backward(inputs=self.moved)
        total = distributed.average_gradients(self.moved, total.detach())
        self.gradients = [parameter.grad for parameter in self.moved]
        return total

    def step(self, total: Tensor) -> None:
        """Take one optimizer step along the gradient of a sum of losses."""
        # The scaler of fp16 leaves such moves out by itself, and has to see them to scale less.
        if self.skip_nonfinite and not self.scaler.is_enabled() and not self._finite(total):
            return
        self.scaler.step(self.optimizer)
        self.scaler.update()
        for follow_up in self.after_step:
            follow_up()
        self.updates += 1

    def play(self, round: Round) -> dict[str, Tensor]:
        """Evaluate and move; return the losses as `<player>/<name>`, detached."""
        losses = self.evaluate(round)
        self.move(losses)
        return {f"{self.name}/{name}": loss.detach() for name, loss in losses.items()}

    def gradient_norm(self) -> Tensor:
        """Return the norm of the gradient of the last move."""
        return torch.nn.utils.get_total_norm([gradient for gradient in self.gradients if gradient is not None])

    def get_extra_state(self) -> dict[str, Any]:
        """Return the state beside the terms' buffers: the optimizer, the scaler and the count of moves."""
        return {
            "updates": self.updates,
            "optimizer": self.optimizer.state_dict(),
            "optimizer_name": type(self.optimizer).__name__,
            "optimizer_settings": self.optimizer.defaults,
            "annealed": sorted(self.annealed),
            "scaler": self.scaler.state_dict(),
        }

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take up a state made by `get_extra_state`; settings that have changed since are the configuration's.

        Raises:
            ValueError: the state is another optimizer's.
        """
        name = type(self.optimizer).__name__
        if state.get("optimizer_name", name) != name:
            raise ValueError(
                f"the player {self.name!r} was moved by {state['optimizer_name']}, and optimizer.{self.name} is {name}"
            )
        self.updates = state["updates"]
        self.optimizer.load_state_dict(state["optimizer"])
        before = state.get("optimizer_settings", self.optimizer.defaults)
        annealed = state.get("annealed", [])
        for group in self.optimizer.param_groups:
            for key, value in self.optimizer.defaults.items():
                if before.get(key) != value or key in annealed:
                    group[key] = value
        if state["scaler"]:  # empty from a run that was not in fp16
            self.scaler.load_state_dict(state["scaler"])

    def _finite(self, total: Tensor) -> bool:
        return bool(torch.isfinite(total) & torch.isfinite(self.gradient_norm()))
