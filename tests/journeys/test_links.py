"""Nothing is written through a link: every writer, in a folder where all that it writes is a link to something else.

A folder from somebody else may hold links to what is the user's own. Each writer is first run in a clean folder, which
says what it writes; then everything of a name that is the same each time is put there as a link, and it is run again.
"""

import ast
import os
import shutil
import wave
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.evaluation.cache import Cache
from gan_framework.storage.images import save_png
from gan_framework.storage.pictures import Picture, write
from gan_zoo.datasets.midi_files import write_rolls
from gan_zoo.datasets.tabular import Tabular
from gan_zoo.datasets.wave_files import write_waves
from tests.cli.test_evaluate import save_untrained
from tests.helpers import program
from tests.helpers.comparing import make_run
from tests.helpers.environment import ROOT
from tests.helpers.in_process import called

TINY = ["model=mlp", "debug=smoke", "data.image_size=8", "extractor=raw", "metrics=[fid]", "evaluate.samples=32"]
TINY += ["sample.count=4"]
MINE = "precious"
NEVER = ("\0",)
CACHE_LOCK = "features/4575a9e0d8a662f0f9651d181775ba35.npz.lock"
"""The lock of what is cached below, which is looked at by itself."""
READ = (".run_id", ".sweep_id")
"""Names that are kept where there are any."""


def started(*arguments):
    done = program.run(arguments, env={"WANDB_MODE": "offline"})
    return done.returncode, done.stdout + done.stderr


# -- the writers --------------------------------------------------------------------------------------


def run(folder, compose):
    return started(*TINY, "tracker=[wandb,tensorboard]", "train.resume=null", f"hydra.run.dir={folder}")


def grid(folder, compose):
    return started("-m", *TINY, "tracker=[]", "seed=0,1", f"hydra.sweep.dir={folder}", "sweep.retry_failed=true")


def search(folder, compose):
    pytest.importorskip("optuna", reason="needs the extra [optuna]")
    asked = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=1", "seed=0,1"]
    return started("-m", *TINY, "tracker=[]", *asked, f"hydra.sweep.dir={folder}")


def a_run(folder, compose):
    save_untrained(compose(*TINY, "metrics=[fid,memorisation]"), folder)


def a_run_with_codes(folder, compose):
    save_untrained(compose("experiment=infogan_mlp", "debug=smoke", "data.image_size=8", "metrics=[]"), folder)


def a_run_with_encoder(folder, compose):
    save_untrained(compose("experiment=autoencoder", "debug=smoke", "metrics=[]"), folder)


def retrieve(folder, compose):
    image = folder.parent / "image.png"
    save_png(image, torch.zeros(compose("experiment=autoencoder")["data"]["channels"], 28, 28, dtype=torch.uint8))
    return called("retrieve", folder, image, "--n", "2")


def invert(folder, compose):
    return called("invert", folder, "test", "--n", "2")


def scored_runs(folder, compose):
    make_run(folder / "hinge", "hinge", 0, [2.0, 1.0], grid=True)
    make_run(folder / "minimax", "minimax", 0, [3.0, 2.0], grid=True)
    for name in ("hinge", "minimax"):
        (folder / name / ".run_id").write_text(name)


def a_distribution(folder, compose):
    assert called("new-plugin", "my-loss", "--kind", "losses", "--out", folder) == 0


def cached(folder, compose):
    Cache(folder).get("features", {"of": "digits"}, lambda: {"mean": torch.ones(2)})
    return 0


@dataclass(frozen=True)
class Writer:
    """What writes, where, and what must be there before.

    Attributes:
        write: does it in a folder; returns the exit code, and what was said.
        prepare: puts into the folder what is needed.
        also: files that are there only meanwhile, and that a clean folder does not show.
        changing: beginnings of names that are others each time, and cannot be known before.
        left_alone: folders that stay links, into which nothing is written.
    """

    write: object
    prepare: object = None
    also: tuple[str, ...] = ()
    changing: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()


