"""What metrics say they need of a game, and which classes samples count as asked for."""

import ast
import inspect
from pathlib import Path

import pytest
import torch

from gan_framework.config.schema import EvaluateConfig
from gan_framework.core.contracts.networks import SAMPLES, Generator
from gan_framework.core.game import Components, Game
from gan_framework.evaluation.evaluator import Evaluator
from gan_framework.registry import registry
from gan_zoo.adapting import AdaptingGame
from gan_zoo.extractors.raw import Raw
from gan_zoo.metrics.class_accuracy import ClassAccuracy
from gan_zoo.metrics.intra_fid import IntraFID
from tests.evaluation.conftest import Blobs, NoSchedule, TinyDiscriminator

METRICS = {
    plugin.name: plugin.load() for plugin in registry.installed("metrics") if plugin.distribution == "gan-framework"
}

GENERATED = {"generated", "pairs", "sample", "classes_of_generated"}


def reads_samples(metric):
    """Return whether what stands beside a metric reads what was generated, or has a game generate."""
    source = ast.parse(Path(inspect.getfile(metric)).read_text())
    return any(getattr(node, "attr", getattr(node, "id", None)) in GENERATED for node in ast.walk(source))


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_says_whether_it_scores_generated_samples(name):
    assert METRICS[name].needs_samples == reads_samples(METRICS[name])


def test_games_that_adapt_generate_nothing():
    assert not AdaptingGame.generates


class Flips(Generator):
    """Makes of images one of the class that is asked for: a bright half."""

    conditional = True

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, z, labels, given):
        made = torch.full((len(labels), 1, 8, 8), -1.0)
        made[labels == 0, :, :, :4] = made[labels == 1, :, :, 4:] = 1.0
        return made * self.weight + 0.1 * given[SAMPLES]


class Editing(Game):
    """Asks for the other class."""

    generates_from = SAMPLES

    def latent_for(self, batch):
        return super().latent_for(batch)._replace(labels=1 - batch.labels)


@pytest.mark.parametrize("batch_size", [16, 50])
def test_edited_images_count_as_asked_for_what_the_game_asks_for(batch_size, tmp_path):
    source = Blobs()
    game = Editing(Components(source.shape, {"generator": Flips(), "discriminator": TinyDiscriminator()}, NoSchedule()))
    settings = EvaluateConfig(samples=50, batch_size=batch_size, baselines=False)
    metrics = {"class_accuracy": ClassAccuracy(), "intra_fid": IntraFID()}
    evaluator = Evaluator(Raw(), metrics, source, "blobs", settings, torch.device("cpu"), tmp_path)
    evaluator.check(game)
    assert evaluator(game).scores["class_accuracy_raw"] == 1
