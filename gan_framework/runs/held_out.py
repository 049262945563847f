"""What the discriminator says of real samples that it is trained on, beside some that it never saw."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gan_framework.core import checks, seeding
from gan_framework.core.game import Game
from gan_framework.core.judge import Judge
from gan_framework.core.pair import MAIN, Pair
from gan_framework.core.records import Batch
from gan_framework.data import Data, InMemory
from gan_framework.evaluation.decoding import DecodedData
from gan_framework.evaluation.evaluator import Evaluator
from gan_framework.evaluation.inputs import batch_of
from gan_framework.runs.diagnostics import numbers

SPLIT = "test"
"""The split that no run trains on."""

APART = 40
"""Steps between two looks, at the least: a look costs up to a third of a step."""


class HeldOut:
    """Asks a game's judges about as many training and held-out samples as a batch has, other ones at every look.

    The samples follow from the seed and the step. No gradient, running statistics or random number is left behind.
    Networks are in evaluation mode, so that no dropout and no augmentation is in what is compared.

    Attributes:
        every: steps between two looks, a multiple of those between two log lines; 0 for one look, at the end.

    Args:
        game: the game.
        train: the samples that it is trained on.
        held_out: gives those that it is not, or None; asked at the first look.
        count: samples of either kind.
        seed: the run's.
        log_every: steps between two log lines.
    """

    def __init__(
        self, game: Game, train: Data, held_out: Callable[[], Data | None], count: int, seed: int, log_every: int
    ) -> None:
        self.every = math.ceil(APART / log_every) * log_every if log_every else 0
        self._game = game
        self._train = train
        self._held_out = held_out
        self._count = count
        self._seed = seed
        self._sides: dict[str, Data] | None = None
        self._judges: dict[str, str] = {}

    def figures(self, step: int) -> dict[str, float]:
        """Return what the judges say of either kind of samples; nothing where there is no held-out split in memory.

        Of a discriminator that is trained to be a probability, it is the share of samples on the right side of zero,
        `health/accuracy_train` and `health/accuracy_held_out`, and the mean logits, `health/logit_train` and
        `health/logit_held_out`; of a critic the mean scores, `health/critic_train` and `health/critic_held_out`.
        Where a game has several pairs, `_<pair>` follows.
        """
        if self._sides is None:
            self._sides = self._found()
        random = seeding.generator(self._seed, "held out", step)
        found: dict[str, Tensor] = {}
        with checks.without_a_trace(self._game), torch.compiler.set_stance("force_eager"):
            for side, data in self._sides.items():
                indices = torch.randint(len(data), (self._count,), generator=random)
                batch = batch_of(data, indices, self._game.device)
                for name, network in self._judges.items():
                    logits = self._game.judge(network)(batch.samples, batch.labels).logits
                    found |= self._summary(side if name == MAIN else f"{side}_{name}", logits.float())
        return numbers(found)

    def _found(self) -> dict[str, Data]:
        """Return the two sets of samples, and note which networks judge them; nothing where nobody can be asked.

        A judge of more than samples (of a latent beside each) is not asked: nobody knows what belongs to the others.
        """
        if not isinstance(self._train, InMemory) or self._game.data.others:
            return {}
        held_out = self._held_out()
        if not isinstance(held_out, InMemory):
            return {}
        batch = checks.blank(self._game.data, device=self._game.device)
        for name, pair in checks.try_meeting(self._game, batch).items():
            if isinstance(pair.judge, Judge) and _is_of_samples_alone(pair, batch):
                self._judges[name] = pair.judge.name
        return {"train": self._train, "held_out": held_out} if self._judges else {}

    def _summary(self, where: str, logits: Tensor) -> dict[str, Tensor]:
        if self._game.loss is None or not self._game.loss.probabilistic:
            return {f"health/critic_{where}": logits.mean()}
        return {f"health/accuracy_{where}": (logits > 0).float().mean(), f"health/logit_{where}": logits.mean()}


def _is_of_samples_alone(pair: Pair, batch: Batch) -> bool:
    return pair.real is batch.samples and pair.real_labels is batch.labels and not pair.real_given


def read_for_scores(evaluator: Evaluator | None) -> Data | None:
    """Return the held-out split of a run that is scored: of one that is not, no further data are loaded."""
    if evaluator is None or SPLIT not in evaluator.reference.splits():
        return None
    data = evaluator.reference.data(SPLIT)
    return data.latents if isinstance(data, DecodedData) else data
