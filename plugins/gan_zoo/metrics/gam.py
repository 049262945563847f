"""Two trained games, each of which judges what the other makes."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import (
    MAIN,
    Comparison,
    ConfigError,
    FeatureSet,
    Game,
    Judge,
    Metric,
    encoded,
    evaluation_mode,
    load_game,
    seeding,
    stop_point,
    to_uint8,
    try_meeting,
)
from gan_zoo.packs import refuse_packs

BATCH = 200
"""Samples at a time."""

MOST = 10_000
"""Samples of either side that are judged."""


class GAM(Metric):
    """The generative adversarial metric (GRAN, Im et al. 2016, arXiv 1602.05110, section 4): a battle of two GANs.

    With ε the share of samples that a discriminator gets wrong, r_samples = ε(D1(G2(z))) / ε(D2(G1(z))) and r_test =
    ε(D1(x)) / ε(D2(x)), where 1 is the scored run, 2 the other one, and x are test samples. The scored run has won
    where r_samples < 1, if r_test is about 1: its D sees through the other's samples more often than the other's
    D through its own, and both know real samples equally well. Real is what has a logit above 0. So that no ratio is
    of nothing, half a wrong sample and half a right one are counted beside those that there are.

    Args:
        against: the other run's folder, or a checkpoint of it.
        samples: of each generator, and of the test split, that are judged.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"gam": False}
    legend: ClassVar[dict[str, str]] = {
        "gam": "how often D errs on the other run's samples, over how often the other's D errs on this one's",
        "gam_test": "how often D errs on test samples, over how often the other's does; about 1 where gam tells",
    }
    needs_game: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("test",)
    samples_kept: ClassVar[int] = MOST

    def __init__(self, against: Path | None, samples: int) -> None:
        if not 1 <= samples <= MOST:
            raise ConfigError(f"metrics.gam.samples={samples} must lie between 1 and {MOST}")
        self.against = str(against) if against is not None else None
        self.samples = samples

    def check(self, game: Game) -> None:
        """Raise ConfigError if there is no other run, either has no D that tells, or the data differ."""
        other = self._other(game)
        for which, one in (("this run", game), (f"metrics.gam.against={self.against}", other)):
            _check_judged(which, one)
        if (other.data.sample, other.data.num_classes) != (game.data.sample, game.data.num_classes):
            raise ConfigError(
                f"metrics.gam.against={self.against} makes samples of {other.data.sample}, of {other.data.num_classes} "
                f"classes, and this run of {game.data.sample}, of {game.data.num_classes}: neither can judge the other"
            )

    def _other(self, game: Game) -> Game:
        if self.against is None:
            raise ConfigError("metrics.gam needs the run to compete with: metrics.gam.against=RUN")
        return load_game(Path(self.against), game.device)[0]

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `gam`, r_samples, and `gam_test`, r_test."""
        game = comparison.game
        assert game is not None
        other = self._other(game)
        test = comparison.split("test")
        real, classes = _some(test, self.samples)
        own, asked = _some(comparison.generated, self.samples)
        theirs, asked_of_other = _sampled(other, len(own))
        of_samples = errors(game, theirs, asked_of_other, False), errors(other, own, asked, False)
        of_test = errors(game, real, classes, True), errors(other, real, classes, True)
        return {"gam": of_samples[0] / of_samples[1], "gam_test": of_test[0] / of_test[1]}


def _some(samples: FeatureSet, most: int) -> tuple[Tensor, Tensor | None]:
    """Return at most so many samples (N, ...), and their classes (N,) where they are known."""
    chosen = samples.some(most)
    return samples.read(chosen), None if samples.labels is None else samples.labels[chosen]


def _check_judged(which: str, game: Game) -> None:
    if game.loss is None or not game.loss.probabilistic or game.generates_from is not None or game.data.condition_dim:
        raise ConfigError(
            f"metrics.gam counts what a discriminator takes for real, and {which} has none that says so, or makes "
            "samples of more than latents and classes: it needs a loss whose logit is a probability, loss=nonsaturating"
        )
    pair = try_meeting(game).get(MAIN)
    if pair is None or pair.judged_by_network is None or pair.real_given:
        raise ConfigError(f"metrics.gam asks the judge of the pair {MAIN!r} about samples alone, and {which} has none")
    refuse_packs(game, pair.judged_by_network, "metrics.gam")


def _judge(game: Game) -> Judge:
    return game.judge(try_meeting(game)[MAIN].judged_by_network or "discriminator")


def errors(game: Game, samples: Tensor, labels: Tensor | None, real: bool) -> float:
    """Return the share of samples (N, ...), 8-bit ones uint8, that a game's discriminator gets wrong, in (0, 1).

    Args:
        game: whose discriminator is asked.
        samples: what it judges.
        labels: their classes (N,), or None.
        real: whether they are real.
    """
    judge, wrong = _judge(game), 0
    with torch.no_grad(), evaluation_mode(game.networks):
        for rows in torch.arange(len(samples)).split(BATCH):
            stop_point()
            of = labels[rows].to(game.device) if labels is not None else None
            said = judge(encoded(samples[rows].to(game.device)), of).scores
            wrong += int(((said > 0) != real).sum())
    return (wrong + 0.5) / (len(samples) + 1)


def _sampled(game: Game, count: int) -> tuple[Tensor, Tensor | None]:
    """Return samples as they are scored, and the classes that were asked for in turn."""
    random = seeding.generator(0, "gam")
    classes = torch.arange(count) % game.data.num_classes if game.data.num_classes else None
    made = []
    for rows in torch.arange(count).split(BATCH):
        stop_point()
        of = classes[rows].to(game.device) if classes is not None else None
        batch = game.sample(game.latent(len(rows), of, random)).cpu()
        made.append(to_uint8(batch) if game.data.is_8_bit else batch)
    return torch.cat(made), classes
