"""How far a run is, on every axis that runs are compared on."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Counters:
    """How far a run is.

    Attributes:
        step: steps of the schedule so far.
        steps: steps in all.
        seconds: wall time so far, over all resumes.
        training_seconds: the part of it spent in steps.
        rollbacks: how often the run went back to a checkpoint because a loss was not finite.
    """

    steps: int
    step: int = 0
    seconds: float = 0.0
    training_seconds: float = 0.0
    rollbacks: int = 0
    _last: float = field(default_factory=time.perf_counter, repr=False)

    def tick(self) -> None:
        """Count one step, and the time since the last `tick` or `pause` as training."""
        self.step += 1
        elapsed = self._elapsed()
        self.seconds += elapsed
        self.training_seconds += elapsed

    def pause(self) -> None:
        """Count the time since the last `tick` or `pause`, but not as training."""
        self.seconds += self._elapsed()

    def due(self, every: int) -> bool:
        """Whether something is due that happens every so many steps and at the end; 0 means only at the end."""
        return self.step == self.steps or (every > 0 and self.step % every == 0)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        state = asdict(self)
        return {key: state[key] for key in ("step", "seconds", "training_seconds", "rollbacks")}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state made by `state`."""
        for key, value in state.items():
            setattr(self, key, value)
        self._elapsed()

    def _elapsed(self) -> float:
        now = time.perf_counter()
        elapsed, self._last = now - self._last, now
        return elapsed
