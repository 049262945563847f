"""Labels in arrays: class indices with and without gaps, one-hot rows, condition vectors."""

import logging

import numpy as np
import pytest

from gan_framework.errors import ConfigError
from tests.data.making import source

N = 40
RANDOM = np.random.default_rng(0)
X = RANDOM.integers(0, 256, (N, 6, 6), dtype=np.uint8)
GAPS = RANDOM.permutation(np.array([3, 7, 20, 20] * (N // 4)))
INDICES = np.arange(N) % 3
ONE_HOT = np.eye(3)[INDICES]


@pytest.fixture
def npz(tmp_path):
    def build(y, name="a.npz", **settings):
        np.savez(tmp_path / name, x=X[: len(y)], y=y)
        return source("npz", **{"path": str(tmp_path / name), "image_size": 6, "test_share": 0, **settings})

    return build


@pytest.mark.parametrize("dtype", ["<i8", "u1", ">i2", "<u4"])
def test_the_labels_that_there_are_are_the_classes(npz, caplog, dtype):
    with caplog.at_level(logging.INFO):
        data = npz(GAPS.astype(dtype))
    assert (data.classes, data.shape.num_classes) == (("3", "7", "20"), 3)
    assert data.load("train").labels.tolist() == [{3: 0, 7: 1, 20: 2}[label] for label in GAPS.tolist()]
    assert "(y): the labels 3, 7, 20 are the classes 0 to 2" in caplog.text


def test_labels_without_gaps_are_what_they_were(npz, caplog):
    with caplog.at_level(logging.INFO):
        data = npz(INDICES)
    assert data.classes == ("0", "1", "2") and data.load("train").labels.tolist() == INDICES.tolist()
    assert "labels" not in caplog.text


def test_with_a_number_of_classes_labels_are_used_as_they_are(npz):
    data = npz(GAPS, num_classes=21)
    assert (data.shape.num_classes, data.classes) == (21, tuple(str(number) for number in range(21)))
    assert data.load("train").labels.tolist() == GAPS.tolist()
    with pytest.raises(ConfigError, match=r"data.num_classes=20, but .*3 classes, with labels up to 20: leave it out"):
        npz(GAPS, num_classes=20)


def test_the_number_that_was_found_may_be_given_again(npz):
    # As the written configuration of a run does.
    again = npz(GAPS, num_classes=3, condition_dim=0)
    assert again.classes == ("3", "7", "20")
    assert again.load("train").labels.tolist() == npz(GAPS).load("train").labels.tolist()
    assert npz(ONE_HOT, num_classes=3, condition_dim=0).load("train").labels.tolist() == INDICES.tolist()


def test_the_test_file_has_the_classes_of_the_training_file(npz, tmp_path):
    npz(np.array([20, 3, 20]), "b.npz")
    assert npz(GAPS, test_path=f"{tmp_path}/b.npz").load("test").labels.tolist() == [2, 0, 2]
    npz(np.array([20, 4, 30, 3]), "b.npz")
    message = r"b.npz \(y\) has labels that .*a.npz \(y\) has not: 4, 30; the classes are 3, 7, 20"
    with pytest.raises(ConfigError, match=message):
        npz(GAPS, test_path=f"{tmp_path}/b.npz").load("train")
    assert npz(GAPS, num_classes=31, test_path=f"{tmp_path}/b.npz").load("test").labels.tolist() == [20, 4, 30, 3]


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "u1", "?"])
def test_one_hot_rows_are_class_indices(npz, caplog, dtype):
    with caplog.at_level(logging.INFO):
        data = npz(ONE_HOT.astype(dtype))
    assert (data.shape.num_classes, data.shape.condition_dim, data.classes) == (3, 0, ("0", "1", "2"))
    assert data.load("train").labels.tolist() == INDICES.tolist()
    assert "each row has a single 1, so these are the indices of 3 classes" in caplog.text


@pytest.mark.parametrize("dtype", ["f4", "i8", "?"])
def test_with_a_condition_dim_one_hot_rows_are_vectors(npz, dtype):
    data = npz(ONE_HOT.astype(dtype), condition_dim=3)
    assert (data.shape.num_classes, data.shape.condition_dim, data.classes) == (0, 3, ())
    assert np.array_equal(data.load("train").labels.numpy(), ONE_HOT.astype(np.float32))


@pytest.mark.parametrize("change", [[1, 1, 0], [0, 0, 0], [0.5, 0.5, 0], [0, 2, 0], [0, -1, 2]])
def test_a_single_row_of_another_kind_makes_them_vectors(npz, change):
    rows = ONE_HOT.copy()
    rows[5] = change
    data = npz(rows)
    assert (data.shape.num_classes, data.shape.condition_dim) == (0, 3)
    with pytest.raises(ConfigError, match=r"int64 \(40, 3\), but labels are whole numbers"):
        npz(rows.astype(np.int64) if np.array_equal(rows, rows.round()) else np.zeros((N, 3), np.int64))


def test_a_class_that_no_row_has_is_one_nevertheless(npz):
    assert npz(np.eye(5)[INDICES]).shape.num_classes == 5
    with pytest.raises(ConfigError, match="data.num_classes=3, but .* has 5 classes"):
        npz(np.eye(5)[INDICES], num_classes=3)


def test_the_test_file_has_labels_of_the_same_kind(npz, tmp_path):
    test = {"test_path": f"{tmp_path}/b.npz"}
    npz(ONE_HOT[:4], "b.npz")
    assert npz(ONE_HOT, **test).load("test").labels.tolist() == INDICES[:4].tolist()
    # The training file decides: the same rows are vectors where its rows are.
    vectors = npz(ONE_HOT + 0.5, **test).load("test").labels
    assert np.array_equal(vectors.numpy(), ONE_HOT[:4].astype(np.float32))
    with pytest.raises(ConfigError, match=r"b.npz \(y\) is float64 \(4, 3\), but labels are whole numbers"):
        npz(INDICES, **test).load("train")
    npz(np.eye(4)[INDICES[:4]], "b.npz")
    with pytest.raises(ConfigError, match=r"b.npz \(y\) is float64 \(4, 4\), .*a.npz \(y\) one-hot rows of 3 classes"):
        npz(ONE_HOT, **test).load("train")
    with pytest.raises(ConfigError, match=r"b.npz \(y\) is float64 \(4, 4\), .*a.npz \(y\) vectors of size 3"):
        npz(ONE_HOT + 0.5, **test).load("train")
