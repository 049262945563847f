"""The command line: what is handed on, what is drawn, what is refused, and what is not imported."""

import errno
import json
import math
import os
import subprocess
import sys
from importlib.metadata import version
from types import SimpleNamespace

import pytest
import torch
import yaml
from PIL import Image
from torch import Tensor

from gan_framework.cli import commands, help, train
from gan_framework.cli.exit_codes import exit_code
from gan_framework.errors import ConfigError, RunFailed, RunStopped
from gan_framework.evaluation import latents
from gan_framework.registry.kinds import KINDS
from gan_framework.registry.options import options_of
from gan_framework.registry.packages import groups, options
from gan_framework.runs.restore import load_game
from gan_framework.storage.images import to_uint8
from tests.helpers.program import ROOT

OLD = ROOT / "tests" / "fixtures" / "run_0_1_0"
SMALL = ("debug=smoke", "metrics=[]", "train.device=cpu")


# -- train ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["-m", "model=dcgan,mlp", "seed=0,1"],
        ["--cfg", "job", "loss=hinge"],
        ["--help"],
        ["-sc", "install=bash"],
        ["+a.b=c", "~strategy", "strategy=[k_step]", "--multirun"],
    ],
)
def test_train_hands_everything_to_run_py(call, monkeypatch, arguments):
    monkeypatch.setattr(train, "train", lambda: print(sys.argv[1:]) or 3)
    assert call("train", *arguments) == (3, f"{arguments}\n", "")


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["loss=hinj"], "loss=hinj: unknown option; closest: hinge"),
        (
            ["strategy=[foo]"],
            "strategy=foo: unknown option; options of strategy: `gan-framework plugins strategies` lists",
        ),
        (["hydra/launcher=slurm"], "Others come with packages of their own: pip install hydra-<name>-launcher"),
        (["los=hinge"], "los: unknown setting; did you mean loss"),
        (
            ["--steps", "100"],
            "--steps: unknown flag; settings are written key=value, without dashes; did you mean train.s",
        ),
        (["--steps=100"], "did you mean train.steps=100?"),
        (["--batch-size", "64"], "did you mean train.batch_size=64 or evaluate.batch_size=64?"),
        (["--n-critic", "5"], "did you mean schedule.d_steps=5?"),
        (["--config", "x/config.yaml"], "a run's configuration is named alone: `gan-framework train x/config.yaml`"),
        (["--config-name", "x/config.yaml"], "name the file alone: `gan-framework train x/config.yaml`"),
        (["--config-path", "mine"], "--config-dir mine adds to it"),
        (["--config-dir", str(OLD)], f"this is the folder of a run: `gan-framework resume {OLD}`"),
        (["--qwertyuiop"], "--help lists them"),
        (["train.device=gpu"], "train.device=gpu: unknown device; use auto, cpu, cuda, cuda:1 or mps"),
        (["train.stepz=3"], "train.stepz: unknown setting; closest in train: steps"),
        (["networks.generator.wdth=3"], "closest in networks.generator: width"),
        (["strategy.k_step.k=3"], "strategy has none: choose it first with 'strategy=[k_step]'"),
        (["optimizer.q.lr=3"], "optimizer.q: unknown setting; optimizer has generator, discriminator"),
        (["networks.critic.width=3"], "networks.critic: unknown setting; networks has generator, discriminator"),
        (
            ["experiment=egan", "optimizer.enhancer.lr=3"],
            "optimizer.enhancer is as another section is; change that one or write all of it: 'optimizer.enhancer={",
        ),
        (["train.steps=many"], "train.steps=many: must be an integer"),
        (["train.compile=maybe"], "train.compile=maybe: must be true or false"),
        (["train.precision=fp8"], "train.precision=fp8: Invalid value 'fp8', expected one of [fp32, tf32, bf16, fp16]"),
        (["train.keep=null"], "train.keep=null: a value is needed; without this override it has its default"),
        (["seed=1.5"], "seed=1.5: must be an integer"),
        (["-m", "seed=[0,1]"], "seed=[0, 1]: must be an integer; several values are a sweep: -m seed=0,1"),
        (["-m", "seed=0,,1"], "seed=0,,1: a value is missing between two commas"),
        (
            ["-m", "train.steps=interval(1,9)"],
            "train.steps=interval(1,9): ranges are for a search, hydra/sweeper=optuna",
        ),
        ([str(OLD / "samples")], "it lies in the folder of a run"),
        ([str(ROOT / "docs")], f"did you mean data=folder data.path={ROOT / 'docs'}?"),
        (["+loss=hinge"], "+loss=hinge: one is chosen already; without the + it is replaced: loss=hinge"),
        (["=3"], "=3: a setting is missing before the `=`"),
        (["hydra.run.dir="], "hydra.run.dir=: the name of a folder is missing"),
        (["--resume", str(OLD)], f"--resume: unknown flag; `gan-framework resume {OLD}` resumes the run"),
        (["--experimental-rerun", str(OLD)], "`gan-framework train RUN/config.yaml` repeats the experiment of a run"),
        (["x=["], "x=[: unbalanced bracket"),
        (["loss=hinge,minimax"], "several values are a sweep, which needs -m"),
        (["search=dcgan"], "search=dcgan: a search needs -m"),
        (["generator=unet"], "is data.source_channels, which data=digits does not have; data=paired or data="),
        (["experiment=mixture_2d", "data=npz"], "data=mixture has it, or leave mode_coverage out of metrics"),
        (
            ["experiment=cyclegan", "data=digits"],
            "of the further source `a`, which data=digits does not bring: data=unp",
        ),
        (["-m", "seed=0,1", "hydra.run.dir=x"], "is the folder of a single run: write hydra.sweep.dir=x"),
        (["hydra.sweep.dir=x"], "is the folder of a sweep: write hydra.run.dir=x, or -m for a sweep"),
        (["~foo"], "Could not delete from config. 'foo' does not exist."),
    ],
)
def test_a_wrong_request_ends_with_code_2_and_one_line(call, overrides, reason):
    code, out, last = call(*overrides, program=train.train)
    assert code == 2 and not out
    assert last.startswith("error: ") and reason in last


