"""GMAN (Durugkar, Gemp & Mahadevan 2017, arXiv 1611.01673): a generator before several discriminators."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Batch, Components, Discriminator, Game, Latent, Pair, Player, Term, TermPlan
from gan_zoo.layers import ImageSize, activations, init_normal, sides
from gan_zoo.ranges import require_not_negative
from gan_zoo.several import critics_in

MEANS = ("arithmetic", "geometric", "harmonic")


def soft_maximum(losses: Tensor, softness: float | Tensor, mean: str = "arithmetic") -> Tensor:
    """Return a mean of losses (K,), all of one sign, with weights in proportion to exp(λ V_i) (section 3.2).

    λ = 0 is the plain mean, λ without bounds the greatest loss.

    Args:
        losses: V_i.
        softness: λ.
        mean: `arithmetic`, `geometric` or `harmonic`, of the absolute values.
    """
    weights = (softness * losses).softmax(0)
    if mean == "arithmetic":
        return (weights * losses).sum()
    sign = losses.sign()[0]
    if mean == "geometric":
        return sign * (weights * losses.abs().log()).sum().exp()
    return 1 / (weights / losses).sum()


class Softness(nn.Module):
    """λ = softplus(ℓ), learned by the generator (GMAN*, section 3.3).

    Args:
        start: ℓ at the beginning.
    """

    def __init__(self, start: float) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.tensor(float(start)))

    def forward(self) -> Tensor:
        """Return λ, a scalar above 0."""
        return F.softplus(self.raw)


class Reward(Term):
    """-λ: a generator that learns λ is paid for facing stricter discriminators (section 3.3)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return -λ."""
        strict: Tensor = self.game.network("softness")()
        return -strict


class GMAN(Game):
    """The networks `discriminator_0`, `discriminator_1`, ... have losses of their own; G faces a soft maximum of them.

    G minimises F = Σ w_i V_i / Σ w_i, w_i = exp(λ V_i), where V_i is its loss before the i-th (`loss=minimax`, the
    original objective, with which the paper's claim is that several discriminators train; `nonsaturating` is the
    modified one of its program). A network `softness` has λ learned, paid with
    `reward` (its form f(λ) = c λ is our reading). The discriminators are one player, since Adam's steps are each
    parameter's own. With one discriminator it is the game of two players, to the bit.

    Args:
        components: what the game is made of.
        softness: λ, where it is not learned.
        mean: `arithmetic`, `geometric` or `harmonic`, the last two for losses of one sign.
        divided: whether each discriminator sees a part of the batch of its own, as in the authors' program.
        reward: c, of a learned λ.
    """

    def __init__(self, components: Components, softness: float, mean: str, divided: bool, reward: float) -> None:
        super().__init__(components)
        if mean not in MEANS:
            raise ValueError(f"mean={mean!r}: choose one of {', '.join(MEANS)}")
        require_not_negative(softness=softness)
        self.softness = softness
        self.mean = mean
        self.divided = divided
        if "softness" in self.networks:
            plan = TermPlan(reward, pairs=(self.critics_faced[0],))
            self.player("generator").add_term("reward", Reward(), plan=plan)

    @property
    def critics_faced(self) -> list[str]:
        """The names of the discriminators."""
        return critics_in(self.networks, "gman")

    def make_players(self) -> list[Player]:
        """Return the discriminators as one player, and G."""
        critics = critics_in(self.networks, "gman")
        own = ("generator", "softness") if "softness" in self.networks else ("generator",)
        return [
            Player("discriminator", tuple(critics), "discriminator", dict.fromkeys(critics, "discriminator")),
            Player("generator", own, "generator", dict.fromkeys(critics, "generator"), self.combine),
        ]

    def combine(self, losses: Tensor) -> Tensor:
        """Return the soft maximum of G's losses (K,)."""
        softness = self.network("softness")() if "softness" in self.networks else self.softness
        return soft_maximum(losses, softness, self.mean)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return the same samples, or a part of them, before each discriminator, by its name."""
        made, critics = self.generate(latent), self.critics_faced
        size = len(made) // len(critics)
        if not self.divided or not size:  # the two blank samples of checks cannot be divided
            return {name: Pair(self.judge(name), batch, latent, made) for name in critics}
        found = {}
        for number, name in enumerate(critics):
            part = slice(number * size, (number + 1) * size)
            found[name] = Pair(self.judge(name), batch.part(part), latent.part(part), made[part])
        return found


class GMANDiscriminator(Discriminator):
    """Three convolutions of 3x3, the first two of which halve the side, with leaky ReLU 0.2 and dropout (section 4).

    Discriminators of one game differ in their dropout.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        width: channels of the last map; the first ones have a quarter and a half of them.
        dropout: the share of each layer's activations that are dropped in training.
    """

    def __init__(self, image_size: ImageSize, channels: int, width: int, dropout: float) -> None:
        super().__init__()
        widths, strides = [channels, width // 4, width // 2, width], [2, 2, 1]
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.LeakyReLU(0.2), nn.Dropout(dropout))
            for inputs, outputs, stride in zip(widths, widths[1:], strides, strict=False)
        )
        height, across = sides(image_size)
        self.output = nn.Linear(width * -(-height // 4) * -(-across // 4), 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the maps after every layer for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)
