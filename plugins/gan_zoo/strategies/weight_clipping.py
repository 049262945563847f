"""Weight clipping."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from gan_framework.api import ConfigError, Game, Strategy
from gan_zoo.ranges import require_above_zero
from gan_zoo.terms.gradient_penalty import GradientPenalty


class Clip(nn.Module):
    """Clips a network's parameters to [lower, bound], once for every call.

    Args:
        network: whose parameters are clipped.
        bound: the largest.
        lower: the least.
        part: only those whose names begin with one of these; null for all.
    """

    owner = "strategy.weight_clipping"

    def __init__(self, network: nn.Module, bound: float, lower: float, part: list[str] | None = None) -> None:
        super().__init__()
        # Kept in a tuple: the network belongs to the game, and must not be registered twice.
        self._network = (network,)
        self.bound = bound
        self.lower = lower
        self.part = part

    def clipped(self) -> list[nn.Parameter]:
        """Return the parameters that are clipped."""
        named = self._network[0].named_parameters()
        return [one for name, one in named if self.part is None or any(map(partial(_lies_in, name), self.part))]

    def changes(self, game: Game) -> list[nn.Parameter]:
        """Return the weights that it changes by itself."""
        return self.clipped()

    @torch.no_grad()
    def forward(self) -> None:
        """Clip all parameters in place."""
        parameters: list[torch.Tensor] = [*self.clipped()]
        torch._foreach_clamp_max_(parameters, self.bound)
        torch._foreach_clamp_min_(parameters, self.lower)


def _lies_in(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


class WeightClipping(Strategy):
    """The critic is kept Lipschitz by clipping its weights after each update (Arjovsky et al. 2017, Algorithm 1).

    Args:
        networks: the critics to clip; all if null.
        bound: weights are clipped to [-bound, bound].
        lower: the least weight in the place of -bound, as of RWGAN (Guo et al. 2017, arXiv 1705.07164); null for that.
        part: of each critic, the modules that are clipped, `[blocks, output]`: the encoder of MMD-GAN's auto-encoder
            (Li et al. 2017, arXiv 1705.08584); null for all.
    """

    applies_last = True

    def __init__(
        self, networks: list[str] | None, bound: float, lower: float | None = None, part: list[str] | None = None
    ) -> None:
        require_above_zero(bound=bound)
        if lower is not None and not lower < bound:
            raise ValueError(f"lower={lower}: it must be below bound={bound}")
        if part is not None and not part:
            raise ValueError("part=[]: name what is clipped, or set null for all")
        self.networks = networks
        self.part = part
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
                    player.after_step.append(self._clip(game, name))

    def _clip(self, game: Game, name: str) -> Clip:
        """Return what clips a critic.

        Raises:
            ConfigError: it has no parameter in one of the parts.
        """
        named = [key for key, _ in game.network(name).named_parameters()]
        for part in self.part or ():
            if not any(_lies_in(key, part) for key in named):
                known = sorted({key.partition(".")[0] for key in named})
                raise ConfigError(
                    f"strategy.weight_clipping.part: networks.{name} has no parameters in {part!r}; it has "
                    f"{', '.join(known)}"
                )
        return Clip(game.network(name), self.bound, self.lower, self.part)
