import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.cache import Cache
from gan_zoo.extractors.classifier import Classifier

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
        hashes.append(prepared(source, tmp_path / str(run), epochs=1).fingerprint())
        assert torch.equal(torch.get_rng_state(), before)
    assert hashes[0] == hashes[1]
    assert prepared(source, tmp_path / "0", epochs=1, seed=1).fingerprint() != hashes[0]


def test_it_is_trained_once(source, tmp_path, monkeypatch):
    first = prepared(source, tmp_path)
    monkeypatch.setattr(Classifier, "_train", None)
    second = prepared(source, tmp_path)
    assert second.fingerprint() == first.fingerprint()
    assert second.describe() == first.describe()


def test_unlabelled_data_are_refused_with_alternatives():
    with pytest.raises(ConfigError, match="extractor=inception"):
        Classifier(**SETTINGS).check(DataShape((1, 8, 8), 0))


@pytest.mark.parametrize("setting", ["epochs", "width", "dim"])
def test_wrong_settings_name_the_setting(setting):
    with pytest.raises(ConfigError, match=f"extractor.{setting}=0"):
        Classifier(**SETTINGS | {setting: 0})


def test_an_unknown_precision_names_the_known_ones():
    with pytest.raises(ConfigError, match="fp16.*fp32, tf32, bf16"):
        Classifier(**SETTINGS | {"precision": "fp16"})
