"""C-RNN-GAN (Mogren 2016, arXiv 1611.09904): recurrent networks of events of real numbers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Components, ConfigError, Game, Generator, Meeting, Pair, Player, Term
from gan_zoo.lengths import require_one_length
from gan_zoo.ranges import require_positive


class EventGenerator(Generator):
    """An LSTM of several layers that is given noise and the event that it has made last at each step.

    Args:
        latent_dim: the size of z: a part for each step.
        channels: the values of an event.
        length: T, the number of events.
        width: of the LSTM; 350 in the paper, 100 in the authors' program.
        layers: one upon another; 2 in the paper.
    """

    def __init__(self, latent_dim: int, channels: int, length: int, width: int, layers: int) -> None:
        super().__init__()
        require_positive(channels=channels, length=length, width=width, layers=layers)
        if latent_dim % length:
            raise ValueError(f"latent_dim={latent_dim} must be a multiple of length={length}: each step has its part")
        self.length, self.channels = length, channels
        sizes = [latent_dim // length + channels, *[width] * (layers - 1)]
        self.cells = nn.ModuleList(nn.LSTMCell(size, width) for size in sizes)
        self.output = nn.Linear(width, channels)

    def write(self, z: Tensor, told: Tensor | None = None) -> Tensor:
        """Return events (N, F, T), each after those that it made itself, or after true ones (N, F, T) it is told."""
        noise = z.unflatten(1, (self.length, -1))
        states: list[tuple[Tensor, Tensor] | None] = [None] * len(self.cells)
        last, made = z.new_zeros(z.shape[0], self.channels), []
        for step in range(self.length):
            x = torch.cat([noise[:, step], last], 1)
            for number, cell in enumerate(self.cells):
                states[number] = cell(x, states[number])
                x = states[number][0]  # type: ignore[index]
            made.append(self.output(x))
            last = made[-1] if told is None else told[..., step]
        return torch.stack(made, 2)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, T * d) to events (N, F, T)."""
        return self.write(z)


class NextEvent(Term):
    """The squared error of the next event of real melodies, each after the true ones: what G is first trained by."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over events."""
        generator = self.game.generator
        assert isinstance(generator, EventGenerator)
        return (generator.write(pair.latent.z, pair.batch.samples) - pair.batch.samples).square().mean()


class Patient(Player):
    """A player who stays as it is while its loss is below a share of the other's last one.

    Attributes:
        share: of the other's last loss; None to be updated always.
    """

    last: Tensor

    def __init__(self, name: str, networks: tuple[str, ...], share: float | None) -> None:
        super().__init__(name, networks, team=name, objective=name)
        self.share = share
        self.register_buffer("last", torch.tensor(0.0))
        self._rival: tuple[Patient, ...] = ()

    def watch(self, rival: Patient) -> None:
        """Compare with another player."""
        self._rival = (rival,)

    def step(self, total: Tensor, meeting: Meeting) -> None:
        """Take the step, unless this player is far ahead."""
        self.last.copy_(total)
        if self.share is not None and bool(total < self.share * self._rival[0].last):
            return
        super().step(total, meeting)


class CRNNGAN(Game):
    """The two-player game of events, with a player who first trains G to say the next event.

    A player whose loss is below a share of the other's last one is not updated: 70 % as we remember the paper's text.
    G's loss is feature matching in the paper: strategy=[feature_matching].

    Args:
        components: what the game is made of.
        freeze: that share, or None to update both always.
    """

    def __init__(self, components: Components, freeze: float | None) -> None:
        if freeze is not None and not 0 < freeze < 1:
            raise ValueError(f"freeze={freeze} must be between 0 and 1, or null")
        require_one_length(components.data, "C-RNN-GAN")
        self._freeze = freeze
        super().__init__(components)
        if not isinstance(self.network("generator"), EventGenerator):
            raise ConfigError("game=c_rnn_gan needs a generator that says the next event: generator event_rnn")
        self.player("predictor").add_term("next_event", NextEvent())

    def make_players(self) -> list[Player]:
        """Return D, G, and the one who trains G to say the next event."""
        discriminator, generator = (Patient(name, (name,), self._freeze) for name in ("discriminator", "generator"))
        discriminator.watch(generator)
        generator.watch(discriminator)
        return [discriminator, generator, Player("predictor", ("generator",))]
