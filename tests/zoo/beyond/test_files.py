"""`sample` writes what users of such data know: a table's rows, waves, arrays, animations."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from gan_framework.api import ConfigError
from gan_framework.cli.sample import Wanted, sample
from gan_framework.storage.pictures import FRAME_MILLISECONDS
from gan_zoo.datasets.wave_files import write_wave
from tests.helpers.runs import make_run
from tests.testing.beyond import SMALL


@pytest.fixture
def written(compose, tmp_path):
    """Return the folder into which four samples of an untrained experiment were written."""

    def write(experiment, **wanted):
        run = make_run(compose(f"experiment={experiment}", "debug=smoke", *SMALL[experiment]), tmp_path)
        run.save()
        picture = sample(tmp_path, Wanted(n=4, columns=2, seed=0, **wanted), [], "cpu", None)
        assert picture == tmp_path / "sample.png" and Image.open(picture).size[0] > 10
        return tmp_path

    return write


def test_a_table(written):
    rows = [*csv.reader((written("ctgan") / "sample.csv").open())]
    assert rows[0] == ["income", "age", "member", "region", "plan"] and len(rows) == 5
    for income, age, member, _, plan in rows[1:]:
        assert float(income) > 0 and float(age) > 0 and member in ("yes", "no") and plan in ("basic", "full", "rare")


def test_waves_of_a_folder_are_cleaned(written, tmp_path):
    for number, length in enumerate((100, 150)):
        write_wave(tmp_path / "mine" / f"{number}.wav", torch.rand(1, length) - 0.5, 4000)
    folder = written("segan_speech", source=str(tmp_path / "mine"))
    assert len([*(folder / "sample_wav").glob("*.wav")]) == 3
    write_wave(tmp_path / "mine" / "9.wav", torch.rand(1, 300), 8000)
    for wrong, said in (("9.wav has 8000 Hz", "mine"), ("there are no .wav files in it", "none")):
        (tmp_path / "none").mkdir(exist_ok=True)
        with pytest.raises(ConfigError, match=wrong):
            sample(folder, Wanted(n=9, columns=2, seed=0, source=str(tmp_path / said)), [], "cpu", None)


def test_waves(written):
    folder = written("wavegan")
    assert len([*(folder / "sample_wav").glob("*.wav")]) == 4 and not (folder / "sample.csv").exists()


@pytest.mark.parametrize(
    ("experiment", "shape"), [("point_gan", (4, 32, 3)), ("gan_3d", (4, 1, 16, 16, 16)), ("tgan", (4, 4, 1, 16, 16))]
)
def test_arrays(experiment, shape, written):
    folder = written(experiment)
    with np.load(folder / "sample.npz") as arrays:
        assert arrays["x"].shape == shape and np.isfinite(arrays["x"]).all()
    if experiment == "tgan":
        with Image.open(folder / "sample.gif") as film:  # frames that are alike become one that stays longer
            shown = [page.info["duration"] for page in ImageSequence.Iterator(film)]
        assert sum(shown) == 4 * FRAME_MILLISECONDS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("experiment", "shape", "small"),
    [
        ("gan_3d", (1, 8, 8, 8), ["networks.generator.width=4", "networks.discriminator.width=4"]),
        ("vgan_video", (4, 3, 8, 8), ["networks.generator.width=4", "networks.discriminator.width=4"]),
        ("point_gan", (16, 3), ["networks.generator.hidden=[8]", "networks.discriminator.widths=[8,8]"]),
        ("rgan", (2, 12), ["networks.generator.width=4", "networks.discriminator.width=4", "prior.dim=12"]),
    ],
)
def test_arrays_of_ones_own_are_learnt_and_written_as_such(experiment, shape, small, program, tmp_path):
    values = np.random.default_rng(0).random((40, *shape))
    eight = experiment == "vgan_video"
    np.savez(tmp_path / "mine.npz", x=(255 * values).astype(np.uint8) if eight else values.astype(np.float32))
    typed = [f"experiment={experiment}", "data=npz", "data.path=mine.npz", "data.y=null", "debug=smoke", *small]
    program(*typed, "hydra.run.dir=out", "evaluate.samples=10", "tracker=[]", cwd=tmp_path, check=0)
    sample(tmp_path / "out", Wanted(n=3, columns=2, seed=0), [], "cpu", None)
    if experiment == "rgan":
        assert len((tmp_path / "out" / "sample.csv").read_text().splitlines()) == 1 + 3 * 12
    else:
        with np.load(tmp_path / "out" / "sample.npz") as arrays:
            assert arrays["x"].shape == (3, *shape)
