"""The samples of a game that are scored."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from gan_framework import seeding
from gan_framework.errors import RunFailed
from gan_framework.game import Game
from gan_framework.images import to_uint8
from gan_framework.types import Latent


def draw_latents(game: Game, count: int, seed: int, labels: Tensor | None) -> Latent:
    """Draw the latents to be scored, the same for the same seed whatever the batch size.

    Args:
        game: what is scored.
        count: how many.
        seed: the sample seed.
        labels: of the reference data; a conditional game is asked for labels drawn from them.
    """
    random = seeding.generator(seed, "evaluate")
    asked = None
    if game.conditional and labels is not None:
        asked = labels[torch.randint(len(labels), (count,), generator=random)].to(game.device)
    return game.latent(count, asked, generator=random)


def samples(game: Game, latents: Latent, batch_size: int) -> Iterator[Tensor]:
    """Yield the samples of latents, images quantised to uint8 and vectors as they are.

    Raises:
        RunFailed: a sample is not finite.
    """
    for start in range(0, len(latents.z), batch_size):
        batch = game.sample(_part(latents, slice(start, start + batch_size)))
        if not batch.isfinite().all():
            raise RunFailed("the generated samples cannot be scored: some hold NaN or infinite values")
        yield to_uint8(batch) if batch.ndim == 4 else batch


def _part(latents: Latent, of: slice) -> Latent:
    return Latent(
        latents.z[of],
        latents.labels[of] if latents.labels is not None else None,
        {name: code[of] for name, code in latents.code.items()},
    )
