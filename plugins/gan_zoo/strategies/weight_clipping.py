"""Weight clipping."""

from __future__ import annotations

import torch
from torch import nn

from gan_framework.api import ConfigError, Game, Strategy
from gan_zoo.terms.gradient_penalty import GradientPenalty


class Clip(nn.Module):
    """Clips a network's parameters to [lower, bound], once for every call."""

    owner = "strategy.weight_clipping"

    def __init__(self, network: nn.Module, bound: float, lower: float) -> None:
        super().__init__()
        # Kept in a tuple: the network belongs to the game, and must not be registered twice.
        self._network = (network,)
        self.bound = bound
        self.lower = lower

    def changes(self, game: Game) -> list[nn.Parameter]:
        """Return the weights that it changes by itself."""
        return list(self._network[0].parameters())

    @torch.no_grad()
    def forward(self) -> None:
        """Clip all parameters in place."""
        parameters: list[torch.Tensor] = list(self._network[0].parameters())
        torch._foreach_clamp_max_(parameters, self.bound)
        torch._foreach_clamp_min_(parameters, self.lower)


class WeightClipping(Strategy):
    """The critic is kept Lipschitz by clipping its weights after each update (Arjovsky et al. 2017, Algorithm 1).

    Args:
        networks: the critics to clip; all if null.
        bound: weights are clipped to [-bound, bound].
        lower: the least weight in the place of -bound, as of RWGAN (Guo et al. 2017, arXiv 1705.07164); null for that.
    """

    applies_last = True

    def __init__(self, networks: list[str] | None, bound: float, lower: float | None = None) -> None:
        if not bound > 0:
            raise ValueError(f"bound={bound}: it must be positive")
        if lower is not None and not lower < bound:
            raise ValueError(f"lower={lower}: it must be below bound={bound}")
        self.networks = networks
        self.bound = bound
        self.lower = -bound if lower is None else lower

    def apply(self, game: Game) -> None:
        """Clip after every update of a player on the discriminator's side."""
        networks = game.critics if self.networks is None else self.networks
        for name in networks:
            if name not in game.critics:
                raise ConfigError(
                    f"strategy.weight_clipping.networks: no player on the discriminator's side updates {name!r}; they "
                    f"update {', '.join(game.critics) or 'nothing'}"
                )
            game.claim(f"norm of the weights of networks.{name}", "weight_clipping")
        if not networks:
            raise ConfigError(
                f"weight_clipping has no effect on {type(game).__name__}: none of its players updates a discriminator"
            )
        for player in game.teams()[0]:
            if any(isinstance(term, GradientPenalty) for term in player.terms.values()):
                raise ConfigError(
                    "weight_clipping and gradient_penalty contradict each other: clipped weights cannot give the "
                    "gradients of norm 1 that the penalty asks for; choose loss=wasserstein or loss=wasserstein_gp"
                )
            for name in player.networks:
                if name in networks:
                    player.after_step.append(Clip(game.network(name), self.bound, self.lower))
