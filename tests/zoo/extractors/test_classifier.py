import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.data import DataSource, InMemory
from gan_framework.errors import ConfigError
from gan_framework.evaluation.cache import Cache
from gan_zoo.extractors.classifier import Classifier, judge

CPU = torch.device("cpu")
SETTINGS = {"epochs": 4, "width": 8, "dim": 16, "seed": 0, "precision": "fp32"}


def prepared(source, folder, **changes):
    extractor = Classifier(**SETTINGS | changes)
    extractor.prepare(source, CPU, Cache(folder))
    return extractor.eval()


def test_it_learns_the_classes(source, tmp_path):
    extractor = prepared(source, tmp_path)
    assert extractor.describe()["test_accuracy"] > 0.95
    test = source.load("test")
    features, logits = extractor(test.samples)
    assert features.shape == (200, 16)
    assert (logits.argmax(1) == test.labels).float().mean().item() == pytest.approx(extractor.accuracy)


def test_the_same_seed_trains_the_same_weights(source, tmp_path):
    hashes = []
    for run in range(2):
        torch.manual_seed(run)
        before = torch.get_rng_state()
        hashes.append(prepared(source, tmp_path / str(run)).fingerprint())
        assert torch.equal(torch.get_rng_state(), before)
    assert hashes[0] == hashes[1]
    assert prepared(source, tmp_path / "0", seed=1).fingerprint() != hashes[0]


def test_it_is_trained_once(source, tmp_path, monkeypatch):
    first = prepared(source, tmp_path)
    monkeypatch.setattr(Classifier, "_train", None)
    second = prepared(source, tmp_path)
    assert second.fingerprint() == first.fingerprint()
    assert second.describe() == first.describe()


class RandomLabels(DataSource):
    """Images of which `classes` are drawn without looking at them."""

    def __init__(self, classes, n=100):
        self.shape = DataShape((1, 8, 8), classes)
        self.n = n

    def load(self, split):
        random = torch.Generator().manual_seed(len(split))
        images = torch.randint(0, 256, (self.n, 1, 8, 8), dtype=torch.uint8, generator=random)
        return InMemory(images, torch.randint(self.shape.num_classes, (self.n,), generator=random))


@pytest.mark.parametrize("classes", [2, 10])
def test_one_that_has_learnt_nothing_is_refused_from_the_cache_too(tmp_path, classes, monkeypatch):
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"has not learnt the classes: its accuracy on the 100 .*extractor=in"):
            prepared(RandomLabels(classes), tmp_path)
        monkeypatch.setattr(Classifier, "_train", None)


def labels(*counts):
    return torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))


@pytest.mark.parametrize(
    ("counts", "refused", "doubted", "fine"),
    [
        ([10] * 10, 0.20, 0.21, 0.55),  # twice chance; half of the way from chance to 1
        ([30] + [10] * 7, 0.37, 0.38, 0.65),  # the most frequent class has 30 %
        ([50, 50], 0.55, 0.56, 0.75),  # twice chance would be 1
        ([1] * 100, 0.02, 0.03, 0.51),
    ],
)
def test_what_is_refused_and_what_is_doubted(counts, refused, doubted, fine):
    with pytest.raises(ConfigError, match="learnt"):
        judge(refused, labels(*counts))
    (doubt,) = judge(doubted, labels(*counts))
    assert f"is {doubted:.1%}, and chance {max(counts) / sum(counts):.1%}" in doubt
    assert judge(fine, labels(*counts)) == []


def test_one_without_errors_is_never_refused():
    assert judge(1.0, labels(3)) == []


def test_unlabelled_data_are_refused_with_alternatives():
    with pytest.raises(ConfigError, match="extractor=inception"):
        Classifier(**SETTINGS).check(DataShape((1, 8, 8), 0))


@pytest.mark.parametrize("setting", ["epochs", "width", "dim"])
def test_wrong_settings_name_the_setting(setting):
    with pytest.raises(ValueError, match=f"{setting}=0: it must be at least 1"):
        Classifier(**SETTINGS | {setting: 0})


def test_an_unknown_precision_names_the_known_ones():
    with pytest.raises(ConfigError, match="fp16.*fp32, tf32, bf16"):
        Classifier(**SETTINGS | {"precision": "fp16"})
