"""The picture that compares the three generator losses."""

import runpy
from pathlib import Path

import numpy as np
import torch

FIGURES = Path(__file__).parents[3] / "docs" / "figures"


def test_the_picture_is_drawn_from_the_losses_themselves(tmp_path):
    script = runpy.run_path(str(FIGURES / "generator_losses.py"))
    d = torch.tensor([0.1, 0.5, 0.9])
    x = d.numpy()
    truth = {
        "minimax": (np.log(1 - x), -x),
        "nonsaturating": (-np.log(x), x - 1),
        "maximum_likelihood": (-x / (1 - x), -x / (1 - x)),
    }
    assert script["LOSSES"].keys() == truth.keys()
    for name, (loss, _) in script["LOSSES"].items():
        for drawn, expected in zip(script["curve"](loss, d), truth[name], strict=True):
            np.testing.assert_allclose(drawn.numpy(), expected, rtol=1e-10)
    script["draw"](tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_in_the_docs_is_small():
    assert (FIGURES / "generator_losses.png").stat().st_size < 60_000
