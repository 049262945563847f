"""VAW-GAN (Hsu et al. 2017, arXiv 1704.00849): another speaker says the same, learnt without parallel data."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import SAMPLES, Batch, Components, ConfigError, Game, Generator, Latent, Pair, Player, Term
from gan_zoo.layers import given
from gan_zoo.ndims import cut, down, init_dcgan, up
from gan_zoo.ranges import require_above_zero, require_not_negative
from gan_zoo.systems.iwgan_3d import CodeDivergence
from gan_zoo.systems.simgan import AfterSteps
from gan_zoo.translating import WeighedPlayer


class SpectrumEncoder(nn.Module):
    """Convolutions of 7 and stride 3 from a spectrum to a code's means and logarithms of variances.

    Args:
        shape: of a spectrum (1, bins).
        width: channels of the first layer.
        code: the size of a code; 128 in the paper.
    """

    def __init__(self, shape: list[int], width: int, code: int) -> None:
        super().__init__()
        blocks, values = down(shape, width, 7, 3, 19, "layer")
        self.layers = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(values, 2 * code))
        init_dcgan(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map spectra (N, 1, bins) to (N, 2 code)."""
        parameters: Tensor = self.layers(x)
        return parameters


class SpectrumDecoder(Generator):
    """Transposed convolutions from a code and a speaker's embedding to a spectrum.

    Args:
        latent_dim: the size of a code.
        num_classes: speakers.
        embedding: the size of a speaker's vector; 128 in the paper.
        shape: of a spectrum.
        width: channels of the layer before the spectrum.
    """

    conditional = True

    def __init__(self, latent_dim: int, num_classes: int, embedding: int, shape: list[int], width: int) -> None:
        super().__init__()
        self.sizes = shape[1:]
        self.speaker = nn.Embedding(num_classes, embedding)
        self.layers = up(latent_dim + embedding, shape, width, 7, 3, 19, "layer", "linear")
        init_dcgan(self)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map codes (N, latent_dim) and speakers (N,) to spectra (N, 1, bins)."""
        return cut(self.layers(torch.cat([z, self.speaker(given(labels))], 1)), self.sizes)


class LogLikelihood(Term):
    """-log N(x; what the decoder makes of its code, 1), without its constant: a sum over bins, a mean."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean in nats."""
        error = pair.batch.samples - pair.made["reconstructed"].float()
        return 0.5 * error.square().flatten(1).sum(1).mean()


class VAWGAN(Game):
    """A VAE whose decoder is told the speaker, and a critic of what it makes for the other speaker.

    The encoder minimises -log p + KL, the decoder -log p + `adversarial` times the generator's loss, which does not
    reach the encoder, and at first -log p alone, as in the authors' program. There the critic sees one speaker's real
    spectra and those that are converted to him; here it sees those of all, and is not told whose they are.

    Args:
        components: what the game is made of.
        adversarial: the weight of the adversarial loss, above 0; 50 in the authors' program.
        vae_steps: the decoder's first updates, without the adversarial loss.
    """

    generates_from = SAMPLES

    def __init__(self, components: Components, adversarial: float, vae_steps: int) -> None:
        require_above_zero(adversarial=adversarial)
        require_not_negative(vae_steps=vae_steps)
        self.vae_steps = vae_steps
        super().__init__(components)
        if self.data.num_classes < 2:
            raise ConfigError("game=vaw_gan converts from one class to another, and the data have not two")
        generator = self.player("generator")
        generator.add_term("likelihood", LogLikelihood(), 1 / adversarial)
        generator.add_term("divergence", CodeDivergence(), 1 / adversarial)

    def make_players(self) -> list[Player]:
        """Return the critic, and decoder and encoder."""
        decoder = WeighedPlayer("generator", ("generator", "encoder"), "generator", "generator")
        decoder.weight_at = AfterSteps(self.vae_steps)
        return [Player("discriminator", ("discriminator",), "discriminator", "discriminator"), decoder]

    def latent_for(self, batch: Batch) -> Latent:
        """Return what is said, and the next speaker."""
        assert batch.labels is not None, "the data have speakers"
        other = (batch.labels + 1) % self.data.num_classes
        return super().latent_for(batch)._replace(labels=other)

    def encode(self, spectra: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and logarithms of variances (N, D) of codes."""
        with self.autocast():
            mean, log_variance = self.network("encoder")(spectra).chunk(2, 1)
        return mean, log_variance

    def make(self, latent: Latent, network: str = "generator") -> dict[str, Tensor]:
        """Return what is given, said by the speakers of the labels, of the means of its codes."""
        mean, _ = self.encode(latent.given[SAMPLES])
        return dict(super().make(Latent(mean, latent.labels), network))

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return spectra, and what the other speakers make of the same."""
        mean, log_variance = self.encode(batch.samples)
        code = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        own = super().make(Latent(code, batch.labels))[SAMPLES]
        converted = super().make(Latent(code.detach(), latent.labels))[SAMPLES]
        made = {"mean": mean, "log_variance": log_variance, "reconstructed": own}
        return Pair(self.judge("discriminator"), batch, latent, converted, made=made)
