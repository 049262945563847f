"""TimeGAN (Yoon, Jarrett & van der Schaar 2019, Time-series generative adversarial networks)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property

import torch
from torch import Tensor, nn

from gan_framework.api import Batch, Components, Game, Judge, Latent, Meeting, Pair, Player, Term
from gan_zoo.layers import as_weights
from gan_zoo.lengths import require_one_length
from gan_zoo.ranges import require_positive
from gan_zoo.recurrent import Recurrent

EMBEDDED, SUPERVISED = "embedded", "main"


class StepMap(nn.Module):
    """GRUs and a linear layer at each step: series (N, C, T) to series (N, K, T).

    Args:
        channels: C.
        outputs: K.
        width: of the GRUs.
        layers: one upon another.
        sigmoid: whether values are brought between 0 and 1.
    """

    def __init__(self, channels: int, outputs: int, width: int, layers: int, sigmoid: bool) -> None:
        super().__init__()
        require_positive(channels=channels, outputs=outputs, width=width, layers=layers)
        self.recurrent = Recurrent("gru", channels, width, layers)
        self.output = nn.Linear(width, outputs)
        self.sigmoid = sigmoid

    def forward(self, x: Tensor) -> Tensor:
        """Map series (N, C, T) to (N, K, T)."""
        mapped: Tensor = self.output(self.recurrent(x.movedim(1, 2))).movedim(1, 2)
        return mapped.sigmoid() if self.sigmoid else mapped


def next_step_error(h: Tensor, said: Tensor) -> Tensor:
    """Return the mean squared error of what a supervisor says (N, H, T) at each step of the next one of h (N, H, T)."""
    return (h[..., 1:] - said[..., :-1]).square().mean()


def moment_distance(made: Tensor, real: Tensor) -> Tensor:
    """Return the mean differences of the batch's deviations and means at each step (N, F, T)."""
    spread = [(series.var(0, unbiased=False) + 1e-6).sqrt() for series in (made, real)]
    return (spread[0] - spread[1]).abs().mean() + (made.mean(0) - real.mean(0)).abs().mean()


class Reconstruction(Term):
    """√MSE(x, recovery(embedder(x))), the square root that keeps it large beside the others."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the root of the mean squared error."""
        recovery = self.game.network("recovery")
        recovered: Tensor = recovery(as_weights(pair.real, recovery))
        return (recovered - pair.batch.samples).square().mean().sqrt()


class NextStep(Term):
    """The supervisor's error on embedded real series.

    Args:
        root: return its square root.
    """

    def __init__(self, root: bool) -> None:
        super().__init__()
        self.root = root

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the error of the next step."""
        supervisor = self.game.network("supervisor")
        h = as_weights(pair.real, supervisor)
        error = next_step_error(h, supervisor(h))
        return error.sqrt() if self.root else error


class Moments(Term):
    """The distance of moments of generated series from the batch's."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the differences of deviations and means."""
        recovery = self.game.network("recovery")
        return moment_distance(recovery(as_weights(pair.fake, recovery)), pair.batch.samples)


class Later(Pair):
    """A pair whose generated samples are made when they are first asked for: stages that train no generator need none.

    They have a graph if one was kept where the pair was made.
    """

    def __init__(self, judge: Judge, batch: Batch, latent: Latent, make: Callable[[], Tensor], real: Tensor) -> None:
        super().__init__(judge, batch, latent, real, real=real)
        del self.fake
        self._make, self._graph = make, torch.is_grad_enabled()

    @cached_property
    def fake(self) -> Tensor:  # type: ignore[override]
        """The generated samples."""
        with torch.set_grad_enabled(self._graph):
            return self._make()


class Gated(Player):
    """A player who is updated only while its loss is above a bound.

    Attributes:
        least: the bound.
    """

    least: float = 0.0

    def step(self, total: Tensor, meeting: Meeting) -> None:
        """Take the step, unless the loss is below the bound."""
        if bool(total > self.least):
            super().step(total, meeting)


class TimeGAN(Game):
    """A GAN in the space of an auto-encoder of steps, with a supervisor who says the next one.

        embedder e, recovery r, generator g, supervisor s, discriminator d, all recurrent; h = e(x), ê = g(z), ĥ = s(ê)
        autoencoder   10 √MSE(x, r(h)) + .1 MSE(h_(t+1), s(h)_t)
        generator     BCE1(d(ĥ)) + γ BCE1(d(ê)) + 100 √MSE(h_(t+1), s(h)_t) + 100 moments(r(ĥ), x)
        discriminator BCE1(d(h)) + BCE0(d(ĥ)) + γ BCE0(d(ê)),  only while it is above .15

    with γ = 1: undecided, the discriminator's loss is 3 log 2. The stages of the paper, the auto-encoder, the
    supervisor, and all together, are the schedule's. A sample is r(s(g(z))).

    Args:
        components: what the game is made of.
        reconstruction: the factor 10.
        supervision: the factor 100 of the supervisor's error, and of the moments.
        least: below which the discriminator is left as it is; 0.15 in the authors' program.
    """

    def __init__(self, components: Components, reconstruction: float, supervision: float, least: float) -> None:
        require_one_length(components.data, "TimeGAN")
        self._least = least
        super().__init__(components)
        of_autoencoder, of_generator = self.player("autoencoder"), self.player("generator")
        self.player("embedding").add_term("reconstruction", Reconstruction(), reconstruction)
        of_autoencoder.add_term("reconstruction", Reconstruction(), reconstruction)
        of_autoencoder.add_term("next_step", NextStep(root=False), 0.1)
        self.player("supervisor").add_term("next_step", NextStep(root=False))
        of_generator.add_term("next_step", NextStep(root=True), supervision)
        of_generator.add_term("moments", Moments(), supervision)
        # Terms are of the pair of supervised steps alone.
        for player in map(self.player, self.players):
            for name, plan in player.plans.items():
                player.plans[name] = type(plan)(plan.weight, plan.every, (SUPERVISED,))

    def make_players(self) -> list[Player]:
        """Return D, G with the supervisor, and those who train the auto-encoder and the supervisor."""
        discriminator = Gated(
            "discriminator",
            ("discriminator",),
            "discriminator",
            {SUPERVISED: "discriminator", EMBEDDED: "discriminator_fake"},
        )
        discriminator.least = self._least
        return [
            discriminator,
            Player(
                "generator",
                ("generator", "supervisor"),
                "generator",
                dict.fromkeys((SUPERVISED, EMBEDDED), "generator"),
            ),
            Player("embedding", ("embedder", "recovery")),
            Player("supervisor", ("supervisor",)),
            Player("autoencoder", ("embedder", "recovery")),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return embedded real series with generated ones, these after the supervisor and before it."""
        judge = self.judge("discriminator")
        with self.autocast():
            h = self.network("embedder")(batch.samples)

        @cache
        def made() -> Tensor:
            with self.autocast():
                samples: Tensor = self.generator(latent.z)
            return samples

        def supervised() -> Tensor:
            with self.autocast():
                return self.network("supervisor")(made())  # type: ignore[no-any-return]

        return {
            SUPERVISED: Later(judge, batch, latent, supervised, h),
            EMBEDDED: Later(judge, batch, latent, made, h),
        }

    @torch.no_grad()
    def sample(self, latent: Latent) -> Tensor:
        """Return series (N, F, T) recovered from what is made of latents."""
        made = super().sample(latent)
        recovered: Tensor = self.network("recovery")(self.network("supervisor")(made))
        return recovered.float()
