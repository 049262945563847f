"""What a folder or zip file holds besides good images: named, counted, refused or skipped."""

import logging
import os
import zipfile

import pytest
from PIL import Image

from gan_framework.data.decoding import FORMATS
from gan_framework.data.image_names import SUFFIXES, describe_left_out, is_image, list_images
from gan_framework.errors import ConfigError
from tests.data.making import encoded, folder, pack, picture, write


@pytest.fixture
def images(tmp_path, two_classes):
    return write(tmp_path / "images", two_classes)


def skipping(root, caplog, **settings):
    """Load what is left when all that is bad is skipped; return it with its source."""
    with caplog.at_level(logging.INFO):
        source = folder(root, on_bad="skip", test_share=0, **settings)
        return source, source.load("train")


def test_every_suffix_of_the_decoded_formats_is_an_images():
    Image.init()
    known = {suffix for suffix, format in Image.registered_extensions().items() if format in FORMATS}
    assert known == set(SUFFIXES)


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.b.png", "a/b.JPeg", "a .png", "a..png", "a.b/c.png"])
def test_an_end_makes_an_image(name):
    assert is_image(name)


@pytest.mark.parametrize("name", [".png", "a/.png", "..png", "png", "apng", "a.png.", "a.png/b", "a.pngx", ".a/b.png"])
def test_other_names_are_no_images(name):
    assert not is_image(name)


def test_jpegs_of_every_name_are_read(tmp_path):
    content = encoded(picture(0), "JPEG")
    root = write(tmp_path / "r", {f"{kind}/1.{kind}": content for kind in ("jpg", "jfif", "jpe", "JPEG")})
    assert folder(root).classes == ("JPEG", "jfif", "jpe", "jpg")


@pytest.mark.parametrize("in_memory_mb", [10, 0])
def test_links_to_nothing_named_like_images_are_images_that_cannot_be_read(images, caplog, in_memory_mb):
    for number in range(8):
        (images / "cat" / f"gone{number}.png").symlink_to(f"/nowhere/{number}.png")
    with pytest.raises(ConfigError, match=r"8 of 41 images cannot be read: cat/gone0.png: FileNotFoundError"):
        folder(images, test_share=0, in_memory_mb=in_memory_mb).load("train")
    _, train = skipping(images, caplog, in_memory_mb=in_memory_mb)
    assert len(train) == 33 and "8 of 41" in caplog.text


@pytest.mark.parametrize("name", ["fox", "fox.v2"])
def test_a_class_that_is_a_link_to_nothing_is_named(images, caplog, name):
    (images / name).symlink_to("/nowhere/fox")
    with pytest.raises(ConfigError, match=f"1 of its entries .*: {name}: a link to /nowhere/fox.*data.on_bad=skip"):
        folder(images)
    source, _ = skipping(images, caplog)
    assert source.classes == ("cat", "dog") and f"{name}: a link to /nowhere/fox" in caplog.text


def test_a_link_to_itself_is_named(images):
    (images / "fox").symlink_to("fox")
    with pytest.raises(ConfigError, match="fox: a link to fox, which cannot be followed"):
        folder(images)


def test_a_folder_that_cannot_be_read_is_named(images, caplog, monkeypatch):
    def scandir(path):
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    real = os.scandir
    monkeypatch.setattr("os.scandir", scandir)  # who runs as root can read folders of any mode
    with pytest.raises(ConfigError, match=r"dog: a folder that cannot be read \(Permission denied\)"):
        folder(images)
    source, train = skipping(images, caplog)
    assert (source.classes, len(train)) == ((), 20)
    assert "dog: a folder that cannot be read" in caplog.text


def test_two_classes_that_are_one_folder_are_named(tmp_path, two_classes, caplog):
    write(tmp_path / "pool", {"1.png": encoded(picture(1))})
    root = write(tmp_path / "r", two_classes)
    for name in ("a", "b"):
        (root / name).symlink_to("../pool")
    with pytest.raises(ConfigError, match="b: the same folder as a, which has been read already"):
        folder(root)
    source, train = skipping(root, caplog)
    assert source.classes == ("a", "cat", "dog") and len(train) == 34


def test_a_folder_is_itself_before_it_is_what_a_link_calls_it(tmp_path):
    root = write(tmp_path / "r", {"z/1.png": b"", "b/2.png": b""})
    (root / "a").symlink_to("z")
    listing = list_images(root)
    assert listing.images == ("b/2.png", "z/1.png")
    assert listing.bad == {"a": "the same folder as z, which has been read already"}