WRITERS = {
    "a run": Writer(run, also=(".owner",), changing=("wandb/offline-run", "tensorboard/events")),
    # What is in the folder of a run is tried above.
    "a grid": Writer(grid, also=(".owner", ".stop"), changing=("seed=",)),
    "a search": Writer(search, also=(".owner", "study.db-journal"), changing=("seed=",)),
    "sample": Writer(lambda folder, _: called("sample", folder, "--n", "4"), a_run),
    "sample --interpolate": Writer(lambda folder, _: called("sample", folder, "--n", "4", "--interpolate"), a_run),
    "sample --singles": Writer(lambda folder, _: called("sample", folder, "--n", "4", "--singles"), a_run),
    "sample --traverse": Writer(
        lambda folder, _: called("sample", folder, "--traverse", "categorical_0"), a_run_with_codes
    ),
    "retrieve": Writer(retrieve, a_run_with_encoder),
    "invert": Writer(invert, a_run_with_encoder),
    "evaluate": Writer(lambda folder, _: called("evaluate", folder), a_run),
    "compare": Writer(lambda folder, _: called("compare", folder, "--html", folder / "page.html"), scored_runs),
    "dashboard": Writer(lambda folder, _: called("dashboard", folder, "--out", folder / "dashboard.json"), scored_runs),
    "new-plugin": Writer(lambda folder, _: called("new-plugin", "my-term", "--kind", "terms", "--out", folder)),
    "new-plugin --into": Writer(
        lambda folder, _: called("new-plugin", "other", "--kind", "losses", "--into", folder / "my-loss"),
        a_distribution,
    ),
    # Its lock is looked at below.
    "the cache": Writer(cached, changing=(CACHE_LOCK,), left_alone=("features",)),
}


