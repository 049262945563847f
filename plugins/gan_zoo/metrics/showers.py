"""Scores of jets and of showers."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, Game, Metric, seeding
from gan_zoo.metrics.tables import ks_distance
from gan_zoo.ranges import require_positive
from gan_zoo.showers import SCALE, layer_shares, observables

SCORED = 5000


class JetObservables(Metric):
    """How far the momenta, masses and empty pixels of made jets are from real ones', by Kolmogorov-Smirnov."""

    higher_is_better: ClassVar[dict[str, bool]] = {"jet_pt_ks": False, "jet_mass_ks": False, "jet_empty_ks": False}
    legend: ClassVar[dict[str, str]] = {
        "jet_pt_ks": "distance of the distributions of the momentum: 0 to 1, 0 is right",
        "jet_mass_ks": "distance of the distributions of the mass: 0 to 1, 0 is right",
        "jet_empty_ks": "distance of the distributions of the share of empty pixels: 0 to 1, 0 is right",
    }
    samples_kept: ClassVar[int] = SCORED

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if samples are no grey images."""
        if len(shape.sample) != 3 or shape.sample[0] != 1:
            raise ConfigError(f"jet_observables scores images (1, H, W) of energies, and samples are {shape.sample}")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return the three distances."""
        made, real = (observables(found.read(found.some(SCORED))) for found in (comparison.generated, comparison.real))
        return {f"jet_{name}_ks": ks_distance(made[name], real[name]) for name in made}


class EnergyResponse(Metric):
    """Whether showers have the energy that was asked for, and share it among the layers as the formula says.

    Args:
        showers: that are drawn for it.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"energy_error": False, "layer_share_error": False}
    legend: ClassVar[dict[str, str]] = {
        "energy_response": "mean of a shower's energy over what was asked for: 1 is right",
        "energy_error": "mean of |energy / asked - 1|: 0 is right",
        "layer_share_error": "mean difference of a layer's share of the energy from the formula's: 0 is right",
    }
    needs_game: ClassVar[bool] = True

    def __init__(self, showers: int) -> None:
        require_positive(showers=showers)
        self.showers = showers

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game is asked for no energies."""
        if "energy" not in game.data.extra or len(game.data.sample) != 3:
            raise ConfigError(
                f"energy_response scores showers of an energy, and {type(game).__name__} is asked for none"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `energy_response`, `energy_error` and `layer_share_error`."""
        game = comparison.game
        assert game is not None, "only models come this far"
        latent = game.latent(self.showers, generator=seeding.generator(0, "energy response"))
        made = game.sample(latent).cpu().double()
        return response(made, latent.z[:, -1].cpu().double())


def response(showers: Tensor, asked: Tensor) -> dict[str, float]:
    """Return how far showers (N, 3, H, W) are from energies (N,) asked for, in units of 100 GeV, and their shares."""
    layers = showers.sum((2, 3))
    total = layers.sum(1)
    ratio = total / asked
    wanted = layer_shares(asked * SCALE)
    wanted = wanted / wanted.sum(1, keepdim=True)
    share = layers / total[:, None].clamp(min=1e-9)
    return {
        "energy_response": float(ratio.mean()),
        "energy_error": float((ratio - 1).abs().mean()),
        "layer_share_error": float((share.mean(0) - wanted.mean(0)).abs().mean()),
    }
