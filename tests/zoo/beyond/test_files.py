"""`sample` writes what users of such data know: a table's rows, waves, arrays, animations."""

import csv

import numpy as np
import pytest
from PIL import Image

from gan_framework.cli.sample import Wanted, sample
from tests.helpers.runs import make_run
from tests.testing.beyond import SMALL


@pytest.fixture
def written(compose, tmp_path):
    """Return the folder into which four samples of an untrained experiment were written."""

    def write(experiment):
        run = make_run(compose(f"experiment={experiment}", "debug=smoke", *SMALL[experiment]), tmp_path)
        run.save()
        picture = sample(tmp_path, Wanted(n=4, columns=2, seed=0), [], "cpu", None)
        assert picture == tmp_path / "sample.png" and Image.open(picture).size[0] > 10
        return tmp_path

    return write


def test_a_table(written):
    rows = [*csv.reader((written("ctgan") / "sample.csv").open())]
    assert rows[0] == ["income", "age", "member", "region", "plan"] and len(rows) == 5
    for income, age, member, _, plan in rows[1:]:
        assert float(income) > 0 and float(age) > 0 and member in ("yes", "no") and plan in ("basic", "full", "rare")


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
        assert Image.open(folder / "sample.gif").n_frames == 4
