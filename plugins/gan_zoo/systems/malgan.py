"""MalGAN (Hu & Tan 2017, arXiv 1702.05983), on made-up bits: how a detector is deceived, and what it learns from that.

There are no files here, and no detector that anybody uses: samples are vectors of bits that are drawn on the spot, and
the detector is a rule that is fitted to them before the first step.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    MAIN,
    SAMPLES,
    Batch,
    BeforeFirstStep,
    Components,
    ConfigError,
    Game,
    Generator,
    Latent,
    NextBatch,
    Pair,
    Player,
    Term,
    distributed,
)
from gan_zoo.ranges import require_positive

BENIGN, BAD = 0, 1


class Detector(nn.Module):
    """The black box: the log-odds of bad by Bayes' rule with independent bits, fitted by counting.

    Args:
        bits: how many there are.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, bits: int) -> None:
        super().__init__()
        require_positive(bits=bits)
        self.register_buffer("weight", torch.zeros(bits))
        self.register_buffer("bias", torch.zeros(()))

    def fit(self, benign: Tensor, bad: Tensor) -> None:
        """Count how often which bits are set in either class (N, bits)."""
        self.fit_to(torch.stack([counted(of) for of in (benign, bad)]))

    @torch.no_grad()
    def fit_to(self, counts: Tensor) -> None:
        """Take up of either class how many samples there are and how many have each bit (2, 1 + bits).

        Each bit is counted once more as set and as not set, so that no share is 0.
        """
        shares = (counts[:, 1:] + 1) / (counts[:, :1] + 2)
        on = (shares[BAD] / shares[BENIGN]).log()
        off = ((1 - shares[BAD]) / (1 - shares[BENIGN])).log()
        self.weight.copy_(on - off)
        self.bias.copy_(off.sum())

    def forward(self, x: Tensor) -> Tensor:
        """Return the log-odds (N,) that bits x (N, bits) are bad."""
        return x @ self.weight.to(x.dtype) + self.bias.to(x.dtype)


def counted(x: Tensor) -> Tensor:
    """Return the number of samples and how many of them have each bit (1 + bits,)."""
    return torch.cat([x.new_tensor([float(len(x))]), x.sum(0)])


class Fitting(BeforeFirstStep):
    """Fits the black box to batches of the data.

    Args:
        batches: to how many.
    """

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.batches = batches

    def play(self, game: Game, next_batch: NextBatch) -> None:
        """Draw the batches and count."""
        drawn = [next_batch() for _ in range(self.batches)]
        x = torch.cat([batch.samples for batch in drawn])
        labels = torch.cat([batch.labels for batch in drawn if batch.labels is not None])
        detector = game.network("detector")
        assert isinstance(detector, Detector)
        counts = torch.stack([counted(x[labels == of]) for of in (BENIGN, BAD)])
        detector.fit_to(distributed.mean(counts))  # of all processes, so that their black box is the same


class Imitation(Term):
    """BCE of the substitute D on benign and on changed samples, against what the black box says of them."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over benign samples plus the mean over changed ones."""
        game = self.game
        assert isinstance(game, MalGAN) and pair.real_labels is not None
        fake = pair.fake_output.logits
        on_fake = F.binary_cross_entropy_with_logits(fake, game.flags(pair.fake).to(fake.dtype))
        real = pair.real_output.logits
        each = F.binary_cross_entropy_with_logits(real, game.flags(pair.real).to(real.dtype), reduction="none")
        benign = (pair.real_labels == BENIGN).to(real.dtype)
        return on_fake + (each * benign).sum() / benign.sum().clamp(min=1)


class Deception(Term):
    """sp(D) of changed samples: the substitute is to take them for benign; of those that were bad alone."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over bad samples."""
        assert pair.real_labels is not None
        lost = F.softplus(pair.fake_output.logits)
        bad = (pair.real_labels == BAD).to(lost.dtype)
        return (lost * bad).sum() / bad.sum().clamp(min=1)


class MalGAN(Game):
    """G adds bits to bad samples, D learns what the black box says, G lowers D's score (Algorithm 1).

    Bits are only added: x' = max(x, G(x, z)). D sees numbers between 0 and 1, the black box bits, 1 above a half. The
    defence is part of the score: `metrics=[evasion]` fits the black box again to what it is deceived by.

    Args:
        components: what the game is made of; the black box is the network `detector`.
        fitting: batches that the black box is fitted to.
    """

    generates_from = SAMPLES

    def __init__(self, components: Components, fitting: int) -> None:
        require_positive(fitting=fitting)
        super().__init__(components)
        if self.data.num_classes != 2 or len(self.data.sample) != 1:
            raise ConfigError(
                f"game=malgan studies detectors of made-up bits of two classes, and the data are {self.data.sample} of "
                f"{self.data.num_classes}: choose data=feature_bits"
            )
        self.openings.append(Fitting(fitting))
        self.player("discriminator").add_term("imitation", Imitation())
        self.player("generator").add_term("deception", Deception())

    def make_players(self) -> list[Player]:
        """Return D and G."""
        return [
            Player("discriminator", ("discriminator",), "discriminator"),
            Player("generator", ("generator",), "generator"),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return samples, and what is made of the same ones."""
        return {MAIN: Pair(self.judge("discriminator"), batch, latent, self.generate(latent))}

    @torch.no_grad()
    def flags(self, x: Tensor) -> Tensor:
        """Return whether the black box takes samples for bad (N,)."""
        found: Tensor = self.network("detector")((x > 0.5).to(x.dtype)) > 0
        return found

    @torch.no_grad()
    def changed(self, x: Tensor) -> Tensor:
        """Return bits (N, bits) with those that G adds."""
        made = self.sample(self.latent(len(x))._replace(given={SAMPLES: x}))
        return (made > 0.5).to(x.dtype)


class BitAdder(Generator):
    """max(x, o), o the sigmoids of a hidden layer of x and z.

    Args:
        bits: of x.
        latent_dim: the size of z.
        hidden: units of the hidden layer.
    """

    def __init__(self, bits: int, latent_dim: int, hidden: int) -> None:
        super().__init__()
        require_positive(bits=bits, latent_dim=latent_dim, hidden=hidden)
        self.latent_dim = latent_dim
        self.layers = nn.Sequential(
            nn.Linear(bits + latent_dim, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, bits), nn.Sigmoid()
        )

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim) and the given `samples`, bits (N, bits), to numbers in [0, 1], 1 where the bit is."""
        x = given[SAMPLES]
        return torch.maximum(x, self.layers(torch.cat([x, z], dim=1)))
