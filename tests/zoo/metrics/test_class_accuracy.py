import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.metric import Comparison, FeatureSet
from gan_zoo.metrics.class_accuracy import ClassAccuracy


def compare(asked, logits=None, features=None):
    def none(indices):
        raise AssertionError("no sample is read")

    real = FeatureSet(torch.tensor([[0.0], [1.0], [2.0]]), None, torch.tensor([0, 1, 2]), none)
    generated = FeatureSet(torch.zeros(4, 1) if features is None else features, logits, asked, none)
    return Comparison(generated, real, lambda split: real, DataShape((1,), 3), logits is not None)


def test_it_is_the_share_of_samples_the_classifier_takes_for_what_was_asked():
    logits = torch.tensor([[3.0, 0, 0], [0, 3, 0], [0, 3, 0], [0, 0, 3]])
    scores = ClassAccuracy().scores(compare(torch.tensor([0, 1, 2, 2]), logits))
    assert scores == {"class_accuracy": 0.75}


def test_without_a_classifier_the_nearest_real_sample_decides():
    features = torch.tensor([[0.1], [0.9], [1.1], [7.0]])
    scores = ClassAccuracy().scores(compare(torch.tensor([0, 1, 0, 2]), features=features))
    assert scores == {"class_accuracy": 0.75}


def test_games_that_are_asked_for_nothing_are_refused(game, conditional_game):
    ClassAccuracy().check(conditional_game)
    with pytest.raises(ConfigError, match="class_accuracy has no effect on TinyGenerator"):
        ClassAccuracy().check(game)


def test_games_that_make_images_of_images_keep_their_classes(game, monkeypatch):
    monkeypatch.setattr(type(game), "generates_from", "samples", raising=False)
    ClassAccuracy().check(game)


def test_samples_of_unknown_classes_are_refused():
    with pytest.raises(ConfigError, match="class_accuracy"):
        ClassAccuracy().scores(compare(None))
