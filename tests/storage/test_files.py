import signal
import subprocess
import sys

import pytest
import torch

from gan_framework.evaluation.cache import Cache
from gan_framework.storage.lock import owned

KILLED = """
import os, pathlib, signal, sys
from gan_framework.storage import files
with files.atomic(pathlib.Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_while_writing(path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()
    (left,) = path.parent.iterdir()
    assert left.read_bytes() == b"half"


@pytest.mark.parametrize("name", ["checkpoints/step_0000004.pt", "samples/step_0000010.png", "summary.json"])
def test_what_a_killed_process_was_writing_is_gone_when_the_run_goes_on(tmp_path, name):
    path = tmp_path / name
    killed_while_writing(path)
    with owned(tmp_path):
        assert [*path.parent.glob(".*.part")] == []


def test_a_folder_that_another_process_holds_is_left_alone(tmp_path):
    with owned(tmp_path):
        writing = tmp_path / ".summary.json.abc.part"
        writing.touch()
        with pytest.raises(ValueError, match="in use"), owned(tmp_path):
            pass
        assert writing.exists()


def test_what_a_killed_process_was_caching_is_gone_when_it_is_cached(tmp_path):
    def compute():
        return {"mean": torch.ones(2)}

    cache = Cache(tmp_path)
    cache.get("features", {"of": "digits"}, compute)
    (entry,) = (tmp_path / "features").glob("*.npz")
    entry.unlink()
    for path in (tmp_path / "features").iterdir():
        path.unlink()
    killed_while_writing(entry)
    cache.get("features", {"of": "digits"}, compute)
    assert [path.name for path in entry.parent.iterdir() if path.suffix != ".lock"] == [entry.name]
