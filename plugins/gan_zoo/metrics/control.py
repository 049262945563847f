"""Scores of what policies do and of made experience, in the simulator that is known."""

from __future__ import annotations

from typing import ClassVar

from gan_framework.api import Comparison, ConfigError, DataShape, Metric
from gan_zoo.simulators import trajectory_costs
from gan_zoo.systems.egan import one_step_error


class EpisodeReturn(Metric):
    """The mean return of trajectories, and how much of the expert's it is.

    Args:
        experts: how many the data have; with two, the goal is on the side of the start.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"return": True, "return_share": True}
    legend: ClassVar[dict[str, str]] = {
        "return": "minus the mean cost of a trajectory: the expert's, return_expert, at best",
        "return_expert": "the same of the real trajectories",
        "return_share": "the expert's cost over the policy's: 1 is as good as the expert",
    }
    samples_kept: ClassVar[int] = 10_000

    def __init__(self, experts: int) -> None:
        if experts not in (1, 2):
            raise ConfigError(f"metrics.episode_return.experts={experts} must be 1 or 2")
        self.experts = experts

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if samples are no trajectories."""
        if len(shape.sample) != 2 or shape.sample[0] != 3:
            raise ConfigError(f"episode_return scores trajectories (3, T), and samples are {shape.sample}")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `return`, `return_share` and `return_expert`."""
        made, expert = (
            float(trajectory_costs(found.read(found.some(self.samples_kept)), self.experts).mean())
            for found in (comparison.generated, comparison.real)
        )
        return {"return": -made, "return_share": expert / max(made, 1e-9), "return_expert": -expert}


class TransitionError(Metric):
    """How far the next states of made transitions are from where the simulator goes."""

    higher_is_better: ClassVar[dict[str, bool]] = {"transition_error": False}
    legend: ClassVar[dict[str, str]] = {"transition_error": "mean absolute difference of the next state: 0 is right"}
    samples_kept: ClassVar[int] = 10_000

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if samples are no transitions."""
        if shape.sample != (6,):
            raise ConfigError(f"transition_error scores transitions (6,), and samples are {shape.sample}")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `transition_error`."""
        found = comparison.generated
        return {"transition_error": float(one_step_error(found.read(found.some(self.samples_kept))).mean())}
