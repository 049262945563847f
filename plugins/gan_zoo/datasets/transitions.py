"""What experts do who steer a point mass."""

from __future__ import annotations

import torch

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.simulators import cost, goals, moved, starts, steered

FORMS = ("trajectory", "transition")


class Transitions(DataSource):
    """Trajectories (3, T) of place, velocity and action of the best steering, or single transitions (6).

    A transition is (place, velocity, action, next place, next velocity, reward), of actions that are the expert's with
    noise. With two experts each goes to the goal on its side of the start, 1 or -1.

    Args:
        form: `trajectory` or `transition`.
        steps: T of a trajectory.
        experts: 1 or 2.
        noise: the deviation of what is added to the actions of transitions.
        samples: of each split.
        channels: null, or the first size of a sample.
        num_classes: null.
        image_size: null.
    """

    def __init__(
        self,
        form: str,
        steps: int,
        experts: int,
        noise: float,
        samples: int,
        channels: int | None,
        num_classes: int | None = None,
        image_size: None = None,
    ) -> None:
        known_classes("transitions", num_classes, 0)
        if form not in FORMS or experts not in (1, 2) or steps < 2 or samples < 1 or noise < 0:
            raise ConfigError(
                f"data.form={form} data.experts={experts} data.steps={steps} data.samples={samples}: trajectory or "
                "transition, 1 or 2 experts, at least 2 steps and a sample"
            )
        self.form, self.steps, self.experts, self.noise, self.samples = form, steps, experts, noise, samples
        self.shape = DataShape((3, steps) if form == "trajectory" else (6,))

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("transitions", split, ("train", "test"))
        random = seeding.generator(0, "transitions", split)
        state = starts(self.samples, random)
        goal = goals(state[:, 0], self.experts)
        if self.form == "transition":
            action = steered(state, goal) + self.noise * torch.randn(self.samples, 1, generator=random)
            reward = -cost(state, action, goal)[:, None]
            return InMemory(torch.cat([state, action, moved(state, action), reward], 1))
        seen = []
        for _ in range(self.steps):
            action = steered(state, goal)
            seen.append(torch.cat([state, action], 1))
            state = moved(state, action)
        return InMemory(torch.stack(seen, 2).contiguous())