def test_of_a_setting_that_is_given_twice_it_is_said_which_counts(call):
    code, out, last = call(
        "loss=minimax", "seed=1", "loss=hinge", "seed=1", "--cfg", "job", "-p", "loss", program=train.train
    )
    assert code == 0 and "name: hinge" in out
    assert last == "loss=minimax: loss=hinge, which is given later, replaces it"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            ["evaluate", OLD, "--samples", "100"],
            "; settings are written key=value, without dashes: evaluate.samples=...",
        ),
        (["resume", OLD, "--steps", "100"], "; settings are written key=value, without dashes: train.steps=..."),
        (["resume", OLD, "-m", "seed=0,1"], "sweeps are started by `gan-framework train RUN/config.yaml -m ...`"),
        (["plugins", "wgan"], "wgan is not a kind of plugin but an option: experiment=wgan, loss=wasserstein"),
        (["list"], "No such command 'list'. Did you mean 'runs'?"),
        (["sample", OLD, "n=4"], "n=4: this is an option, not a setting: --n 4"),
        (["sample", OLD, "seed=4"], "seed=4: this is an option, not a setting: --seed 4"),
        (["resume", OLD.parent], "is not a run but contains runs: name one of those that `gan-framework runs"),
    ],
)
def test_options_and_settings_are_told_apart(call, arguments, reason):
    code, out, last = call(*arguments)
    assert code == 2 and not out
    assert reason in last


@pytest.mark.parametrize("name", ["metrics.jsonl", "samples", "checkpoints"])
@pytest.mark.parametrize(
    "command",
    [
        "sample RUN",
        "evaluate RUN",
        "evaluate RUN data=digits",
        "resume RUN",
        "export RUN out",
        "push RUN hf:me/mine",
        "invert RUN photos",
        "retrieve RUN photo.png",
        "compare RUN",
        "dashboard RUN",
        "train RUN",
    ],
)
def test_what_lies_in_a_run_names_the_run(call, tmp_path, monkeypatch, command, name):
    monkeypatch.chdir(tmp_path)
    code, out, last = call(*command.replace("RUN", str(OLD / name)).split())
    assert (code, out) == (2, "")
    assert f"name the run's folder, {OLD}" in last or f"`gan-framework resume {OLD}` resumes that" in last


