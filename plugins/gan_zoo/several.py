"""Games of several generators against several discriminators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch

from gan_framework.api import Batch, ConfigError, Game, Latent, Pair
from gan_zoo.priors.components import Components


def critics_in(networks: Iterable[str], game: str) -> list[str]:
    """Return the names of the networks that are discriminators, in their order.

    Raises:
        ConfigError: there is none.
    """
    found = [name for name in networks if name.startswith("discriminator")]
    if not found:
        raise ConfigError(f"game={game} needs networks.discriminator_0, networks.discriminator_1, ...")
    return found


def pair_name(component: int, critic: int) -> str:
    """Return the name of the pair of one generator's samples before one discriminator."""
    return f"{component}_{critic}"


def every_pair(game: Game, prior: Components, critics: list[str], batch: Batch, latent: Latent) -> Mapping[str, Pair]:
    """Return what each generator makes of the same noise, a whole batch, before each discriminator."""
    found: dict[str, Pair] = {}
    for component in range(prior.components):
        own = prior.choose(latent, torch.full((len(latent.z),), component, device=latent.z.device))
        made = game.generate(own)
        for number, critic in enumerate(critics):
            found[pair_name(component, number)] = Pair(game.judge(critic), batch, own, made)
    return found
