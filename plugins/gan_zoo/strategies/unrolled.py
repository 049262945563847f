"""A generator that looks ahead at how the discriminator will answer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gan_framework.api import ConfigError, Game, Judge, Meeting, Pair, Player, Strategy
from gan_zoo.look_ahead import GradientSteps, Steps, steps_of
from gan_zoo.ranges import require_not_negative


@dataclass(frozen=True)
class Update:
    """What a player on the discriminator's side does in each step ahead.

    Attributes:
        player: the player.
        steps: its optimizer's steps as a function of gradients.
        names: of the parameters that it updates, each as (network, name).
    """

    player: Player
    steps: Steps
    names: list[tuple[str, str]]


State = dict[str, dict[str, Tensor]]
"""Parameters and buffers by network and name."""


def judged(meeting: Meeting, state: State) -> Meeting:
    """Return a meeting in which the discriminators have another state; nothing done in it changes the real ones."""

    def ahead(pair: Pair) -> Pair:
        judge = pair.judge
        return pair.judged_by(judge.with_state(state[judge.name])) if isinstance(judge, Judge) else pair

    return Meeting({name: ahead(pair) for name, pair in meeting.items()})


class LookAhead:
    """Shows a player each meeting as it is after some steps of the discriminators' players.

    The steps are computed in float32 whatever the run's precision, on the samples of the meeting.

    Args:
        game: the game.
        steps: how many.
        lr: the learning rate of gradient steps; None for those of the players' own optimizers.
    """

    differentiates_twice = True

    def __init__(self, game: Game, steps: int, lr: float | None) -> None:
        self.game = game
        self.steps = steps
        self.lr = lr

    def __call__(self, meeting: Meeting) -> Meeting:
        """Return the meeting after the steps, differentiable throughout."""
        if self.steps == 0:
            return meeting
        judges = [pair.judge for pair in meeting.values() if isinstance(pair.judge, Judge)]
        networks = {judge.name: judge.network for judge in judges}
        # Copies: gradients of the steps are taken with respect to the parameters, and passes change the buffers.
        state: State = {
            name: {key: p.detach().requires_grad_() for key, p in network.named_parameters()}
            | {key: buffer.clone() for key, buffer in network.named_buffers()}
            for name, network in networks.items()
        }
        updates = [self._update(player, networks) for player in self.game.teams()[0]]
        for _ in range(self.steps):
            state = _step(judged(meeting, state), state, [update for update in updates if update.names])
        return judged(meeting, state)

    def _update(self, player: Player, networks: dict[str, nn.Module]) -> Update:
        wanted = {id(parameter) for parameter in player.trained}
        found = {
            (name, key): parameter
            for name, network in networks.items()
            for key, parameter in network.named_parameters()
            if id(parameter) in wanted
        }
        steps = GradientSteps(self.lr) if self.lr else steps_of(player.optimizer, found)
        return Update(player, steps, list(found))


def _step(ahead: Meeting, state: State, updates: list[Update]) -> State:
    """Return the state after one step of every player, each taken at the same state."""
    after = {name: dict(of_network) for name, of_network in state.items()}
    for update in updates:
        loss = torch.stack(list(update.player.evaluate(ahead).values())).sum()
        own = [state[network][key] for network, key in update.names]
        gradients = torch.autograd.grad(loss, own, create_graph=True, allow_unused=True)
        found = {n: gradient for n, gradient in zip(update.names, gradients, strict=True) if gradient is not None}
        for (network, key), change in update.steps(found).items():
            after[network][key] = after[network][key] + change
    return after


class Unrolled(Strategy):
    """G minimises its loss against D as it will be K steps later (Metz et al. 2016, arXiv 1611.02163, section 2).

    The gradient flows through the K steps (equation 9, both terms). They lower the discriminator's
    loss and the terms on what it puts out, on the samples of the generator's update; a term on the
    parameters themselves, as historical averaging's, has no part in them. The discriminator itself
    is updated as it would be without unrolling, and K = 0 is plain training.

    Args:
        k: the number K of steps.
        lr: the learning rate of gradient steps (equation 7); None for the steps that the
            discriminator's own optimizer would take.
    """

    applies_last = True

    def __init__(self, k: int, lr: float | None) -> None:
        require_not_negative(k=k)
        if lr is not None and not lr > 0:
            raise ValueError(f"lr={lr}: it must be positive, or null for the steps of the discriminator's optimizer")
        self.k = k
        self.lr = lr

    def apply(self, game: Game) -> None:
        """Let the generator look ahead."""
        if not game.teams()[0]:
            raise ConfigError(
                f"unrolled has no effect on {type(game).__name__}, where no player has a discriminator's loss"
            )
        game.claim("discriminator that the generator faces", "unrolled")
        if self.k and self.lr is None:
            for player in game.teams()[0]:
                if player.name in game.optimizers:
                    steps_of(game.optimizers[player.name]([nn.Parameter(torch.zeros(1))]), {})
        for player in game.teams()[1]:
            player.look_aheads.append(LookAhead(game, self.k, self.lr))
