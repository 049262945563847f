"""Scores equal those of torch-fidelity and of torchmetrics for the same images and Inception weights."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from gan_framework.config.schema import EvaluateConfig
from gan_framework.core.records import DataShape
from gan_framework.data import DataSource, InMemory
from gan_framework.evaluation.evaluator import Evaluator
from gan_zoo.extractors.inception import Inception
from gan_zoo.metrics.fid import FID
from gan_zoo.metrics.inception_score import InceptionScore
from gan_zoo.metrics.kid import KID
from gan_zoo.metrics.prc import PRC

N = 8


def picture(seed, bright):
    random = torch.Generator().manual_seed(seed)
    noise = torch.rand(N, 3, 4, 4, generator=random) * torch.rand(N, 3, 1, 1, generator=random)
    smooth = nn.functional.interpolate(noise, size=32, mode="bilinear")
    return (255 * (bright + (1 - bright) * smooth)).to(torch.uint8)


REAL, FAKE = picture(0, 0.0), picture(1, 0.3)


class Colour(DataSource):
    shape = DataShape((3, 32, 32))

    def load(self, split):
        return InMemory(REAL)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Two threads that wait for each other cost several times more where other tests run beside."""
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file with random Inception weights, scaled so that features neither vanish nor explode."""

    class Unloaded(FeatureExtractorInceptionV3):
        def load_state_dict(self, state_dict, strict=True, assign=False):
            return None

    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save({}, path)
    network = Unloaded("inception-v3-compat", ["2048"], str(path))
    random = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, generator=random)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1, generator=random)
            nn.init.uniform_(module.running_var, 0.8, 1.2, generator=random)
            nn.init.uniform_(module.weight, 1.0, 1.1, generator=random)
            nn.init.normal_(module.bias, std=0.1, generator=random)
    for block in (network.Mixed_7c.branch1x1, network.Mixed_7c.branch_pool):
        block.bn.weight.mul_(10)  # else the kernel distance is so small that float32 spoils it
    nn.init.normal_(network.fc.weight, std=0.02, generator=random)
    torch.save(network.state_dict(), path)
    return str(path)


@pytest.fixture(scope="module")
def ours(weights, tmp_path_factory):
    """Our scores, in batches that do not divide the number of samples, and the extractor."""
    extractor = Inception(weights, "fp32")
    metrics = {
        "fid": FID(),
        "inception_score": InceptionScore(splits=1),
        "kid": KID(subsets=1, subset_size=N),
        "prc": PRC(3, 5),
    }
    evaluator = Evaluator(
        extractor,
        metrics,
        Colour(),
        "colour",
        EvaluateConfig(batch_size=7),
        torch.device("cpu"),
        tmp_path_factory.mktemp("cache"),
    )
    return SimpleNamespace(evaluation=evaluator.score_images(FAKE.split(7), N), extractor=extractor)


class AsDataset(torch.utils.data.Dataset):
    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]


class Recording(FeatureExtractorInceptionV3):
    """The network that both torch-fidelity and torchmetrics use; keeps what it returns."""

    returned = []

    def forward(self, x):
        features = super().forward(x)
        self.returned.append(self.convert_features_tuple_to_dict(features))
        return features


@pytest.fixture(scope="module")
def torch_fidelitys(weights):
    """torch-fidelity's scores and the features they are of."""
    from torch_fidelity import calculate_metrics, register_feature_extractor

    register_feature_extractor("recording", Recording)
    scores = calculate_metrics(
        input1=AsDataset(FAKE),
        input2=AsDataset(REAL),
        cuda=False,
        batch_size=N,
        fid=True,
        isc=True,
        isc_splits=1,
        kid=True,
        kid_subsets=1,
        kid_subset_size=N,
        prc=True,
        feature_extractor="recording",
        feature_extractor_weights_path=weights,
        save_cpu_ram=True,
        cache=False,
        verbose=False,
    )
    fake, real = Recording.returned
    return SimpleNamespace(scores=scores, fake=fake, real=real)


def test_scores_equal_torch_fidelitys(ours, torch_fidelitys):
    theirs = torch_fidelitys.scores
    expected = {
        "fid_inception": theirs["frechet_inception_distance"],
        "is_inception": theirs["inception_score_mean"],
        "kid_inception": theirs["kernel_inception_distance_mean"],
        "precision_inception": theirs["precision"],
        "recall_inception": theirs["recall"],
    }
    found = {name: ours.evaluation.scores[name] for name in expected}
    assert found == pytest.approx(expected, rel=1e-4)
    assert expected["fid_inception"] > 0.1


