"""Every system of the tests' distribution through the real program: trained, killed, resumed, sampled and scored."""

import ast
import json
import math

import pytest
from typer.testing import CliRunner

from gan_framework.cli.commands import app
from gan_framework.runs import checkpoint
from tests.core.abilities import same_plain
from tests.probe.installed import SOURCE

pytestmark = pytest.mark.usefixtures("probe")

SYSTEMS = sorted(path.stem for path in (SOURCE / "gan_probe" / "conf" / "experiment").glob("*.yaml"))
COMMON = [
    "tracker=[]",
    "train.checkpoint_every=0",
    "train.log_every=1",
    "evaluate.samples=32",
    "evaluate.batch_size=16",
]


def last(folder):
    return checkpoint.load(folder / "checkpoints" / "last.pt")


QUICK = ("ada", "glo", "probe_bigan", "probe_cyclegan", "probe_gman", "tokens")
"""Those that are run each time."""


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SYSTEMS]
)
def test_a_system_is_trained_resumed_exactly_sampled_and_scored(program, tmp_path, name):
    options = [f"experiment={name}", *COMMON, "strategy=[probe_ada,ema]" if name == "ada" else "strategy=[ema]"]
    straight, parted = tmp_path / "straight", tmp_path / "parted"
    program(*options, "metrics=[fid]", "train.steps=5", f"hydra.run.dir={straight}", check=0)
    for steps in (3, 5):
        program(*options, f"train.steps={steps}", f"hydra.run.dir={parted}", check=0)
    one, two = last(straight), last(parted)
    assert same_plain(one["game"], two["game"]) and one["batches"] == two["batches"]

    summary = json.loads((straight / "summary.json").read_text())
    assert summary["status"] == "finished" and math.isfinite(summary["metrics"]["eval/fid_raw"])

    translates = name in ("probe_cyclegan", "probe_pix2pix")
    drawn = CliRunner().invoke(app, ["sample", str(straight), "--n", "4", *(["--from", "test"] if translates else [])])
    assert drawn.exit_code == 0, drawn.output
    scored = CliRunner().invoke(app, ["evaluate", str(straight), "evaluate.samples=32", "metrics=[fid]"])
    assert scored.exit_code == 0, scored.output


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_sees_the_api_alone(name):
    """Nothing but `gan_framework.api`, torch and the standard library is imported."""
    text = (SOURCE / "gan_probe" / f"{name.removeprefix('probe_')}.py").read_text()
    imported = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        elif isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
    allowed = {"__future__", "collections.abc", "typing", "torch", "torch.nn", "gan_framework.api"}
    assert imported <= allowed, imported - allowed


MOST = {"bigan": 40, "gman": 12, "cyclegan": 70, "pix2pix": 35, "cogan": 40, "lapgan": 60, "vaegan": 35, "balance": 35}
MOST |= {"voxels": 30, "ada": 45}
"""The most lines of Python class bodies, without docstrings and blank lines, networks' layers included."""


def class_lines(path):
    text = path.read_text().splitlines()
    tree = ast.parse("\n".join(text))
    left_out = {n for n, line in enumerate(text, 1) if not line.strip() or line.strip().startswith("#")}
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and isinstance(body[0], ast.Expr):
            left_out |= set(range(body[0].lineno, body[0].end_lineno + 1))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return sum(n not in left_out for node in classes for n in range(node.lineno, node.end_lineno + 1))


@pytest.mark.parametrize("name", MOST)
def test_a_system_is_short(name):
    assert class_lines(SOURCE / "gan_probe" / f"{name}.py") <= MOST[name]
    experiments = SOURCE / "gan_probe" / "conf" / "experiment"
    # Where the zoo has an experiment of the same name, the other is called after the probe.
    assert any((experiments / f"{stem}.yaml").exists() for stem in (name, f"probe_{name}"))


def test_lines_are_counted_without_docstrings_and_blank_lines(tmp_path):
    (tmp_path / "two.py").write_text(
        '"""A."""\n\nclass B:\n    """C.\n\n    D."""\n\n    # why\n    e = 1\n\n\nf = 2\n'
    )
    assert class_lines(tmp_path / "two.py") == 2
