"""medGAN (Choi et al. 2017, arXiv 1703.06490): records of bits and counts, made as codes of an autoencoder."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import (
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
)
from gan_zoo.layers import activations
from gan_zoo.ranges import require_positive


class RecordEncoder(nn.Module):
    """tanh(L x), a code of a record of bits, or ReLU(L x), of one of counts.

    Args:
        channels: entries of a record.
        code: the size of the code; 128 in the paper.
        counts: whether entries are counts.
    """

    def __init__(self, channels: int, code: int, counts: bool) -> None:
        super().__init__()
        require_positive(code=code)
        self.layers = nn.Sequential(nn.Linear(channels, code), nn.ReLU() if counts else nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        """Map records (N, D) to codes (N, code)."""
        codes: Tensor = self.layers(x)
        return codes


class RecordDecoder(nn.Module):
    """σ(L h) for bits, ReLU(L h) for counts.

    Args:
        channels: entries of a record.
        code: the size of the code.
        counts: whether entries are counts.
    """

    def __init__(self, channels: int, code: int, counts: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(code, channels), nn.ReLU() if counts else nn.Sigmoid())

    def forward(self, code: Tensor) -> Tensor:
        """Map codes (N, code) to records (N, D)."""
        records: Tensor = self.layers(code)
        return records


class MedGANGenerator(Generator):
    """h ← h + ReLU(BN(L h)), some times, and once h + tanh(BN(L h)): a code (section 3.3, shortcut connections).

    For counts the last one has ReLU too, as the authors' program.

    Args:
        latent_dim: the size of z and of the codes.
        layers: how many with ReLU; 2 in the paper, and the last one with tanh.
        counts: whether records are of counts.
    """

    def __init__(self, latent_dim: int, layers: int, counts: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Linear(latent_dim, latent_dim, bias=False),
                nn.BatchNorm1d(latent_dim),
                nn.Tanh() if number == layers and not counts else nn.ReLU(),
            )
            for number in range(layers + 1)
        )

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to codes (N, latent_dim)."""
        for layer in self.layers:
            z = z + layer(z)
        return z


def with_mean(x: Tensor) -> Tensor:
    """Return records (N, D) each beside the mean of the batch, (N, 2 D): minibatch averaging (section 3.4)."""
    return torch.cat([x, x.mean(0, keepdim=True).expand_as(x)], 1)


class MedGANDiscriminator(Discriminator):
    """Linear layers with ReLU on a record and the mean of its batch.

    Args:
        channels: entries of a record.
        hidden: the sizes of the hidden layers; [256, 128] in the paper.
    """

    batch_independent = False

    def __init__(self, channels: int, hidden: list[int]) -> None:
        super().__init__()
        if not hidden:
            raise ValueError("hidden=[]: the discriminator needs at least one hidden layer")
        sizes = [2 * channels, *hidden]
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in zip(sizes, hidden, strict=False)
        )
        self.output = nn.Linear(sizes[-1], 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every layer for records (N, D)."""
        return activations(self.blocks, with_mean(x))


class RecordReconstruction(Term):
    """-Σ x log x̂ + (1 - x) log(1 - x̂), a sum over columns and a mean over records; the mean square for counts."""

    def __init__(self, counts: bool) -> None:
        super().__init__()
        self.counts = counts

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the error of what the decoder makes of the real records' codes."""
        x, made = pair.batch.samples, pair.made["reconstructed"].float()
        if self.counts:
            return (x - made).square().mean()
        return nn.functional.binary_cross_entropy(made.clamp(0, 1), x.clamp(0, 1), reduction="none").sum(1).mean()


class MedGAN(Game):
    """An autoencoder is trained first; then G makes codes, and the decoder moves with it.

    The schedule's stages say how long: `autoencoder` alone, then `discriminator` and `generator`. Records have entries
    in [0, 1], or are counts.

    Args:
        components: what the game is made of.
        counts: whether entries are counts.
    """

    def __init__(self, components: Components, counts: bool) -> None:
        super().__init__(components)
        if len(self.data.sample) != 1:
            raise ConfigError(f"game=medgan makes records, vectors, and the data are {self.data.sample}")
        self.player("autoencoder").add_term("reconstruction", RecordReconstruction(counts), 1.0)

    def make_players(self) -> list[Player]:
        """Return the autoencoder, D, and G with the decoder."""
        return [
            Player("autoencoder", ("encoder", "decoder")),
            Player("discriminator", ("discriminator",), "discriminator", "discriminator"),
            Player("generator", ("generator", "decoder"), "generator", "generator"),
        ]

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return the records that the decoder makes of G's codes."""
        codes = super().make(latent, network)[SAMPLES]
        with self.autocast():
            return {SAMPLES: self.network("decoder")(codes), "codes": codes}

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real and made records, and what the decoder makes of the real ones' codes."""
        made = self.make(latent)
        with self.autocast():
            reconstructed = self.network("decoder")(self.network("encoder")(batch.samples))
        more = {**made, "reconstructed": reconstructed}
        return Pair(self.judge("discriminator"), batch, latent, made[SAMPLES], made=more)
