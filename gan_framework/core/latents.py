"""Drawing samples: grids, and games rebuilt from a run or a checkpoint without any data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gan_framework.core import seeding
from gan_framework.core.records import DataShape, Latent
from gan_framework.errors import ConfigError
from gan_framework.runs import checkpoint
from gan_framework.storage.images import save_png, to_uint8

if TYPE_CHECKING:
    from gan_framework.core.game import Game


def run_folder(path: Path) -> Path:
    """Return the folder of what is given: a folder itself, or the run's that a checkpoint is from."""
    if path.is_dir():
        return path
    return path.parent.parent if path.parent.name == "checkpoints" else path.parent


def load_game(path: Path, device: torch.device | str = "cpu") -> tuple[Game, dict[str, Any]]:
    """Rebuild a trained game from a run's folder or a checkpoint, and return it with its configuration.

    Raises:
        ConfigError: there is no intact checkpoint, or its plugins are not installed.
    """
    from gan_framework.build import build_game

    if path.is_dir():
        found = checkpoint.newest(path / "checkpoints")
        if found is None:
            raise ConfigError(f"{path} holds no intact checkpoint in its folder `checkpoints`")
        path, state = found
    else:
        state = checkpoint.load(path)
    config = state["config"]
    game = build_game(config, DataShape(*state["shape"]), torch.device(device))
    restore(game, state["game"], path)
    return game, config


def restore(game: Game, state: dict[str, Any], path: Path) -> None:
    """Give a game the state of a checkpoint.

    Raises:
        ConfigError: the checkpoint is of another architecture.
    """
    try:
        game.load_state_dict(state)
    except (RuntimeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:500]
        raise ConfigError(f"the checkpoint {path} does not fit this configuration: {reason}") from error


def fixed_latent(game: Game, n: int, seed: int, classes: list[int] | None = None) -> Latent:
    """Return the same n latents at every call; for conditional games with the classes or kept conditions in turn.

    Args:
        game: the game whose prior is drawn from.
        n: how many.
        seed: what they follow from.
        classes: the classes to go through in turn; all, if none are given.

    Raises:
        ConfigError: classes were asked for that the game does not have.
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
    return game.latent(n, labels, seeding.generator(seed, "samples"))


def traverse(game: Game, code: str, n: int, seed: int) -> Tensor:
    """Return the samples (values * n, ...) of n latents while one code goes through its values.

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
    return torch.cat([game.sample(row) for row in game.prior.vary(fixed_latent(game, n, seed), code)])


def interpolate(game: Game, rows: int, columns: int, seed: int) -> Latent:
    """Return rows * columns latents that walk from one fixed latent to another in each row.

    They walk on great circles, where the latents between are as long as those the generator was
    trained on (White 2016, arXiv 1609.04468, section 2.1). The label stays that of the row's first.
    """
    ends = fixed_latent(game, 2 * rows, seed)
    z = great_circle(ends.z[:rows], ends.z[rows:], torch.linspace(0, 1, columns, device=ends.z.device))
    labels = None if ends.labels is None else ends.labels[:rows].repeat_interleave(columns, 0)
    return Latent(z.flatten(0, 1), labels)


def great_circle(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Return the points (N, T, D) on the great circles from a to b (N, D) at the shares t (T,) of the way."""
    angle = torch.acos(torch.cosine_similarity(a, b).clamp(-1 + 1e-6, 1 - 1e-6))[:, None, None]
    t = t[:, None]
    return (torch.sin((1 - t) * angle) * a[:, None] + torch.sin(t * angle) * b[:, None]) / torch.sin(angle)


def save_grid(path: Path, images: Tensor, columns: int) -> None:
    """Write images (N, C, H, W) in [-1, 1] as one PNG, row by row.

    Raises:
        ConfigError: the samples are not images.
    """
    from torchvision.utils import make_grid

    if images.ndim != 4:
        raise ConfigError(f"samples of shape {tuple(images.shape[1:])} are not images and make no grid")
    save_png(path, make_grid(to_uint8(images.cpu()), nrow=columns, padding=2, pad_value=128))


def save_singles(folder: Path, game: Game, latent: Latent, batch_size: int = 100) -> None:
    """Write the samples of latents as PNGs of their own, `000000.png` and so on.

    Raises:
        ConfigError: the samples are not images.
    """
    for start in range(0, len(latent.z), batch_size):
        samples = game.sample(latent.part(slice(start, start + batch_size)))
        for number, image in enumerate(samples, start):
            save_grid(folder / f"{number:06d}.png", image[None], columns=1)


def save_rows(path: Path, vectors: Tensor) -> None:
    """Write vectors (N, D) as one PNG, a row of pixels for each; grey is 0, white the largest absolute value."""
    vectors = vectors.flatten(1).cpu()
    shades = to_uint8(vectors / vectors.abs().max().clamp(min=1e-12))
    save_png(path, shades.repeat_interleave(4, 0).repeat_interleave(4, 1)[None])
