"""Sample grids on the page: large ones are made smaller, so that the page stays small."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from gan_framework.cli import sources
from gan_framework.compare import groups, page, pictures
from tests.helpers.comparing import make_run


def noisy(seed, side, channels=3):
    """A picture that compresses badly."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, channels), dtype=np.uint8))


def sweep(folder, runs, draw, steps=6):
    for i in range(runs):
        run = make_run(folder / f"r{i}", f"loss{i}", 0, [float(i)])
        (run / "samples").mkdir()
        for step in range(1, steps + 1):
            draw(i * steps + step).save(run / "samples" / f"step_{step:07d}.png")
    return groups.compare(sources.read([folder]))


def decoded(picture):
    kind, content = picture["image"].removeprefix("data:image/").split(";base64,")
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        assert image.format.lower() == kind
        return image.convert("RGB")


@pytest.mark.parametrize(
    ("runs", "side"),
    [(12, 256), pytest.param(12, 512, marks=pytest.mark.slow), pytest.param(30, 256, marks=pytest.mark.slow)],
)
def test_the_page_of_a_sweep_with_grids_is_smaller_than_two_megabytes(tmp_path, runs, side):
    comparison = sweep(tmp_path, runs, lambda seed: noisy(seed, side), steps=3)
    page.write_page(comparison, tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text()
    assert 200_000 < len(text.encode()) < 2_000_000
    assert text.count("data:image/") >= 2 * min(runs, pictures.PICTURED)
    assert "no room" not in text


def test_a_small_grid_is_shown_as_it_is(tmp_path):
    comparison = sweep(tmp_path, 2, lambda seed: noisy(seed, 32))
    found = pictures.shown(comparison.groups, 10**6, [])
    assert [[picture["step"] for picture in group] for group in found] == [["1", "2", "3", "4", "5", "6"]] * 2
    assert np.array_equal(np.asarray(decoded(found[1][0])), np.asarray(noisy(7, 32)))


def test_a_large_grid_is_made_smaller_and_looks_alike(tmp_path):
    ramp = np.broadcast_to(np.linspace(0, 255, 1024)[:, None, None], (1024, 1024, 3))
    grain = np.random.default_rng(0).normal(0, 8, ramp.shape)
    large = Image.fromarray((ramp + grain).clip(0, 255).astype(np.uint8))
    [found] = pictures.shown(sweep(tmp_path, 1, lambda seed: large, steps=1).groups, 400_000, [])
    small = decoded(found[0])
    assert max(small.size) <= 480 and len(found[0]["image"]) < 400_000 / 2
    expected = np.asarray(large.resize(small.size, Image.Resampling.BOX), dtype=float)
    assert np.abs(np.asarray(small, dtype=float) - expected).mean() < 4


def test_where_there_is_little_room_fewer_grids_are_shown_the_first_and_the_last_among_them(tmp_path):
    comparison = sweep(tmp_path, 4, lambda seed: noisy(seed, 128))
    found = pictures.shown(comparison.groups, 4 * 2 * 22_000, [])
    assert [[picture["step"] for picture in group] for group in found] == [["1", "6"]] * 4


def test_what_cannot_be_decoded_or_has_no_room_is_named(tmp_path):
    comparison = sweep(tmp_path, 1, lambda seed: noisy(seed, 300), steps=2)
    file = tmp_path / "r0" / "samples" / "step_0000001.png"
    file.write_bytes(file.read_bytes()[:5000] + b"x" * 80_000)
    left_out = []
    [found] = pictures.shown(comparison.groups, 2000, left_out)
    assert found == []
    assert left_out[0].startswith(f"{tmp_path / 'r0'}: the picture of step 1 cannot be decoded: ")
    assert left_out[1] == f"{tmp_path / 'r0'}: the picture of step 2: there is no room for it"
