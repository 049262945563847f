"""Checkpoints that are damaged, foreign or worse, given to the real program."""

import json
import pickle
import shutil
import zipfile

import pytest
import torch

from gan_framework.runs import checkpoint
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
    emptied: "is damaged or no checkpoint",
    foreign: "no checkpoint of this framework",
    newer: "format 2",
    pickled: "is damaged or no checkpoint",
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
