"""The zero-centred gradient penalties R1 and R2, and their estimates by differences of scores."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from gan_framework.api import ConfigError, DiscriminatorOutput, Game, Judge, Pair, Player
from gan_zoo.ranges import require_above_zero
from gan_zoo.terms.critic_gradient import CriticGradientPenalty
from gan_zoo.terms.dropout_consistency import DROPOUTS
from gan_zoo.terms.sides import name_of, trained_judges


def half_squared_norm(gradient: Tensor) -> Tensor:
    """Return half the mean squared norm of gradients (N, D)."""
    return 0.5 * gradient.square().sum(dim=1).mean()


class R1(CriticGradientPenalty):
    """½ E ‖∇D(x)‖² at real samples (Mescheder et al. 2018, arXiv 1801.04406, equation 9); its weight is γ."""

    differentiates = ("real",)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the penalty at this pair's real samples."""
        return half_squared_norm(pair.input_gradient("real"))


class R2(CriticGradientPenalty):
    """½ E ‖∇D(G(z))‖² at generated samples (Mescheder et al. 2018, arXiv 1801.04406, equation 10); its weight is γ."""

    differentiates = ("fake",)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the penalty at this pair's generated samples."""
        return half_squared_norm(pair.input_gradient("fake"))


class DifferencePenalty(CriticGradientPenalty):
    """½ E (D(x + σε) - D(x))² / σ², ε normal, which tends to ½ E ‖∇D(x)‖² as σ does to 0.

    (∇D · ε)² is ‖∇D‖² in expectation over ε. It costs one more pass of the samples and no gradient of a gradient, so
    compiled networks can have it. Lin et al. 2025, arXiv 2501.08316, section 3.3, without the division by 2σ², which
    keeps the weight what it is for R1 and R2. A discriminator with spectral norm is asked about both in a pass of its
    own: each pass follows its norms a step further, and weights that differ would be taken for a slope.

    Args:
        sigma: σ, the deviation of the noise in units of the samples; from 0.001 to 0.1 for images in [-1, 1].
    """

    differentiates_twice = False

    def __init__(self, sigma: float) -> None:
        super().__init__()
        require_above_zero(sigma=sigma)
        self.sigma = sigma

    def check(self, game: Game, player: Player) -> None:
        """See that two passes differ by the noise alone.

        Raises:
            ConfigError: see `CriticGradientPenalty.check`, or the discriminator sees samples changed at random, or
                drops units.
        """
        super().check(game, player)
        name = name_of(self, player)
        if game.transforms:
            raise ConfigError(
                f"{name} compares scores of two passes, and {type(game.transforms[0]).__name__} changes the samples of "
                f"each at random; choose {name.removeprefix('approximate_')}, or leave that out"
            )
        for network in trained_judges(self, game, player):
            if any(layer.p > 0 for layer in game.network(network).modules() if isinstance(layer, DROPOUTS)):
                raise ConfigError(
                    f"{name} compares scores of two passes, and {type(game.network(network)).__name__} drops other "
                    f"units in each; choose {name.removeprefix('approximate_')}, or set networks.{network}.dropout=0"
                )

    def difference(self, pair: Pair, side: str) -> Tensor:
        """Return the estimate at one side's samples; in float32 whatever the run's precision.

        Args:
            pair: the samples and their judge.
            side: `real` or `fake`.
        """
        x, labels, given = (getattr(pair, name) for name in (side, f"{side}_labels", f"{side}_given"))
        near = x + self.sigma * torch.randn_like(x)
        half = isinstance(pair.judge, Judge) and pair.judge.is_half
        # Half precision rounds away what so little noise changes.
        judge = pair.judge.in_full_precision() if half else pair.judge  # type: ignore[attr-defined]
        if isinstance(judge, Judge) and _follows_norms(judge.network):
            of_both = None if labels is None else torch.cat([labels, labels])
            said = judge(torch.cat([near, x]), of_both, *(torch.cat([one, one]) for one in given)).scores
            change = said[: len(x)] - said[len(x) :]
        elif half:
            change = judge(near, labels, *given).scores - judge(x, labels, *given).scores
        else:
            output: DiscriminatorOutput = getattr(pair, f"{side}_output")
            change = pair.judge(near, labels, *given).scores - output.scores
        return 0.5 * (change / self.sigma).square().mean()


def _follows_norms(network: nn.Module) -> bool:
    """Return whether norms of weights are followed with every pass, so that no two passes have the same weights."""
    return any(isinstance(module, parametrizations._SpectralNorm) for module in network.modules())


class ApproximateR1(DifferencePenalty):
    """½ E (D(x + σε) - D(x))² / σ² at real samples."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the estimate at this pair's real samples."""
        return self.difference(pair, "real")


class ApproximateR2(DifferencePenalty):
    """½ E (D(x + σε) - D(x))² / σ² at generated samples."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the estimate at this pair's generated samples."""
        return self.difference(pair, "fake")
