"""Players that face each other as they have been."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gan_framework.api import (
    MAIN,
    BeforeFirstStep,
    ConfigError,
    Game,
    Meeting,
    NextBatch,
    Pair,
    Player,
    Strategy,
    Term,
    try_meeting,
)
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.stored import State, judged_in, made_in, moved, state_of

DIMINISHING = "history_norm"
"""The term that holds the players' parameters small at first."""


class History(nn.Module):
    """Keeps copies of both sides' networks, the newest first; called before each step.

    Args:
        game: the game.
        states: the greatest number of copies.
        every: steps from the first copy to the second.
        growth: by how many times the steps to the next copy become more with each.
    """

    def __init__(self, game: Game, states: int, every: int, growth: float) -> None:
        super().__init__()
        # Kept in a tuple: the game holds this module, and must not be registered in it.
        self._game = (game,)
        self.states = states
        self.interval = float(every)
        self.growth = growth
        self.steps = 0
        self.next = 0
        self.copies: list[State] = []

    def forward(self, game: Game, next_batch: NextBatch) -> None:
        """Count a step, and store a copy before it if it is its turn."""
        for opening in game.openings:
            if isinstance(opening, BeforeFirstStep):  # wherever it stands, it comes before
                opening(game, next_batch)
        if self.steps >= self.next:
            self.copies = [self.current(), *self.copies][: self.states]
            self.next = self.steps + int(self.interval)
            self.interval *= self.growth
        self.steps += 1

    def current(self) -> State:
        """Return a copy of the networks as they are."""
        (game,) = self._game
        discriminators, generators, _ = game.teams()
        return {name: state_of(game.network(name)) for name in updated_by([*discriminators, *generators])}

    def of(self, players: list[Player]) -> list[State]:
        """Return the copies of what some players update, the newest first."""
        return [{name: state[name] for name in updated_by(players)} for state in self.copies]

    def get_extra_state(self) -> dict[str, Any]:
        """Return the copies, and when the next one is due."""
        return {"copies": self.copies, "steps": self.steps, "next": self.next, "interval": self.interval}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take up the copies."""
        (game,) = self._game
        self.copies = [moved(copy, game.device) for copy in state["copies"][: self.states]]
        self.steps, self.next, self.interval = state["steps"], state["next"], state["interval"]


def updated_by(players: list[Player]) -> list[str]:
    """Return the names of the networks that some players update, each once."""
    return list(dict.fromkeys(name for player in players for name in player.networks))


SIDES = {"discriminator_real": ("real",), "discriminator_fake": ("fake",)}
"""The sides that halves of the discriminator's loss look at; all others look at both."""


class FaceAll:
    """Shows a player each meeting once for every stored state of the other side; `main` is the newest.

    What a discriminator says of real samples, whatever the generator, is asked once, and of the newest state's samples
    stands in the meeting itself, so that it is logged.

    Args:
        game: the game.
        history: the stored states.
        player: faces them.
    """

    def __init__(self, game: Game, history: History, player: Player) -> None:
        self.game = game
        self.history = history
        self.player = player

    def __call__(self, meeting: Meeting) -> Meeting:
        """Return the pair before, or with samples of, each of them."""
        (pair,) = meeting.values()
        discriminators, generators, _ = self.game.teams()
        if self.player.team == "generator":
            faced = [judged_in(state, pair) for state in self.history.of(discriminators)]
        else:
            faced = [self._by(state, pair) for state in self.history.of(generators)]
            if faced:
                self._ask(pair, faced)
        return Meeting({MAIN if i == 0 else f"history_{i}": one for i, one in enumerate(faced)}) if faced else meeting

    def _ask(self, pair: Pair, faced: list[Pair]) -> None:
        """Ask the discriminator about the newest state, and about real samples only once."""
        sides = SIDES.get(str(self.player.objective), ("real", "fake"))
        if len(sides) == 2:
            faced[0].outputs  # noqa: B018 (one pass for both where that is the same)
        for one in (pair, *faced[1:]):
            for side in sides:
                if side == "real" or one is pair:
                    one.__dict__[f"{side}_output"] = getattr(faced[0], f"{side}_output")

    def _by(self, state: State, pair: Pair) -> Pair:
        """Return the pair with what generators of another state make of the same latents."""
        assert pair.again is not None
        with torch.no_grad():
            return made_in(state, self.game, partial(pair.again, pair.latent)).detached()


class DiminishingNorm(Term):
    """‖θ‖² / √t, t the step (Grnarova et al. 2017, arXiv 1706.03269, Algorithm 1).

    Args:
        history: counts the steps.
    """

    of_weights = True

    def __init__(self, history: History) -> None:
        super().__init__()
        # Kept in a tuple: it belongs to the game, and must not be registered twice.
        self._history = (history,)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the parameters that the player updates."""
        squares: Tensor = torch.stack([parameter.square().sum() for parameter in player.trained]).sum()
        return squares / math.sqrt(max(self._history[0].steps, 1))


class HistoryStrategy(Strategy):
    """Chekhov GAN: each side's loss is the mean against K past states of the other (Grnarova et al. 2017).

    An Online Learning Approach to Generative Adversarial Networks, arXiv 1706.03269, Algorithm 1. States are stored
    before a step, so that both sides face what was there before either moved: with K = 1 and a state in every step it
    is the simultaneous game. Terms see the newest state alone. Samples are those of the present generator.

    Args:
        states: K, the states kept; each costs a pass through the networks in every update.
        every: steps from one stored state to the next, which takes the place of the oldest.
        growth: what the steps to the next are multiplied by after each; 1 for none.
        weight: C, of ‖θ‖² / √t in both sides' losses.
    """

    applies_last = True

    def __init__(self, states: int, every: int, growth: float, weight: float) -> None:
        require_positive(states=states, every=every)
        require_positive(growth=growth)
        require_not_negative(weight=weight)
        self.states = states
        self.every = every
        self.growth = growth
        self.weight = weight

    def apply(self, game: Game) -> None:
        """Store states, and let both sides face them."""
        discriminators, generators, _ = game.teams()
        if not discriminators or not generators or [*try_meeting(game)] != [MAIN]:
            raise ConfigError(
                f"history needs two sides that meet in one pair, and {type(game).__name__} has "
                f"{len(discriminators)} and {len(generators)} players on them and the pairs "
                f"{', '.join(try_meeting(game))}"
            )
        game.claim("discriminator that the generator faces", "history")
        game.claim("generated samples that the discriminator faces", "history")
        history = History(game, self.states, self.every, self.growth)
        game.openings.append(history)
        for player in (*discriminators, *generators):
            self._face(game, player, history)

    def _face(self, game: Game, player: Player, history: History) -> None:
        if player.team == "generator":
            game.claim(f"adversarial loss of the {player.name}", "history")
        if player.objective is None or isinstance(player.objective, Mapping):
            raise ConfigError(
                f"history averages the adversarial loss of one pair, and the player {player.name!r} has "
                f"{'none' if player.objective is None else 'those of several'}"
            )
        player.combine = torch.mean
        player.look_aheads.append(FaceAll(game, history, player))
        if self.weight > 0:
            player.add_term(DIMINISHING, DiminishingNorm(history), self.weight)
