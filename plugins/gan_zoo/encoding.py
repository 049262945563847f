"""What games share that have an encoder beside the generator, and the terms that only they have."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Batch, ConfigError, Game, Latent, Pair, Player, Term, nobody
from gan_zoo.autoencoding import drawn_around
from gan_zoo.running_statistics import running_statistics_kept

RECONSTRUCTION = "reconstruction"
"""The pair of real samples and what the generator makes of their codes."""


class EncodingGame(Game):
    """The base of games with a network `encoder`, from samples to the latents of the generator.

    Its outputs are codes, if they are as many as a latent has entries, or, if they are twice as many, means and
    logarithms of variances of normal distributions that codes are drawn from.
    """

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Latent:
        """Return the codes of samples x (N, ...), with `mean` and `log_variance` in `code` where they are drawn.

        Raises:
            ConfigError: the encoder's outputs are neither as many as latents have entries, nor twice as many.
        """
        with self.autocast():
            outputs: Tensor = self.network("encoder")(x)
        dim, found = self.latent_dim, outputs.shape[1]
        if found == dim:
            return Latent(outputs if outputs.dtype == torch.float64 else outputs.float(), labels)
        if found != 2 * dim:
            raise ConfigError(
                f"networks.encoder makes {found} numbers of a sample: codes have {dim}, as prior.dim says, and means "
                f"with logarithms of variances {2 * dim}"
            )
        return drawn_around(outputs)._replace(labels=labels)

    @property
    def latent_dim(self) -> int:
        """The size of a code.

        Raises:
            ConfigError: there is no prior to say it.
        """
        if self.prior is None:
            raise ConfigError(f"{type(self).__name__} compares codes with latents of a prior: set prior=normal")
        return self.prior.dim

    def code_of(self, x: Tensor) -> Tensor:
        """Return the codes (N, latent_dim) of samples, without random numbers: means where codes are drawn."""
        latent = self.encode(x)
        return latent.code.get("mean", latent.z)

    def reconstruct(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return what the generator makes of the codes of samples x (N, ...)."""
        return self.generate(Latent(self.code_of(x), labels), self.sampling_network)

    def autoencoded(self, batch: Batch) -> Pair:
        """Return real samples with their reconstructions, by which alone G learns; nobody judges them."""
        code = self.encode(batch.samples, batch.labels)
        return Pair(nobody, batch, code, self.generate(code))

    def decoded(self, batch: Batch) -> Pair:
        """Return real samples with their reconstructions, in a game that makes samples of the prior too."""
        with running_statistics_kept(self.network("generator")):
            return self.autoencoded(batch)


def latent_distance(code: Tensor, z: Tensor) -> Tensor:
    """Return ½ ‖z - code‖² for each sample (N,): -log N(z; code, I) without its constant."""
    return 0.5 * (z - code).square().sum(1)


class LatentReconstruction(Term):
    """½ ‖z - E(G(z))‖², a mean over samples: whether the encoder finds the latents of generated samples."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's generated samples."""
        with self.game.autocast():
            outputs: Tensor = self.game.network("encoder")(pair.fake)
        z = pair.latent.z
        return latent_distance(outputs[:, : z.shape[1]].to(z.dtype), z).mean()


class Fools(Term):
    """The generator's part of the game's loss, as a summand with a weight."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's generated samples."""
        loss = self.game.loss
        assert loss is not None
        return loss.generator(pair.fake_output, pair.real_output if loss.generator_needs_real else None)

    def check(self, game: Game, player: Player) -> None:
        """Raise ConfigError if the game has no loss."""
        if game.loss is None:
            raise ConfigError(
                f"the player {player.name!r} is to fool a discriminator, and there is no loss: choose one"
            )


class LogRatio(Term):
    """-E logit D: of a D that tells both sides by cross entropy an estimate of E log p_g / p_data.

    Rosca et al. 2017, arXiv 1706.04987, section 3; Srivastava et al. 2017, arXiv 1705.07761, section 3.
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's generated samples."""
        return -pair.fake_output.scores.mean()
