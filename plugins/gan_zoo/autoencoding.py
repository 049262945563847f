"""What auto-encoders share: rounds in which the "generated" samples are reconstructions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gan_framework.core.game import Game, evaluation_mode
from gan_framework.core.pair import Round
from gan_framework.core.records import Batch, Latent
from gan_framework.errors import ConfigError


def encode(game: Game, x: Tensor) -> Latent:
    """Draw z from q(z|x) = N(mean, exp(log_variance)) (Kingma & Welling 2014, arXiv 1312.6114, section 2.4).

    Args:
        game: a game with a network `encoder` that gives means, then the logarithms of variances.
        x: samples (N, ...).

    Returns:
        z (N, latent_dim), with `mean` and `log_variance` of the same shape in `code`.
    """
    with game.autocast():
        outputs = game.networks["encoder"](x)
    mean, log_variance = outputs.float().chunk(2, dim=1)
    z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
    return Latent(z, code={"mean": mean, "log_variance": log_variance})


def autoencode(game: Game, batch: Batch, graph: bool = True) -> Round:
    """Return a round in which the generated samples are the reconstructions of the real ones."""
    with torch.set_grad_enabled(graph):
        latent = encode(game, batch.samples)._replace(labels=batch.labels)
        return Round(game, batch, latent, game.generate(latent))


def require_reconstructions(game: Game, networks: tuple[str, ...], autoencode: Callable[[Batch], Round]) -> None:
    """See that networks exist and make samples of samples, by trying them on two blank ones.

    Raises:
        ConfigError: a network is missing, or the shapes do not fit.
    """
    missing = [f"networks.{name}" for name in networks if name not in game.networks]
    if missing:
        raise ConfigError(f"{type(game).__name__} needs {' and '.join(missing)}")
    try:
        with torch.no_grad(), evaluation_mode(game):
            made = tuple(autoencode(Batch(torch.zeros(2, *game.data.sample))).fake.shape[1:])
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"the networks do not fit the data {game.data.sample}: {error}") from error
    if made != game.data.sample:
        raise ConfigError(f"the reconstructions have the shape {made}, but the data {game.data.sample}")
