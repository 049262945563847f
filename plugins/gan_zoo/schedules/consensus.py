"""Consensus optimisation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_framework.api import ConfigError, Game, Meeting, NextBatch, Schedule, distributed


class Consensus(Schedule):
    """All players at the same time, and all lower the norm of the game's gradient (Mescheder et al. 2017, section 4).

    Beside its own loss each player lowers weight · L, where L = ½ Σ ‖∇ loss‖² over all players, each with respect to
    its own parameters (The Numerics of GANs, arXiv 1705.10461).

    Args:
        weight: γ, of the norm.
        players: those that lower the norm beside their own loss, by name; null for all.
    """

    differentiates_twice = True

    def __init__(self, weight: float, players: list[str] | None = None) -> None:
        super().__init__()
        if not weight > 0:
            raise ValueError(f"weight={weight}: it must be positive; schedule=simultaneous is this one without")
        if players == []:
            raise ValueError("players=[]: name at least one player, or write null for all")
        self.weight = weight
        self.players = players

    def check(self, game: Game) -> None:
        """See that gradients can be differentiated.

        Raises:
            ConfigError: the run is in half precision, a player differentiates steps ahead, or a term the gradients of a
                network with batch norm, which has no third derivative; or there is no player of a name.
        """
        for name in self.players or ():
            game.player(name)
        if game.precision.dtype is not None:
            raise ConfigError(
                f"schedule=consensus differentiates gradients, for which {game.precision.name} is too coarse: choose "
                "train.precision=fp32"
            )
        for player in map(game.player, game.players):
            for ahead in player.look_aheads:
                if getattr(ahead, "differentiates_twice", False):
                    raise ConfigError(
                        f"schedule=consensus differentiates gradients, and {type(ahead).__module__.rpartition('.')[2]} "
                        "those of steps ahead: choose one of the two"
                    )
            twice = [name for name in player.terms if player.term(name).differentiates_twice]
            if twice and any(_has_batch_norm(game.network(name)) for name in player.networks):
                raise ConfigError(
                    f"schedule=consensus differentiates gradients, and terms.{twice[0]} those of networks with batch "
                    "norm, which has no third derivative: leave one of the two out, or set the norm of "
                    f"{' and '.join(f'networks.{name}' for name in player.networks)}"
                )

    def step(self, game: Game, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step."""
        players = [player for team in game.teams() for player in team]
        meeting = game.meet(next_batch())
        # Of the same pairs, but what one player makes of them before it looks is not the other's.
        faced = [Meeting(meeting) for _ in players]
        losses = [player.evaluate(own) for player, own in zip(players, faced, strict=True)]
        own = [
            torch.autograd.grad(
                torch.stack([*of_player.values()]).sum(), player.trained, create_graph=True, materialize_grads=True
            )
            for player, of_player in zip(players, losses, strict=True)
        ]
        # The gradient of half the squared norm is that along the gradients, held; those of all processes are one.
        of_all = [[distributed.mean(gradient.detach()) for gradient in of_player] for of_player in own]
        norm = torch.stack([gradient.square().sum() for of_player in of_all for gradient in of_player]).sum() / 2
        parameters = [parameter for player in players for parameter in player.trained]
        held = torch.stack([along(found, to) for found, to in zip(own, of_all, strict=True)]).sum()
        shared = iter(torch.autograd.grad(held, parameters, materialize_grads=True))

        measured = {"consensus": self.weight * norm}
        for own_meeting in faced:
            measured |= own_meeting.logits()
        updates = []
        for player, of_player, gradients in zip(players, losses, own, strict=True):
            measured |= {f"{player.name}/{name}": loss.detach() for name, loss in of_player.items()}
            weight = self.weight if self.players is None or player.name in self.players else 0.0
            summed = [gradient.detach() + weight * next(shared) for gradient in gradients]
            total = player.backward({"consensus": along(player.trained, summed)})
            updates.append((player, total))
        for (player, total), met in zip(updates, faced, strict=True):
            for parameter, found in zip(player.trained, player.gradients, strict=True):
                parameter.grad = found
            player.step(total, met)
        return measured


def _has_batch_norm(network: nn.Module) -> bool:
    return any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in network.modules())


def along(parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> Tensor:
    """Return a number whose gradients with respect to the parameters are these."""
    return torch.stack([(p * gradient).sum() for p, gradient in zip(parameters, gradients, strict=True)]).sum()
