"""The accuracy of edits: right edits, none, and data that ask for nothing."""

import pytest
import torch

from gan_framework.api import Comparison, ConfigError, DataShape, FeatureSet, PairedSamples
from gan_zoo.metrics.target_accuracy import TargetAccuracy


def compared(said, asked, classes=3):
    """Return a comparison in which the classifier says classes of generated images whose inputs ask for others."""
    logits = torch.eye(classes)[torch.tensor(said)]
    images = torch.zeros(len(asked), 1, 2, 2, dtype=torch.uint8)
    features = torch.zeros(len(said), 2)
    found = FeatureSet(features, logits, None, lambda indices: images[indices])
    parts = [
        PairedSamples(
            images[i : i + 2], images[i : i + 2], images[i : i + 2], {"target": torch.tensor(asked)[i : i + 2]}
        )
        for i in range(0, len(asked), 2)
    ]
    shape = DataShape((1, 2, 2), classes)
    return Comparison(found, found, lambda split: found, shape, True, pairs=lambda: iter(parts))


def test_it_is_the_share_of_edits_that_are_what_was_asked_for():
    metric = TargetAccuracy()
    assert metric.scores(compared([0, 1, 2, 2], [0, 1, 2, 2])) == {"target_accuracy": 1.0}
    assert metric.scores(compared([0, 1, 2, 2], [1, 2, 0, 2])) == {"target_accuracy": 0.25}


def test_inputs_that_were_gone_through_again_count_once():
    assert TargetAccuracy().scores(compared([0, 1, 0, 0, 0], [0, 1])) == {"target_accuracy": 1.0}


def test_data_that_ask_for_nothing_are_refused():
    game = type("Game", (), {"data": DataShape((1, 2, 2), 3, extra={"mask": (1, 2, 2)})})()
    with pytest.raises(ConfigError, match="reads the extra 'target' of the data, and theirs are mask"):
        TargetAccuracy().check(game)
