"""A player: some networks' parameters, what they minimise, and how they are updated."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from gan_framework.core import checks, distributed
from gan_framework.core.contracts.loss import AdversarialLoss, SeparableLoss
from gan_framework.core.contracts.term import Term
from gan_framework.core.pair import Meeting, Pair
from gan_framework.errors import ConfigError

if TYPE_CHECKING:
    from gan_framework.core.game import Game

OptimizerFactory = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]

OBJECTIVES: dict[str, Callable[[Any, Pair], Tensor]] = {
    "discriminator": lambda loss, pair: loss.discriminator(*pair.outputs),
    "discriminator_real": lambda loss, pair: loss.real_half(pair.real_output),
    "discriminator_fake": lambda loss, pair: loss.fake_half(pair.fake_output),
    "generator": lambda loss, pair: loss.generator(
        pair.fake_output, pair.real_output if loss.generator_needs_real else None
    ),
    "swapped": lambda loss, pair: loss.discriminator(pair.fake_output, pair.real_output),
}
"""The parts of an adversarial loss that a player can take. `swapped` is the discriminator's loss with real and
generated exchanged: what an encoder and a generator minimise that fool a judge of (x, z) together (Dumoulin et al.
2017, arXiv 1606.00704)."""

TEAMS = ("discriminator", "generator")
"""The sides of the game; a player on neither is updated after both."""


@dataclass(frozen=True)
class Ramp:
    """A weight that goes along a line from one value to another in so many updates, and stays there."""

    start: float
    end: float
    steps: int

    def at(self, updates: int) -> float:
        """Return the weight after so many updates."""
        return self.start + (self.end - self.start) * min(updates / self.steps, 1.0)


@dataclass(frozen=True)
class TermPlan:
    """How a term enters its player's objective.

    Attributes:
        weight: what it is multiplied by.
        every: it is computed in each so-manieth update, its weight times that number (Karras et al. 2020, arXiv
            1912.04958, section 3.1).
        pairs: the pairs that it is computed for; None for all that the player faces.
    """

    weight: float | Ramp = 1.0
    every: int = 1
    pairs: tuple[str, ...] | None = None

    def factor(self, updates: int) -> float:
        """Return what the term is multiplied by in the update after so many others."""
        return self.every * (self.weight.at(updates) if isinstance(self.weight, Ramp) else self.weight)


class Player(nn.Module):
    """Updates some networks' parameters to lower the sum of its losses, in one optimizer step.

    Attributes:
        name: the player's name; `optimizer.<name>` holds its optimizer's settings.
        networks: the names of the networks whose parameters it updates.
        team: the side of the game it is on, `discriminator` or `generator`, or None.
        objective: the part of the adversarial loss it minimises (a key of `OBJECTIVES`) for every pair, or for each
            pair by name, or None.
        combine: makes one number of the adversarial losses of several pairs (P,); their sum if None.
        terms: further summands of its objective by name, with their `plans`.
        look_aheads: what the player makes of a meeting before it evaluates it, one after another (a
            discriminator some steps ahead).
        after_step: modules called without arguments after every update (weight clipping, EMA).
        clip: the greatest norm of its gradient; None for any.
        trained: the parameters it updates.
        updates: how often it has been updated.
        gradients: of the parameters it updates, from its last `backward`; kept because another player that
            updates the same parameters overwrites their `grad`.
        annealed: the settings of its optimizer that a strategy sets anew after every update.
        skip_nonfinite: leave out updates whose loss or gradient is not finite. Each update then waits for the
            device once.
    """

    def __init__(
        self,
        name: str,
        networks: tuple[str, ...],
        team: str | None = None,
        objective: str | Mapping[str, str] | None = None,
        combine: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.networks = networks
        self.team = team
        self.objective = objective
        self.combine = combine
        self.terms = nn.ModuleDict()
        self.plans: dict[str, TermPlan] = {}
        self.look_aheads: list[Callable[[Meeting], Meeting]] = []
        self.after_step = nn.ModuleList()
        self.clip: float | None = None
        self.updates = 0
        self.gradients: list[Tensor | None] = []
        self.annealed: set[str] = set()
        self.skip_nonfinite = False
        self.trained: list[nn.Parameter] = []
        self._loss: tuple[AdversarialLoss, ...] = ()

    def add_term(self, name: str, term: Term, weight: float | Ramp = 1.0, plan: TermPlan | None = None) -> None:
        """Add a summand to the objective.

        Args:
            name: names it in the log.
            term: the summand.
            weight: what it is multiplied by.
            plan: the weight and more, in its place.

        Raises:
            ConfigError: the player already has a term of that name.
        """
        if name in self.terms:
            raise ConfigError(f"the player {self.name!r} already has a term named {name!r}")
        self.terms[name] = term
        self.plans[name] = plan if plan is not None else TermPlan(weight)

    def term(self, name: str) -> Term:
        """Return a term by its name."""
        return cast(Term, self.terms[name])

    # -- before the first step ----------------------------------------------------------------------

    def start(self, game: Game, meeting: Meeting, clip: float | None = None) -> None:
        """Take up what is updated and how, once all strategies are applied; `meeting` is one over blank samples.

        Raises:
            ConfigError: the player has no optimizer, nothing to minimise, or nothing to update in one of its networks
                (a frozen one), names a pair, a team or a part of the loss that does not exist, or faces what its loss
                cannot be computed of.
        """
        if self.name not in game.optimizers:
            raise ConfigError(f"optimizer.{self.name} is missing: the game's players are {', '.join(game.players)}")
        self._check_names([*meeting])
        self._check_loss(game.loss)
        frozen = [network for network in self.networks if not game.trainable((network,))]
        self.trained = game.trainable(self.networks)
        if frozen or not self.trained:
            where = " and ".join(frozen) or "any network"
            raise ConfigError(f"the player {self.name!r} has no parameters to update in {where}")
        # Kept in a tuple: the loss belongs to the game, and must not be registered twice.
        self._loss = (game.loss,) if game.loss is not None else ()
        checks.check_loss(game, self, meeting)
        for name in self.terms:
            self.term(name).attach(game)
            self.term(name).check(game, self)
        self.clip = clip
        self.optimizer = game.optimizers[self.name](self.trained)
        self.scaler = game.precision.scaler()

    def _check_names(self, pairs: list[str]) -> None:
        named = self.objective if isinstance(self.objective, Mapping) else {}
        wanted = named.values() if named else [self.objective] if self.objective is not None else []
        for kind, names, known in (
            ("team", [self.team] if self.team is not None else [], TEAMS),
            ("part of the loss", wanted, tuple(OBJECTIVES)),
            ("pair", named, pairs),
            *((f"pair for the term {name!r}", plan.pairs or (), pairs) for name, plan in self.plans.items()),
        ):
            for name in names:
                if name not in known:
                    raise ConfigError(
                        f"the player {self.name!r} names the {kind} {name!r}, and there are {', '.join(known)}"
                    )

    def _check_loss(self, loss: AdversarialLoss | None) -> None:
        if self.objective is None and not any(plan.every == 1 for plan in self.plans.values()):
            raise ConfigError(f"the player {self.name!r} has no loss and no term: it has nothing to minimise")
        if self.objective is not None and loss is None:
            raise ConfigError(
                f"the player {self.name!r} minimises an adversarial loss, and there is none: choose a loss"
            )
        parts = {*self.objective.values()} if isinstance(self.objective, Mapping) else {self.objective}
        if parts & {"discriminator_real", "discriminator_fake"} and not isinstance(loss, SeparableLoss):
            raise ConfigError(
                f"the player {self.name!r} minimises half of the discriminator's loss, but the loss "
                f"{type(loss).__name__} is no sum of a real and a generated half"
            )

    # -- in a step ----------------------------------------------------------------------------------

    def pairs(self, meeting: Meeting) -> dict[str, Pair]:
        """Return the pairs of a meeting that the player faces."""
        names = self.objective if isinstance(self.objective, Mapping) else meeting
        return {name: meeting[name] for name in names}

    def evaluate(self, meeting: Meeting) -> dict[str, Tensor]:
        """Return this player's losses in a meeting by name, weighted, ready to be summed.

        Terms are computed for the pairs of the game, not for more that a look-ahead has put beside them.
        """
        made = {*meeting}
        for look_ahead in self.look_aheads:
            meeting = look_ahead(meeting)
        faced, due = self.pairs(meeting), self._due()
        of_terms = {name: self._pairs_of(name, meeting, made) for name in due}
        for name, pairs in of_terms.items():
            for pair in pairs.values():
                pair.differentiate(self.term(name).differentiates)
        losses = self.adversarial(faced)
        for name, pairs in of_terms.items():
            factor = self.plans[name].factor(self.updates)
            for pair_name, pair in pairs.items():
                key = name if len(pairs) == 1 else f"{name}_{pair_name}"
                added = self.terms[name](pair, self)
                checks.scalar(added, f"the term {name!r}, {type(self.terms[name]).__name__}")
                losses[key] = factor * added
        return losses

    def play(self, meeting: Meeting) -> dict[str, Tensor]:
        """Evaluate a meeting and update; return the losses as `<player>/<name>`, and a discriminator's logits."""
        for parameter in self.trained:
            parameter.grad = None
        share = 1 / meeting.count
        total: Tensor | None = None
        measured: dict[str, Tensor] = {}
        for part in meeting.parts():
            losses = self.evaluate(part)
            summed = self._add_gradient(losses, share)
            total = summed if total is None else total + summed
            for name, loss in losses.items():
                key = f"{self.name}/{name}"
                value = loss.detach() if share == 1 else share * loss.detach()
                measured[key] = value if key not in measured else measured[key] + value
            if self.team == "discriminator":
                for name, logits in part.logits().items():
                    measured[name] = torch.cat([measured[name], logits]) if name in measured else logits
        assert total is not None
        self.step(self._finish_gradient(total), part)
        return measured

    def update(self, losses: dict[str, Tensor], meeting: Meeting) -> None:
        """Change this player's parameters, and no others, by one optimizer step on the sum of losses."""
        self.step(self.backward(losses), meeting)

    def backward(self, losses: dict[str, Tensor]) -> Tensor:
        """Give this player's parameters, and no others, the gradient of the sum of losses; return the sum."""
        for parameter in self.trained:
            parameter.grad = None
        return self._finish_gradient(self._add_gradient(losses, 1.0))

    def step(self, total: Tensor, meeting: Meeting) -> None:
        """Take one optimizer step along the gradient of a sum of losses; what adapts then adapts to the meeting."""
        # The scaler of fp16 leaves such updates out by itself, and has to see them to scale less.
        if self.skip_nonfinite and not self.scaler.is_enabled() and not self._finite(total):
            return
        due = self._due()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        for follow_up in self.after_step:
            follow_up()
        self.updates += 1
        self._adapt(due, meeting)

    def gradient_norm(self) -> Tensor:
        """Return the norm of the gradient of the last update."""
        return torch.nn.utils.get_total_norm([gradient for gradient in self.gradients if gradient is not None])

    def adversarial(self, faced: Mapping[str, Pair]) -> dict[str, Tensor]:
        """Return its parts of the adversarial loss for the pairs it faces, by name."""
        if self.objective is None:
            return {}
        of_pair = self.objective if isinstance(self.objective, Mapping) else dict.fromkeys(faced, self.objective)
        found = {name: OBJECTIVES[part](self._loss[0], faced[name]) for name, part in of_pair.items()}
        if len(found) == 1:
            return {"adversarial": next(iter(found.values()))}
        if self.combine is not None:
            return {"adversarial": self.combine(torch.stack([*found.values()]))}
        return {f"adversarial_{name}": loss for name, loss in found.items()}

    def update_key(self, updates: int) -> Hashable:
        """Return what the update after so many others follows from that count, beside terms; see `Term.update_key`."""
        return None

    def _due(self) -> list[str]:
        return [name for name, plan in self.plans.items() if self.updates % plan.every == 0]

    def _pairs_of(self, term: str, meeting: Meeting, among: set[str]) -> dict[str, Pair]:
        names = self.plans[term].pairs
        if names is None:
            names = tuple(name for name in self.pairs(meeting) if name in among)
        return {name: meeting[name] for name in (names[:1] if self.term(term).of_weights else names)}

    def _add_gradient(self, losses: dict[str, Tensor], share: float) -> Tensor:
        """Add to the gradient of the parameters a share of that of the sum of losses; return this share of the sum."""
        total = reduce(add, losses.values())
        if share != 1:
            total = share * total
        if not total.requires_grad:
            raise ConfigError(
                f"none of the losses {', '.join(losses)} of the player {self.name!r} depends on what it updates, "
                f"{', '.join(self.networks)}: is something detached, or made a number, on the way?"
            )
        # Naming the inputs spares the gradients of every other player's parameters.
        self.scaler.scale(total).backward(inputs=self.trained)
        return total.detach()

    def _finish_gradient(self, total: Tensor) -> Tensor:
        total = distributed.average_gradients(self.trained, total)
        if self.clip is not None:
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.trained, self.clip)
        self.gradients = [parameter.grad for parameter in self.trained]
        return total

    @torch.no_grad()
    def _adapt(self, due: list[str], meeting: Meeting) -> None:
        if self.objective is not None:
            self._loss[0].after_update(meeting, self)
        for name in due:
            for pair in self._pairs_of(name, meeting, {*meeting}).values():
                self.term(name).after_update(pair, self)

    def _finite(self, total: Tensor) -> bool:
        return bool(torch.isfinite(total) & torch.isfinite(self.gradient_norm()))

    # -- state ----------------------------------------------------------------------------------------

    def get_extra_state(self) -> dict[str, Any]:
        """Return the state beside the terms' buffers: the optimizer, the scaler and the count of updates."""
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
                f"the player {self.name!r} was updated by {state['optimizer_name']}, and optimizer.{self.name} is "
                f"{name}"
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
