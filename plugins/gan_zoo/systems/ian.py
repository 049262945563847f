"""IAN: Brock, Lim, Ritchie & Weston 2017, Introspective Adversarial Networks, arXiv 1609.07093, its simple form."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    MAIN,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    DiscriminatorOutput,
    Latent,
    NextBatch,
    Pair,
    Player,
    Term,
    TermPlan,
)
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.encoding import RECONSTRUCTION, EncodingGame
from gan_zoo.layers import ImageSize, activations, init_normal
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.strategies.minibatch_discrimination import Closeness
from gan_zoo.terms.kl_divergence import KLDivergence

REAL, RECONSTRUCTED, GENERATED = range(3)
KINDS = "kinds"
"""D's head of three logits: of real, reconstructed and generated samples."""


class IAN(EncodingGame):
    """A VAE whose encoder is a head on the discriminator's layers, which tells three kinds of samples (section 3).

        D     CE(D(x), real) + CE(D(x̂), reconstructed) + CE(D(G(z)), generated)
        G     CE(D(x̂), real) + CE(D(G(z)), real) + R,    R = pixels |x - x̂| + features Σ_l ‖D_l(x) - D_l(x̂)‖² / dim
        head  R + KL(q(z|x) ‖ p(z))

    |.| and the squares are means over entries; the sum over D's layers is a mean too. The head's update leaves D's
    layers as they are. The head moves twice in a step, on two batches, as in the authors' program, where it moves
    beside D and beside G. There is no adversarial loss beside the terms: `loss=null`.

    Args:
        components: what the game is made of.
        pixels: the weight of the mean absolute error; 3 · 2 in the authors' program.
        features: the weight of the error in D's layers; 1 there.
        divergence: the weight of the KL divergence.
    """

    def __init__(self, components: Components, pixels: float, features: float, divergence: float) -> None:
        require_not_negative(pixels=pixels, features=features, divergence=divergence)
        super().__init__(components)
        self.player("discriminator").add_term("told", Told())
        for name in ("generator", "encoder"):
            plan = TermPlan(pairs=(RECONSTRUCTION,))
            self.player(name).add_term("reconstruction", Reconstructed(pixels, features), plan=plan)
        self.player("generator").add_term("fooled", Fooled())
        plan = TermPlan(divergence, pairs=(RECONSTRUCTION,))
        self.player("encoder").add_term("kl_divergence", KLDivergence(), plan=plan)

    def make_players(self) -> list[Player]:
        """Return D, G and the encoder's head."""
        return [
            Player("discriminator", ("discriminator",), "discriminator"),
            Player("generator", ("generator",), "generator"),
            Player("encoder", ("encoder",)),
        ]

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step, and the head once more."""
        measured = super().step(next_batch)
        return measured | self.player("encoder").play(self.meet(next_batch()))

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Latent:
        """Return the codes of samples x (N, ...), read off D's last layer."""
        with self.autocast():
            inner = self.discriminator.features(x)[-1].flatten(1)
        return super().encode(inner, labels)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return generated samples and reconstructions, both before D."""
        judge = self.judge("discriminator")
        reconstruction = self.decoded(batch).judged_by(judge)
        return {MAIN: Pair(judge, batch, latent, self.generate(latent)), RECONSTRUCTION: reconstruction}

    def check(self) -> None:
        """Raise ConfigError if D tells no three kinds."""
        if not isinstance(self.discriminator, IANDiscriminator):
            raise ConfigError("game=ian needs discriminator=ian, which tells three kinds of samples")
        super().check()


def kind_loss(said: DiscriminatorOutput, kind: int) -> Tensor:
    """Return the mean cross entropy of D's three logits with one kind."""
    logits = said.heads[KINDS].to(said.logits.dtype)
    return F.cross_entropy(logits, logits.new_full((len(logits),), kind).long())


class Told(Term):
    """What D pays: the cross entropies of one pair's samples, those of real ones once."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for generated samples, with real ones, or for reconstructions."""
        if "mean" in pair.latent.code:
            return kind_loss(pair.fake_output, RECONSTRUCTED)
        return kind_loss(pair.real_output, REAL) + kind_loss(pair.fake_output, GENERATED)


class Fooled(Term):
    """What G pays for samples and reconstructions that are not taken for real."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the cross entropy with real samples."""
        return kind_loss(pair.fake_output, REAL)


class Reconstructed(Term):
    """The error of reconstructions in pixels, and in D's layers.

    Args:
        pixels: the weight of the first.
        features: the weight of the second.
    """

    def __init__(self, pixels: float, features: float) -> None:
        super().__init__()
        self.pixels = pixels
        self.features = features

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the weighted sum."""
        real, made = pair.real_output.features, pair.fake_output.features
        errors = [(a.detach() - b).square().mean() for a, b in zip(real, made, strict=True)]
        return self.pixels * (pair.fake - pair.real).abs().mean() + self.features * sum(errors) / len(errors)


KERNEL_DIM = 5
"""The dimensions that each measure of minibatch discrimination compares."""


class IANDiscriminator(Discriminator):
    """DCGAN's layers and three logits of the maps' means; the score is log p(real) / p(not real).

    The last layer also sees how close the means are to those of the rest of a batch, by minibatch discrimination.

    Args:
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the first layer; 128 in the paper.
        norm: `batch`, `layer`, `instance` or `none`.
        kernels: measures of closeness; 500 in the authors' program, 0 for none.
    """

    def __init__(self, image_size: ImageSize, channels: int, width: int, norm: str, kernels: int = 0) -> None:
        super().__init__()
        require_positive(width=width)
        require_not_negative(kernels=kernels)
        trunk = DCGANDiscriminator(image_size, channels, width, norm)
        self.blocks = trunk.blocks
        wide = next(m.out_channels for m in reversed([*trunk.blocks.modules()]) if isinstance(m, nn.Conv2d))
        self.output = nn.Linear(wide + kernels, 3)
        init_normal(self, 0.02)
        self.closeness = Closeness(wide, kernels, KERNEL_DIM) if kernels else None

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every block for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Tell what kind of samples they are."""
        features = self.features(x)
        means = features[-1].flatten(2).mean(2)
        close = [] if self.closeness is None else [self.closeness(means).to(means.dtype)]
        kinds = self.output(torch.cat([means, *close], 1))
        score = kinds[:, REAL] - kinds[:, RECONSTRUCTED:].logsumexp(1)
        heads = {name: head(features[-1].flatten(1)) for name, head in self.heads.items()}
        return DiscriminatorOutput(score, features, {**heads, KINDS: kinds})


class IANHead(nn.Module):
    """The encoder: one hidden layer with batch norm and ELU, and means and logarithms of variances with batch norm.

    As in the authors' program, whose second half are logarithms of deviations.

    Args:
        inputs: the size of D's last maps, flat.
        hidden: the size of the hidden layer; 1000 there.
        latent_dim: the size of a code.
    """

    def __init__(self, inputs: int, hidden: int, latent_dim: int) -> None:
        super().__init__()
        require_positive(inputs=inputs, hidden=hidden, latent_dim=latent_dim)
        self.hidden = nn.Sequential(nn.Linear(inputs, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ELU())
        self.parts = nn.Sequential(nn.Linear(hidden, 2 * latent_dim, bias=False), nn.BatchNorm1d(2 * latent_dim))
        init_normal(self, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Map D's maps (N, inputs) to means and logarithms of variances (N, 2 latent_dim)."""
        mean, log_deviation = self.parts(self.hidden(x)).chunk(2, 1)
        return torch.cat([mean, 2 * log_deviation], 1)
