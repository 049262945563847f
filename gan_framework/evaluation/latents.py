"""Latents that are worth looking at: the same in every grid, a code's values, walks between two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gan_framework.core import seeding
from gan_framework.core.checks import forked_random_numbers
from gan_framework.core.records import Batch, Latent
from gan_framework.errors import ConfigError
from gan_framework.evaluation import decoding

if TYPE_CHECKING:
    from gan_framework.core.game import Game


def fixed_latent(
    game: Game, n: int, seed: int, classes: list[int] | None = None, inputs: Batch | None = None
) -> Latent:
    """Return the same n latents at every call; for conditional games with the classes or kept conditions in turn.

    Args:
        game: the game whose prior is drawn from.
        n: how many.
        seed: what they follow from.
        classes: the classes to go through in turn; all, if none are given.
        inputs: at least n samples, for games that make samples of samples.

    Raises:
        ConfigError: classes were asked for that the game does not have, or there are no inputs for a game that needs
            them.
    """
    labels = None
    if classes is not None and not game.conditional:
        raise ConfigError("classes were asked for, but this model is not conditional")
    if game.data.condition_dim:
        if classes is not None:
            raise ConfigError("classes were asked for, but this model is conditioned on vectors")
        labels = game.conditions[torch.arange(n) % len(game.conditions)]
    if game.data.num_classes:
        choices = torch.tensor(classes if classes is not None else range(game.data.num_classes))
        if bool((choices < 0).any() | (choices >= game.data.num_classes).any()):
            raise ConfigError(f"classes {choices.tolist()}: they must lie between 0 and {game.data.num_classes - 1}")
        labels = choices[torch.arange(n) % len(choices)].to(game.device)
    latent = game.latent(n, labels, seeding.generator(seed, "samples"))
    if game.generates_from is None:
        return latent
    if inputs is None:
        raise ConfigError(f"{type(game).__name__} makes samples of samples, and none are given")
    with forked_random_numbers(game.device):
        seeding.reseed(seed, "samples", "inputs")  # for games that give noise of their own
        given = game.latent_for(inputs.part(slice(n)))
    return latent._replace(labels=given.labels if classes is None else labels, given=given.given)


@contextmanager
def drawing_from(seed: int, device: torch.device) -> Iterator[None]:
    """Have what networks draw themselves while they sample follow from a seed inside the context."""
    with forked_random_numbers(device):
        seeding.reseed(seed, "drawn by the network")
        yield


def traverse(game: Game, code: str, n: int, seed: int) -> Tensor:
    """Return the samples (values * n, ...), as they are seen, of n latents while one code goes through its values.

    They come row by row: each row has one value of the code, each column the same noise.

    Args:
        game: a game whose latents have structured codes.
        code: the name of the code.
        n: the number of columns.
        seed: what the noise follows from.

    Raises:
        ConfigError: the latents have no such code.
    """
    if game.prior is None:
        raise ConfigError(f"there is no code {code!r}: this game has no latents")
    rows = game.prior.vary(fixed_latent(game, n, seed), code)
    return torch.cat([decoding.seen(game, game.sample(row)) for row in rows])


def interpolate(game: Game, rows: int, columns: int, seed: int) -> Latent:
    """Return rows * columns latents that walk from one fixed latent to another in each row.

    They walk on great circles, where the latents between are as long as those the generator was
    trained on (White 2016, arXiv 1609.04468, section 2.1). The label stays that of the row's first.

    Raises:
        ConfigError: the game makes its samples of samples, or of nothing.
    """
    if game.prior is None or game.generates_from is not None:
        instead = "draws none" if game.generates_from is None else "makes samples of samples: draw them with --from"
        raise ConfigError(f"--interpolate walks between latents, and {type(game).__name__} {instead}")
    ends = fixed_latent(game, 2 * rows, seed)
    z = slerp(ends.z[:rows], ends.z[rows:], torch.linspace(0, 1, columns, device=ends.z.device))
    labels = None if ends.labels is None else ends.labels[:rows].repeat_interleave(columns, 0)
    return Latent(z.flatten(0, 1), labels)


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Return the points (N, T, D) on the great circles from a to b (N, D) at the shares t (T,) of the way."""
    angle = torch.acos(torch.cosine_similarity(a, b).clamp(-1 + 1e-6, 1 - 1e-6))[:, None, None]
    t = t[:, None]
    return (torch.sin((1 - t) * angle) * a[:, None] + torch.sin(t * angle) * b[:, None]) / torch.sin(angle)
