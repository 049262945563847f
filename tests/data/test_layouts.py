"""Names that are splits, domains or shards and no classes, and archives with a file of labels."""

import json

import pytest

from gan_framework.config.compose import compose, plain
from gan_framework.data import Sources
from gan_framework.errors import ConfigError
from gan_zoo.datasets.layouts import read_layout
from tests.data.making import encoded, folder, pack, picture, write

IMAGE = encoded(picture(0))


def named(names):
    return dict.fromkeys(names, IMAGE)


def tree(*top):
    return named(f"{name}/{kind}/{i}.png" for name in top for kind in "ab" for i in range(2))


# -- splits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "train", "test"),
    [
        (("train", "val"), "train", "val"),
        (("Train", "Test"), "Train", "Test"),
        (("TRAINING", "validation"), "TRAINING", "validation"),
        (("trn", "dev", "tst"), "trn", "tst"),
        (("train2017", "val2017", "unlabeled2017"), "train2017", "val2017"),
        (("train_images", "test-set"), "train_images", "test-set"),
        (("valid", "testing"), "valid", "testing"),
        (("train", "test", "extra"), "train", "test"),
    ],
)
def test_splits_are_refused_with_the_settings_that_work(tmp_path, names, train, test):
    root = write(tmp_path / "tv", tree(*names))
    with pytest.raises(ConfigError) as refusal:
        folder(root)
    settings = f"data.path={root}/{train} data.test_path={root}/{test}"
    assert settings in str(refusal.value)
    config = plain(compose(["data=folder", "data.image_size=8", *settings.split()]))
    source = Sources(config["data"], {}).first
    assert source.classes == ("a", "b")
    assert (len(source.load("train")), len(source.load("test"))) == (4, 4)


def test_splits_below_a_wrapper_are_named_with_it(tmp_path):
    root = write(tmp_path / "r", {f"coco/{name}": content for name, content in tree("train", "val").items()})
    with pytest.raises(ConfigError, match=f"data.path={root}/coco/train data.test_path={root}/coco/val"):
        folder(root)


def test_splits_in_a_zip_are_to_be_unpacked(tmp_path):
    packed = pack(tmp_path / "tv.zip", tree("train", "val"))
    message = (
        f"unpack it to a folder {tmp_path}/tv and set data.path={tmp_path}/tv/train data.test_path={tmp_path}/tv/val"
    )
    with pytest.raises(ConfigError, match=message):
        folder(packed)


@pytest.mark.parametrize("names", [("train", "bus"), ("train", "training"), ("a", "b"), ("test1", "test2"), ("0", "1")])
def test_other_names_are_classes(tmp_path, names):
    root = write(tmp_path / "r", named(f"{name}/1.png" for name in names))
    assert folder(root).classes == tuple(sorted(names))


# -- domains --------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("trainA", "trainB", "testA", "testB"), ("Train_a", "train_b", "Test-A", "TEST B")])
def test_domains_are_refused_with_the_settings_that_work(tmp_path, names):
    root = write(tmp_path / "x", named(f"{name}/{i}.png" for name in names for i in range(3)))
    train_a, train_b, test_a, test_b = names
    with pytest.raises(ConfigError) as refusal:
        folder(root)
    settings = [
        *("experiment=cyclegan", "data=unpaired", f"data.path={root}/{train_b}", f"data.test_path={root}/{test_b}"),
        *(f"sources.a.path={root}/{train_a}", f"sources.a.test_path={root}/{test_a}"),
    ]
    assert " ".join(settings) in str(refusal.value)
    if " " not in "".join(names):
        config = plain(compose(["data.image_size=8", *settings]))
        sources = Sources(config["data"], config["sources"])
        assert [len(source.load("test")) for source in (sources.first, sources.others["a"])] == [3, 3]


def test_domains_without_test_splits_are_refused_too(tmp_path):
    root = write(tmp_path / "x", named(["trainA/1.png", "trainB/1.png"]))
    with pytest.raises(ConfigError) as refusal:
        folder(root)
    wanted = f"set experiment=cyclegan data=unpaired data.path={root}/trainB sources.a.path={root}/trainA"
    assert str(refusal.value).endswith(wanted)


# -- archives of StyleGAN -------------------------------------------------------------------------

SHARDED = [f"{i // 5:05}/img{i:08}.png" for i in range(20)]
LABELS = [7, 20, 3, 20]


