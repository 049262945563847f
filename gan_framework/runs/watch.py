"""Named warnings when training goes wrong in one of the ways that no single loss tells."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

SURE = 0.99
"""A discriminator whose mean D(x) is above this, and whose mean D(G(z)) is below its complement, is saturated."""
LOOKS = 10
"""Log lines over which the discriminator's means are taken: one sure moment is no trouble."""
COLLAPSED = 0.2
"""Samples less diverse than this share of the data have collapsed."""
PATIENCE = 0.25
"""The share of a run in which samples may still be alike: every generator starts so."""
LEAST = 300
"""Steps in which they may be so however short the run is."""
SETTLING = 100
"""Steps in which a discriminator may be sure: untrained generators are easily told from data."""
BY_HEART = 0.25
"""A discriminator that is right of so much more of the training samples than of held-out ones has overfitted."""


def diversity(samples: Tensor) -> float:
    """Return the mean Euclidean distance between different samples (N, ...), N at least 2."""
    return float(torch.pdist(samples.flatten(1).float()).mean())


class Watch:
    """Looks at the metrics of every log line and says when a trouble begins.

    Attributes:
        named: all troubles so far, each as `step: name: what it means`.
    """

    def __init__(self, steps: int, probabilistic: bool, vanishes: Callable[[], bool] = lambda: False) -> None:
        """Watch a run.

        Args:
            steps: the length of the run.
            probabilistic: whether D is trained to be a probability; a critic's scores cannot saturate.
            vanishes: says whether the generator's loss has no gradient left where D is sure.
        """
        self.named: list[str] = []
        self._steps = steps
        self._probabilistic = probabilistic
        self._vanishes = vanishes
        self._real: deque[float] = deque(maxlen=LOOKS)
        self._fake: deque[float] = deque(maxlen=LOOKS)
        self._train: deque[float] = deque(maxlen=LOOKS)
        self._held_out: deque[float] = deque(maxlen=LOOKS)
        self._present: dict[str, bool] = {}

    def look(self, step: int, figures: dict[str, float], unreached: Sequence[tuple[str, str]] = ()) -> list[str]:
        """Return the troubles that begin with these metrics, each as `name: what it means`.

        Args:
            step: the step that they are of.
            figures: what the log line holds.
            unreached: the networks that no gradient has reached, each behind its player.
        """
        begun = self._note("no_gradient", self._blockage(unreached))
        if self._probabilistic and {"health/d_real", "health/d_fake"} <= figures.keys():
            begun += self._note("discriminator_saturated", self._saturation(step, figures))
        if {"health/accuracy_train", "health/accuracy_held_out"} <= figures.keys():
            begun += self._note("discriminator_overfits", self._overfitting(figures))
        if "health/diversity" in figures:
            begun += self._note("diversity_collapsed", self._collapse(step, figures["health/diversity"]))
        for trouble in begun:
            self.note(step, trouble)
        return begun

    def note(self, step: int, trouble: str) -> None:
        """Take up a trouble, `name: what it means`, that has begun at a step."""
        self.named.append(f"step {step}: {trouble}")

    def note_once(self, step: int, trouble: str) -> None:
        """Take up a trouble that is there at a step, if it was not there at an earlier one."""
        if not any(said.partition(": ")[2] == trouble for said in self.named):
            self.note(step, trouble)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {
            "named": list(self.named),
            "real": list(self._real),
            "fake": list(self._fake),
            "train": list(self._train),
            "held_out": list(self._held_out),
            "present": dict(self._present),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state made by `state`."""
        self.named = list(state["named"])
        self._real = deque(state["real"], maxlen=LOOKS)
        self._fake = deque(state["fake"], maxlen=LOOKS)
        self._train = deque(state.get("train", ()), maxlen=LOOKS)  # older checkpoints have none
        self._held_out = deque(state.get("held_out", ()), maxlen=LOOKS)
        self._present = dict(state["present"])

    def _note(self, name: str, what: str | None) -> list[str]:
        before, self._present[name] = self._present.get(name, False), what is not None
        return [f"{name}: {what}"] if what is not None and not before else []

    def _saturation(self, step: int, figures: dict[str, float]) -> str | None:
        self._real.append(figures["health/d_real"])
        self._fake.append(figures["health/d_fake"])
        real, fake = fmean(self._real), fmean(self._fake)
        if len(self._real) < LOOKS or step < SETTLING or real <= SURE or fake >= 1 - SURE:
            return None
        found = f"mean D(x) is {real:.3f} and mean D(G(z)) {fake:.3f} over the last {LOOKS} log lines: "
        weaken = "a lower optimizer.discriminator.lr or 'strategy=[one_sided_label_smoothing]'"
        if self._vanishes():
            return f"{found}there the gradient of this generator loss vanishes; use loss=nonsaturating, or {weaken}"
        return (
            f"{found}D separates real from generated samples without effort. This generator loss keeps its gradient "
            f"there, so that is no failure in itself; if scores get no better, weaken D: {weaken}"
        )

    def _overfitting(self, figures: dict[str, float]) -> str | None:
        self._train.append(figures["health/accuracy_train"])
        self._held_out.append(figures["health/accuracy_held_out"])
        train, held_out = fmean(self._train), fmean(self._held_out)
        if len(self._train) < LOOKS or train - held_out < BY_HEART:
            return None
        return (
            f"D takes {train:.0%} of the training samples for real, and {held_out:.0%} of held-out ones, over the last "
            f"{LOOKS} looks at them: it knows the training samples by heart; try 'strategy=[diff_augment]' or [ada], "
            "'term=[lecam]', a smaller discriminator, or more data"
        )

    def _blockage(self, unreached: Sequence[tuple[str, str]]) -> str | None:
        if not unreached:
            return None
        networks = " and ".join(f"networks.{network} ({player})" for player, network in unreached)
        return (
            f"no gradient reaches {networks}, so it is not trained; see that the player's losses depend on it and that "
            "no discriminator, term or game detaches its outputs"
        )

    def _collapse(self, step: int, share: float) -> str | None:
        if not share < COLLAPSED or step < max(PATIENCE * self._steps, LEAST):
            return None
        return (
            f"mode collapse: the mean pairwise distance of samples is {share:.0%} of the data's; try "
            "'strategy=[minibatch_stddev]', minibatch_discrimination, unrolled, or another loss"
        )
