"""The scores of codes, on games whose truth is known."""

import itertools
import math

import pytest
import torch
from torch import nn

from gan_framework.core.contracts.networks import Generator
from gan_framework.core.game import Components, Game
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.metric import Comparison, FeatureSet
from gan_zoo.discriminators.mlp import MLPDiscriminator
from gan_zoo.metrics.cluster_accuracy import ClusterAccuracy, best_assignment_accuracy
from gan_zoo.metrics.mutual_information import MutualInformation
from gan_zoo.priors.codes import Codes
from gan_zoo.priors.normal import Normal
from gan_zoo.schedules.alternating import Alternating

SHAPE = DataShape((1, 2, 2), 4)


class Shown(Generator):
    """Makes the pixel of the category bright."""

    def forward(self, z, labels=None):
        return (2 * z[:, -4:] - 1).view(-1, 1, 2, 2)


class Brightest(nn.Module):
    """Tells the category from the brightest pixel, in an order of its own."""

    def __init__(self, order=(0, 1, 2, 3), scale=50.0):
        super().__init__()
        self.order, self.scale = list(order), scale
        self.dropout = nn.Dropout(0.9)  # must be off while scores are computed

    def forward(self, x):
        return self.scale * self.dropout(x.flatten(1)[:, self.order])


def make_game(q, prior=None):
    networks = {"generator": Shown(), "discriminator": MLPDiscriminator(2, 1, [3], "tanh", 0.1, 0.0, "symmetric")}
    networks |= {"q": q} if q else {}
    return Game(Components(SHAPE, networks, Alternating(1, 1, True), prior or Codes(6, {"categorical": [4]})))


def comparison(game, images=None, labels=None):
    test = FeatureSet(torch.empty(0), None, labels, lambda indices: images[indices])
    return Comparison(test, test, lambda split: {"test": test}[split], SHAPE, False, game=game)


def test_a_q_that_tells_every_code_reaches_the_entropy():
    scores = MutualInformation(samples=1100, seed=0).scores(comparison(make_game(Brightest())))
    assert scores == pytest.approx({"mutual_information": math.log(4), "mutual_information_categorical_0": math.log(4)})


def test_a_q_that_says_nothing_reaches_nothing():
    scores = MutualInformation(samples=100, seed=0).scores(comparison(make_game(Brightest(scale=0.0))))
    assert scores["mutual_information"] == pytest.approx(0, abs=1e-6)


def test_the_score_leaves_modes_and_random_numbers_as_they_were():
    game = make_game(Brightest()).train()
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    MutualInformation(samples=10, seed=0).scores(comparison(game))
    assert torch.equal(torch.rand(1), expected)
    assert game.networks["q"].training


def test_clusters_are_matched_to_classes_whatever_their_order():
    labels = torch.tensor([0, 1, 2, 3, 0, 1, 2, 3])
    images = torch.zeros(8, 1, 2, 2, dtype=torch.uint8)
    images.view(8, 4)[torch.arange(8), labels] = 255
    game = make_game(Brightest(order=(2, 0, 3, 1)))
    assert ClusterAccuracy("categorical_0").scores(comparison(game, images, labels)) == {"cluster_accuracy": 1.0}
    wrong = labels.clone()
    wrong[:2] = torch.tensor([1, 0])
    assert ClusterAccuracy("categorical_0").scores(comparison(game, images, wrong)) == {"cluster_accuracy": 0.75}


def test_assignment_by_hand():
    # cluster 0 -> class 1 (2 of 2), 1 -> 0 (1 of 2), 2 -> 2 (2 of 2)
    clusters, labels = torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([1, 1, 0, 2, 2, 2])
    assert best_assignment_accuracy(clusters, labels) == pytest.approx(5 / 6)


@pytest.mark.parametrize(("k", "classes"), [(4, 4), (5, 3), (3, 5)])
def test_assignment_against_all_assignments(k, classes):
    random = torch.Generator().manual_seed(k)
    clusters = torch.randint(k, (60,), generator=random)
    labels = torch.randint(classes, (60,), generator=random)
    size = max(k, classes)  # pairs beyond the smaller number match nothing
    best = max(
        sum(permutation[c] == y for c, y in zip(clusters.tolist(), labels.tolist(), strict=True))
        for permutation in itertools.permutations(range(size))
    )
    assert best_assignment_accuracy(clusters, labels) == pytest.approx(best / 60)


def test_games_without_codes_or_q_are_refused_before_training():
    for metric in (MutualInformation(10, 0), ClusterAccuracy("categorical_0")):
        with pytest.raises(ConfigError, match="needs structured codes"):
            metric.check(make_game(Brightest(), Normal(6)))
        with pytest.raises(ConfigError, match="needs a network q"):
            metric.check(make_game(None))
        metric.check(make_game(Brightest()))
    with pytest.raises(ConfigError, match="code=continuous_0: the categorical codes: categorical_0"):
        ClusterAccuracy("continuous_0").check(make_game(Brightest()))
    with pytest.raises(ValueError, match="samples=0"):
        MutualInformation(0, 0)
