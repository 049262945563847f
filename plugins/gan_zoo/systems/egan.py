"""EGAN (Huang et al. 2017, arXiv 1705.08245): made experience, kept true by a network that predicts what follows."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import MAIN, Batch, Components, ConfigError, Game, Latent, Pair, Player, Term, TermPlan
from gan_zoo.simulators import moved

ACTED = 3
"""A transition begins with so many entries of state and action; what follows of them comes after."""


class Enhancer(nn.Module):
    """Predicts the next state and the reward of a state and an action.

    Args:
        channels: entries of a transition.
        hidden: the size of the hidden layer.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(ACTED, hidden), nn.ReLU(), nn.Linear(hidden, channels - ACTED))

    def forward(self, x: Tensor) -> Tensor:
        """Map states and actions (N, 3) to what follows (N, channels - 3)."""
        predicted: Tensor = self.layers(x)
        return predicted


class Prediction(Term):
    """The mean square of the difference of what follows in real transitions and what the enhancer says."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over entries."""
        real = pair.batch.samples
        return F.mse_loss(self.game.network("enhancer")(real[:, :ACTED]).float(), real[:, ACTED:])


class Agreement(Term):
    """The same of made transitions, for G."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over entries."""
        fake = pair.fake.float()
        return F.mse_loss(fake[:, ACTED:], self.game.network("enhancer")(fake[:, :ACTED]).float())


class EGAN(Game):
    """A GAN of transitions; an enhancer learns of real ones what follows, and G's are to agree with it.

    The paper adds a Kullback-Leibler divergence of what follows from what the enhancer says; here a mean square,
    as between normal distributions of one variance. Its weight `agreement` is ours.

    Args:
        components: what the game is made of.
        agreement: the weight of the disagreement for G; 0 for a plain GAN.
    """

    def __init__(self, components: Components, agreement: float) -> None:
        super().__init__(components)
        if len(self.data.sample) != 1 or self.data.sample[0] <= ACTED:
            raise ConfigError(
                f"game=egan makes transitions (6), and the data are {self.data.sample}: choose data=transitions "
                "data.form=transition"
            )
        self.player("enhancer").add_term("prediction", Prediction(), plan=TermPlan(1.0, pairs=(MAIN,)))
        if agreement:
            self.player("generator").add_term("agreement", Agreement(), agreement)

    def make_players(self) -> list[Player]:
        """Return D, G and the enhancer."""
        return [*super().make_players(), Player("enhancer", ("enhancer",))]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return real and made transitions."""
        return {MAIN: self.pair(batch, latent)}


def one_step_error(transitions: Tensor) -> Tensor:
    """Return how far the next states (N,) of transitions (N, 6) are from the simulator's, a mean over both entries."""
    state, action, after = transitions[:, :2], transitions[:, 2:3], transitions[:, 3:5]
    return (after - moved(state, action)).abs().mean(1)
