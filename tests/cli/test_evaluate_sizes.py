"""A folder of images against another one whose images have other sizes."""

import pytest

from gan_framework.cli.evaluate import evaluate
from gan_framework.errors import ConfigError
from gan_zoo.extractors.raw import Raw
from tests.data.making import encoded, picture, write


@pytest.fixture
def folders(tmp_path, cache):
    """Images of one odd size, and of two sizes."""
    odd = {f"{n}.png": encoded(picture(n, (7, 5), "L")) for n in range(6)}
    mixed = {f"{n}.png": encoded(picture(n, (7, 5) if n % 2 else (4, 9), "L")) for n in range(6)}
    return write(tmp_path / "odd", odd), write(tmp_path / "mixed", mixed)


def against(folder, *overrides):
    return ["data=folder", f"data.path={folder}", "data.test_share=0", "extractor=raw", "metrics=[fid]", *overrides]


def test_images_of_one_odd_size_are_compared_as_they_are(folders, tmp_path):
    odd, _ = folders
    evaluation, _ = evaluate(odd, against(odd), tmp_path / "a.json")
    assert evaluation.scores["fid_raw"] == pytest.approx(0, abs=1e-3)
    assert (evaluation.protocol["shape"], evaluation.protocol["resize"]) == ([1, 5, 7], "none")


def test_both_sides_are_resized_where_the_resize_is_named(folders, tmp_path):
    odd, mixed = folders
    with pytest.raises(ConfigError, match="mixed/0.png is 9x4, .* 5x7; .*unless data.crop or data.resize .*is named"):
        evaluate(mixed, against(odd), tmp_path / "a.json")
    with pytest.raises(ConfigError, match=r"mixed has images of 2 sizes: 5x7 \(3\), 9x4 \(3\) .*data.image_size=64"):
        evaluate(odd, against(mixed), tmp_path / "a.json")
    evaluation, _ = evaluate(mixed, against(mixed, "data.image_size=4", "data.crop=center"), tmp_path / "a.json")
    assert evaluation.scores["fid_raw"] == pytest.approx(0, abs=1e-3)
    assert evaluation.protocol["resize"] == "both sides bicubic to 4x4, crop center; none"
    assert any("cropped at the centre and" in warning for warning in evaluation.warnings)


def test_both_sides_are_brought_whole_to_the_size_that_a_network_takes(folders, tmp_path, monkeypatch):
    monkeypatch.setattr(Raw, "size", (6, 6))
    odd, mixed = folders
    for one, other in ((odd, mixed), (mixed, odd), (mixed, mixed)):
        evaluation, _ = evaluate(one, against(other), tmp_path / "a.json")
        assert evaluation.protocol["shape"] == [1, 6, 6]
        assert evaluation.protocol["resize"] == "both sides bicubic to 6x6, crop none; none"
    assert evaluation.scores["fid_raw"] == pytest.approx(0, abs=1e-3)
    evaluation, _ = evaluate(odd, against(odd), tmp_path / "a.json")  # which the network itself resizes
    assert evaluation.protocol["shape"] == [1, 5, 7]
