"""A generator that faces the best of several discriminators, stored as training went on."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gan_framework.api import ConfigError, Game, Meeting, Player, Strategy, distributed
from gan_zoo.ranges import require_positive
from gan_zoo.stored import State, meeting_in, moved, state_of


class Store(nn.Module):
    """Keeps copies of the networks that judge what the generators make; called after every update of a discriminator.

    The copies are in the checkpoint. With another `k` than before, a resumed run goes on with the newest.

    Args:
        game: the game.
        k: the greatest number of copies.
        every: updates from one copy to the next.
    """

    def __init__(self, game: Game, k: int, every: int) -> None:
        super().__init__()
        # Kept in a tuple: the game holds this module, and must not be registered in it.
        self._game = (game,)
        self.k = k
        self.every = every
        self.updates = 0
        self.copies: list[State] = []

    def current(self) -> State:
        """Return a copy of the networks as they are."""
        (game,) = self._game
        critics = game.critics
        judges = dict.fromkeys(name for player in game.teams()[1] for name in game.judges_of(player))
        return {name: state_of(game.network(name)) for name in judges if name in critics}

    def forward(self) -> None:
        """Count an update, and store a copy if it is its turn."""
        self.updates += 1
        if self.updates % self.every == 0:
            self.copies = [*self.copies, self.current()][-self.k :]

    def get_extra_state(self) -> dict[str, Any]:
        """Return the copies and the number of updates."""
        return {"updates": self.updates, "copies": self.copies}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take up copies and the number of updates."""
        (game,) = self._game
        self.updates = state["updates"]
        self.copies = [moved(copy, game.device) for copy in state["copies"][-self.k :]]


class FaceTheBest:
    """Shows a player each meeting before the discriminator, stored or current, against which its loss is greatest.

    Losses are compared in float32 whatever the run's precision, over all processes; of equals the
    current discriminator is taken, else the oldest. Nothing done in a pass changes a copy.

    Args:
        game: the game.
        player: the player.
        store: the stored discriminators.
    """

    def __init__(self, game: Game, player: Player, store: Store) -> None:
        self.game = game
        self.player = player
        self.store = store

    def __call__(self, meeting: Meeting) -> Meeting:
        """Return the meeting before the discriminator that is best against the player."""
        if not self.store.copies:
            return meeting
        candidates = [self.store.current(), *self.store.copies]
        losses = distributed.mean(torch.stack([self._loss(meeting, state) for state in candidates]))
        best = int(losses.argmax())
        return meeting if best == 0 else meeting_in(candidates[best], meeting)

    @torch.no_grad()
    def _loss(self, meeting: Meeting, state: State) -> Tensor:
        # Each candidate draws the random numbers (dropout, transforms) that the pass of the best will draw.
        devices = [self.game.device] if self.game.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            losses = self.player.adversarial(self.player.pairs(meeting_in(state, meeting)))
        return torch.stack([*losses.values()]).sum().float()


class StoredDiscriminators(Strategy):
    """G is trained against the best of K stored discriminators and the current one: that of its greatest loss.

    This is NOT the unrolling of Metz et al. 2016 (arXiv 1611.02163), though tutorials describe it under
    that name: there G's loss is taken after K steps that D has yet to make, and its gradient flows
    through them (strategy `unrolled`). Here D's past is kept, as in fictitious play, no gradient
    flows into it, and nothing is looked ahead at. D itself is updated as without the strategy.

    Args:
        k: the number K of stored copies.
        every: updates of the discriminator from one copy to the next.
    """

    applies_last = True

    def __init__(self, k: int, every: int) -> None:
        require_positive(k=k, every=every)
        self.k = k
        self.every = every

    def apply(self, game: Game) -> None:
        """Store copies after the discriminators' updates, and let the generators face the best."""
        discriminators, generators, _ = game.teams()
        if not discriminators or not generators:
            raise ConfigError(
                f"stored_discriminators has no effect on {type(game).__name__}, where no player has a "
                f"{'discriminator' if not discriminators else 'generator'}'s loss"
            )
        game.claim("discriminator that the generator faces", "stored_discriminators")
        store = Store(game, self.k, self.every)
        discriminators[-1].after_step.append(store)
        for player in generators:
            game.claim(f"adversarial loss of the {player.name}", "stored_discriminators")
            if player.objective is None:
                raise ConfigError(
                    f"stored_discriminators chooses by the adversarial loss, and the player {player.name!r} has none"
                )
            player.look_aheads.append(FaceTheBest(game, player, store))
