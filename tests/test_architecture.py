"""The pages about the structure say what is so."""

import re
from pathlib import Path

import torch

from gan_framework import api
from gan_framework.registry.kinds import KINDS

DOCS = Path(__file__).parent.parent / "docs"
ARCHITECTURE = (DOCS / "architecture.md").read_text()
POINTS = (DOCS / "extension-points.md").read_text()


def test_the_update_in_plain_python_learns():
    (block,) = re.findall(r"```python\n(.*?)```", ARCHITECTURE, re.DOTALL)
    torch.manual_seed(0)
    names: dict = {}
    exec(block, names)
    assert torch.dist(names["samples"].mean(0), torch.tensor([3.0, 0.0])) < 0.5


def test_the_files_that_are_named_exist():
    package = DOCS.parent / "gan_framework"
    named = set(re.findall(r"`(?:gan_framework/)?((?:\w+/)+\w+\.py)`", ARCHITECTURE + POINTS))
    assert len(named) > 15
    assert [name for name in named if not (package / name).is_file() and not (DOCS.parent / name).is_file()] == []


def test_every_room_stands_in_the_picture():
    rooms = {path.name for path in (DOCS.parent / "gan_framework").iterdir() if (path / "__init__.py").is_file()}
    assert [room for room in sorted(rooms) if f"{room}/" not in ARCHITECTURE] == []


def test_every_kind_and_its_contract_stand_on_the_page_of_extension_points():
    rows = dict(re.findall(r"^\| (\w+) \| (.*?) \|", POINTS, re.MULTILINE))
    assert [kind for kind in KINDS if kind not in rows] == []
    for kind in KINDS.values():
        contract = (kind.contract or ":a function").partition(":")[2]
        assert contract.rpartition(".")[2] in rows[kind.name]
        assert kind.contract is None or kind.name == "networks" or hasattr(api, contract)