class Known(nn.Module):
    """Stands in for the network inside torchmetrics' classes, whose output for these images is known."""

    num_features = 2048

    def __init__(self, torch_fidelitys, layer):
        super().__init__()
        self.real, self.fake = torch_fidelitys.real[layer], torch_fidelitys.fake[layer]

    def forward(self, images):
        return self.real if torch.equal(images, REAL) else self.fake


@pytest.mark.filterwarnings("ignore:Metric .* will save all", "ignore:std.*degrees of freedom")
def test_scores_equal_torchmetrics(ours, torch_fidelitys):
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.inception import InceptionScore as TheirInceptionScore
    from torchmetrics.image.kid import KernelInceptionDistance

    pooled, logits = (Known(torch_fidelitys, layer) for layer in ("2048", "logits_unbiased"))
    fid = FrechetInceptionDistance(feature=pooled)
    kid = KernelInceptionDistance(feature=pooled, subsets=1, subset_size=N)
    inception_score = TheirInceptionScore(feature=logits, splits=1)
    for metric in (fid, kid):
        metric.update(REAL, real=True)
        metric.update(FAKE, real=False)
    inception_score.update(FAKE)

    scores = ours.evaluation.scores
    assert scores["fid_inception"] == pytest.approx(float(fid.compute()), rel=1e-4)
    assert scores["kid_inception"] == pytest.approx(float(kid.compute()[0]), rel=1e-4)
    assert scores["is_inception"] == pytest.approx(float(inception_score.compute()[0]), rel=1e-4)


def test_folding_leaves_the_features_equal(ours, torch_fidelitys):
    features, logits = ours.extractor(REAL[:2])
    for found, reference in (
        (features, torch_fidelitys.real["2048"]),
        (logits, torch_fidelitys.real["logits_unbiased"]),
    ):
        assert (found - reference[:2]).norm() < 1e-5 * reference[:2].norm()


def test_the_hash_is_of_the_weights_in_the_file(ours, weights):
    from gan_framework.evaluation.extractor import fingerprint

    assert ours.evaluation.protocol["extractor_hash"] == fingerprint(torch.load(weights))
    assert ours.evaluation.protocol["resize"] == "bilinear as in TensorFlow 1, to 299x299"


def test_bf16_is_near_the_same_features(ours, torch_fidelitys):
    ours.extractor.precision = "bf16"
    try:
        features = ours.extractor(REAL[:2]).features
    finally:
        ours.extractor.precision = "fp32"
    reference = torch_fidelitys.real["2048"][:2]
    assert features.dtype == torch.float32
    assert 1e-4 < (features - reference).norm() / reference.norm() < 0.3


@pytest.mark.slow
def test_one_folder_against_another_scores_as_torch_fidelitys_command(weights, cache, tmp_path, monkeypatch, capsys):
    """`fidelity --input1 A --input2 B --fid --json`, on the files that are scored."""
    import json
    import sys

    from PIL import Image
    from torch_fidelity.fidelity import main

    from gan_framework.cli.evaluate import evaluate

    for name, images in (("a", FAKE[:5]), ("b", REAL[:6])):
        (tmp_path / name).mkdir()
        for number, image in enumerate(images):
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(tmp_path / name / f"{number}.png")
    overrides = ["extractor=inception", f"extractor.weights={weights}", "metrics=[fid]", "evaluate.baselines=false"]
    evaluation, _ = evaluate(tmp_path / "a", overrides, tmp_path / "out.json", tmp_path / "b")
    folders = ["--input1", str(tmp_path / "a"), "--input2", str(tmp_path / "b")]
    more = ["--fid", "--json", "--cpu", "--silent", "--no-cache", "--feature-extractor-weights-path", weights]
    monkeypatch.setattr(sys, "argv", ["fidelity", *folders, *more, "--batch-size", "6"])
    capsys.readouterr()
    main()
    theirs = json.loads(capsys.readouterr().out)["frechet_inception_distance"]
    # With fewer samples than features theirs sums roots of what rounding leaves of zeros, some 2e-6 of such a distance.
    assert evaluation.scores["fid_inception"] == pytest.approx(theirs, rel=4e-6)
    assert theirs > 0.1
