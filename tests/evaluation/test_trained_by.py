"""A model that was trained by the features that score it."""

import pytest
import torch
from torch import nn

from gan_framework.errors import ConfigError
from gan_framework.evaluation.extractor import fingerprint
from gan_framework.evaluation.protocol import differences
from gan_framework.weights.pretrained import mark_pretrained
from gan_zoo.extractors.raw import Raw
from gan_zoo.metrics.fid import FID
from tests.evaluation.test_evaluator import make


@pytest.fixture
def network():
    torch.manual_seed(0)
    return mark_pretrained(nn.Linear(2, 2), "Known")


class Knows(Raw):
    """Stands for an extractor with the weights of a network."""

    name = "knows"

    def __init__(self, network):
        super().__init__()
        self.weights = network.state_dict()

    def fingerprint(self):
        return fingerprint(self.weights)


def evaluator(source, folder, extractor):
    return make(source, folder, extractor=extractor, metrics={"fid": FID()})


def test_a_discriminator_on_the_extractors_network_is_refused(source, game, network, tmp_path):
    game.discriminator.inside = nn.Sequential(network)
    expected = r"features that networks.discriminator judges by \(networks.discriminator.inside.0\)"
    with pytest.raises(ConfigError, match=f"extractor=knows has the {expected}"):
        evaluator(source, tmp_path, Knows(network)).check(game)
    evaluator(source, tmp_path, Raw()).check(game)
    evaluator(source, tmp_path, Knows(nn.Linear(2, 2))).check(game)


def test_another_part_that_sees_by_it_is_said_and_part_of_the_protocol(source, game, network, tmp_path):
    plain = evaluator(source, tmp_path, Knows(network))(game)
    game.networks["perception"] = network
    scored = evaluator(source, tmp_path, Knows(network))
    scored.check(game)
    found = scored(game)
    assert found.protocol["trained_by_extractor"] == ["networks.perception"]
    assert any("was trained by (networks.perception): scores by them flatter it" in text for text in found.warnings)
    assert found.scores == plain.scores
    assert differences(found.protocol, plain.protocol) == ["trained_by_extractor"]
    assert not any("flatter" in text for text in plain.warnings)
