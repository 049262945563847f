"""Data sets of the Hugging Face library are read by row: the same images, classes and splits as it holds itself."""

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from gan_framework.errors import ConfigError
from tests.data.making import source

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (30, 6, 5, 3), dtype=np.uint8)
KINDS = [row % 3 for row in range(30)]


def table(rows, **more):
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "kind": datasets.ClassLabel(names=["cat", "dog", "emu"]),
            "caption": datasets.Value("string"),
        }
    )
    columns = {
        "image": [Image.fromarray(PIXELS[row]) for row in rows],
        "kind": [KINDS[row] for row in rows],
        "caption": ["abc"[KINDS[row]] for row in rows],
    }
    return datasets.Dataset.from_dict(columns, features=features, **more)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    both = datasets.DatasetDict({"train": table(range(20)), "test": table(range(20, 30))})
    both.save_to_disk(folder / "saved")
    (folder / "parquet").mkdir()
    for split, part in both.items():
        part.to_parquet(folder / "parquet" / f"{split}-00000-of-00001.parquet")
    return folder


@pytest.mark.parametrize("form", ["saved", "parquet"])
@pytest.mark.parametrize("in_memory_mb", [0, 1024])
def test_images_classes_and_splits(saved, form, in_memory_mb):
    data = source("huggingface", path=f"{saved}/{form}", in_memory_mb=in_memory_mb)
    assert data.shape.sample == (3, 6, 5) and data.classes == ("cat", "dog", "emu")
    for split, rows in (("train", range(20)), ("test", range(20, 30))):
        part = data.load(split)
        expected = torch.from_numpy(PIXELS[list(rows)].transpose(0, 3, 1, 2).copy())
        assert torch.equal(part.read(range(len(rows))), expected)
        assert part.labels.tolist() == [KINDS[row] for row in rows]


def test_a_share_is_held_out_where_there_is_no_test_split(tmp_path):
    table(range(30)).save_to_disk(tmp_path / "one")
    data = source("huggingface", path=f"{tmp_path}/one", test_share=0.3, label="caption")
    train, test = data.load("train"), data.load("test")
    assert len(train) + len(test) == 30 and 3 <= len(test) <= 16
    assert data.classes == ("a", "b", "c") and train.notes[-1] == f"{len(test)} more as test"
    again = source("huggingface", path=f"{tmp_path}/one", test_share=0.3, label="none", image_size=4, channels=1)
    assert again.shape.sample == (1, 4, 4) and again.load("train").labels is None
    assert len(again.load("test")) == len(test)


def test_mistakes_name_what_there_is(saved, tmp_path):
    path = f"{saved}/saved"
    for settings, why in (
        ({"split": "valid"}, "data.split=valid: .* has the splits train, test"),
        ({"image": "caption"}, "data.image=caption must be one of its columns of images: image"),
        ({"label": "image"}, "data.label=image holds"),
        ({"label": "class"}, "data.label=class: the data set has the columns image, kind, caption"),
        ({"num_classes": 4}, "has 3 classes"),
        ({"path": f"{tmp_path}/nothing"}, "cannot be opened by the package datasets"),
        ({"path": None}, "data.path is missing"),
    ):
        with pytest.raises(ConfigError, match=why):
            source("huggingface", **{"path": path, **settings})


def test_a_row_without_an_image_is_named(tmp_path):
    holed = datasets.Dataset.from_dict(
        {"image": [Image.fromarray(PIXELS[0]), None, Image.fromarray(PIXELS[1])]},
        features=datasets.Features({"image": datasets.Image()}),
    )
    holed.save_to_disk(tmp_path / "holed")
    data = source("huggingface", path=f"{tmp_path}/holed", test_share=0.0)
    with pytest.raises(ConfigError, match="row 00000001: ValueError: the row holds no image"):
        data.load("train")
    skipping = source("huggingface", path=f"{tmp_path}/holed", test_share=0.0, on_bad="skip")
    assert len(skipping.load("train")) == 2
