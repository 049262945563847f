"""Auto-encoders: a game with one player."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from gan_framework.core import latents, seeding
from gan_framework.core.game import Game, Parts, evaluation_mode
from gan_framework.core.pair import Round
from gan_framework.core.player import Player
from gan_framework.core.records import Batch, Draw, Latent
from gan_framework.errors import ConfigError
from gan_zoo.autoencoding import require_reconstructions
from gan_zoo.reference import Reference

KEPT = 32


class AutoEncoder(Game):
    """One network makes samples of samples; with noise, clean ones of noisy ones (Vincent et al. 2008).

    It has no prior, so nothing can be sampled from it; its pictures are reconstructions of the first
    real images of the run.

    Args:
        parts: what the game is made of.
        noise: the deviation of the normal noise on the input; noisy images are cut off at -1 and 1.
    """

    generates = False

    def __init__(self, parts: Parts, noise: float) -> None:
        super().__init__(parts)
        if noise < 0:
            raise ValueError(f"noise={noise}: a deviation is not negative")
        self.noise = noise
        self.sampling_network = "autoencoder"
        self.reference = Reference(KEPT, parts.data.sample)

    def make_players(self) -> list[Player]:
        """Return the one player."""
        return [Player("autoencoder", ("autoencoder",))]

    def check(self) -> None:
        """Raise ConfigError if the network does not fit the data."""
        require_reconstructions(self, ("autoencoder",), self.meet)

    def step(self, draw: Draw) -> dict[str, Tensor]:
        """Play one iteration; the first real images are kept for the pictures."""
        return super().step(self.reference.watching(draw))

    def meet(self, batch: Batch, graph: bool = True) -> Round:
        """Return a round in which the generated samples are the reconstructions of the real ones."""
        with torch.set_grad_enabled(graph):
            reconstructed = self.reconstruct(self.corrupt(batch.samples))
        return Round(self, batch, self.latent(len(batch.samples)), reconstructed)

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return what the network makes of samples."""
        with self.autocast():
            return self.networks["autoencoder"](x)  # type: ignore[no-any-return]

    def corrupt(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return samples with noise, if there is any."""
        if not self.noise:
            return x
        source = generator.device if generator is not None else x.device
        noise = torch.randn(x.shape, device=source, generator=generator).to(x.device)
        noisy = x + self.noise * noise
        return noisy.clamp(-1, 1) if x.ndim == 4 else noisy

    def latent(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Latent:
        """Return n empty latents."""
        return Latent(torch.zeros(n, 0, device=self.device), labels)

    def sample(self, latent: Latent) -> Tensor:
        """Raise ConfigError: there is nothing to sample from."""
        raise ConfigError("an auto-encoder has no prior to draw samples from: use experiment=vae, or metrics=[]")

    @torch.no_grad()
    def picture(self, path: Path, latent: Latent, columns: int) -> None:
        """Draw rows of real images, each followed by a row of their reconstructions (and the noisy ones between)."""
        real = self.reference.kept
        rows = [real, self.corrupt(real, seeding.generator(0, "picture"))] if self.noise else [real]
        with evaluation_mode(self):
            rows.append(self.reconstruct(rows[-1]).float())
        whole = len(real) // columns * columns or len(real)
        blocks = torch.stack(rows)[:, :whole].unflatten(1, (-1, min(columns, whole)))
        latents.save_grid(path, blocks.transpose(0, 1).flatten(0, 2), min(columns, whole))
