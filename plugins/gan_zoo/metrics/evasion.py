"""How many bad samples a detector still finds, and how many once it has learnt."""

from __future__ import annotations

import copy
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, FeatureSet, Game, Metric, seeding
from gan_zoo.systems.malgan import BAD, BENIGN, Detector, MalGAN


class Evasion(Metric):
    """The share of bad test samples that MalGAN's black box finds: as they are, changed, and after the defence.

    The defence fits the black box again to the training samples and their changed versions; its price is the share of
    benign ones that are taken for bad then.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"detection_rate": False, "detection_rate_defended": True}
    legend: ClassVar[dict[str, str]] = {
        "detection_rate": "share of changed bad samples that the black box finds",
        "detection_rate_plain": "the same of unchanged ones",
        "detection_rate_defended": "of changed ones, after the black box has learnt from changed training samples",
        "false_alarms_defended": "share of benign samples that it takes for bad then",
    }
    needs_labels: ClassVar[bool] = True
    needs_samples: ClassVar[bool] = False
    needs_game: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("train", "test")

    def check(self, game: Game) -> None:
        """Raise ConfigError if there is no black box."""
        if not isinstance(game, MalGAN):
            raise ConfigError(f"metrics.evasion goes with game=malgan, and this is {type(game).__name__}")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return the four shares."""
        game = comparison.game
        assert isinstance(game, MalGAN)
        train, test = (by_class(comparison.split(name), game.device) for name in ("train", "test"))
        with torch.random.fork_rng([]):
            seeding.reseed(0, "evasion")
            learnt, tried = game.changed(train[BAD]), game.changed(test[BAD])
        detector = game.network("detector")
        assert isinstance(detector, Detector)
        defended = copy.deepcopy(detector)
        defended.fit(train[BENIGN], torch.cat([train[BAD], learnt]))
        return {
            "detection_rate": found(detector, tried),
            "detection_rate_plain": found(detector, test[BAD]),
            "detection_rate_defended": found(defended, tried),
            "false_alarms_defended": found(defended, test[BENIGN]),
        }


def by_class(of: FeatureSet, device: torch.device) -> list[Tensor]:
    """Return the benign and the bad samples of a split."""
    assert of.labels is not None
    x = of.read(torch.arange(len(of.labels))).to(device)
    return [x[of.labels == label] for label in (BENIGN, BAD)]


def found(detector: Detector, x: Tensor) -> float:
    """Return the share of samples that a detector takes for bad."""
    return float((detector(x) > 0).double().mean())
