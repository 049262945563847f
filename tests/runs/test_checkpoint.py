import pickle
import zipfile

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.runs import checkpoint
from gan_framework.storage.layout import RunFolder

STATE = {"config": {"seed": 0}, "game": {"w": torch.arange(6.0)}, "clock": {"step": 3}, "batches": 3}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "checkpoints" / "step_0000003.pt"
    checkpoint.save(path, STATE)
    return path


def test_what_was_saved_is_loaded(path):
    loaded = checkpoint.load(path)
    assert torch.equal(loaded["game"]["w"], STATE["game"]["w"])
    assert loaded["clock"] == {"step": 3}
    assert [p.name for p in path.parent.iterdir()] == ["step_0000003.pt"]


def test_a_truncated_file_is_refused(path):
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ConfigError, match="damaged"):
        checkpoint.load(path)


def test_one_flipped_bit_in_the_weights_is_noticed(path):
    content = bytearray(path.read_bytes())
    place = content.find(torch.arange(6.0).numpy().tobytes())
    assert place > 0
    content[place + 5] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ConfigError, match="does not match its checksum"):
        checkpoint.load(path)


def test_an_empty_and_a_foreign_file_are_refused(path):
    path.write_bytes(b"")
    with pytest.raises(ConfigError, match="damaged or not a checkpoint"):
        checkpoint.load(path)
    torch.save({"weights": torch.zeros(1)}, path)
    with pytest.raises(ConfigError, match="is not a checkpoint of this framework"):
        checkpoint.load(path)


def test_a_newer_format_is_refused(path):
    checkpoint.save(path, {**STATE, "format": 3})
    with pytest.raises(ConfigError, match="format 3.*reads formats up to 2"):
        checkpoint.load(path)


def test_a_pickled_object_is_refused_and_never_run(path, tmp_path):
    trace = tmp_path / "executed"

    class Malicious:
        def __reduce__(self):
            return (open, (str(trace), "w"))

    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, pickle.dumps(Malicious(), protocol=2) if name.endswith("data.pkl") else content)
    with pytest.raises(ConfigError, match="more than tensors and plain values"):
        checkpoint.load(path)
    assert not trace.exists()


def test_the_newest_intact_one_is_found_and_damaged_ones_are_named(path, tmp_path, caplog):
    newer = RunFolder(tmp_path).checkpoint(10)
    newer.write_bytes(path.read_bytes()[:50])
    found, _ = checkpoint.newest(path.parent)
    assert found == path
    assert "step_0000010.pt" in caplog.text


def test_no_checkpoint_at_all_is_no_error(tmp_path):
    assert checkpoint.newest(tmp_path / "nowhere") is None


def test_only_the_newest_few_are_kept(path, tmp_path):
    for step in (4, 5, 10):
        checkpoint.save(RunFolder(tmp_path).checkpoint(step), STATE)
    checkpoint.save(path.parent / "best.pt", STATE)
    checkpoint.prune(path.parent, keep=2)
    assert sorted(p.name for p in path.parent.iterdir()) == ["best.pt", "step_0000005.pt", "step_0000010.pt"]


def test_an_interrupted_write_leaves_the_old_file(path):
    before = path.read_bytes()
    with pytest.raises(TypeError):
        checkpoint.save(path, {"game": (_ for _ in ()), "unpicklable": lambda: None})
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