def test_a_game_that_needs_what_is_left_out_by_null_says_so(program, tmp_path):
    done = program("debug=smoke", "loss=null", f"hydra.run.dir={tmp_path}", check=2)
    assert done.stderr.splitlines()[-1].startswith(
        "error: the player 'discriminator' minimises an adversarial loss, and"
    )


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("the name is wrong"), 2, "error: the name is wrong"),
        (RunFailed("the disk is full"), 1, "error: the disk is full"),
        (RunStopped("stopped by SIGTERM"), 3, "stopped: SIGTERM"),
        (KeyError("surprise"), 1, "error: KeyError: 'surprise'"),
        (
            OSError(errno.ENOSPC, "No space left on device", "out.csv"),
            1,
            "error: out.csv cannot be written: No space left on device; make room there, or name another place",
        ),
        (
            OSError(errno.EROFS, "Read-only file system"),
            1,
            "error: a file cannot be written: Read-only file system; nothing can be written there: name another place",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", b"run/sample.png"),
            1,
            "error: run/sample.png cannot be read or written: Permission denied; whose it is can allow it (`chmod`); "
            "or name another place",
        ),
        (
            FileExistsError(errno.EEXIST, "File exists", "x"),
            1,
            "error: x cannot be read or written: File exists; something else of that name is there: name another",
        ),
        (ConnectionError("gone"), 1, "error: ConnectionError: gone"),
        (
            MemoryError(),
            1,
            "error: out of memory (MemoryError); fewer samples need less: evaluate.batch_size, evaluate.samples, --n",
        ),
    ],
)
def test_exit_codes(capsys, monkeypatch, error, code, line):
    def work():
        raise error

    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    assert exit_code(work) == code
    assert capsys.readouterr().err == f"{line}\n"
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    assert exit_code(work) == code
    assert "Traceback" in capsys.readouterr().err


# -- the configuration is shown as a run has it -----------------------------------------------------


def test_what_is_shown_is_what_a_run_would_have(call, caplog):
    """An experiment's settings of strategies that are not chosen are no part of it, as in a run."""
    code, out, _ = call("train", "experiment=resnet", "strategy=[ema]", "--cfg", "job", "-p", "strategy")
    assert code == 0 and list(yaml.safe_load(out)) == ["ema"]
    assert "strategy=[ema] replaces what the experiment chooses: k_step, lr_decay, spectral_norm" in caplog.text
    assert call("train", "--cfg", "job", "-p", "train.patience")[:2] == (0, "null\n")
    code, out, error = call("train", "--cfg", "job", "-p", "trian")
    assert (code, out) == (2, "") and error.startswith("error: -p trian: there is nothing at this place; the parts are")


# -- start-up ---------------------------------------------------------------------------------------

HEAVY = ("torch", "torchvision", "wandb", "matplotlib", "sklearn", "scipy", "torchmetrics", "torch_fidelity")


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--help"],
        ["train", "model=mlp", "--cfg", "job"],
        ["train", str(OLD / "config.yaml"), "loss=hinge", "--cfg", "job"],
        ["--help"],
        ["resume", "--help"],
        ["runs", str(OLD)],
        ["diff", str(OLD), str(OLD)],
    ],
    ids=lambda arguments: " ".join(arguments).replace(str(OLD), "RUN"),
)
def test_nothing_heavy_is_imported_to_show_something(arguments):
    program = (
        "import atexit, sys; from gan_framework.cli.commands import main;"
        f"sys.argv = ['gan-framework', *{arguments}];"
        f"atexit.register(lambda: print('heavy:', *({HEAVY} & sys.modules.keys())));"
        "sys.exit(main())"
    ).replace(f"{HEAVY} &", f"set({HEAVY}) &")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].strip() == "heavy:"
    assert len(done.stdout.splitlines()) > 3


