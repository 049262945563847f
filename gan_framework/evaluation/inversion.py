"""Latents of given samples, by a game's encoder, by optimisation or by one after the other, and of changed ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.core import seeding
from gan_framework.core.checks import evaluation_mode
from gan_framework.core.game import Game
from gan_framework.core.records import Latent
from gan_framework.errors import ConfigError

Distance = Callable[[Tensor], Tensor]
"""Maps generated samples (N, ...) to how far each is from what it should be (N,)."""


@runtime_checkable
class Reconstructs(Protocol):
    """What a game defines that has an encoder, or whose network makes samples of samples."""

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the reconstructions of samples x (N, ...), without random numbers."""


@runtime_checkable
class Encodes(Protocol):
    """What a game with an encoder defines."""

    def code_of(self, x: Tensor) -> Tensor:
        """Return the codes (N, K) of samples x (N, ...), without random numbers."""


class Inverted(NamedTuple):
    """What was found of samples.

    Attributes:
        reconstructed: (N, ...), float32.
        errors: their mean square errors (N,).
        how: `encoder`, `optimisation` or `encoder and optimisation`.
    """

    reconstructed: Tensor
    errors: Tensor
    how: str


def can_encode(game: Game) -> bool:
    """Return whether a game reconstructs samples by itself."""
    return isinstance(game, (Reconstructs, Encodes))


def invert(
    game: Game, x: Tensor, steps: int | None = None, lr: float = 0.05, seed: int = 0, labels: Tensor | None = None
) -> Inverted:
    """Reconstruct samples by a game's encoder where it has one, by optimised latents else.

    Args:
        game: a trained game.
        x: the samples (N, ...).
        steps: of the optimisation, of the mean square error by Adam; where there is an encoder it begins at its codes.
            None is none with an encoder, and 500 without.
        lr: the learning rate.
        seed: what the first latents follow from, where there is no encoder.
        labels: of the samples, for a conditional game.

    Raises:
        ConfigError: the game has no latents to be found, or it is conditional and the labels are not known.
    """
    encodes = can_encode(game)
    steps = (0 if encodes else 500) if steps is None else steps
    if steps == 0 and not encodes:
        raise ConfigError(f"{type(game).__name__} has no encoder: its latents are optimised, in at least one step")
    with torch.no_grad(), evaluation_mode(game):
        if not steps:
            return _compared(reconstruct(game, x, labels), x, "encoder")
        start = codes(game, x, labels) if encodes else None
        z = optimised(game, x, lambda made: squared_errors(made, x), steps, lr, seed, start, labels=labels)
        how = "encoder and optimisation" if encodes else "optimisation"
        return _compared(game.sample(Latent(z, labels)), x, how)


def reconstruct(game: Game, x: Tensor, labels: Tensor | None = None) -> Tensor:
    """Return what a game makes of samples x (N, ...), of labels if it is conditional, by itself; float32."""
    if isinstance(game, Reconstructs):
        return game.reconstruct(x).float()
    return game.sample(Latent(codes(game, x, labels), labels))


def codes(game: Game, x: Tensor, labels: Tensor | None = None) -> Tensor:
    """Return the codes of samples x (N, ...) that are latents of the game's generator, beside labels if it needs some.

    Raises:
        ConfigError: the game has no such codes, or needs labels and is given none.
    """
    dim = _latent_dim(game, labels)
    found = game.code_of(x) if isinstance(game, Encodes) else x.new_zeros(len(x), 0)
    if found.shape[1:] != (dim,):
        raise ConfigError(
            f"the codes of {type(game).__name__} have the shape {tuple(found.shape[1:])} and are no latents of {dim} "
            "numbers: leave out the optimisation (--steps 0)"
        )
    return found


