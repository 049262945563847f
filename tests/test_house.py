"""The plan of the house: which way imports go, how large the core is, and that it names no plugin."""

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "gan_framework"
CORE = sorted((PACKAGE / "core").rglob("*.py"))

WORDS = set("can clip codes components heads items paired points records shapes steps tokens videos".split())
"""Names of plugins that are words of the field too, and stand in the core as these."""


def test_imports_go_down_the_floors_only():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_core_is_small():
    assert sum(len(path.read_text().splitlines()) for path in CORE) < 2000


def test_the_core_names_no_plugin():
    plugins = {
        point.name
        for group in entry_points().groups
        if group.startswith("gan_framework.")
        and group not in ("gan_framework.contract", "gan_framework.configs", "gan_framework.choosers")
        for point in entry_points(group=group)
        if point.value.startswith("gan_zoo.")
    }
    assert len(plugins) > 80
    named = {name for path in CORE for name in plugins if re.search(rf"\b{name}\b", path.read_text())}
    assert named <= WORDS, f"the core names {', '.join(sorted(named - WORDS))}"


def test_little_lies_flat_at_the_top():
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "api.py", "build.py", "errors.py"}
