"""Every metric of the zoo on a generator that has collapsed, and on one that has diverged."""

import math
import re

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from gan_framework.cli.commands import app
from gan_framework.config.schema import EvaluateConfig
from gan_framework.core.contracts.networks import Discriminator, Generator
from gan_framework.core.game import Components, Game
from gan_framework.core.records import DataShape
from gan_framework.data import DataSource, InMemory
from gan_framework.errors import NonFinite
from gan_framework.evaluation.evaluator import Evaluator
from gan_framework.evaluation.extractor import Features as Extracted
from gan_framework.registry import registry
from gan_zoo.extractors.raw import Raw
from gan_zoo.metrics.class_accuracy import ClassAccuracy
from gan_zoo.metrics.clipped import Clipped
from gan_zoo.metrics.cluster_accuracy import ClusterAccuracy
from gan_zoo.metrics.cmmd import CMMD
from gan_zoo.metrics.detection_accuracy import DetectionAccuracy
from gan_zoo.metrics.embedding_likelihood import EmbeddingLikelihood
from gan_zoo.metrics.fid import FID
from gan_zoo.metrics.fid_infinity import FIDInfinity
from gan_zoo.metrics.fid_interval import FIDInterval
from gan_zoo.metrics.inception_score import InceptionScore
from gan_zoo.metrics.intra_fid import IntraFID
from gan_zoo.metrics.kid import KID
from gan_zoo.metrics.memorisation import Memorisation
from gan_zoo.metrics.mode_coverage import ModeCoverage
from gan_zoo.metrics.modes import Modes
from gan_zoo.metrics.ms_ssim import MSSSIM
from gan_zoo.metrics.mutual_information import MutualInformation
from gan_zoo.metrics.parzen import Parzen
from gan_zoo.metrics.prc import PRC
from gan_zoo.metrics.spectrum_distance import SpectrumDistance
from gan_zoo.priors.codes import Codes
from gan_zoo.schedules.alternating import Alternating

METRICS = {
    "class_accuracy": lambda: ClassAccuracy(),
    "cluster_accuracy": lambda: ClusterAccuracy("categorical_0"),
    "detection_accuracy": lambda: DetectionAccuracy(0.4),
    "embedding_likelihood": lambda: EmbeddingLikelihood(0.1, 20),
    "clipped": lambda: Clipped(5),
    "cmmd": lambda: CMMD(),
    "fid": lambda: FID(),
    "fid_infinity": lambda: FIDInfinity(3, 0.5),
    "fid_interval": lambda: FIDInterval(5),
    "intra_fid": lambda: IntraFID(),
    "inception_score": lambda: InceptionScore(4),
    "kid": lambda: KID(3, 20),
    "memorisation": lambda: Memorisation(2, 2),
    "mode_coverage": lambda: ModeCoverage("ring", 0.05),
    "modes": lambda: Modes(),
    "ms_ssim": lambda: MSSSIM(5),
    "mutual_information": lambda: MutualInformation(20, 0),
    "parzen": lambda: Parzen([0.1, 0.5, 2.0], 0.2),
    "prc": lambda: PRC(3, 5),
    "spectrum_distance": lambda: SpectrumDistance(),
}


ELSEWHERE = set(
    """
    adversary_accuracy anomaly_auc attack_accuracy attribute_accuracy cell_rule cross_modal diagram_accuracy dists
    dists_like energy_response episode_return evasion exact_match gam grammar hamming_map instance_retrieval
    inversion_error jet_observables label_accuracy label_error label_transfer latent_probe leaf_count lpips
    lpips_like marginals melody ml_efficacy ngrams nll nll_test object_place overlap pair_dependencies
    point_coverage ppl ppl_like psnr ranking rolls series_classes series_scores series_statistics snr_gain
    spectral_distance ssim target_accuracy token_objective transition_error video_motion voxel_iou
    """.split()
)
"""Metrics of games with encoders or with pairs, and of other samples than images, which this file's game is not."""


def test_every_metric_of_the_zoo_is_here():
    found = {plugin.name for plugin in registry.installed("metrics") if plugin.distribution == "gan-framework"}
    assert found - ELSEWHERE == METRICS.keys()


