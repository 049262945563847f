"""Data sets of the Hugging Face library that somebody else has made, or that are damaged."""

import io
import json
import os
import pickle
import shutil
import tarfile

import datasets
import numpy as np
import pyarrow.parquet
import pytest
import torch

from gan_framework.errors import ConfigError
from tests.data.making import encoded, picture, pixels, source, write

PIXELS = [picture(number) for number in range(10)]


def table(**columns):
    """A table of ten images and, by name, columns as (values, feature)."""
    features = {"image": datasets.Image(), "kind": datasets.ClassLabel(names=["a", "b"])}
    values = {"image": PIXELS, "kind": [0, 1] * 5}
    for name, (content, feature) in columns.items():
        values[name], features[name] = content, feature
    return datasets.Dataset.from_dict(values, features=datasets.Features(features))


@pytest.fixture(autouse=True)
def _cached(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "saved"
    table().save_to_disk(folder)
    return folder


@pytest.fixture
def saved(whole, tmp_path):
    """A folder that `save_to_disk` wrote, to be damaged."""
    return shutil.copytree(whole, tmp_path / "saved")


def read(path, **settings):
    data = source("huggingface", path=str(path), test_share=0, **settings).load("train")
    data.read(range(len(data)))
    return data


def refused(path, says, **settings):
    with pytest.raises(ConfigError, match=says) as refusal:
        read(path, **settings)
    assert "\n" not in str(refusal.value)


def state(folder, **changes):
    file = folder / "state.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


class Evil:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


def test_no_script_and_no_pickle_of_a_data_set_is_run(tmp_path):
    mark, image = tmp_path / "owned", encoded(PIXELS[0])
    code = f"import os\nos.system('touch {mark}')\n".encode()
    refused(write(tmp_path / "mine", {"mine.py": code, "x.png": image}), "scripts are no longer supported")
    refused(
        write(tmp_path / "tag", {"README.md": b"---\na: !!python/name:os.system\n---\n", "x.png": image}), "the tag"
    )
    for ending in ("pkl", "pickle", "pth", "pyd"):
        folder = tmp_path / ending
        folder.mkdir()
        with tarfile.open(folder / "train-000.tar", "w") as archive:
            for name, content in (("0.png", image), (f"0.{ending}", pickle.dumps(Evil(mark)))):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        try:
            read(folder)
        except ConfigError as error:
            assert "cannot be opened by the package datasets" in str(error)
    assert not mark.exists()


def test_files_that_a_data_set_names_elsewhere_are_not_read(saved, tmp_path):
    state(saved, _data_files=[{"filename": "../../../../etc/passwd"}])
    refused(saved, "it names '../../../../etc/passwd', which lies outside of")
    several = tmp_path / "several"
    datasets.DatasetDict({"train": table()}).save_to_disk(several)
    (several / "dataset_dict.json").write_text('{"splits": ["../saved"]}')
    refused(several, "it names '../saved', which lies outside of", split="../saved")
    rows = [{"bytes": None, "path": "/etc/passwd"}, {"bytes": encoded(PIXELS[0]), "path": None}]
    named = datasets.Dataset.from_dict(
        {"image": rows}, features=datasets.Features({"image": datasets.Image(decode=False)})
    )
    folder = tmp_path / "named"
    folder.mkdir()
    pyarrow.parquet.write_table(named.data.table, folder / "train.parquet")
    refused(folder, r"row 00000000: ValueError: the row holds no image, and names one elsewhere \(/etc/passwd\)")
    assert len(read(folder, on_bad="skip")) == 1


CARD = "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: ['*.png', '{}']\n---\n"


@pytest.mark.parametrize("place", ["/etc/*", "../x.png", "http://127.0.0.1:1/x.parquet", "zip://x::/x.zip", "~/x.png"])
def test_files_that_a_card_names_elsewhere_are_not_read(tmp_path, place):
    folder = write(tmp_path / "data", {"x.png": encoded(PIXELS[0]), "README.md": CARD.format(place).encode()})
    refused(folder, "README.md names .*, which lies outside of")
    (folder / "README.md").write_text(CARD.format("*.jpg"))
    (folder / "x.jpg").write_bytes(encoded(PIXELS[1], "JPEG"))
    assert len(read(folder)) == 2


def test_a_folder_with_a_card_is_not_taken_for_another_nor_for_what_it_was(tmp_path):
    for number, place in enumerate(("one", "other")):
        files = {"x.png": encoded(PIXELS[number]), "README.md": CARD.format("*.png").encode()}
        folder = write(tmp_path / place / "data", files)
        assert read(folder).read([0]).equal(pixels(PIXELS[number])[None])
    (folder / "x.png").write_bytes(encoded(PIXELS[2]))
    assert read(folder).read([0]).equal(pixels(PIXELS[2])[None])


def test_folders_of_image_files_are_read_with_their_classes(tmp_path):
    folder = write(tmp_path / "data", {f"train/{'ab'[n % 2]}/{n}.png": encoded(PIXELS[n]) for n in range(6)})
    data = source("huggingface", path=str(folder), test_share=0)
    assert data.classes == ("a", "b")
    found = data.load("train").read(range(6))
    assert torch.equal(found, torch.stack([pixels(PIXELS[n]) for n in (0, 2, 4, 1, 3, 5)]))


def test_a_table_that_would_end_the_process_is_refused(saved, whole):
    (file,) = saved.glob("*.arrow")
    content = bytearray(file.read_bytes())
    ends = np.cumsum([0] + [len(image) for image in _stored(whole)]).astype("<i4").tobytes()
    at = content.find(ends)
    assert at > 0
    content[at + 28 : at + 32] = (2**30).to_bytes(4, "little")  # where the seventh image ends
    file.write_bytes(content)
    refused(saved, "out of bounds")


def _stored(folder):
    rows = datasets.load_from_disk(str(folder)).cast_column("image", datasets.Image(decode=False))
    return [row["bytes"] for row in rows["image"]]


@pytest.mark.parametrize("kept", [0, 10, 1000])
def test_a_table_that_is_cut_is_refused(saved, kept):
    (file,) = saved.glob("*.arrow")
    os.truncate(file, kept)
    refused(saved, "cannot be opened by the package datasets")


def test_a_pipe_in_the_place_of_a_table_is_not_opened(saved):
    (file,) = saved.glob("*.arrow")
    file.unlink()
    os.mkfifo(file)
    refused(saved, "is not a regular file")


def test_what_a_saved_data_set_says_of_itself_is_looked_at(saved):
    state(saved, _format_type="torch", _format_columns=["kind"])  # as `with_format` leaves it
    assert len(read(saved)) == 10 and read(saved).labels.tolist() == [0, 1] * 5
    (saved / "dataset_info.json").write_text('{"features": {"image": {"_type": "os.system"}}}')
    refused(saved, "Feature type 'os.system' not found")
    for content in ("[1]", "", "{}", '{"_data_files": 5}'):
        (saved / "state.json").write_text(content)
        refused(saved, "cannot be opened by the package datasets")


@pytest.mark.parametrize(
    "values, feature",
    [
        ([None, 1] * 5, datasets.Value("int64")),
        ([None, "x"] * 5, datasets.Value("string")),
        ([-1, 1] * 5, datasets.ClassLabel(names=["a", "b"])),
    ],
)
def test_rows_without_a_class_are_said(tmp_path, values, feature):
    table(other=(values, feature)).save_to_disk(tmp_path / "saved")
    says = f"rows of the split 'train' have {values[0]} in the column other, which is no class"
    refused(tmp_path / "saved", says, label="other")