def content(folder):
    """Return what is in a folder by path: a file's content and time, or None for a folder."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns) if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture(scope="module")
def written(compose, cache, tmp_path_factory):
    """Return which files and folders a writer writes, and a folder that is prepared for it."""
    known = {}

    def found(name):
        if name not in known:
            writer, base = WRITERS[name], tmp_path_factory.mktemp("clean")
            (base / "prepared").mkdir()
            if writer.prepare is not None:
                writer.prepare(base / "prepared", compose)
            clean = base / "clean"
            shutil.copytree(base / "prepared", clean)
            before = content(clean)
            code = writer.write(clean, compose)
            assert (code if isinstance(code, int) else code[0]) == 0, code
            after = content(clean)
            paths = [path for path in after if path not in before or after[path] != before[path]]
            paths = [path for path in paths if not path.startswith(writer.changing or NEVER)]
            files = [path for path in paths if after[path] is not None] + [*writer.also]
            folders = [path for path in after if after[path] is None and path not in before]
            # What is in a folder that may be no link needs no look.
            folders = [path for path in folders if "/" not in path]
            known[name] = base / "prepared", files, folders
        return known[name]

    return found


class Outside:
    """What the links point to."""

    def __init__(self, folder):
        self.folder = folder
        self.links = []
        folder.mkdir()

    def link(self, path, kind, number):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            path.unlink()
        target = self.folder / f"{number}"
        if kind == "folder":
            target.mkdir()
            (target / "mine").write_text(MINE)
        elif kind == "hard" or (kind == "symbolic" and number % 3):  # one in three leads to nothing
            target.write_text(MINE)
        (os.link if kind == "hard" else os.symlink)(target, path)
        self.links.append(path)

    def left(self):
        """Return the links that are still there; a lock is opened, and nothing is written into it."""
        own = [path.stat() for path in self.folder.iterdir()]
        left = [path for path in self.links if os.path.lexists(path) and path.suffix != ".lock"]
        return [p for p in left if p.is_symlink() or any(os.path.samestat(p.stat(), status) for status in own)]

    def content(self):
        return {path: path.read_text() for path in self.folder.rglob("*") if path.is_file()}


PROGRAMS = ("a run", "a grid", "a search")
QUICKEST = ("a run", "symbolic")
KINDS = ("symbolic", "hard", "folder")
CASES = [
    # Starting the real program takes long: by default one of them, with one kind of link.
    pytest.param(name, kind, marks=[pytest.mark.slow] if name in PROGRAMS and (name, kind) != QUICKEST else [])
    for name in WRITERS
    for kind in (KINDS if name in PROGRAMS else (*KINDS, "dangling"))
]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_nothing_is_written_through_a_link(written, compose, tmp_path, capsys, name, kind):
    prepared, files, folders = written(name)
    planted = [*(folders if kind == "folder" else files)]
    if not planted:
        return
    for attempt in range(len(planted) + 1):
        base = tmp_path / str(attempt)
        folder, outside = base / "folder", Outside(tmp_path / f"outside {attempt}")
        shutil.copytree(prepared, folder)
        for number, path in enumerate(planted):
            outside.link(folder / path, kind, number)
        before = outside.content()
        code = WRITERS[name].write(folder, compose)
        code, said = code if isinstance(code, tuple) else (code, capsys.readouterr().err)
        assert outside.content() == before, (name, kind, said)
        if code == 0:
            free = (*WRITERS[name].also, *WRITERS[name].left_alone, *READ)
            assert [path for path in outside.left() if path.name not in free] == [], (name, kind)
            return
        # It is refused because of one of the links; without that it must be either written or refused again.
        assert code == 2, said
        last = said.strip().splitlines()[-1]
        named = [path for path in planted if str(folder / path) in last]
        named = named or [path for path in planted if any(f"{folder / up} " in last for up in Path(path).parents)]
        assert named, last
        planted = [path for path in planted if path not in named]
        if not planted:
            return
    raise AssertionError("it was refused more often than there are links")


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_the_lock_of_a_cache_is_no_way_out(tmp_path, kind):
    cached(tmp_path / "cache", None)
    (entry,) = (tmp_path / "cache").glob("features/*.npz")
    entry.unlink()
    outside = Outside(tmp_path / "outside")
    outside.link(entry.with_name(f"{entry.name}.lock"), kind, 1)
    before = outside.content()
    assert cached(tmp_path / "cache", None) == 0
    assert outside.content() == before


# -- that the table has all of them -------------------------------------------------------------------

OPENS = {
    "gan_framework/storage/files.py": "all of it",
    "gan_framework/storage/images.py": "Image.save into a file that storage.files has opened: sample",
    "gan_framework/storage/pictures.py": "Image.save, in the same way: test_a_picture_of_every_kind",
    "gan_framework/storage/lock.py": "a run, a grid: the folder and its .lock",
    "gan_framework/storage/foreign.py": "opened for reading alone",
    "gan_framework/config/run_folder.py": "a folder of the run's own, which is not there before",
    "gan_framework/wandb_io/offline.py": "a temporary file without a name",
    "gan_framework/runs/checkpoint.py": "torch.save into a file that storage.files has opened: a run",
    "gan_framework/runs/metrics_file.py": "a run: metrics.jsonl",
    "gan_framework/runs/logs.py": "a run: run.log",
    "gan_framework/evaluation/cache.py": "the cache",
    "gan_framework/cli/exit_codes.py": "/dev/null in the place of a closed terminal",
    "gan_framework/testing/games.py": "torch.save into memory",
    "gan_framework/evaluation/statistics.py": "np.savez into a file that storage.files has opened",
    "gan_framework/library/shown.py": "a picture into memory",
    "gan_framework/library/training.py": "makes the folder of a run",
    "gan_framework/library/publish.py": "makes the folder of an export; its files are written by storage",
    "gan_framework/library/deployed.py": "into memory, then into a file that storage.files has opened",
    "gan_framework/storage/tensors.py": "into a file that storage.files has opened",
    "gan_framework/sweeps/study.py": "a search: study.db",
    "gan_framework/sweeps/claims.py": "a search: study.db.claim",
    "plugins/gan_zoo/trackers/tensorboard.py": "a run: tensorboard/",
    "plugins/gan_zoo/trackers/wandb.py": "a run: wandb/",
    "plugins/gan_zoo/trackers/wandb_service.py": "a nameless file that asks for room",
    "gan_framework/sweeps/views.py": "pictures into memory, of a study that was named to be opened by Optuna",
    "gan_framework/compare/pictures.py": "pictures into memory",
    "gan_framework/compare/profiles.py": "a picture into memory",
    "plugins/gan_zoo/datasets/wave_files.py": "wave.open into an open file: test_tables_and_waves",
    "plugins/gan_zoo/datasets/midi_files.py": "MidiFile.save into an open file: test_midi_files",
    "plugins/gan_zoo/trackers/run_log.py": "opened for reading alone",
    "plugins/gan_zoo/trackers/source_code.py": "copies into a new folder for temporary files",
    "plugins/gan_zoo/datasets/torchvision_source.py": "data that torchvision downloads to where data.root says",
}
"""The files that open others for writing by anything but `storage.files`, and where it is tested."""

CALLS = {"write_bytes", "touch", "mkdir", "makedirs", "symlink_to", "hardlink_to", "symlink", "link", "rename", "savez"}
CALLS |= {"save", "imwrite", "savefig", "to_csv", "write_html", "copyfile", "copytree", "copy2", "move", "FileHandler"}
CALLS |= {"SummaryWriter", "FileLock", "RDBStorage", "JournalFileBackend", "NamedTemporaryFile", "TemporaryFile"}
CALLS |= {"FileIO", "fdopen"}
OWN = {"board.save", "run.save", "checkpoint.save", "files.touch", "self.save", "self.link"}
"""Calls of our own functions, which are looked at where they stand, and of a server's."""