def edited(
    game: Game,
    z: Tensor,
    wanted: Tensor,
    mask: Tensor,
    steps: int = 100,
    lr: float = 0.1,
    stays: float = 5.0,
    realism: float = 0.0,
) -> Tensor:
    """Return latents near z (N, latent_dim) whose samples have wanted values where a mask says.

    Zhu et al. 2016, arXiv 1609.03552, section 4.2, without its terms of edges: Adam minimises the mean square
    difference under the mask + stays · mean (z - z_0)² + realism · softplus(-D(G(z))). Where the mask is 0 everywhere,
    z stays. The authors' z is tanh(u) of what is moved; here z itself is, as not every prior lies within (-1, 1).

    Args:
        game: a trained game.
        z: the latents of the samples that are changed, z_0.
        wanted: values (N, ...) in the range of samples, of which those under the mask are read.
        mask: of the samples' shape, or one that is broadcast to it; from 0 to 1.
        steps: of Adam.
        lr: its learning rate.
        stays: the weight of the latents' change.
        realism: the weight of what D says, where the game has a network `discriminator` that judges samples alone.

    Raises:
        ConfigError: the game has no latents, or what is wanted has another shape.
    """
    shape = (len(z), *game.data.sample)
    if wanted.shape != shape:
        raise ConfigError(f"wanted has the shape {tuple(wanted.shape)}, and samples of these latents have {shape}")
    weights = mask.to(wanted).expand(shape)

    def distance(made: Tensor) -> Tensor:
        under = (weights * (made - wanted).square()).flatten(1).sum(1) / weights.flatten(1).sum(1).clamp(min=1e-12)
        if not realism:
            return under
        return under + realism * F.softplus(-game.judge("discriminator")(made).scores)

    def change(latents: Tensor) -> Tensor:
        return stays * (latents - z).square().mean(1)

    with torch.no_grad(), evaluation_mode(game):
        return optimised(game, wanted, distance, steps, lr, 0, z, change)


def optimised(
    game: Game,
    x: Tensor,
    distance: Distance,
    steps: int,
    lr: float,
    seed: int,
    start: Tensor | None = None,
    change: Distance | None = None,
    labels: Tensor | None = None,
) -> Tensor:
    """Return the latents (N, latent_dim) with the least distance that Adam has seen, the start among them.

    Schlegl et al. 2017, arXiv 1703.05921, section 2.2; Zhu et al. 2016, arXiv 1609.03552, section 4.1. Each sample has
    a latent of its own, and what is found of it depends on no other.

    Args:
        game: a trained game, in evaluation mode.
        x: what latents are sought of, of which the number alone is needed here.
        distance: of generated samples from what they should be.
        steps: of Adam.
        lr: its learning rate.
        seed: what the first latents follow from, where no start is given.
        start: the first latents.
        change: of the latents, added to the distance.
        labels: of the samples, for a conditional game.

    Raises:
        ConfigError: the game has no latents, or needs labels and is given none.
    """
    _latent_dim(game, labels)
    if start is None:
        start = game.latent(len(x), generator=seeding.generator(seed, "inversion")).z
    best = start.clone()
    least = torch.full((len(x),), torch.inf, device=x.device, dtype=x.dtype)
    with torch.enable_grad():
        z = start.detach().clone().requires_grad_()
        adam = torch.optim.Adam([z], lr)
        for step in range(steps + 1):
            found = distance(game.generate(Latent(z, labels), game.sampling_network).to(x.dtype))
            found = found if change is None else found + change(z)
            nearer = found.detach() < least
            least = torch.where(nearer, found.detach(), least)
            best[nearer] = z.detach()[nearer]
            if step < steps:
                (z.grad,) = torch.autograd.grad(found.sum(), z)
                adam.step()
    return best


def squared_errors(made: Tensor, x: Tensor) -> Tensor:
    """Return the mean square error of each sample (N,)."""
    return (made - x).square().flatten(1).mean(1)


def _compared(made: Tensor, x: Tensor, how: str) -> Inverted:
    return Inverted(made, squared_errors(made, x), how)


def _latent_dim(game: Game, labels: Tensor | None = None) -> int:
    if game.conditional and labels is None:
        name = type(game.networks[game.sampling_network]).__name__
        raise ConfigError(f"{name} needs labels, which image files have not: name them by --classes, or invert test")
    if game.prior is None or game.generates_from is not None:
        raise ConfigError(f"{type(game).__name__} draws no latents from a prior, so samples have none")
    return game.prior.dim
