"""A folder of images against another, and statistics of references."""

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from gan_framework.cli.commands import app
from gan_framework.cli.evaluate import evaluate
from gan_framework.cli.evaluate_statistics import statistics
from gan_framework.errors import ConfigError
from gan_zoo.metrics.frechet import frechet_distance, moments
from tests.data.making import encoded, picture, write

RAW = ["extractor=raw", "metrics=[fid]", "evaluate.baselines=false"]


@pytest.fixture
def folders(tmp_path, cache):
    """Two folders of grey images, one with a quote and a space in its name."""
    made = [{f"{n}.png": encoded(picture(10 * side + n, (7, 5), "L")) for n in range(6 + side)} for side in (0, 1)]
    return write(tmp_path / "one", made[0]), write(tmp_path / "the 'other'", made[1])


def test_all_images_of_the_other_folder_are_the_reference(folders, tmp_path):
    one, other = folders
    found, _ = evaluate(one, RAW, tmp_path / "a.json", other)
    typed = ["data=folder", "data.path='" + str(other).replace("'", r"\'") + "'", "data.test_share=0"]
    same, _ = evaluate(one, [*typed, *RAW], tmp_path / "b.json")
    assert found.scores == same.scores and found.scores["fid_raw"] > 1
    assert found.protocol["reference_count"] == 7 and found.protocol["samples"] == 6
    assert found.protocol["dataset"] == "folder"
    assert evaluate(other, RAW, tmp_path / "a.json", other)[0].scores["fid_raw"] == pytest.approx(0, abs=1e-3)


def test_colours_count_where_the_reference_is_grey(folders, tmp_path):
    grey, _ = folders
    levels = np.stack([np.asarray(picture(n, (7, 5), "L")) for n in range(6)])

    def colour(name, green):
        made = enumerate(np.stack([levels, green, levels], 3))
        return write(tmp_path / name, {f"{n}.png": encoded(Image.fromarray(image)) for n, image in made})

    found, _ = evaluate(colour("alike", levels), RAW, tmp_path / "a.json", grey)
    assert found.protocol["shape"] == [1, 5, 7] and found.scores["fid_raw"] == pytest.approx(0, abs=1e-3)
    other = colour("other", 255 - levels)
    found, _ = evaluate(other, RAW, tmp_path / "a.json", grey)
    as_colour = np.stack([levels, 255 - levels, levels], 1), np.stack([levels] * 3, 1)
    sides = [torch.from_numpy(side).flatten(1).float() / 127.5 - 1 for side in as_colour]
    assert found.protocol["shape"] == [3, 5, 7]
    assert found.scores["fid_raw"] == pytest.approx(frechet_distance(*map(moments, sides)), rel=1e-5)
    assert not [warning for warning in found.warnings if "colour" in warning]
    asked, _ = evaluate(other, ["data.channels=1", *RAW], tmp_path / "a.json", grey)
    assert asked.protocol["shape"] == [1, 5, 7]
    assert [warning for warning in asked.warnings if "are coloured, and are turned to grey" in warning]


def test_the_resize_of_both_sides_is_named(folders, tmp_path):
    one, other = folders
    overrides = ["data.image_size=4", "data.resize=bilinear", "data.crop=none", *RAW]
    found, _ = evaluate(one, overrides, tmp_path / "a.json", other)
    assert found.protocol["resize"] == "both sides bilinear to 4x4, crop none; none"


@pytest.mark.parametrize(
    ("overrides", "name", "said"),
    [
        (["data=digits"], "one", "--against .*one and data=digits exclude each other"),
        (["data.test_share=0.5"], "one", "and data.test_share=0.5 exclude each other"),
        ([], "nowhere", "--against .*nowhere: there is no such folder of images"),
    ],
)
def test_two_references_and_none_are_refused(folders, overrides, name, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        evaluate(folders[0], [*overrides, *RAW], tmp_path / "a.json", tmp_path / name)


def test_statistics_of_a_reference_are_those_of_its_features_and_take_its_place(folders, tmp_path):
    one, other = folders
    path = str(other).replace("'", r"\'")
    arguments = ["data=folder", f"data.path='{path}'", "data.test_share=0", "extractor=raw"]
    result = CliRunner().invoke(app, ["statistics", str(tmp_path / "b.npz"), *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    assert "7 samples of folder, train, by raw" in result.output
    values = torch.stack([torch.from_numpy(np.asarray(picture(10 + n, (7, 5), "L")).copy()) for n in range(7)])
    values = values.double().flatten(1).numpy() / 127.5 - 1
    with np.load(tmp_path / "b.npz") as found:
        assert np.allclose(found["mu"], values.mean(0), atol=1e-6)
        assert np.allclose(found["sigma"], np.cov(values, rowvar=False), atol=1e-6)
    given, _ = evaluate(one, [f"metrics.fid.statistics={tmp_path / 'b.npz'}", *RAW], tmp_path / "a.json", one)
    direct, _ = evaluate(one, RAW, tmp_path / "a.json", other)
    assert given.scores["fid_raw"] == pytest.approx(direct.scores["fid_raw"], rel=1e-6)
    assert given.protocol["metrics"]["fid_raw"]["statistics"]


@pytest.mark.parametrize(
    ("name", "overrides", "said"),
    [
        ("data=digits", ["extractor=raw"], "comes first: gan-framework statistics real.npz"),
        ("a.npz", ["extractor=raw"], "name the dataset .* by data=NAME"),
        ("a.txt", ["data=digits", "extractor=raw"], "a.txt: name a file that ends in .npz"),
        ("a.npz", ["data=digits", "metrics=[kid]"], "metrics has no effect on statistics"),
        ("no/a.npz", ["data=digits", "extractor=raw", "evaluate.reference=3", "evaluate.split=nowhere"], "nowhere"),
    ],
)
def test_wrong_requests_for_statistics(name, overrides, said, tmp_path, cache):
    with pytest.raises(ConfigError, match=said):
        statistics(tmp_path / name, overrides)
    assert not (tmp_path / name).exists()


@pytest.fixture
def run(tmp_path):
    """A run's folder, with a grid of samples."""
    folder = tmp_path / "run"
    write(folder / "samples", {"samples_0000004.png": encoded(picture(1, (7, 5), "L"))})
    (folder / "checkpoints").mkdir()
    for name in ("config.yaml", "summary.json", "metrics.jsonl"):
        (folder / name).write_text("{}")
    return folder


@pytest.mark.parametrize("inside", ["", "samples"])
def test_the_grids_of_a_run_are_no_reference(folders, run, tmp_path, inside):
    with pytest.raises(ConfigError, match="--against .*run.*: this is of a run, .* grids .*sample RUN --singles"):
        evaluate(folders[0], RAW, tmp_path / "a.json", run / inside)


def test_single_samples_in_a_runs_folder_are_one(folders, run, tmp_path):
    """`sample RUN --singles` writes them there."""
    folders[1].rename(run / "sample")
    assert evaluate(folders[0], RAW, tmp_path / "a.json", run / "sample")[0].scores["fid_raw"] > 1