def test_help_that_nobody_reads_to_its_end_is_no_trouble():
    command = [sys.executable, "-m", "gan_framework.cli.commands", "train", "--help"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert (process.wait(timeout=120), process.stderr.read()) == (0, b"")
    process.stderr.close()


@pytest.mark.parametrize("program", [commands.main, train.train])
def test_the_version_is_ours(call, program):
    assert call("--version", program=program)[:2] == (0, f"gan-framework {version('gan-framework')}\n")


def test_help_shows_groups_options_and_settings(call):
    code, out, _ = call("model=infogan_mlp", "train.steps=7", "--help", program=train.train)
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert lines["loss"].split(maxsplit=1)[1].startswith("adversarial loss: boundary_equilibrium, ")
    assert " hinge," in out and " wasserstein_gp," in out and "mixture" in out
    assert [group for group in groups() if group not in help.GROUPS] == []
    assert all(set(names) <= set(options(group)) for group, names in help.FAMILIAR.items())
    assert f"and {len(options('experiment')) - 15} more, which `gan-framework plugins experiments` lists" in " ".join(
        out.split()
    )
    assert len(out.splitlines()) < 145  # of a page that had 170 with all experiments
    assert lines["train.steps"].endswith("(7)") and lines["train.precision"].endswith("(fp32)")
    assert "name=infogan" in lines["game:"] and "hidden=[256]" in out
    assert "$" not in out.replace("${", "").replace("$(python", "")


def test_help_shows_every_command_with_its_whole_summary(call):
    code, out, _ = call("--help")
    assert code == 0 and "..." not in out.partition("Commands:")[2]
    said = " ".join(out.split())
    assert "which differences are sure (95%), budgets, and the settings that differ." in said
    assert all(name in said for name in ("train", "resume", "plugins", "dashboard", "--version"))


# -- plugins ----------------------------------------------------------------------------------------


def test_plugins_are_listed_with_their_settings(call):
    code, out, _ = call("plugins", "strategies")
    assert code == 0 and out.startswith("strategies\n") and "\nlosses\n" not in out and " \n" not in out
    (line,) = [line for line in out.splitlines() if line.startswith("  k_step ")]
    assert (
        f"gan-framework {version('gan-framework')}" in line and "discriminator steps, each with a fresh batch" in line
    )
    assert (
        out.splitlines()[out.splitlines().index(line) + 1].strip()
        == "k=5 g_steps=1 burst=0 first=25 every=500 g_batches=1"
    )


def test_plugins_are_listed_as_json(call):
    code, out, _ = call("plugins", "loss", "--json")
    found = {entry.pop("name"): entry for entry in json.loads(out)}
    assert code == 0 and found["minimax"] == {
        "kind": "losses",
        "distribution": "gan-framework",
        "version": version("gan-framework"),
        "summary": "The zero-sum game: the generator minimises E log(1 - D(G(z))) (section 3, equation 1).",
        "settings": {},
        "problem": None,
        "scores": {},
        "aliases": ["saturating", "mmgan"],
    }
    assert found["wasserstein_gp"]["aliases"] == ["wgan_gp"]


def test_every_built_in_plugin_is_described(call):
    entries = json.loads(call("plugins", "--json")[1])
    assert len({entry["kind"] for entry in entries}) >= 13
    assert [entry for entry in entries if not entry["summary"] or entry["problem"] is not None] == []
    # The settings of plugins without an option of their own stand in the experiment that has them.
    chosen = {(kind, option.name) for kind in KINDS for option in options_of(KINDS[kind].group)}
    undecided = [entry for entry in entries if "???" in entry["settings"].values() and entry["kind"] != "networks"]
    assert not [entry["name"] for entry in undecided if (entry["kind"], entry["name"]) in chosen]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["plugins", "lossy"], "there is no plugin kind 'lossy'; closest: losses"),
        (["plugins", "losses", "terms"], "'terms' is one too many"),
        (["plugins", "check"], "`plugins check` needs the name of an installed distribution"),
        (["plugins", "check", "numpy"], "no distribution 'numpy' with plugins is installed; there are gan-framework"),
        (["new-plugin", "Wrong-Name", "--kind", "loss"], "'Wrong-Name' makes no package name"),
        (["new-plugin", "hinge", "--kind", "loss"], "gan-framework has a plugin 'hinge' (losses) already"),
        (["new-plugin", "json", "--kind", "loss"], "a package called json is installed already"),
        (["new-plugin", "fine", "--kind", "lossy"], "there is no plugin kind 'lossy'"),
        (["sample", "no_such_folder"], "there is no checkpoint no_such_folder"),
        (["sample", "x", "--interpolate", "--singles"], "--interpolate, --traverse and --singles exclude one another"),
        (["sample", "x", "--interpolate", "--classes", "1"], "--classes goes with a grid or --singles only"),
        (["sample", "x", "--traverse", "c", "--n", "3"], "--n 3 has no effect on --traverse"),
        (["sample", "x", "--singles", "--columns", "3"], "--columns 3 has no effect on --singles"),
        (["sample", "x", "--out", "/"], "--out / is an existing folder: name a file"),
        (["sample", "x", "--out", "/dev/full"], "--out /dev/full is a device or a stream"),
        (["sample", "x", "--singles", "--out", __file__], f"--out {__file__} is an existing file: name a folder"),
        (["sample", "x", "--out", f"{__file__}/a.png"], f"{__file__} is a file and can hold no file"),
        (["evaluate", "x", "--out", "/"], "--out / is an existing folder: name a file"),
        (["sample", "x", "--colums", "3"], "No such option: --colums"),
        (["smaple"], "No such command 'smaple'"),
    ],
)
def test_wrong_commands_end_with_code_2(call, arguments, reason):
    code, out, last = call(*arguments)
    assert code == 2 and reason in last and not out


