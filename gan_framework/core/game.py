"""A game: networks, a prior, players and a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from gan_framework.core import distributed, latents
from gan_framework.core.checks import judges_each_alone
from gan_framework.core.contracts.loss import AdversarialLoss
from gan_framework.core.contracts.networks import Discriminator, Generator
from gan_framework.core.contracts.prior import Prior
from gan_framework.core.contracts.schedule import Schedule
from gan_framework.core.contracts.term import Term
from gan_framework.core.pair import Round
from gan_framework.core.player import OptimizerFactory, Player
from gan_framework.core.precision import Precision
from gan_framework.core.records import Batch, DataShape, DiscriminatorOutput, Draw, Latent
from gan_framework.errors import ConfigError
from gan_framework.runs import out_of_memory

CONDITIONS_KEPT = 64
"""How many condition vectors of the data a game keeps, so that samples can be drawn with no data at hand."""


@dataclass
class Parts:
    """What a configuration's plugins built, before a game puts them together.

    Attributes:
        data: the shape of the samples and what their labels are.
        networks: the networks by name.
        schedule: who moves when.
        prior: where latents come from, for games that generate.
        loss: the adversarial loss, for games that have one.
        optimizers: for each player what makes its optimizer.
    """

    data: DataShape
    networks: dict[str, nn.Module]
    schedule: Schedule
    prior: Prior | None = None
    loss: AdversarialLoss | None = None
    optimizers: dict[str, OptimizerFactory] = field(default_factory=dict)


@contextmanager
def evaluation_mode(network: nn.Module) -> Iterator[None]:
    """Keep a network in evaluation mode inside the context."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)


