"""Trouble that the real program meets while it runs: no room, no memory, data that change, losses that explode."""

import contextlib
import json
import resource
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

from gan_framework.runs import checkpoint
from tests.data.making import encoded, picture, write
from tests.helpers.program import run
from tests.helpers.resuming import count, finish, start, wait, writing

TINY = [
    "model=mlp",
    "data.image_size=8",
    "metrics=[]",
    "sample.count=4",
    "tracker=[]",
    "train.batch_size=8",
    "train.log_every=1",
    "train.sample_every=0",
    "train.checkpoint_every=2",
]
ENDLESS = [*TINY, "train.steps=1000000"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of a running process are Linux's")


def end(process, folder):
    """Return the last line of a run that must fail with code 1 and say so."""
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1, output
    assert "Traceback" not in output and "Logging error" not in output
    last = output.strip().splitlines()[-1]
    assert last.startswith("error: "), output
    return last


# -- no room -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "limit", "what"),
    [
        ([], 40_000, "checkpoints/step_"),
        (
            ["train.checkpoint_every=3", "train.log_every=0", "train.sample_every=1", "sample.count=4000"],
            20_000,
            ".png",
        ),
        (["train.checkpoint_every=4"], 3_000, "metrics.jsonl"),
    ],
)
def test_where_a_file_cannot_be_written_the_last_checkpoint_stays(tmp_path, cache, settings, limit, what):
    process = start(tmp_path, *ENDLESS, *settings)
    checkpoints = tmp_path / "checkpoints"
    wait(process, lambda: (checkpoints / "last.pt").exists())
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    last = end(process, tmp_path)
    assert what in last and "File too large" in last
    found = checkpoint.newest(checkpoints)
    assert found is not None and found[0] == checkpoint.numbered(checkpoints)[0]
    assert checkpoint.load(checkpoints / "last.pt")["clock"] == found[1]["clock"]
    assert not list(checkpoints.glob(".*")) and len(checkpoint.numbered(checkpoints)) <= 3


@pytest.fixture
def mount(tmp_path):
    """Mount something and return where; it is unmounted in the end."""
    places = []

    def mounted(*options):
        place = tmp_path / f"disk{len(places)}"
        place.mkdir()
        done = subprocess.run(["mount", *options, place], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"mounting needs rights that this process does not have: {done.stderr.strip()}")
        places.append(place)
        return place

    yield mounted
    for place in places:
        subprocess.run(["umount", "--lazy", place], check=True)


def places_written(folder):
    """Return figures, one of which grows with every checkpoint, grid and metric line."""
    newest = max((path.name for path in (folder / "checkpoints").glob("step_*")), default="")
    return count(folder), newest, len(list((folder / "samples").glob("*.png")))


def hold_between_writes(process, folder):
    """Stop a process while it holds no room that it will give back: no half-written file, nothing to be pruned."""

    def settled():
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.02)  # until it has
        held = writing(process, folder) or checkpoint.numbered(folder / "checkpoints")[2:]
        if held:
            process.send_signal(signal.SIGCONT)
        return not held

    wait(process, settled)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (["train.log_every=0"], "checkpoints/step_"),
        (["train.checkpoint_every=1000", "train.log_every=0", "train.sample_every=1"], ".png"),
        (["train.checkpoint_every=1000"], "metrics.jsonl"),
    ],
)
def test_a_full_disk_ends_a_run_that_goes_on_when_there_is_room_again(mount, cache, settings, what):
    disk = mount("-t", "tmpfs", "-o", "size=4m", "tmpfs")
    folder, filler = disk / "run", disk / "filler"
    code, output = finish(folder, *TINY, "train.steps=6")
    assert code == 0, output
    kept = (folder / "checkpoints" / "step_0000006.pt").read_bytes()
    before = places_written(folder)
    process = start(folder, *ENDLESS, *settings)
    wait(process, lambda: places_written(folder) > before)
    hold_between_writes(process, folder)
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"0" * 4096):
            pass
    process.send_signal(signal.SIGCONT)
    last = end(process, folder)
    assert what in last and "No space left on device" in last
    found = checkpoint.newest(folder / "checkpoints")
    assert found is not None and found[0] == checkpoint.numbered(folder / "checkpoints")[0]
    if found[0].name == "step_0000006.pt":
        assert found[0].read_bytes() == kept
    filler.unlink()
    code, output = finish(folder, *TINY, f"train.steps={found[1]['clock']['step'] + 4}")
    assert code == 0, output
    assert f"resumed from {found[0]}" in output