# -- sample -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folders of finished runs, by model."""
    from hydra import compose, initialize_config_dir
    from omegaconf import open_dict

    from gan_framework.registry.packages import config_folder
    from gan_framework.runs.launch import launch

    folders = {}
    for model in ("mlp", "cgan_mlp", "infogan_mlp"):
        with initialize_config_dir(str(config_folder()), version_base="1.3"):
            config = compose("config", overrides=[*SMALL, f"model={model}", "data.image_size=8"])
        with open_dict(config):
            config.pop("sweep", None)
        folders[model] = tmp_path_factory.mktemp(model)
        launch(config, folders[model], [])
    return folders


def pixels(path):
    return torch.frombuffer(bytearray(Image.open(path).convert("L").tobytes()), dtype=torch.uint8).view(
        *Image.open(path).size[::-1]
    )


def cells(path, columns, rows, size=8):
    """The images of a grid, by row and column."""
    grid = pixels(path)
    step = size + 2
    assert grid.shape == (rows * step + 2, columns * step + 2)
    return [
        [grid[2 + r * step : 2 + r * step + size, 2 + c * step : 2 + c * step + size] for c in range(columns)]
        for r in range(rows)
    ]


def made(run, latent) -> Tensor:
    game, _ = load_game(run)
    return to_uint8(game.sample(latent(game)))[:, 0]


def test_a_grid_holds_the_samples_of_fixed_latents(call, trained):
    run = trained["mlp"]
    assert call("sample", run, "--n", 6, "--columns", 3) == (0, f"{run}/sample.png\n", "")
    expected = made(run, lambda game: latents.fixed_latent(game, 6, 0))
    found = [image for row in cells(run / "sample.png", 3, 2) for image in row]
    assert torch.equal(torch.stack(found), expected)
    assert not torch.equal(expected, made(run, lambda game: latents.fixed_latent(game, 6, 1)))


def test_a_checkpoint_can_be_sampled_into_any_file(call, trained, tmp_path):
    checkpoint = trained["mlp"] / "checkpoints" / "last.pt"
    assert call("sample", checkpoint, "--n", 2, "--columns", 2, "--out", tmp_path / "a/b.png")[0] == 0
    expected = made(checkpoint, lambda game: latents.fixed_latent(game, 2, 0))
    assert torch.equal(torch.stack(cells(tmp_path / "a/b.png", 2, 1)[0]), expected)


def test_single_images_are_files_of_their_own(call, trained):
    run = trained["mlp"]
    assert call("sample", run, "--n", 3, "--singles")[:2] == (0, f"{run}/sample\n")
    files = sorted((run / "sample").iterdir())
    assert [file.name for file in files] == ["000000.png", "000001.png", "000002.png"]
    expected = made(run, lambda game: latents.fixed_latent(game, 3, 0))
    assert torch.equal(torch.stack([pixels(file) for file in files]), expected)


def test_classes_are_gone_through_in_turn(call, trained, tmp_path):
    run = trained["cgan_mlp"]
    out = tmp_path / "x.png"
    assert call("sample", run, "--classes", "7,7,3", "--n", 6, "--columns", 6, "--out", out)[0] == 0
    game, _ = load_game(run)
    latent = latents.fixed_latent(game, 6, 0)._replace(labels=torch.tensor([7, 7, 3, 7, 7, 3]))
    assert torch.equal(torch.stack(cells(out, 6, 1)[0]), to_uint8(game.sample(latent))[:, 0])


