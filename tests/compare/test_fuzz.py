"""Runs that are damaged by chance, or on purpose, are left out by name, and the intact ones are still ranked."""

import json
import random
import shutil

import pytest
import yaml
from typer.testing import CliRunner

from gan_framework.cli.commands import app
from tests.helpers.comparing import make_run

FILES = ("config.yaml", "summary.json", "metrics.jsonl", ".run_id")
OTHERS = (
    None, True, False, 0, -1, 10**400, 1.5, 1e308, float("nan"), float("inf"), "", "text", "\x1b[2J\n", "\ud800", [],
    [1, "a", None], [[]], {}, {"a": 1}, {"a": {"b": []}}, {"": None},
)  # fmt: skip
"""A value of every kind, and some that are hard to print, to add up or to encode."""
MUTANTS = 100


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    sweep = tmp_path_factory.mktemp("fuzz") / "sweep"
    for seed in range(2):
        make_run(sweep / f"intact{seed}", "hinge", seed, [4.0 + seed, 3.0 + seed], grid=True)
    return sweep


def whole(text):
    """Return a mutated value as the text of a file, whatever JSON says about it."""
    return json.dumps(text).encode("utf-8", "surrogatepass")


def cut(content, chance):
    return content[: chance.randrange(len(content))]


def flip(content, chance):
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def paths(value, path=()):
    """Return where values are in nested ones."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [found for key, one in inner for found in paths(one, (*path, key))]


def replaced(value, chance):
    """Return nested values in which one is another, or is missing."""
    path = chance.choice(paths(value))
    place = value
    for key in path[:-1]:
        place = place[key]
    if chance.random() < 0.2 and isinstance(place, dict):
        del place[path[-1]]
    else:
        place[path[-1]] = chance.choice(OTHERS)
    return value


def replace(content, chance, name):
    if name == "summary.json":
        return whole(replaced(json.loads(content), chance))
    if name == "config.yaml":
        return yaml.dump(replaced(yaml.safe_load(content), chance), allow_unicode=True).encode("utf-8", "surrogatepass")
    if name == ".run_id":
        return str(chance.choice(OTHERS[:9])).encode()
    lines = content.splitlines()
    number = chance.randrange(len(lines))
    value = json.loads(lines[number])
    lines[number] = whole(replaced(value, chance) if chance.random() < 0.8 else chance.choice(OTHERS))
    return b"\n".join(lines) + b"\n"


def mutate(run, chance):
    """Damage one file of a run and return what was done."""
    name, how = chance.choice(FILES), chance.choice(("cut", "flip", "replace"))
    path = run / name
    content = path.read_bytes()
    path.write_bytes(
        {"cut": cut, "flip": flip}[how](content, chance) if how != "replace" else replace(content, chance, name)
    )
    return f"{how} {name}"


@pytest.mark.parametrize("seed", range(MUTANTS))
def test_a_damaged_run_hides_nothing(intact, tmp_path, seed):
    chance = random.Random(seed)
    sweep = tmp_path / "sweep"
    shutil.copytree(intact, sweep)
    # Names that are read before and after the intact ones.
    for name in ("a", "z"):
        run = make_run(sweep / name, "wasserstein", 0, [9.0, 8.0])
        (run / ".run_id").write_text(name)
        done = mutate(run, chance)
        mutated = (run / "summary.json").read_bytes()
    result = CliRunner().invoke(app, ["compare", str(sweep), "--html", str(tmp_path / "out.html")])
    assert result.exception is None or isinstance(result.exception, (SystemExit, ValueError)), (done, result.exception)
    if "measured in different ways" in str(result.exception):  # nothing is damaged: a score of another kind is refused
        assert b"protocol" in mutated and str(sweep) in str(result.exception)
        return
    assert result.exit_code == 0, (done, result.exception)
    assert "loss.name=hinge" in result.output or "all settings equal" in result.output, done
    rows = (sweep / "compare.csv").read_text().splitlines()
    assert any(",3.5," in row for row in rows), (done, rows)
    page = (tmp_path / "out.html").read_text()
    assert page.rstrip().endswith("</html>") and "hinge" in page
