"""The framework from Python: a trained model, a run, and what a notebook shows of both."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import gan_framework
from gan_framework import load, train
from gan_framework.cli.sample import Wanted, sample
from gan_framework.errors import ConfigError, RunFailed
from gan_framework.library import inline
from gan_framework.library.training import Result
from gan_framework.storage.images import to_uint8
from tests.library.conftest import SMALL

CONDITIONAL = "model=dcgan_conditional"


def in_a_process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_the_framework_costs_nothing():
    heavy = "{'torch', 'hydra', 'omegaconf', 'numpy', 'yaml', 'rich', 'typer'}"
    code = f"import sys, gan_framework, gan_framework.api; print({heavy} & {{*sys.modules}}, dir(gan_framework))"
    out = in_a_process(code)
    assert out.startswith("set()") and "'load'" in out and "'train'" in out
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = gan_framework.lode


def test_losses_need_torch_alone():
    code = (
        "import sys, torch; before = {name.partition('.')[0] for name in sys.modules}\n"
        "import gan_zoo.losses.hinge, gan_zoo.losses.vanilla, gan_zoo.losses.wasserstein\n"
        "import gan_zoo.losses.relativistic, gan_zoo.discriminators.dcgan\n"
        "from gan_framework.api import Batch, Components, Game, Judge, Pair, Player\n"
        "after = {name.partition('.')[0] for name in sys.modules} - before - {*sys.stdlib_module_names}\n"
        "print(sorted(after))"
    )
    assert in_a_process(code).strip() == "['gan_framework', 'gan_zoo']"


def test_what_a_network_draws_itself_follows_from_the_seed_of_a_sample(runs, monkeypatch):
    model = load(str(runs(CONDITIONAL)))
    monkeypatch.setattr(model.game, "sample", lambda latent: torch.rand(len(latent.z), 1, 8, 8))
    first, state = model.sample(4, seed=0), torch.get_rng_state()
    assert torch.equal(first, model.sample(4, seed=0)) and not torch.equal(first, model.sample(4, seed=1))
    assert torch.equal(torch.get_rng_state(), state)


def test_single_images_of_an_earlier_time_are_not_taken_for_samples(runs, tmp_path):
    """Who scores the folder would score two models at once."""
    run = runs(CONDITIONAL)
    for count in (5, 2):
        folder = sample(run, Wanted(count, 8, 5, singles=True), [], "cpu", None)
        assert len([*folder.iterdir()]) == count
    (tmp_path / "kept.png").touch()
    sample(run, Wanted(5, 8, 5, singles=True), [], "cpu", tmp_path)
    with pytest.raises(ConfigError, match="holds 3 images more than the 2 that are drawn, 000002.png and so on"):
        sample(run, Wanted(2, 8, 5, singles=True), [], "cpu", tmp_path)
    assert len([*tmp_path.iterdir()]) == 6


def test_a_model_draws_what_the_command_draws(runs, tmp_path):
    run = runs(CONDITIONAL)
    model = load(str(run))
    images = model.sample(6, classes=["7", 7, "3"], seed=5)
    sample(run, Wanted(6, 8, 5, ["7", "7", "3"], singles=True), [], "cpu", tmp_path / "singles")
    files = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "singles").glob("*.png"))]
    assert np.array_equal(np.stack(files), to_uint8(images).squeeze(1).numpy())
    assert not torch.equal(images, model.sample(6, classes=["7", 7, "3"], seed=6))
    assert (
        model.step == 3 and model.device.type == "cpu" and repr(model).startswith("Model(dcgan_conditional on digits")
    )
    assert model.discriminator is model.game.discriminator and model.generator is model.game.generator


def test_samples_are_a_tensor_that_a_notebook_shows(runs):
    images = load(runs()).sample(10)
    shown = Image.open(io.BytesIO(images._repr_png_()))
    assert shown.size == (8 * 18 + 2, 2 * 18 + 2) or shown.size[0] > shown.size[1]
    assert type(images + 1) is torch.Tensor and images.shape == (10, 1, 16, 16)
    file = io.BytesIO()
    torch.save(images, file)
    file.seek(0)
    read = torch.load(file, weights_only=True)
    assert type(read) is torch.Tensor and torch.equal(read, images)


@pytest.mark.parametrize(
    ("work", "says"),
    [
        (lambda run: load("nowhere"), "nowhere: there is no such run's folder, checkpoint or exported model"),
        (lambda run: load(run).sample(0), "n=0, batch_size=100: both must be at least 1"),
        (
            lambda run: load(run).sample(2, classes=["dog"]),
            "classes=dog: there is no class dog; the classes are 0, ",
        ),
        (lambda run: train(["train.stps=3"]), "train.stps"),
        (lambda run: train(["hydra.run.dir=x"]), "folder=... names the run's folder"),
        (lambda run: train(["-m", "seed=0,1"]), "-m: flags are for the command line"),
        (lambda run: train([3]), "3 is not an override"),
        (lambda run: train({"model": "mlp"}), r"a list of them: \['model=mlp'\]"),
        (lambda run: train("model=mlp train.steps=3"), r"a list of them: \['model=mlp', 'train.steps=3'\]"),
        (lambda run: train(["train.patience=2"]), "train.patience=2 counts evaluations, and there are none before"),
        (lambda run: train(["train.patience=0"]), "train.patience=0: it must be at least 1"),
        (
            lambda run: train([*SMALL, "evaluate.samples=64", "evaluate.every=1", "train.patience=1", "metrics=[]"]),
            "train.patience=1 waits for a better score",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(work, says, runs, tmp_path, monkeypatch):
    run = runs(CONDITIONAL)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=says):
        work(run)


def test_a_run_from_python_is_the_run_of_the_command_line(runs, tmp_path):
    seen = []
    result = train([*SMALL, "train.log_every=1"], folder=tmp_path / "run", on_log=seen.append)
    assert result.status == "finished" and repr(result).startswith(f"Result('{tmp_path}/run', finished at step 3")
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert seen == lines and len(lines) == 3
    assert result.records[-1]["train/generator/adversarial"] == lines[-1]["metrics"]["train/generator/adversarial"]
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    assert isinstance(result.metrics, pandas.DataFrame) and [*result.metrics["step"]] == [1, 2, 3]
    assert result.grid._repr_png_() == (tmp_path / "run/samples/step_0000003.png").read_bytes()
    assert "data:image/png;base64," in result._repr_html_()
    assert torch.equal(result.load().sample(4), load(runs()).sample(4))
    assert "finished 3 steps" in (tmp_path / "run" / "run.log").read_text()


def test_metrics_are_records_without_pandas(runs, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    found = Result(runs()).metrics
    assert isinstance(found, list) and found == Result(runs()).records


def test_a_callback_stops_a_run_which_goes_on_when_it_is_called_again(runs, tmp_path):
    typed = [*SMALL, "train.log_every=1"]
    result = train(typed, folder=tmp_path / "run", on_log=lambda record: record["step"] >= 2)
    assert (result.status, result.summary["step"]) == ("stopped", 2)
    assert "stopped by on_log at step 2" in result.summary["error"]
    again = train(typed, folder=tmp_path / "run")
    assert (again.status, again.summary["step"]) == ("finished", 3)
    assert torch.equal(again.load().sample(4), load(runs()).sample(4))


def test_what_a_callback_raises_ends_the_run(tmp_path):
    def fails(record):
        raise RunFailed("as asked")

    with pytest.raises(RunFailed, match="as asked"):
        train([*SMALL, "train.log_every=1"], folder=tmp_path / "run", on_log=fails)


def test_patience_ends_a_run_whose_score_gets_no_better(tmp_path, cache):
    typed = ["evaluate.samples=64", "extractor.epochs=1", "evaluate.every=1", "train.patience=2", "train.steps=40"]
    frozen = ["optimizer.generator.lr=0", "optimizer.discriminator.lr=0", "networks.generator.width=9"]
    result = train([*SMALL, *typed, *frozen, "train.log_every=1"], folder=tmp_path / "run")
    assert result.status == "finished" and result.summary["step"] == result.best["step"] + 2 < 40
    assert result.summary["ended_early"].startswith("train.patience=2 (no better fid_classifier since step ")
    assert "ended early by train.patience=2" in (tmp_path / "run" / "run.log").read_text()
    step, again = result.summary["step"], [*SMALL, *typed, *frozen, "train.log_every=1"]
    for patience, more in ((2, 0), (3, 1)):  # the same command trains on no further
        result = train([*again, f"train.patience={patience}"], folder=tmp_path / "run")
        assert (result.status, result.summary["step"]) == ("finished", step + more)


def test_a_notebook_sees_how_far_a_run_is(tmp_path, monkeypatch):
    ipython = pytest.importorskip("IPython.display", reason="IPython is not installed")
    updates = []

    class Handle:
        def update(self, shown):
            updates.append(shown._repr_html_())

    monkeypatch.setattr(ipython, "display", lambda shown, display_id: updates.append(shown._repr_html_()) or Handle())
    monkeypatch.setattr(inline, "EVERY", 0.0)
    train([*SMALL, "train.log_every=1"], folder=tmp_path / "run", show=True)
    assert "value='0'" in updates[0] and len(updates) == 5
    assert "value='3'" in updates[-1] and "step 3 of 3" in updates[-1] and "loss_D" in updates[-1]
    assert "data:image/png;base64," in updates[-1]
    assert not inline.in_notebook()
