"""What is held out: by each sample's own identity, so that others may come and go."""

import hashlib
import unicodedata

import numpy as np
import pytest
import torch

from gan_framework.errors import ConfigError
from gan_zoo.datasets.splits import held_out, members, rows
from tests.data.making import encoded, folder, pack, picture, source, write

NAMES = [f"{number:03}.png" for number in range(200)]


def is_held(identity, share):
    """Return whether a sample is held out, worked out in whole numbers."""
    number = int.from_bytes(hashlib.blake2b(identity, digest_size=8).digest(), "big")
    return number < int(share * 2**64)


def held_names(names, share=0.1):
    return {name for name, held in zip(names, held_out(map(str.encode, names), share), strict=True) if held}


@pytest.mark.parametrize("share", [0, 0.1, 0.25, 0.5, 0.9])
def test_a_hash_of_the_identity_decides(share):
    held = held_out(map(str.encode, NAMES), share)
    assert held.tolist() == [is_held(name.encode(), share) for name in NAMES]


def test_the_share_is_met_on_average():
    names = [f"{number}.jpg" for number in range(20_000)]
    assert abs(len(held_names(names)) - 2000) < 5 * np.sqrt(20_000 * 0.1 * 0.9)


def test_a_sample_more_or_less_exchanges_no_others():
    before = held_names(NAMES)
    assert held_names([*NAMES, "zzz.png"]) - {"zzz.png"} == before
    assert held_names(NAMES[50:]) == before & set(NAMES[50:])
    assert before <= held_names(NAMES, share=0.2)


def test_the_bytes_of_samples_are_their_identities():
    for samples in (torch.randn(7, 3), torch.randint(0, 256, (7, 4, 5, 3), dtype=torch.uint8).permute(0, 3, 1, 2)):
        assert [bytes(row) for row in rows(samples)] == [sample.numpy().tobytes() for sample in samples]


def test_samples_are_copied_a_few_at_a_time(monkeypatch):
    samples = torch.arange(40.0).view(10, 4)
    whole = [bytes(row) for row in rows(samples)]
    monkeypatch.setattr("gan_zoo.datasets.splits.CHUNK", 3 * 16)
    assert [bytes(row) for row in rows(samples)] == whole


@pytest.mark.parametrize(("share", "split", "message"), [
    (0.001, "test", r"no split 'test': data.test_share=0.001 of 5 samples happened to be none .*; raise it or set"),
    (0, "test", r"data.test_share=0 of 5 samples is none; raise it or set data.test_path"),
    (0.999, "train", r"nothing is left for the split 'train': data.test_share=0.999 holds out all 5 .*; lower it"),
])  # fmt: skip
def test_a_split_without_samples_is_refused(share, split, message):
    held = held_out([bytes([number]) for number in range(5)], share)
    with pytest.raises(ConfigError, match=message):
        members(held, share, split)


# -- folders and zip files ------------------------------------------------------------------------


def digests(data):
    content = data.digests()
    return [content[start : start + 32] for start in range(0, len(content), 32)]


def test_another_image_in_the_folder_leaves_the_split_as_it_was(tmp_path):
    files = {name: encoded(picture(number)) for number, name in enumerate(NAMES)}
    root = write(tmp_path / "set", files)
    before = {split: set(digests(folder(root).load(split))) for split in ("train", "test")}
    write(root, {"zzz.png": encoded(picture(999)), "0000.png": encoded(picture(998))})
    (root / "100.png").unlink()
    after = {split: set(digests(folder(root).load(split))) for split in ("train", "test")}
    assert not after["test"] & before["train"]
    assert not after["train"] & before["test"]
    assert len(before["test"] - after["test"]) + len(before["train"] - after["train"]) == 1


def test_the_split_is_the_same_wherever_the_files_lie(tmp_path, two_classes):
    def placed(prefix, separator="/"):
        return {f"{prefix}{name}".replace("/", separator): content for name, content in two_classes.items()}

    places = [
        write(tmp_path / "a", two_classes),
        write(tmp_path / "b", placed("pets/all/")),
        pack(tmp_path / "c.zip", placed("pets/")),
        pack(tmp_path / "d.zip", placed("pets/", "\\")),
    ]
    found = [digests(folder(place, test_share=0.3).load("test")) for place in places]
    expected = [
        hashlib.sha256(np.ascontiguousarray(np.asarray(picture(int(name[4:6]))).transpose(2, 0, 1)).tobytes()).digest()
        for name in sorted(two_classes)
        if is_held(name.encode(), 0.3)
    ]
    assert found == [expected] * 4 and len(expected) > 3


def test_composed_and_decomposed_names_are_one(tmp_path):
    names = [f"é{number}.png" for number in range(40)]
    held = []
    for form in ("NFC", "NFD"):
        files = {unicodedata.normalize(form, name): encoded(picture(n)) for n, name in enumerate(names)}
        held.append(set(digests(folder(pack(tmp_path / f"{form}.zip", files), test_share=0.3).load("test"))))
    assert held[0] == held[1] and held[0]


# -- arrays ---------------------------------------------------------------------------------------


def npz(tmp_path, x, name="a.npz", **settings):
    np.savez(tmp_path / name, x=x)
    given = {"path": str(tmp_path / name), "image_size": None, "channels": None, "y": None, **settings}
    return source("npz", **given)


def test_equal_samples_lie_on_one_side(tmp_path):
    values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    data = npz(tmp_path, np.concatenate([values, values[::-1]]), test_share=0.3)
    train, test = ({row.numpy().tobytes() for row in data.load(split).samples} for split in ("train", "test"))
    assert not train & test
    assert train | test == {row.tobytes() for row in values}
    assert test == {row.tobytes() for row in values if is_held(row.tobytes(), 0.3)}


def test_other_rows_in_the_array_leave_the_split_as_it_was(tmp_path):
    values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)

    def held(x, name):
        return {row.numpy().tobytes() for row in npz(tmp_path, x, name, test_share=0.3).load("test").samples}

    before = held(values, "a.npz")
    assert held(np.random.default_rng(1).permutation(values)[:40], "b.npz") <= before
    assert before <= held(np.concatenate([np.ones((9, 3), np.float32) * 7, values]), "c.npz")


@pytest.mark.parametrize("layout", ["NHW", "NHWC", "NCHW"])
def test_the_layout_of_images_changes_no_split(tmp_path, layout):
    images = np.random.default_rng(0).integers(0, 256, (40, 6, 6), dtype=np.uint8)
    stored = {"NHW": images, "NHWC": images[..., None], "NCHW": images[:, None]}[layout]
    test = npz(tmp_path, stored, image_size=6, test_share=0.3).load("test").samples[:, 0].numpy()
    assert np.array_equal(test, images[[is_held(image.tobytes(), 0.3) for image in images]])