@pytest.mark.parametrize(
    ("model", "classes", "reason"),
    [
        ("mlp", "1", "classes were asked for, but this model is not conditional"),
        ("cgan_mlp", "7,10", "--classes 7,10: there is no class 10; the classes are 0, 1, 2, 3"),
        ("cgan_mlp", "cat", "--classes cat: there is no class cat; the classes are 0, 1, 2, 3"),
    ],
)
def test_wrong_classes_are_refused(call, trained, model, classes, reason):
    code, _, last = call("sample", trained[model], "--classes", classes)
    assert code == 2 and reason in last


def test_each_row_of_an_interpolation_walks_between_two_latents(call, trained, tmp_path):
    run, out = trained["mlp"], tmp_path / "x.png"
    assert call("sample", run, "--interpolate", "--n", 8, "--columns", 4, "--out", out)[0] == 0
    rows = cells(out, 4, 2)
    ends = made(run, lambda game: latents.fixed_latent(game, 4, 0))
    for row in (0, 1):
        assert (rows[row][0].int() - ends[row].int()).abs().max() <= 1
        assert (rows[row][3].int() - ends[2 + row].int()).abs().max() <= 1
        assert not torch.equal(rows[row][1], rows[row][0])


@pytest.mark.parametrize(
    ("prior", "made_of", "reason"),
    [("normal", "samples", "makes samples of samples: draw them with --from"), (None, None, "draws none")],
)
def test_models_that_draw_no_latents_or_are_given_samples_walk_nowhere(prior, made_of, reason):
    with pytest.raises(ConfigError, match=reason):
        latents.interpolate(SimpleNamespace(prior=prior, generates_from=made_of), 1, 4, 0)


def test_each_row_of_a_traversal_has_one_value_of_the_code(call, trained, tmp_path):
    run, out = trained["infogan_mlp"], tmp_path / "x.png"
    assert call("sample", run, "--traverse", "categorical_0", "--columns", 2, "--out", out)[0] == 0
    game, _ = load_game(run)
    latent = latents.fixed_latent(game, 2, 0)
    z = latent.z.clone()
    z[:, -10:] = torch.eye(10)[4]
    assert torch.equal(torch.stack(cells(out, 2, 10)[4]), to_uint8(game.sample(latent._replace(z=z)))[:, 0])
    code, _, last = call("sample", run, "--traverse", "colour")
    assert code == 2 and "there is no code 'colour'; the codes are categorical_0" in last


def test_a_great_circle_keeps_the_length():
    a, b = torch.tensor([[3.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.0, 3.0], [0.0, 1.0]])
    points = latents.slerp(a, b, torch.tensor([0.0, 0.5, 1.0]))
    half = math.sqrt(0.5)
    expected = torch.tensor([[1.0, 0.0], [half, half], [0.0, 1.0]])
    assert torch.allclose(points, torch.stack([3 * expected, expected]), atol=1e-5)
    assert torch.allclose(latents.slerp(a, a, torch.tensor([0.3])), a[:, None], atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["diff", "a", "b", "c\u202e\x1b[31m"], r"c\u202e\x1b[31m"),
        (["sample", "x", "--\u202eb\x9b=1"], r"--\u202eb\x9b"),
        (["f\x1b]0;t\x07oo"], r"f\x1b]0;t\x07oo"),
        (["sample", "x", "--n", "1\x1b[2J"], "--n"),
    ],
)
def test_what_was_typed_wrongly_is_shown_with_every_character_visible(monkeypatch, capsys, arguments, shown):
    monkeypatch.setattr(sys, "argv", ["program", *arguments])
    with pytest.raises(SystemExit) as end:
        commands.main()
    lines = capsys.readouterr().err.splitlines()
    assert end.value.code == 2
    assert any(line.startswith("Usage: ") for line in lines) and shown in lines[-1]
    assert all(line.isprintable() or not line for line in lines)


def test_an_interrupted_command_was_stopped(call, monkeypatch):
    from gan_framework.cli import runs

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "runs", interrupted)
    code, _, last = call("runs")
    assert (code, last) == (3, "stopped: SIGINT before anything was begun")


def test_a_refused_request_leaves_the_environment_as_it_was(call, monkeypatch):
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    code, _, said = call("train", "--steps")
    assert code == 2 and "--steps" in said
    assert "HYDRA_FULL_ERROR" not in os.environ