# -- no memory -----------------------------------------------------------------------------------


def memory_of(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def limit_memory(process, more=300 * 2**20):
    most = memory_of(process.pid) + more
    resource.prlimit(process.pid, resource.RLIMIT_AS, (most, most))


def test_a_run_that_takes_too_much_memory_says_what_to_lower(tmp_path, cache):
    process = start(tmp_path, *ENDLESS, "networks.generator.hidden=[3000000]")
    limit_memory(process)
    last = end(process, tmp_path)
    assert "out of memory" in last
    assert "train.batch_size=8" in last and "networks.generator.hidden=[3000000]" in last


def test_a_sweep_goes_on_after_a_run_that_took_too_much_memory(tmp_path, cache):
    sweep = ["-m", *TINY, "train.steps=2", "networks.generator.hidden=[3000000],[4]", f"hydra.sweep.dir={tmp_path}/s"]
    process = start(tmp_path, *sweep)
    limit_memory(process, more=900 * 2**20)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1, output
    summaries = [json.loads(path.read_text()) for path in (tmp_path / "s").glob("*/summary.json")]
    assert sorted(summary["status"] for summary in summaries) == ["failed", "finished"]
    assert any("out of memory" in (summary["error"] or "") for summary in summaries)


# -- data that change ----------------------------------------------------------------------------


@pytest.fixture
def images(tmp_path):
    return write(tmp_path / "images", {f"{i:02}.png": encoded(picture(i)) for i in range(16)})


STREAMED = ["data=folder", "data.image_size=8", "data.in_memory_mb=0", "data.test_share=0"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("vanishes", marks=pytest.mark.slow),
        pytest.param("is cut short", marks=pytest.mark.slow),
        "is replaced",
    ],
)
def test_an_image_that_changes_during_the_run_is_named(tmp_path, cache, images, change):
    process = start(tmp_path / "run", *ENDLESS, *STREAMED, f"data.path={images}", "data.workers=1")
    wait(process, lambda: count(tmp_path / "run") >= 2)
    path = images / "07.png"
    if change == "vanishes":
        path.unlink()
    else:
        path.write_bytes(encoded(picture(99)) if change == "is replaced" else path.read_bytes()[:50])
    last = end(process, tmp_path / "run")
    assert "has changed during the run: 07.png" in last
    assert checkpoint.newest(tmp_path / "run" / "checkpoints") is not None


def test_a_zip_file_that_is_overwritten_during_the_run_is_named(tmp_path, cache, images):
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for image in images.iterdir():
            archive.write(image, image.name)
    process = start(tmp_path / "run", *ENDLESS, *STREAMED, f"data.path={path}")
    wait(process, lambda: count(tmp_path / "run") >= 2)
    path.write_bytes(bytes(path.stat().st_size))
    assert "images.zip has changed during the run" in end(process, tmp_path / "run")


# -- losses that are not finite ------------------------------------------------------------------


@pytest.fixture
def poisoned(tmp_path):
    """One of 64 vectors is so large that a loss on it is not finite."""
    vectors = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
    vectors[40] = 3e38
    np.savez(tmp_path / "poisoned.npz", x=vectors)
    return [
        "experiment=mixture_2d", *TINY[2:], "data=npz", f"data.path={tmp_path}/poisoned.npz", "data.image_size=null",
        "data.channels=null", "data.y=null", "data.test_share=0", "loss=wasserstein", "train.steps=8",
    ]  # fmt: skip


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, cache, poisoned):
    code, output = finish(tmp_path / "run", *poisoned)
    assert code == 1
    assert "is not finite" in output.strip().splitlines()[-1]


def test_a_move_that_is_not_finite_is_skipped(tmp_path, cache, poisoned):
    code, output = finish(tmp_path / "run", *poisoned, "train.on_nonfinite=skip")
    assert code == 0, output
    updates = json.loads((tmp_path / "run" / "summary.json").read_text())["updates"]
    assert updates == {"discriminator": 7, "generator": 8}


