"""A game: networks, a prior, players and a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from gan_framework.core import checks, distributed
from gan_framework.core.checks import evaluation_mode
from gan_framework.core.contracts.loss import AdversarialLoss
from gan_framework.core.contracts.networks import SAMPLES, Discriminator, Generator
from gan_framework.core.contracts.prior import Prior
from gan_framework.core.contracts.schedule import Schedule
from gan_framework.core.judge import Judge
from gan_framework.core.pair import MAIN, DividedMeeting, Meeting, Pair
from gan_framework.core.player import OptimizerFactory, Player
from gan_framework.core.precision import Precision
from gan_framework.core.records import Batch, DataShape, DiscriminatorOutput, Latent, NextBatch
from gan_framework.errors import ConfigError

CONDITIONS_KEPT = 64
"""How many condition vectors of the data a game keeps, so that samples can be drawn with no data at hand."""


@dataclass
class Components:
    """What a configuration's plugins built, before a game puts them together.

    Attributes:
        data: the shape of the samples and what their labels are.
        networks: the networks by name.
        schedule: who is updated when.
        prior: where latents come from, for games that draw them.
        loss: the adversarial loss, for games that have one.
        optimizers: for each player what makes its optimizer.
        clips: for each player that has one the greatest norm of its gradient.
    """

    data: DataShape
    networks: dict[str, nn.Module]
    schedule: Schedule
    prior: Prior | None = None
    loss: AdversarialLoss | None = None
    optimizers: dict[str, OptimizerFactory] = field(default_factory=dict)
    clips: dict[str, float] = field(default_factory=dict)


class Game(nn.Module):
    """The two-player game of Goodfellow et al. 2014 (arXiv 1406.2661, section 3), and the base of others.

    All training state is in its `state_dict`: networks, optimizers, terms, schedule, transforms.

    Attributes:
        networks: the networks by name.
        players: the players by name, in the order in which a schedule updates them.
        openings: what is played once, before the first step.
        schedule: who is updated when.
        prior: where latents come from.
        loss: the adversarial loss.
        transforms: what real and generated samples go through alike before any judge in training sees them.
        optimizers: for each player what makes its optimizer.
        data: the shape of the samples and what their labels are.
        conditions: condition vectors of the data (64, K) that sample grids are drawn for, where labels are vectors.
        sampling_network: the name of the network that samples are drawn from.
        generates: whether it makes samples that can be scored; else they are given ones, perhaps reconstructed.
        generates_from: what in a batch samples are made of, `samples` or the name of an extra; None if they are drawn
            from the prior alone.
        accumulate: the number of parts in which a batch goes through the networks.
        independent: the names of networks that judge each sample alone, so that both sides go through in one pass.
    """

    networks: nn.ModuleDict
    schedule: Schedule
    prior: Prior | None
    loss: AdversarialLoss | None
    conditions: Tensor
    sampling_network: str = "generator"
    generates: ClassVar[bool] = True
    generates_from: ClassVar[str | None] = None

    def __init__(self, components: Components) -> None:
        super().__init__()
        self.data = components.data
        self.networks = nn.ModuleDict(components.networks)
        self.prior = components.prior
        self.loss = components.loss
        self.openings = nn.ModuleList()
        self.transforms = nn.ModuleList()
        self.schedule = components.schedule
        self.players = nn.ModuleDict({player.name: player for player in self.make_players()})
        self.register_buffer("conditions", torch.zeros(CONDITIONS_KEPT, components.data.condition_dim))
        self.precision = Precision("fp32", torch.device("cpu"))
        self.optimizers = components.optimizers
        self.accumulate = 1
        self._clips = components.clips
        self.independent: set[str] = set()
        self._judges: dict[str, str] = {}
        self._claims: dict[str, str] = {}
        self._replaced: dict[str, str] = {}

    # -- what a game of another paper says otherwise ----------------------------------------------

    def make_players(self) -> list[Player]:
        """Return the players in the order in which they are updated."""
        return [
            Player("discriminator", ("discriminator",), team="discriminator", objective="discriminator"),
            Player("generator", ("generator",), team="generator", objective="generator"),
        ]

    def latent_for(self, batch: Batch) -> Latent:
        """Return what as many samples as the batch has are made of, with its labels."""
        latent = distributed.share_of_latents(self.latent, len(batch.samples))._replace(labels=batch.labels)
        name = self.generates_from
        if name is None:
            return latent
        return latent._replace(given={name: batch.samples if name == SAMPLES else batch.extra[name]})

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the real batch and what is generated of latents, before the discriminator."""
        made = self.make(latent)
        return Pair(self.judge("discriminator"), batch, latent, made[SAMPLES], made=made)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return all that the players face, by name."""
        return {MAIN: self.pair(batch, latent)}

    # -- what strategies and the assembly use -------------------------------------------------------

    def player(self, name: str) -> Player:
        """Return a player.

        Raises:
            ConfigError: the game has no such player.
        """
        if name not in self.players:
            why = self._replaced.get(name, f"its players are {', '.join(self.players)}")
            raise ConfigError(f"the game has no player {name!r}; {why}")
        return cast(Player, self.players[name])

    def teams(self) -> tuple[list[Player], list[Player], list[Player]]:
        """Return the players on the discriminator's side, on the generator's, and on neither."""
        players = [self.player(name) for name in self.players]
        discriminators = [player for player in players if player.team == "discriminator"]
        generators = [player for player in players if player.team == "generator"]
        return discriminators, generators, [p for p in players if p not in discriminators + generators]

    @property
    def critics(self) -> list[str]:
        """The names of the networks that the discriminator's side updates."""
        return self._updated_by(self.teams()[0])

    @property
    def generators(self) -> list[str]:
        """The names of the networks that are generators and updated by a player."""
        names = self._updated_by([self.player(name) for name in self.players])
        return [name for name in names if isinstance(self.networks[name], Generator)]

    def _updated_by(self, players: list[Player]) -> list[str]:
        return list(dict.fromkeys(chain.from_iterable(player.networks for player in players)))

    def replace_player(self, name: str, players: list[Player], owner: str) -> None:
        """Let other players take one player's place in the order, and its optimizer's settings if they have none.

        Args:
            name: the player that leaves.
            players: those that come.
            owner: the strategy that asks for it.

        Raises:
            ConfigError: the game has no such player.
        """
        self.player(name)
        self._replaced[name] = f"{owner} has put {' and '.join(new.name for new in players)} in its place"
        for player in players:
            if name in self.optimizers:
                self.optimizers.setdefault(player.name, self.optimizers[name])
            if name in self._clips:
                self._clips.setdefault(player.name, self._clips[name])
        order = chain.from_iterable(players if other == name else [self.player(other)] for other in self.players)
        self.players = nn.ModuleDict({player.name: player for player in order})

    def claim(self, what: str, owner: str) -> None:
        """Record that a strategy has taken hold of one part of the game.

        Raises:
            ConfigError: another strategy took hold of it before; the message names both.
        """
        if what in self._claims:
            raise ConfigError(f"{self._claims[what]} and {owner} both set the {what}: choose one of them")
        self._claims[what] = owner

    def check(self) -> None:
        """See that the networks fit the data and each other, by trying them on two blank samples.

        Raises:
            ConfigError: the shapes do not fit, or a conditional network would be given no labels.
        """
        for name, network in self.networks.items():
            if getattr(network, "conditional", False) and not (self.data.num_classes or self.data.condition_dim):
                raise ConfigError(f"networks.{name} needs labels, and the data have none; choose labelled data")
        plain = type(self).pair is Game.pair and type(self).pairs is Game.pairs
        checks.check_pairs(self, lambda batch: self.pairs(batch, self.latent_for(batch)), one_each=plain)

    def probe(self, network: str = "discriminator") -> DiscriminatorOutput:
        """Return what a network says of blank samples and what belongs to them: the shapes that strategies need.

        Raises:
            ConfigError: no pair of the game is judged by that network.
        """
        judged = [pair for pair in checks.try_meeting(self).values() if pair.judged_by_network == network]
        if not judged:
            raise ConfigError(f"no pair of {type(self).__name__} is judged by networks.{network}")
        with checks.without_a_trace(self):
            return judged[0].real_output

    def start(self, device: torch.device, precision: str = "fp32") -> None:
        """Go to the device and give the players their parameters and optimizers.

        Raises:
            ConfigError: a player has no optimizer, nothing to update or to minimise, or names what there is not.
        """
        self.precision = Precision(precision, device)
        self.to(device)
        for network in self.networks.values():
            if [*network.parameters()] and not any(parameter.requires_grad for parameter in network.parameters()):
                network.eval()  # a frozen one's running statistics and dropout stand still too
        meeting = checks.try_meeting(self)
        self._judges = {name: pair.judge.name for name, pair in meeting.items() if isinstance(pair.judge, Judge)}
        for name in self.players:
            self.player(name).start(self, meeting, self._clips.get(name))
        self.schedule.check(self)

    def trainable(self, networks: tuple[str, ...]) -> list[nn.Parameter]:
        """Return the parameters of networks that can be updated, each once."""
        parameters = (p for name in networks for p in self.network(name).parameters() if p.requires_grad)
        return list(dict.fromkeys(parameters))

    # -- what a step uses -------------------------------------------------------------------------

    @property
    def generator(self) -> Generator:
        """The network `generator`."""
        return cast(Generator, self.network("generator"))

    @property
    def discriminator(self) -> Discriminator:
        """The network `discriminator`."""
        return cast(Discriminator, self.network("discriminator"))

    def network(self, name: str) -> nn.Module:
        """Return a network.

        Raises:
            ConfigError: the game has no such network.
        """
        if name not in self.networks:
            raise ConfigError(f"networks.{name} is missing, and the game {type(self).__name__} needs it")
        return self.networks[name]

    def judges_of(self, player: Player, term: str | None = None) -> list[str]:
        """Return the names of the networks that judge what a player faces, or what one of its terms is computed for."""
        named = player.plans[term].pairs if term is not None else None
        faced = named or (player.objective if isinstance(player.objective, Mapping) else self._judges)
        return list(dict.fromkeys(self._judges[pair] for pair in faced if pair in self._judges))

    def judge(self, network: str) -> Judge:
        """Return a network as pairs ask it."""
        return Judge(network, self.network(network), self.precision, self.transforms, network in self.independent)

    @property
    def device(self) -> torch.device:
        """The device of the networks."""
        return self.precision.device

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step; see `Schedule.step`."""
        # So that what is reported of a player that is not updated in it is the same after a resume.
        for name in self.players:
            self.player(name).gradients = []
        for opening in self.openings:
            opening(self, next_batch)
        measured = self.schedule.step(self, next_batch)
        if not isinstance(measured, dict):
            raise ConfigError(
                f"the schedule {type(self.schedule).__name__} returns {type(measured).__name__} of a step, not a dict "
                "of what its players' `play` has returned"
            )
        return measured

    def meet(self, batch: Batch, graph: bool = True) -> Meeting:
        """Generate samples and let them meet the real batch before the game's judges.

        Args:
            batch: a batch of real data.
            graph: whether a gradient can reach what makes the generated samples.
        """
        latent = self.latent_for(batch)
        if self.accumulate == 1:
            return self._meet(batch, latent, graph)
        size = len(batch.samples) // self.accumulate
        parts = [slice(start, start + size) for start in range(0, len(batch.samples), size)]
        return DividedMeeting(self._meet, [(batch.part(part), latent.part(part)) for part in parts], graph)

    def _meet(self, batch: Batch, latent: Latent, graph: bool) -> Meeting:
        with torch.set_grad_enabled(graph):
            return self.pair_up(batch, latent)

    def pair_up(self, batch: Batch, latent: Latent) -> Meeting:
        """Return all that the players face, each pair such that it can be made `another` time."""

        def again(name: str, another: Latent | None) -> Pair:
            return self.pair_up(batch, self.latent_for(batch) if another is None else another)[name]

        meeting = Meeting(self.pairs(batch, latent))
        for name, pair in meeting.items():
            pair.again = partial(again, name)
        return meeting

    def latent(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Latent:
        """Draw n latents and give them labels; z is (n, 0) where there is no prior."""
        if self.prior is None:
            return Latent(torch.zeros(n, 0, device=self.device), labels)
        return self.prior.draw(n, self.device, generator)._replace(labels=labels)

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return all that a generator makes of latents by name, its `samples` among it."""
        net = self.network(network)
        arguments = (latent.z, latent.labels, *((latent.given,) if latent.given else ()))
        with self.autocast():
            if isinstance(net, Generator):
                return net.everything(*arguments)
            return {SAMPLES: net(*arguments)}

    def generate(self, latent: Latent, network: str = "generator") -> Tensor:
        """Return the samples that a generator makes of latents."""
        return self.make(latent, network)[SAMPLES]

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

    def picture(self, latent: Latent, columns: int) -> Tensor | None:
        """Return a picture (1 or 3, H, W), uint8, of a kind of its own; None to have the samples of latents drawn.

        Args:
            latent: what samples in it are made of.
            columns: samples side by side.
        """
        return None