class Images(DataSource):
    shape = DataShape((1, 12, 12), 3)

    def load(self, split):
        random = torch.Generator().manual_seed(len(split))
        labels = torch.arange(60) % 3
        images = torch.randint(0, 100, (60, *self.shape.sample), generator=random) + 50 * labels.view(-1, 1, 1, 1)
        return InMemory(images.to(torch.uint8), labels)


class Points(DataSource):
    shape = DataShape((2,), 3)

    def load(self, split):
        points = torch.randn(60, 2, generator=torch.Generator().manual_seed(len(split)))
        return InMemory(points, torch.arange(60) % 3)


class Same(Generator):
    """Makes samples of one value."""

    conditional = True

    def __init__(self, shape, value):
        super().__init__()
        self.shape, self.value, self.weight = shape, value, nn.Parameter(torch.zeros(()))

    def forward(self, z, labels=None):
        return (self.value + 0 * self.weight).expand(len(z), *self.shape)


class Judge(Discriminator):
    conditional = True

    def __init__(self, width):
        super().__init__()
        self.inner, self.output = nn.Linear(width, 3), nn.Linear(3, 1)

    def features(self, x, labels=None):
        return (self.inner(x.flatten(1)),)


class Classifies(Raw):
    """Every value, with logits for three classes."""

    classifies = True

    def extract(self, samples):
        features = super().extract(samples).features
        return Extracted(features, features[:, :3])


def score(name, value, folder):
    source = Points() if name == "mode_coverage" else Images()
    width = math.prod(source.shape.sample)
    torch.manual_seed(0)
    networks = {"generator": Same(source.shape.sample, value), "discriminator": Judge(width)}
    networks["q"] = nn.Sequential(nn.Flatten(), nn.Linear(width, 3))
    game = Game(Components(source.shape, networks, Alternating(1, 1, True), Codes(4, {"categorical": [3]})))
    extractor = Raw() if name == "mode_coverage" else Classifies()
    settings = EvaluateConfig(samples=40, batch_size=16)
    evaluator = Evaluator(extractor, {name: METRICS[name]()}, source, "small", settings, torch.device("cpu"), folder)
    evaluator.check(game)
    return evaluator(game)


@pytest.mark.parametrize("value", [-1.0, 0.3, 1.0])
@pytest.mark.parametrize("name", METRICS)
def test_a_collapsed_generator_is_scored_with_a_warning(name, value, tmp_path):
    found = score(name, value, tmp_path)
    assert found.scores
    assert all(math.isfinite(one) for one in found.scores.values()), found.scores
    assert "mode collapse: every value of all 40 generated samples is" in " ".join(found.warnings)
    legend = METRICS[name]().legend
    explained = {re.sub("_categorical_0$", "_<code>", score.rpartition("_")[0]) for score in found.scores}
    assert explained == legend.keys()


def test_the_legend_is_at_hand_in_the_terminal():
    result = CliRunner().invoke(app, ["plugins", "metrics"])
    assert result.exit_code == 0
    lines = {" ".join(line.split()) for line in result.output.splitlines()}
    for name, build in METRICS.items():
        metric = build()
        for score, says in metric.legend.items():
            better = {True: "↑ ", False: "↓ ", None: ""}[metric.higher_is_better.get(score)]
            assert f"{score} {better}{says}" in lines, name


@pytest.mark.parametrize("name", METRICS)
def test_samples_that_are_not_finite_end_the_evaluation_alone(name, tmp_path):
    with pytest.raises(NonFinite, match="NaN or infinite"):
        score(name, float("nan"), tmp_path)


def test_equal_samples_are_a_collapse_too(tmp_path):
    evaluator = Evaluator(Raw(), {"fid": FID()}, Images(), "small", EvaluateConfig(), torch.device("cpu"), tmp_path)
    image = Images().load("train").samples[:1]
    found = evaluator.score_images(iter([image.expand(30, -1, -1, -1)]), 30)
    assert "mode collapse: all 30 generated samples have the same features" in " ".join(found.warnings)