def stylegan(tmp_path, packed, labels=None, wrapper="", names=SHARDED, **more):
    files = {f"{wrapper}{name}": encoded(picture(number)) for number, name in enumerate(names)}
    if labels is not None:
        files[f"{wrapper}dataset.json"] = labels if isinstance(labels, bytes) else json.dumps(labels).encode()
    files |= more
    return pack(tmp_path / "s.zip", files) if packed else write(tmp_path / "s", files)


def pairs(names=SHARDED):
    return [[name, LABELS[number % 4]] for number, name in enumerate(names)]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("wrapper", ["", "ffhq/"])
@pytest.mark.parametrize("names", [SHARDED, SHARDED[:5]])
def test_labels_come_from_the_file_of_labels(tmp_path, packed, wrapper, names):
    root = stylegan(tmp_path, packed, {"labels": pairs(names)[::-1]}, wrapper, names)
    data = folder(root, test_share=0)
    assert data.classes == ("3", "7", "20")
    assert data.load("train").labels.tolist() == [{7: 1, 20: 2, 3: 0}[label] for _, label in pairs(names)]


@pytest.mark.parametrize("labels", [None, {"labels": None}, {"labels": []}])
@pytest.mark.parametrize("packed", [False, True])
def test_shards_are_no_classes(tmp_path, packed, labels):
    data = folder(stylegan(tmp_path, packed, labels), test_share=0)
    assert (data.classes, data.load("train").labels, len(data.load("train"))) == ((), None, 20)


def test_a_file_that_says_that_there_are_no_labels_is_believed(tmp_path):
    root = write(tmp_path / "r", {**tree("cat", "dog"), "dataset.json": b'{"labels": null}'})
    assert folder(root).classes == ()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (pairs()[:1], r"1 labels for 20 images: 19 images have none \(00000/img00000001.png\), 0 labels name no image"),
        (
            [*pairs(), ["00009/img00000099.png", 1]],
            r"0 images have none, 1 labels name no image \(00009/img00000099.png\)",
        ),
        ([*pairs(), pairs()[0]], "1 name one again"),
        ([[name, [0.5, 0.5]] for name in SHARDED], "20 labels that are no whole numbers"),
        ([[name, True] for name in SHARDED], "20 labels that are no whole numbers"),
    ],
)
def test_labels_that_do_not_fit_are_refused(tmp_path, labels, message):
    with pytest.raises(ConfigError, match=rf"\(dataset.json\) has .*{message}"):
        folder(stylegan(tmp_path, True, {"labels": labels}))


def test_a_damaged_file_of_labels_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="dataset.json cannot be read: JSONDecodeError"):
        folder(stylegan(tmp_path, False, b'{"labels": [["0000'))


def test_another_file_of_this_name_changes_nothing(tmp_path):
    for content in (b"[1, 2]", b'{"labels": ["cat", "dog"]}', b'{"name": "pets"}'):
        root = write(tmp_path / "r", {**tree("cat", "dog"), "dataset.json": content})
        assert folder(root).classes == ("cat", "dog")


def test_the_test_archive_has_the_labels_of_the_training_archive(tmp_path):
    train = stylegan(tmp_path / "a", False, {"labels": pairs()})
    few = [[SHARDED[0], 20]]
    test = stylegan(tmp_path / "b", False, {"labels": few}, names=SHARDED[:1])
    assert folder(train, test_path=str(test)).load("test").labels.tolist() == [2]
    test = stylegan(tmp_path / "c", False, {"labels": [[SHARDED[0], 21]]}, names=SHARDED[:1])
    with pytest.raises(ConfigError, match="classes '21', which .* has not; it has 3, 7, 20"):
        folder(train, test_path=str(test)).load("train")


def test_a_further_shard_leaves_the_names_of_images_as_they_are(tmp_path):
    one, four = (folder(stylegan(tmp_path / str(n), False, names=SHARDED[:n])) for n in (5, 20))
    assert read_layout(one.files).below == SHARDED[:5] == read_layout(four.files).below[:5]


# -- zip files written on Windows -----------------------------------------------------------------


def test_backslashes_in_a_zip_keep_the_classes(tmp_path, two_classes):
    here = folder(pack(tmp_path / "a.zip", two_classes), test_share=0.2)
    there = folder(
        pack(tmp_path / "b.zip", {name.replace("/", "\\"): c for name, c in two_classes.items()}), test_share=0.2
    )
    assert there.classes == ("cat", "dog")
    for split in ("train", "test"):
        assert there.load(split).content_hash() == here.load(split).content_hash()