def test_a_run_goes_back_and_on_with_other_batches(tmp_path, cache, poisoned):
    code, output = finish(tmp_path / "run", *poisoned, "train.on_nonfinite=rollback", "train.resume_changed=true")
    assert code == 0, output
    assert output.count("is not finite; back to step_") == 1
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["step"] == 8 and summary["images_seen"] > 8 * 8


def test_a_run_that_has_gone_back_too_often_gives_up(tmp_path, cache, poisoned):
    np.savez(tmp_path / "poisoned.npz", x=np.ones((64, 2), np.float32))
    code, output = finish(tmp_path / "run", *poisoned, "train.steps=2")
    assert code == 0, output
    np.savez(tmp_path / "poisoned.npz", x=np.full((64, 2), 3e38, np.float32))
    code, output = finish(tmp_path / "run", *poisoned, "train.on_nonfinite=rollback", "train.resume_changed=true")
    assert code == 1, output
    assert output.count("back to step_0000002.pt") == 3 and "(3 of 3 times)" in output
    assert "is not finite" in output.strip().splitlines()[-1]


# -- places that cannot be written ---------------------------------------------------------------


def test_data_may_lie_on_a_read_only_disk(tmp_path, mount, cache, images):
    disk = mount("--bind", "-o", "ro", str(images))
    with pytest.raises(OSError, match="Read-only"):
        (disk / "new").write_text("")
    for kept in (0, 100):
        settings = [*TINY, *STREAMED, f"data.in_memory_mb={kept}", f"data.path={disk}", "train.steps=4"]
        settings += ["metrics=[fid]", "extractor=raw"]
        code, output = finish(tmp_path / f"run{kept}", *settings, "evaluate.samples=8", "evaluate.batch_size=8")
        assert code == 0, output
        assert "Read-only" not in output


def test_a_run_needs_no_home_no_cache_and_writes_nothing_where_the_data_lie(tmp_path, images):
    images.chmod(0o555)
    before = {path.name: path.stat().st_mtime_ns for path in images.iterdir()}
    (tmp_path / "file").write_text("")
    places = {"HOME": "/proc/no/home", "GAN_FRAMEWORK_CACHE": str(tmp_path / "file" / "cache")}
    arguments = [*TINY, *STREAMED, f"data.path={images}", "train.steps=4", f"hydra.run.dir={tmp_path}/run"]
    done = run(arguments, cwd=tmp_path, env=places)
    images.chmod(0o755)
    assert done.returncode == 0, done.stderr
    warnings = [line for line in (done.stdout + done.stderr).splitlines() if "WARNING" in line]
    assert len(warnings) == 1 and "nothing is cached" in warnings[0], warnings
    assert {path.name: path.stat().st_mtime_ns for path in images.iterdir()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"images", "file", "run"}


@pytest.mark.parametrize("replaced", [True, False])
def test_a_run_whose_folder_is_deleted_fails_and_writes_into_no_other(tmp_path, cache, replaced):
    folder = tmp_path / "run"
    endless = ["model=mlp", "metrics=[]", "tracker=[]", "train.batch_size=8", "train.checkpoint_every=5"]
    process = start(folder, *endless, "train.steps=1000000", "train.log_every=1000", "train.sample_every=0")
    wait(process, (folder / "checkpoints" / "last.pt").exists)
    folder.rename(tmp_path / "moved")
    if replaced:
        code, output = finish(folder, *endless, "train.steps=5", "seed=7")
        assert code == 0, output
        left = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.strip().splitlines()[-1].endswith(f"{folder} was deleted or replaced while it was in use"), output
    if replaced:
        assert left == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    else:
        assert not folder.exists()


def test_a_log_that_cannot_be_written_is_no_wrong_setting(tmp_path):
    (tmp_path / "run" / "run.log").mkdir(parents=True)
    code, output = finish(tmp_path / "run", *TINY, "train.steps=1")
    last = output.strip().splitlines()[-1]
    assert code == 2, output
    assert (
        last.startswith("error: the run's folder cannot be used: ") and "run.log" in last and "Is a directory" in last
    )
