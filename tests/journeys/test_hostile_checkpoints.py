"""Checkpoints that are damaged, foreign or worse, given to the real program."""

import json
import pickle
import shutil
import zipfile

import pytest
import torch
from omegaconf import OmegaConf

from gan_framework.errors import ConfigError, GanFrameworkError
from gan_framework.evaluation.latents import fixed_latent
from gan_framework.evaluation.protocol import differences
from gan_framework.runs import checkpoint, restore, resuming
from gan_framework.runs.best import Best
from gan_framework.runs.counters import Counters
from gan_framework.runs.watch import Watch
from gan_framework.storage.files import finite
from tests.helpers.resuming import finish

SMALL = [
    "model=mlp",
    "data.image_size=8",
    "metrics=[]",
    "sample.count=4",
    "tracker=[]",
    "train.batch_size=8",
    "train.sample_every=0",
    "train.checkpoint_every=2",
]


class Malicious:
    """Unpickled, makes a file."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return open, (self.trace, "w")


def cut_short(path, trace):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path, trace):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 16
    path.write_bytes(bytes(content))


def emptied(path, trace):
    path.write_bytes(b"")


def foreign(path, trace):
    torch.save({"state_dict": {"weight": torch.zeros(3)}}, path)


def newer(path, trace):
    checkpoint.save(path, checkpoint.load(path) | {"format": checkpoint.FORMAT + 1})


def without_its_best(path, trace):
    checkpoint.save(path, {name: value for name, value in checkpoint.load(path).items() if name != "best"})


def pickled(path, trace):
    path.write_bytes(pickle.dumps(Malicious(trace)))


def pickled_inside(path, trace):
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            evil = name.endswith("data.pkl")
            archive.writestr(name, pickle.dumps(Malicious(trace), protocol=2) if evil else content)


HOSTILE = {
    cut_short: "is damaged",
    flipped: "checksum",
    emptied: "is damaged or not a checkpoint",
    foreign: "is not a checkpoint of this framework",
    newer: "format 3",
    without_its_best: "lacks the fields best",
    pickled: "is damaged or not a checkpoint",
    pickled_inside: "more than tensors and plain values",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory, cache):
    folder = tmp_path_factory.mktemp("finished")
    code, output = finish(folder, *SMALL, "train.steps=6")
    assert code == 0, output
    return folder


@pytest.mark.parametrize(("harm", "reason"), HOSTILE.items(), ids=[harm.__name__ for harm in HOSTILE])
def test_it_is_refused_with_the_reason_and_auto_takes_the_one_before(finished, tmp_path, harm, reason):
    folder, trace = tmp_path / "run", tmp_path / "executed"
    shutil.copytree(finished, folder)
    newest = folder / "checkpoints" / "step_0000006.pt"
    harm(newest, trace)

    code, output = finish(tmp_path / "other", *SMALL, "train.steps=8", f"train.resume={newest}")
    assert code == 2, output
    last = output.strip().splitlines()[-1]
    assert last.startswith("error: ") and str(newest) in last and reason in last

    code, output = finish(folder, *SMALL, "train.steps=8")
    assert code == 0, output
    assert "step_0000006.pt" in output and "resumed from" in output and "step_0000004.pt" in output
    assert json.loads((folder / "summary.json").read_text())["step"] == 8
    assert "Traceback" not in output and not trace.exists()


def test_a_checkpoint_of_another_architecture_is_refused_with_what_differs(finished, tmp_path):
    other = [*SMALL, "train.steps=8", "networks.generator.hidden=[7]"]
    code, output = finish(tmp_path, *other, f"train.resume={finished}/checkpoints/last.pt")
    assert code == 2, output
    last = output.strip().splitlines()[-1]
    assert last.startswith("error: ") and "generator" in last
    assert "Traceback" not in output


VALUES = [None, True, -1, 10**18, 0.5, float("nan"), "abc", "", [], [1], {}, {"tick": 5}, torch.tensor([1.0])]
"""What is put into every field."""

MANY = 4
"""Of fields that are many of a kind, as the game's tensors are, so many are tried."""


def places(value, path=()):
    """Yield the path of every field, of mappings' fields of the same kind only some."""
    if path:
        yield path
    if isinstance(value, dict):
        shown = list(value)[:MANY] if path[:1] == ("game",) else value
        for key in shown:
            yield from places(value[key], (*path, key))


def replaced(state, path, value):
    """Return a state with another value at a path."""
    if not path:
        return value
    return {**state, path[0]: replaced(state[path[0]], path[1:], value)}


def take_up(path, device="cpu"):
    """Do with a checkpoint what sampling, scoring and resuming do, as far as its content is concerned."""
    game, state = restore.load(path, device)
    config = OmegaConf.create(state["config"])
    resuming.check(state, config, state.get("data", {}), str(path))
    counters = Counters(8)
    counters.restore(state["clock"])
    counters.tick()
    assert counters.step < 10**15
    watch = Watch(8, probabilistic=True)
    if state["watch"]:
        watch.restore(state["watch"])
    watch.look(1, {"health/d_real": 0.5, "health/d_fake": 0.5})
    differences(state["protocol"], {"metrics": {}})
    Best({"fid_raw": False}, None).found = state["best"]
    json.dumps(finite(state["metrics"]))
    with torch.no_grad():
        game.sample(fixed_latent(game, 2, 0))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("every", [29, pytest.param(1, marks=pytest.mark.slow)])
def test_whatever_a_field_holds_it_is_refused_by_the_name_of_the_file_or_can_be_used(finished, tmp_path, every):
    path = tmp_path / "step_0000006.pt"
    state = checkpoint.load(finished / "checkpoints" / "last.pt")
    state |= {"best": {"metric": "fid_raw", "step": 6, "value": 1.0, "higher_is_better": False}}
    tried = [(place, value) for place in places(state) for value in VALUES][::every]
    refused = 0
    for place, value in tried:
        torch.save(replaced(state, place, value), path)
        try:
            take_up(path)
        except GanFrameworkError as error:
            refused += 1
            assert str(path) in str(error) or place[:1] == ("config",), (place, value, str(error))
    assert refused > len(tried) / 2


def test_weights_that_are_not_finite_are_not_drawn_from(finished, tmp_path):
    state = checkpoint.load(finished / "checkpoints" / "last.pt")
    name = next(name for name in state["game"] if name.startswith("networks.generator") and "weight" in name)
    state["game"][name][0] = float("nan")
    checkpoint.save(tmp_path / "nan.pt", state)
    with pytest.raises(ConfigError, match=f"nan.pt holds weights that are not finite: {name}"):
        restore.load(tmp_path / "nan.pt")


def test_a_compressed_file_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(2**24))
    with pytest.raises(ConfigError, match="is compressed"):
        checkpoint.load(path)


def test_auto_falls_back_from_what_cannot_be_used_and_never_begins_anew(finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    newest = folder / "checkpoints" / "step_0000006.pt"
    state = checkpoint.load(newest)
    name = next(name for name in state["game"] if name.startswith("networks.generator"))
    checkpoint.save(newest, {**state, "game": {key: value for key, value in state["game"].items() if key != name}})
    code, output = finish(folder, *SMALL, "train.steps=8")
    assert code == 0 and "step_0000004.pt at step 4" in output, output

    before = (folder / "metrics.jsonl").read_text()
    for path in (folder / "checkpoints").glob("*.pt"):
        path.write_bytes(b"")
    code, output = finish(folder, *SMALL, "train.steps=9")
    assert code == 2 and "train.resume=null starts from scratch" in output.strip().splitlines()[-1]
    assert (folder / "metrics.jsonl").read_text() == before
