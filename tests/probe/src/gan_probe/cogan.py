"""CoGAN (Liu and Tuzel 2016, arXiv 1606.07536): two generators share their first layers, two judges their last ones."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from gan_framework.api import Batch, Discriminator, Game, Generator, Latent, Pair, Player

DOMAINS = ("a", "b")


class CoGAN(Game):
    """One z makes a sample of each domain; A is the data, B the further source `b`."""

    sampling_network = "generator_a"

    def make_players(self) -> list[Player]:
        """Return the judges, then the generators, each two networks that share some of their layers."""
        teams = ("discriminator", "generator")
        self.network("generator_b").share(self.network("generator_a"))
        self.network("discriminator_b").share(self.network("discriminator_a"))
        of = {team: tuple(f"{team}_{domain}" for domain in DOMAINS) for team in teams}
        return [Player(team, of[team], team, dict.fromkeys(DOMAINS, team)) for team in teams]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return each domain before its judge."""
        made = {domain: self.generate(latent, f"generator_{domain}") for domain in DOMAINS}
        judges = {domain: self.judge(f"discriminator_{domain}") for domain in DOMAINS}
        real = {"a": batch.samples, "b": batch.others["b"].samples}
        return {domain: Pair(judges[domain], batch, latent, made[domain], real=real[domain]) for domain in DOMAINS}


class CoupledGenerator(Generator):
    """A shared layer, then one of its own.

    Args:
        latent_dim: the size of z.
        outputs: the size of a sample.
        hidden: the size of the shared layer.
    """

    def __init__(self, latent_dim: int, outputs: int, hidden: int) -> None:
        super().__init__()
        self.shared = nn.Linear(latent_dim, hidden)
        self.own = nn.Linear(hidden, outputs)

    def share(self, other: CoupledGenerator) -> None:
        """Take over another's shared layer."""
        self.shared = other.shared

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to samples (N, outputs)."""
        made: Tensor = self.own(self.shared(z).tanh())
        return made


class CoupledJudge(Discriminator):
    """A layer of its own, then a shared one.

    Args:
        inputs: the size of a sample.
        hidden: the size of its own layer.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.own = nn.Linear(inputs, hidden)
        self.output = nn.Linear(hidden, 1)

    def share(self, other: CoupledJudge) -> None:
        """Take over another's last layer."""
        self.output = other.output

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return its own layer (N, hidden)."""
        return (self.own(x).tanh(),)
