"""Pictures of what a game makes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from gan_framework.core.records import Latent
from gan_framework.errors import ConfigError
from gan_framework.storage import pictures

if TYPE_CHECKING:
    from gan_framework.core.game import Game


def draw(game: Game, latent: Latent, columns: int) -> Tensor:
    """Return a picture (1 or 3, H, W), uint8, of what a game makes of latents, of its own kind or by the shape."""
    own = game.picture(latent, columns)
    return pictures.draw(game.sample(latent), columns) if own is None else own


def write_singles(folder: Path, game: Game, latent: Latent, batch_size: int = 100) -> None:
    """Write the samples of latents as PNGs of their own, `000000.png` and so on.

    Raises:
        ConfigError: the samples are not images.
    """
    if not game.data.is_image:
        raise ConfigError(f"samples of shape {game.data.sample} are not images and make no single files")
    for start in range(0, len(latent.z), batch_size):
        pictures.write_singles(folder, game.sample(latent.part(slice(start, start + batch_size))), start)
