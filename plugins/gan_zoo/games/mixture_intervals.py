"""The game of two intervals against a mixture of two Gaussians."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import (
    Batch,
    Components,
    ConfigError,
    Judge,
    Latent,
    Meeting,
    NextBatch,
    Pair,
    panels,
    rendered,
)
from gan_zoo.discriminators.intervals import IntervalsDiscriminator
from gan_zoo.games.travelled import Travelled
from gan_zoo.generators.point import PointGenerator
from gan_zoo.intervals import best_intervals, mass


class BestAnswer:
    """Shows a player each meeting before the intervals that tell the mixtures apart best; their ends are constants."""

    def __call__(self, meeting: Meeting) -> Meeting:
        """Return the meeting before them."""
        return Meeting({name: self._before(pair) for name, pair in meeting.items()})

    def _before(self, pair: Pair) -> Pair:
        assert isinstance(pair.judge, Judge)
        left, right = (ends.to(pair.fake) for ends in best_intervals(pair.real[0], pair.fake[0]))
        return pair.judged_by(pair.judge.with_state({"left": left, "right": right}))


class MixtureIntervals(Travelled):
    """GMM-GAN: L = P*(D) + 1 - P(D), which D, two intervals, raises, and G, two means, lowers (Li et al. 2017).

    On the Limitations of First-Order Approximation in GAN Dynamics, arXiv 1706.09884, section 2. There are no samples:
    P* and P are mixtures of two unit Gaussians in equal shares, and their masses are in closed form. Every step
    measures `value`, L, and `value_optimal`, L of the best intervals, which is 1 + the total variation.

    Args:
        components: what the game is made of: `discriminator=intervals`, `generator=point`, a loss of difference of
            means.
        means: of the real mixture.
        optimal: let G face the best intervals in the place of D's, which are found anew in each of its updates. Its
            gradient is that at fixed intervals, by the envelope theorem.
    """

    def __init__(self, components: Components, means: list[float], optimal: bool) -> None:
        super().__init__(components)
        if len(means) != 2:
            raise ValueError(f"means={means}: the mixture has two Gaussians")
        self.means = means
        if optimal:
            self.claim("discriminator that the generator faces", "mixture_intervals with game.optimal=true")
            for player in self.teams()[1]:
                player.look_aheads.append(BestAnswer())

    def check(self) -> None:
        """Raise ConfigError unless the players are two means and two intervals."""
        if self.data.sample != (2,):
            raise ConfigError(
                f"mixture_intervals plays with two means: data.channels=2, not samples of {self.data.sample}"
            )
        for name, wanted in (("generator", PointGenerator), ("discriminator", IntervalsDiscriminator)):
            if not isinstance(self.network(name), wanted):
                right = {"generator": "point", "discriminator": "intervals"}[name]
                raise ConfigError(
                    f"mixture_intervals has closed forms only for {name}={right}, not for "
                    f"{type(self.network(name)).__name__}"
                )
        super().check()

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return both mixtures, by their means, before the intervals."""
        return Pair(self.judge("discriminator"), batch, latent, self.generate(latent), real=self._real(len(latent.z)))

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step, and measure its value."""
        measured = super().step(next_batch)
        fake, left, right = self.position().split(2)
        real, best = self._real(1)[0], best_intervals(self._real(1)[0], fake)
        values = {"value": (left, right), "value_optimal": tuple(ends.to(fake) for ends in best)}
        return measured | {name: _value(real, fake, *intervals) for name, intervals in values.items()}

    def position(self) -> Tensor:
        """Return G's means, and where D's intervals begin and end (6,)."""
        parameters = [*self.generator.parameters(), *self.discriminator.parameters()]
        return torch.cat([parameter.detach().flatten() for parameter in parameters])

    def picture(self, latent: Latent, columns: int) -> Tensor:
        """Draw G's means and D's intervals over time, with the real means."""
        means, left, right = self.path.split(2, dim=1)
        figure, (axes,) = panels(5.0)
        steps = range(len(means))
        for i, colour in enumerate(("C0", "C1")):
            axes.fill_between(steps, left[:, i], right[:, i], where=right[:, i] > left[:, i], alpha=0.2, color=colour)
        for mean in self.means:
            axes.axhline(mean, color="black", linestyle=":", linewidth=0.8)
        axes.plot(means, color="black", linewidth=1)
        axes.set(xlabel="step", ylabel="G's means, D's intervals")
        return rendered(figure)

    def _real(self, n: int) -> Tensor:
        parameter = next(self.generator.parameters())
        return torch.tensor(self.means, dtype=parameter.dtype, device=parameter.device).expand(n, 2)


def _value(real: Tensor, fake: Tensor, left: Tensor, right: Tensor) -> Tensor:
    masses = mass(torch.stack([real, fake]), left, right)
    return masses[0] + 1 - masses[1]
