"""A run's folder that version 0.1.0 left: it is sampled, scored and gone on with as 0.1.0 would have."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from gan_framework.cli.commands import app
from gan_framework.core import seeding
from gan_framework.evaluation import latents
from gan_framework.evaluation.protocol import differences
from gan_framework.runs.restore import load_game
from tests.helpers.program import run as run_program

OLD = Path(__file__).parents[1] / "fixtures" / "run_0_1_0"

COMMAND = [
    "model=mlp", "data.image_size=8", "networks.generator.hidden=[8]", "networks.discriminator.hidden=[8]",
    "prior.dim=8", "strategy=[ema]", "term=[r1]", "train.batch_size=16", "train.log_every=1", "train.sample_every=2",
    "train.checkpoint_every=2", "evaluate.samples=0", "tracker=[]", "seed=3", "train.threads=1",
]  # fmt: skip
"""What made the folder, with four steps; scores are left out, as nobody needs them here."""

SIXTH_STEP_OF_0_1_0 = {
    "train/discriminator/adversarial": 1.3983793258666992,
    "train/discriminator/r1": 0.03163166716694832,
    "train/generator/adversarial": 0.6225064992904663,
    "health/logit_real": 0.1355631947517395,
    "health/gradient_norm_discriminator": 0.6536630988121033,
    "health/gradient_norm_generator": 0.019108744338154793,
    "health/diversity": 0.031873185876667105,
}
"""What 0.1.0 itself logged when it was asked for six steps."""


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(OLD, tmp_path / "run"))


def test_its_samples_are_those_that_it_drew_itself(folder):
    game, config = load_game(folder)
    picture = folder / "again.png"
    result = CliRunner().invoke(app, ["sample", str(folder), "--seed", "3", "--device", "cpu", "--out", str(picture)])
    assert result.exit_code == 0, result.output
    drawn, before = (Image.open(path) for path in (picture, folder / "samples" / "step_0000004.png"))
    assert drawn.tobytes() == before.tobytes()
    assert game.sampling_network == "generator_ema" and "seed" in config
    assert torch.isfinite(game.sample(latents.fixed_latent(game, 4, seeding.derive(3)))).all()


def test_it_is_scored_with_the_protocol_that_it_had(folder, cache):
    result = CliRunner().invoke(app, ["evaluate", str(folder), "train.device=cpu"])
    assert result.exit_code == 0, result.output
    summary, evaluation = (json.loads((folder / name).read_text()) for name in ("summary.json", "evaluation.json"))
    # The classifier is trained here, and to other bits on another kind of processor than that of the run.
    then, now = summary["protocol"], {**evaluation["protocol"], "extractor_hash": summary["protocol"]["extractor_hash"]}
    assert now == {**then, "classes": [*"0123456789"]}
    assert differences(now, then) == []
    same = evaluation["protocol"]["extractor_hash"] == then["extractor_hash"]
    wanted = pytest.approx(summary["metrics"]["eval/fid_classifier"], rel=1e-4 if same else 0.1)
    assert evaluation["scores"]["fid_classifier"] == wanted


def test_it_goes_on_as_0_1_0_would_have(folder):
    done = run_program([*COMMAND, "train.steps=6", f"hydra.run.dir={folder}"])
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[-1]["updates"] == {"discriminator": 6, "generator": 6}
    found = {name: lines[-1]["metrics"][name] for name in SIXTH_STEP_OF_0_1_0}
    assert found == pytest.approx(SIXTH_STEP_OF_0_1_0, rel=1e-5)