class Game(nn.Module):
    """The two-player game of Goodfellow et al. 2014 (arXiv 1406.2661, section 3), and the base of others.

    All training state is in its `state_dict`: networks, optimizers, terms, schedule.

    Attributes:
        networks: the networks by name.
        players: the players by name, in the order in which a schedule moves them.
        openings: what is played once, before the first iteration.
        schedule: who moves when.
        prior: where latents come from.
        loss: the adversarial loss.
        optimizers: for each player what makes its optimizer.
        data: the shape of the samples and what their labels are.
        conditions: condition vectors of the data (64, K) that sample grids are drawn for, where labels are vectors.
        sampling_network: the name of the network that samples are drawn from.
        generates: whether there is anything to sample.
        judges_each_alone: whether the discriminator's word on a sample depends on that sample alone.
    """

    networks: nn.ModuleDict
    schedule: Schedule
    prior: Prior | None
    loss: AdversarialLoss | None
    conditions: Tensor
    generates: bool = True
    judges_each_alone: bool = False

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.data = parts.data
        self.networks = nn.ModuleDict(parts.networks)
        self.prior = parts.prior
        self.loss = parts.loss
        self.openings = nn.ModuleList()
        self.schedule = parts.schedule
        self.players = nn.ModuleDict({player.name: player for player in self.make_players()})
        self.register_buffer("conditions", torch.zeros(CONDITIONS_KEPT, parts.data.condition_dim))
        self.sampling_network = "generator"
        self.precision = Precision("fp32", torch.device("cpu"))
        self.optimizers = parts.optimizers
        self._claims: dict[str, str] = {}
        self._replaced: dict[str, str] = {}

    def make_players(self) -> list[Player]:
        """Return the players in the order in which they move."""
        return [
            Player("discriminator", ("discriminator",), side="discriminator"),
            Player("generator", ("generator",), side="generator"),
        ]

    # -- what strategies and the composer use ---------------------------------------------------

    def player(self, name: str) -> Player:
        """Return a player.

        Raises:
            ConfigError: the game has no such player.
        """
        if name not in self.players:
            why = self._replaced.get(name, f"its players are {', '.join(self.players)}")
            raise ConfigError(f"the game has no player {name!r}; {why}")
        return cast(Player, self.players[name])

    def sides(self) -> tuple[list[Player], list[Player], list[Player]]:
        """Return the players on the discriminator's side, on the generator's, and on neither."""
        players = [self.player(name) for name in self.players]
        discriminators = [p for p in players if p.side is not None and p.side.startswith("discriminator")]
        generators = [p for p in players if p.name == "generator" or p.side == "generator"]
        return discriminators, generators, [p for p in players if p not in discriminators + generators]

    def replace_player(self, name: str, players: list[Player], owner: str) -> None:
        """Let other players take one player's place in the order, and its optimizer's settings if they have none.

        Args:
            name: the player that leaves.
            players: those that come.
            owner: the strategy that asks for it.

        Raises:
            ConfigError: the game has no such player.
        """
        replaced = self.player(name)
        self._replaced[name] = f"{owner} has put {' and '.join(new.name for new in players)} in its place"
        for player in players:
            if name in self.optimizers:
                self.optimizers.setdefault(player.name, self.optimizers[name])
        order = [self.player(other) for other in self.players]
        at = order.index(replaced)
        order[at : at + 1] = players
        self.players = nn.ModuleDict({player.name: player for player in order})

    def claim(self, what: str, owner: str) -> None:
        """Record that a strategy has taken hold of one part of the game.

        Raises:
            ConfigError: another strategy took hold of it before; the message names both.
        """
        if what in self._claims:
            raise ConfigError(f"{self._claims[what]} and {owner} both set the {what}: choose one of them")
        self._claims[what] = owner

    def start(self, device: torch.device, precision: str = "fp32") -> None:
        """Go to the device and give the players their parameters and optimizers.

        Raises:
            ConfigError: a player has no optimizer, nothing to move or nothing to minimise.
        """
        self.precision = Precision(precision, device)
        self.to(device)
        for network in self.networks.values():
            network.to(memory_format=torch.channels_last)
        for name in self.players:
            player = self.player(name)
            if name not in self.optimizers:
                raise ConfigError(f"optimizer.{name} is missing: the game's players are {', '.join(self.players)}")
            for term in player.terms.values():
                cast(Term, term).check(self, player)
            player.start(self.trainable(player.networks), self.loss, self.optimizers[name], self.precision.scaler())
        if "discriminator" in self.networks:
            labels = self._blank_labels()
            labels = labels.to(device) if labels is not None else None
            self.judges_each_alone = judges_each_alone(self.discriminator, self.data.sample, labels)

    def trainable(self, networks: tuple[str, ...]) -> list[nn.Parameter]:
        """Return the parameters of networks that can be moved, each once."""
        parameters = (p for name in networks for p in self.networks[name].parameters() if p.requires_grad)
        return list(dict.fromkeys(parameters))

    # -- what a step uses -------------------------------------------------------------------------

    @property
    def generator(self) -> Generator:
        """The generator."""
        return cast(Generator, self._network("generator"))

    @property
    def discriminator(self) -> Discriminator:
        """The discriminator."""
        return cast(Discriminator, self._network("discriminator"))

    def _network(self, name: str) -> nn.Module:
        if name not in self.networks:
            raise ConfigError(f"networks.{name} is missing, and the game {type(self).__name__} needs it")
        return self.networks[name]

    @property
    def device(self) -> torch.device:
        """The device of the networks."""
        return self.precision.device

    def step(self, draw: Draw) -> dict[str, Tensor]:
        """Play one iteration; see `Schedule.step`."""
        # So that what is reported of a player that does not move in it is the same after a resume.
        for name in self.players:
            self.player(name).gradients = []
        for opening in self.openings:
            opening(self, draw)
        return self.schedule.step(self, draw)

    def meet(self, batch: Batch, graph: bool = True) -> Round:
        """Generate as many samples as the batch has, with its labels, and let both meet.

        Args:
            batch: a batch of real data.
            graph: whether a gradient can reach the generator through the generated samples.
        """
        latent = distributed.share_of_latents(self.latent, len(batch.samples))._replace(labels=batch.labels)
        with torch.set_grad_enabled(graph):
            return Round(self, batch, latent, self.generate(latent))

    def latent(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Latent:
        """Draw n latents and give them labels."""
        assert self.prior is not None
        return self.prior.draw(n, self.device, generator)._replace(labels=labels)

    def generate(self, latent: Latent, network: str = "generator") -> Tensor:
        """Return the samples that a generator makes of latents."""
        with self.autocast():
            samples: Tensor = self.networks[network](latent.z, latent.labels)
        return samples

    def keep_conditions(self, conditions: Tensor) -> None:
        """Keep condition vectors (N, K) of the data, evenly spread, for the grids of samples."""
        chosen = torch.linspace(0, len(conditions) - 1, CONDITIONS_KEPT).long()
        self.conditions.copy_(conditions[chosen])

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context in which networks compute in the run's precision."""
        return self.precision.autocast()

    # -- what samples and scores use --------------------------------------------------------------

    @property
    def conditional(self) -> bool:
        """Whether labels change what is generated."""
        return bool(getattr(self.networks[self.sampling_network], "conditional", False))

    @torch.no_grad()
    def sample(self, latent: Latent) -> Tensor:
        """Return the samples of latents, images (N, C, H, W) in [-1, 1], from the sampling network.

        The network is in evaluation mode meanwhile, so that a sample does not depend on the others
        beside it and no running statistics change.
        """
        with evaluation_mode(self.networks[self.sampling_network]):
            return self.generate(latent, self.sampling_network).float().detach()

    # -- what is known before the first step ------------------------------------------------------

    def probe(self) -> DiscriminatorOutput:
        """Return what the discriminator says of two blank samples: the shapes that strategies need."""
        with torch.no_grad(), evaluation_mode(self.discriminator):
            blank = torch.zeros(2, *self.data.sample)
            return cast(DiscriminatorOutput, self.discriminator(blank, self._blank_labels()))

    def _blank_labels(self) -> Tensor | None:
        if self.data.condition_dim:
            return torch.zeros(2, self.data.condition_dim)
        # The last class, which a network for fewer classes does not know.
        return torch.full((2,), self.data.num_classes - 1) if self.data.num_classes else None

    def check(self) -> None:
        """See that the networks fit the data and each other, by trying them on two blank samples.

        Raises:
            ConfigError: the shapes do not fit, or a conditional network would be given no labels.
        """
        for name, network in self.networks.items():
            if getattr(network, "conditional", False) and not (self.data.num_classes or self.data.condition_dim):
                raise ConfigError(f"networks.{name} needs labels, and the data have none; choose labelled data")
        latent = Latent(torch.zeros(2, self.prior.dim if self.prior else 0), self._blank_labels())
        try:
            with torch.no_grad(), evaluation_mode(self.generator):
                made = tuple(self.generate(latent).shape[1:])
            self.probe()
        except (RuntimeError, ValueError) as error:
            if out_of_memory.exhausted(error):
                raise
            raise ConfigError(f"the networks do not fit the data {self.data.sample}: {error}") from error
        if made != self.data.sample:
            raise ConfigError(f"the generator makes samples {made}, but the data are {self.data.sample}")

    def picture(self, path: Path, latent: Latent, columns: int) -> None:
        """Draw the samples of latents as one PNG: a grid of images, row by row, or vectors as rows of grey values."""
        samples = self.sample(latent)
        if samples.ndim == 4:
            latents.save_grid(path, samples, columns)
        else:
            latents.save_rows(path, samples)
