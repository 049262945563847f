"""GAP (Huang et al. 2017, arXiv 1710.09549): as much noise as a budget allows, where it hides a private label best.

The game is known in outline; what the best of both can do follows from the data (`data=private`).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    MAIN,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Ramp,
    Term,
    TermPlan,
    nobody,
)
from gan_zoo.layers import given as labels_given
from gan_zoo.layers import one_hot
from gan_zoo.ranges import require_positive

FLIP = "flip"
"""The name, among what a privatiser makes, of the probability with which it flips a bit."""


def guess_loss(game: Game, pair: Pair) -> Tensor:
    """Return E CE(h(x̂), y), over what is random in x̂ where a bit is flipped with a known probability."""
    labels = pair.batch.labels
    assert labels is not None

    def loss(x: Tensor) -> Tensor:
        with game.autocast():
            logits: Tensor = game.network("adversary")(x)
        return F.cross_entropy(logits if x.dtype == torch.float64 else logits.float(), labels, reduction="none")

    if FLIP not in pair.made:
        return loss(pair.fake).mean()
    flip = pair.made[FLIP].flatten()
    return ((1 - flip) * loss(pair.real) + flip * loss(1 - pair.real)).mean()


def distortion(pair: Pair) -> Tensor:
    """Return E d(x, x̂): the mean squared difference of entries, or the probability with which a bit is flipped."""
    return pair.made[FLIP].mean() if FLIP in pair.made else (pair.fake - pair.real).square().mean()


class Guess(Term):
    """The adversary's loss, times a sign.

    Args:
        sign: 1 for the adversary, -1 for the privatiser.
    """

    def __init__(self, sign: int) -> None:
        super().__init__()
        self.sign = sign

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch."""
        return self.sign * guess_loss(self.game, pair)


class Budget(Term):
    """max(0, E d(x, x̂) - D)².

    Args:
        distance: D.
    """

    def __init__(self, distance: float) -> None:
        super().__init__()
        self.distance = distance

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the batch's mean distortion."""
        return (distortion(pair) - self.distance).relu().square()

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return the budget, to be seen beside what is spent."""
        return {"budget": self.distance}


class GAP(Game):
    """The adversary h minimises CE(h(x̂), y) of x̂ = g(x, z) and the private y; g minimises its negative, within D.

    The budget is held by the penalty ρ max(0, E d(x, x̂) - D)², ρ rising from `penalty` to `last_penalty`. The score is
    what an adversary that is trained anew finds out: `metrics=[adversary_accuracy]`.

    Args:
        components: what the game is made of; h is the network `adversary`.
        budget: D.
        penalty: ρ at the beginning.
        last_penalty: ρ after `penalty_steps` updates.
        penalty_steps: see `last_penalty`.
    """

    generates_from = SAMPLES

    def __init__(
        self, components: Components, budget: float, penalty: float, last_penalty: float, penalty_steps: int
    ) -> None:
        if budget < 0 or not 0 < penalty <= last_penalty or penalty_steps < 1:
            raise ValueError(
                f"budget={budget}, penalty={penalty}, last_penalty={last_penalty}, penalty_steps={penalty_steps}: the "
                "first must not be negative, the penalty not fall, the last be at least 1"
            )
        super().__init__(components)
        self.player("adversary").add_term("guess", Guess(1))
        privatiser = self.player("generator")
        privatiser.add_term("guess", Guess(-1))
        privatiser.add_term("budget", Budget(budget), plan=TermPlan(Ramp(penalty, last_penalty, penalty_steps)))

    def make_players(self) -> list[Player]:
        """Return h and g."""
        return [Player("adversary", ("adversary",), "discriminator"), Player("generator", ("generator",), "generator")]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return samples and what is published of them; nobody judges whether they are real."""
        made = self.make(latent)
        return {MAIN: Pair(nobody, batch, latent, made[SAMPLES], made=made)}

    @torch.no_grad()
    def privatise(self, x: Tensor, labels: Tensor) -> Tensor:
        """Return what is published of samples x (N, ...) with private labels (N,)."""
        return self.sample(self.latent(len(x))._replace(labels=labels, given={SAMPLES: x}))

    def check(self) -> None:
        """See that there is something private.

        Raises:
            ConfigError: the data have no classes.
        """
        if not self.data.num_classes:
            raise ConfigError("game=gap hides the labels of the data, and these have none: choose data=private, digits")
        super().check()


class Privatiser(Generator):
    """x + f(x, y, z), f fully connected: Gaussian vectors are moved and get noise.

    Args:
        dim: the size of x.
        latent_dim: the size of z, the noise.
        num_classes: of y.
        label_aware: whether f is told y.
        hidden: the sizes of f's hidden layers.
    """

    def __init__(self, dim: int, latent_dim: int, num_classes: int, label_aware: bool, hidden: list[int]) -> None:
        super().__init__()
        require_positive(dim=dim, latent_dim=latent_dim, num_classes=num_classes)
        self.conditional = label_aware
        self.latent_dim, self.num_classes = latent_dim, num_classes
        sizes = [dim + latent_dim + (num_classes if label_aware else 0), *hidden]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], dim))

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `samples` (N, dim), classes (N,) and z (N, latent_dim) to (N, dim)."""
        x = given[SAMPLES]
        told = [one_hot(labels_given(labels), self.num_classes).to(x.dtype)] if self.conditional else []
        moved: Tensor = x + self.layers(torch.cat([x, z, *told], dim=1))
        return moved


class BitFlipper(Generator):
    """A bit x, flipped with a learnt probability of its own for 0 and for 1.

    Args:
        latent_dim: the size of z, whose first entry, uniform on [-1, 1], decides.
    """

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        require_positive(latent_dim=latent_dim)
        self.latent_dim = latent_dim
        self.logits = nn.Parameter(torch.full((2,), -2.0))

    def flips(self, x: Tensor) -> Tensor:
        """Return the probabilities (N, 1) with which bits x (N, 1) are flipped."""
        zero, one = self.logits.sigmoid()
        found: Tensor = (1 - x) * zero + x * one
        return found

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `samples`, bits (N, 1), and z (N, latent_dim) to bits (N, 1)."""
        x = given[SAMPLES]
        flipped = ((z[:, :1] + 1) / 2 < self.flips(x)).to(x.dtype)
        bits: Tensor = (x - flipped).abs()
        return bits

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the bits and the probability of each flip."""
        return {SAMPLES: self(z, labels, given), FLIP: self.flips(given[SAMPLES])}
