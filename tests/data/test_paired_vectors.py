import pytest
import torch
from torch.nn import functional as F

from gan_framework.errors import ConfigError
from tests.data.making import source


def test_words_of_a_topic_are_closest_to_one_another_and_of_one_length():
    pairs = source("paired_vectors")
    words = pairs.vocabulary
    assert words.shape == (300, 200)
    torch.testing.assert_close(words.norm(dim=1), torch.full((300,), 200**0.5))
    similarity = F.normalize(words) @ F.normalize(words).T
    nearest = similarity.topk(10).indices // 10
    assert torch.equal(nearest, (torch.arange(300) // 10)[:, None].expand(-1, 10))


@pytest.mark.parametrize(("split", "count"), [("train", 5000), ("test", 500)])
def test_a_pair_is_a_word_and_a_condition_of_one_topic(split, count):
    pairs = source("paired_vectors")
    data = pairs.load(split)
    samples = data.read(range(count))
    assert len(data) == count
    assert (pairs.shape.sample, pairs.shape.num_classes, pairs.shape.condition_dim) == ((200,), 0, 64)
    word = torch.cdist(samples, pairs.vocabulary).argmin(1)
    torch.testing.assert_close(samples, pairs.vocabulary[word])
    assert torch.equal(pairs.topics_of(data.labels), word // 10)
    noise = data.labels - pairs.prototypes[word // 10]
    assert noise.std().item() == pytest.approx(0.5, rel=0.02)


def test_the_set_is_the_same_every_time_and_its_splits_differ():
    one, other = source("paired_vectors"), source("paired_vectors")
    assert one.load("train").content_hash() == other.load("train").content_hash()
    first = one.load("train").labels[:500]
    assert not torch.isclose(first, one.load("test").labels).all(1).any()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("topics", 0), ("samples", 9), ("noise", -0.1), ("image_size", 28), ("num_classes", 10), ("channels", 0)],
)
def test_wrong_settings_are_refused_by_name(setting, value):
    with pytest.raises(ConfigError, match=f"data.{setting}={value}"):
        source("paired_vectors", **{setting: value})