def writes(call):
    """Whether a call may write a file, by its name and its mode."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    whole = ast.unparse(function)
    if name == "write_text":
        return not whole.startswith("files.") and whole != "write_text"
    if name == "open":
        arguments = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg in ("mode", None))]
        texts = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
        modes = [text for text in texts if isinstance(text, str) and set(text) <= set("rwabx+t")]
        return whole == "os.open" or any(set(mode) & set("wax+") for mode in modes)
    return name in CALLS and whole not in OWN


def test_whatever_opens_files_for_writing_is_in_the_table():
    found = set()
    for path in [*(ROOT / "gan_framework").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]:
        if "tests" in path.parts:
            continue
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        if any(map(writes, calls)):
            found.add(path.relative_to(ROOT).as_posix())
    assert found == set(OPENS)


def test_tables_and_waves(tmp_path):
    outside = Outside(tmp_path / "outside")
    outside.link(tmp_path / "sample_wav" / "000000.wav", "symbolic", 0)
    outside.link(tmp_path / "rows.csv", "symbolic", 1)
    before = outside.content()
    write_waves(tmp_path / "sample.png", torch.zeros(2, 1, 8), 8000, 0.0)
    layout = {"columns": [{"name": "a", "kind": "category", "values": ["x", "y"]}], "encoding": "modes"}
    Tabular.write(tmp_path / "rows.png", torch.zeros(2, 2), {"layout": layout})
    assert outside.content() == before and outside.left() == []
    with wave.open(str(tmp_path / "sample_wav" / "000001.wav")) as file:
        assert (file.getnframes(), file.getframerate()) == (8, 8000)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (tmp_path / "other_wav").symlink_to(folder)
    with pytest.raises(ConfigError, match="other_wav is a symbolic link"):
        write_waves(tmp_path / "other.png", torch.zeros(1, 1, 8), 8000, 0.0)
    assert not [*folder.iterdir()]


def test_midi_files(tmp_path):
    outside = Outside(tmp_path / "outside")
    outside.link(tmp_path / "sample_mid" / "000000.mid", "symbolic", 0)
    before = outside.content()
    write_rolls(tmp_path / "sample.png", torch.ones(2, 1, 4, 8), 48, 4.0, 120.0)
    assert outside.content() == before and outside.left() == []
    assert (tmp_path / "sample_mid" / "000001.mid").read_bytes().startswith(b"MThd")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (tmp_path / "other_mid").symlink_to(folder)
    with pytest.raises(ConfigError, match="other_mid is a symbolic link"):
        write_rolls(tmp_path / "other.png", torch.ones(1, 1, 4, 8), 48, 4.0, 120.0)
    assert not [*folder.iterdir()]


def test_a_picture_of_every_kind(tmp_path):
    outside = Outside(tmp_path / "outside")
    for number, suffix in enumerate((".png", ".gif", ".txt")):
        outside.link(tmp_path / f"picture{suffix}", "symbolic", number)
    before = outside.content()
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    write(tmp_path / "picture.png", Picture(image, frames=torch.stack([image, image]), text="a text"))
    assert outside.content() == before and outside.left() == []
