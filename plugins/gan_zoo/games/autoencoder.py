"""Auto-encoders: a game with one player."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gan_framework.api import (
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Game,
    Latent,
    NextBatch,
    Pair,
    Player,
    evaluation_mode,
    grid,
    nobody,
    seeding,
)
from gan_zoo.ranges import require_not_negative
from gan_zoo.reference import Reference
from gan_zoo.without_loss import refuse_loss

KEPT = 32


class AutoEncoder(Game):
    """One network makes samples of samples; with noise, clean ones of noisy ones (Vincent et al. 2008).

    It has no prior, so samples are reconstructions of what it is given; its pictures are those of the
    first real images of the run.

    Args:
        components: what the game is made of.
        noise: the deviation of the normal noise on the input; noisy images are cut off at -1 and 1.
    """

    generates = False
    generates_from = SAMPLES
    sampling_network = "autoencoder"

    def __init__(self, components: Components, noise: float) -> None:
        super().__init__(components)
        require_not_negative(noise=noise)
        self.noise = noise
        self.reference = Reference(KEPT, components.data.sample)

    def make_players(self) -> list[Player]:
        """Return the one player."""
        return [Player("autoencoder", ("autoencoder",))]

    def check(self) -> None:
        """Raise ConfigError if there is a loss, or the network does not fit the data."""
        refuse_loss(self, "autoencoder")
        super().check()

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step; the first real images are kept for the pictures."""
        return super().step(self.reference.watching(next_batch))

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return a pair in which the generated samples are the reconstructions of the real ones."""
        return Pair(nobody, batch, latent, self.reconstruct(self.corrupt(batch.samples)))

    def make(self, latent: Latent, network: str = "autoencoder") -> Mapping[str, Tensor]:
        """Return the reconstructions of the samples that are given."""
        return {SAMPLES: self.reconstruct(latent.given[SAMPLES])}

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return what the network makes of samples."""
        with self.autocast():
            return self.network("autoencoder")(x)  # type: ignore[no-any-return]

    def code_of(self, x: Tensor) -> Tensor:
        """Return the codes (N, K) of samples.

        Raises:
            ConfigError: the network does not say what its code is.
        """
        network = self.network("autoencoder")
        if not hasattr(network, "encode"):
            raise ConfigError(
                f"networks.autoencoder: {type(network).__name__} has no method `encode`, which gives codes"
            )
        with self.autocast():
            return network.encode(x).float()  # type: ignore[no-any-return, operator]

    def corrupt(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return samples with noise, if there is any."""
        if not self.noise:
            return x
        source = generator.device if generator is not None else x.device
        noise = torch.randn(x.shape, device=source, generator=generator).to(x.device)
        noisy = x + self.noise * noise
        return noisy.clamp(-1, 1) if x.ndim == 4 else noisy

    @torch.no_grad()
    def picture(self, latent: Latent, columns: int) -> Tensor:
        """Draw rows of real images, each followed by a row of their reconstructions (and the noisy ones between)."""
        real = self.reference.kept
        rows = [real, self.corrupt(real, seeding.generator(0, "picture"))] if self.noise else [real]
        with evaluation_mode(self):
            rows.append(self.reconstruct(rows[-1]).float())
        whole = len(real) // columns * columns or len(real)
        blocks = torch.stack(rows)[:, :whole].unflatten(1, (-1, min(columns, whole)))
        return grid(blocks.transpose(0, 1).flatten(0, 2), min(columns, whole))
