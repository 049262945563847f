"""From word vectors to the words that describe a condition."""

import pytest
import torch
from torch import nn

from gan_framework.data import build_source
from gan_framework.errors import ConfigError
from gan_zoo.tags import describe, most_frequent_words, votes
from tests.helpers.runs import make_run

SMALL = ["data.channels=6", "data.condition_dim=4", "data.topics=5", "data.samples=100"]


@pytest.fixture
def run(compose, tmp_path):
    config = compose("experiment=cgan_vectors", "debug=smoke", *SMALL)
    return make_run(config, tmp_path)


def test_votes_go_to_the_nearest_by_angle_not_by_distance():
    vocabulary = torch.tensor([[100.0, 1.0], [1.0, 1.0], [0.0, 1.0], [-1.0, 0.0]])
    assert votes(torch.tensor([[1.0, 0.0]]), vocabulary, 1).tolist() == [[1, 0, 0, 0]]
    assert votes(torch.tensor([[0.1, 5.0], [-2.0, 0.1]]), vocabulary, 2).tolist() == [[0, 1, 1, 0], [0, 0, 1, 1]]


class Around(nn.Module):
    """Generates each condition itself, or with a share given by z the first axis."""

    conditional = True

    def forward(self, z, labels):
        axis = torch.zeros_like(labels)
        axis[:, 0] = 1
        return torch.where(z[:, :1] > 1, axis, labels)


def test_the_words_with_the_most_votes_come_first(run):
    game = run.game
    game.networks["generator"] = Around()
    game.data = game.data._replace(sample=(4,))
    vocabulary = torch.eye(4)
    conditions = torch.tensor([[0.0, 3.0, 2.0, 0.0], [0.0, 0.0, 1.0, 5.0]])
    # z > 1 in about 16 of 100 draws: those vote for word 0 and a tie, the others for the two largest entries.
    found = most_frequent_words(game, conditions, vocabulary, draws=100, nearest=2, keep=2)
    assert found.sort(1).values.tolist() == [[1, 2], [2, 3]]
    assert most_frequent_words(game, conditions, vocabulary, nearest=1, keep=1).tolist() == [[1], [3]]


def test_words_are_found_from_a_checkpoint_with_no_data(run):
    run.save()
    source = build_source(run.config["data"])
    words = [f"word {i}" for i in range(50)]
    conditions = source.load("test").labels
    found = describe(run.folder.path, conditions.numpy(), words, source.vocabulary.numpy())
    expected = most_frequent_words(run.game, conditions, source.vocabulary)
    assert found == [[words[i] for i in row] for row in expected.tolist()]
    assert all(len(set(row)) == 10 for row in found)
    assert found == describe(run.folder.last, conditions, words, source.vocabulary)


def test_what_does_not_fit_is_refused(run):
    good = torch.zeros(1, 4), torch.ones(50, 6)
    with pytest.raises(ConfigError, match="conditions of size 5"):
        most_frequent_words(run.game, torch.zeros(1, 5), good[1])
    with pytest.raises(ConfigError, match="words of size 7"):
        most_frequent_words(run.game, good[0], torch.ones(50, 7))
    with pytest.raises(ConfigError, match="only 12 words"):
        most_frequent_words(run.game, good[0], torch.ones(12, 6))