def test_a_folder_that_leads_back_is_named(images, caplog):
    (images / "cat" / "loop").symlink_to(images)
    with pytest.raises(ConfigError, match="cat/loop: the same folder as ., which has been read already"):
        folder(images)
    assert len(skipping(images, caplog)[1]) == 33


def test_a_link_that_cannot_even_be_read_is_named(images, caplog, monkeypatch):
    (images / "cat" / "secret").symlink_to("nowhere")

    def refused(path):
        raise PermissionError(13, "Permission denied", path)  # as of links in /proc

    monkeypatch.setattr(os, "readlink", refused)
    with pytest.raises(ConfigError, match="cat/secret: a link which cannot be followed"):
        folder(images)
    assert len(skipping(images, caplog)[1]) == 33


def test_a_pipe_that_is_named_like_an_image_is_named(images, caplog):
    os.mkfifo(images / "cat" / "pipe.png")
    with pytest.raises(ConfigError, match="cat/pipe.png: neither a file nor a folder"):
        folder(images)
    assert len(skipping(images, caplog)[1]) == 33


OTHERS = {
    "readme.txt": b"hi",
    "cat/a.heic": b"",
    "cat/b.HEIC": b"",
    "cat/c.heic": b"",
    "cat/.a.png": b"",
    "LICENSE": b"",
    "__MACOSX/cat/._1.png": b"",
    ".git/x.png": b"",
}


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_no_image_is_counted_by_suffix(tmp_path, two_classes, caplog, packed):
    files = {**two_classes, **OTHERS}
    root = pack(tmp_path / "r.zip", files) if packed else write(tmp_path / "r", files)
    source, train = skipping(root, caplog)
    assert source.classes == ("cat", "dog") and len(train) == 33
    said = "left out 8 files that are not images: 3 .heic, 3 hidden, 1 without a suffix, 1 .txt"
    assert caplog.text.count(said) == 1


def test_what_is_left_out_in_words():
    assert describe_left_out([]) == ""
    assert describe_left_out(["a.txt"]) == "left out 1 file that is not an image: 1 .txt"
    many = describe_left_out([f"a.k{number:02}" for number in range(13)])
    assert "13 files" in many and many.endswith("1 .k09 and 3 other kinds")


def test_the_log_says_nothing_where_nothing_is_left_out(images, caplog):
    skipping(images, caplog)
    assert "left out" not in caplog.text and "WARNING" not in caplog.text


def test_a_class_without_an_image_is_reported(images, caplog):
    (images / "fox" / "deep").mkdir(parents=True)
    write(images, {"wolf/1.heic": b""})
    source, _ = skipping(images, caplog)
    assert source.classes == ("cat", "dog")
    assert "no image lies in fox, wolf: they are no classes" in caplog.text


def test_a_class_of_other_files_is_reported_where_only_one_class_is_left(tmp_path, caplog):
    root = write(tmp_path / "r", {"pets/cat/1.png": encoded(picture(0)), "pets/dog/1.heic": b""})
    assert folder(root).classes == ()
    assert "no image lies in dog: it is no class" in caplog.text


def test_a_place_of_other_files_only_says_what_it_holds(tmp_path):
    root = write(tmp_path / "r", {"1.heic": b"", "2.heic": b""})
    (root / "c").symlink_to("/nowhere")
    with pytest.raises(ConfigError, match=r"holds no image \(c: a link to .*; left out 2 files .*: 2 .heic\)"):
        folder(root)


# -- zip files ------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_lies_twice_in_a_zip_is_named(tmp_path, two_classes, caplog):
    packed = pack(tmp_path / "a.zip", two_classes)
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("cat/01.png", encoded(picture(77)))
        archive.writestr("cat\\02.png", encoded(picture(78)))
    with pytest.raises(ConfigError, match="cat/01.png: 2 files of this name.*cat/02.png: 2 files of this name"):
        folder(packed)
    _, train = skipping(packed, caplog)
    assert len(train) == 31


def test_a_link_in_a_zip_is_named(tmp_path, two_classes):
    packed = pack(tmp_path / "a.zip", two_classes)
    link = zipfile.ZipInfo("fox")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(link, "../elsewhere/fox")
    with pytest.raises(ConfigError, match="fox: a link, and none is followed in a zip file"):
        folder(packed)
