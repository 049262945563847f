"""What auto-encoders share: pairs in which the "generated" samples are reconstructions."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Batch, Game, Latent, Pair, nobody
from gan_zoo.running_statistics import running_statistics_kept


def encode(game: Game, x: Tensor) -> Latent:
    """Draw z from q(z|x) = N(mean, exp(log_variance)) (Kingma & Welling 2014, arXiv 1312.6114, section 2.4).

    Args:
        game: a game with a network `encoder` that gives means, then the logarithms of variances.
        x: samples (N, ...).

    Returns:
        z (N, latent_dim), with `mean` and `log_variance` of the same shape in `code`.
    """
    with game.autocast():
        outputs = game.network("encoder")(x)
    return drawn_around(outputs)


def drawn_around(outputs: Tensor) -> Latent:
    """Draw z from N(mean, exp(log_variance)), outputs (N, 2 * latent_dim) being both, one after the other."""
    outputs = outputs if outputs.dtype == torch.float64 else outputs.float()
    mean, log_variance = outputs.chunk(2, dim=1)
    z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
    return Latent(z, code={"mean": mean, "log_variance": log_variance})


def decode(game: Game, code: Latent) -> Tensor:
    """Return what the generator makes of codes, in a game whose samples are drawn from the prior.

    Its running statistics stay those of samples: if they followed codes too, they would be of neither, and samples,
    which are drawn with them, far from those that the discriminator sees in training.
    """
    with running_statistics_kept(game.network("generator")):
        return game.generate(code)


def autoencode(game: Game, batch: Batch) -> Pair:
    """Return real samples and their reconstructions, by which alone the generator learns; nobody judges them."""
    latent = encode(game, batch.samples)._replace(labels=batch.labels)
    return Pair(nobody, batch, latent, game.generate(latent))
