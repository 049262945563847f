"""Every block of docs/plugins.md is run: together they are one distribution, and the commands that use it."""

import re
import shlex

import pytest
import torch

from gan_framework.core.pair import Pair
from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS
from gan_framework.testing.subject import Subject
from tests.helpers.environment import ROOT, Environment

PAGE = (ROOT / "docs" / "plugins.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [
    shlex.split(line, comments=True) for kind, text in BLOCKS if kind == "console" for line in text.splitlines()
]
FILES = [(kind, *re.match(r"# (\S+)\n(.*)", text, re.DOTALL).groups()) for kind, text in BLOCKS if kind != "console"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("environment"))


def write_distribution(folder):
    """Write the distribution of the page into a folder."""
    for _, path, text in FILES:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the distribution of the page in it."""
    made = tmp_path_factory.mktemp("work")
    write_distribution(made / "tutorial-gans")
    return made


def test_every_block_is_a_file_or_commands():
    assert {kind for kind, _ in BLOCKS} == {"console", "toml", "python", "yaml"}
    assert {path.rpartition(".")[2] for _, path, _ in FILES} == {"toml", "py", "yaml"}
    assert len({path for _, path, _ in FILES}) == len(FILES)
    assert {command[0] for command in COMMANDS} == {"gan-framework", "pip", "pytest"}


def plugins():
    """The plugins of the page by kind: their names, as its pyproject.toml registers them."""
    (text,) = (text for _, path, text in FILES if path == "pyproject.toml")
    tables = re.findall(r'^\[project.entry-points."gan_framework.(\w+)"\]\n((?:\w+ = .*\n)+)', text, re.MULTILINE)
    return {kind: re.findall(r"^(\w+) = ", lines, re.MULTILINE) for kind, lines in tables if kind in KINDS}


def test_every_plugin_has_a_yaml_or_stands_in_an_experiment():
    texts = {path: text for _, path, text in FILES}
    experiments = [text for path, text in texts.items() if "/experiment/" in path]
    assert plugins().keys() == set(KINDS) and len(experiments) == 3
    for kind, names in plugins().items():
        with_yaml = [name for name in names if f"src/tutorial_gans/conf/{KINDS[kind].group}/{name}.yaml" in texts]
        assert with_yaml or kind == "games"
        for name in set(names) - set(with_yaml):
            assert any(re.search(rf"name: {name}\b", text) for text in experiments), name


def test_every_kind_has_its_row_and_its_section():
    for kind in KINDS:
        singular = KINDS[kind].singular
        row = f"| {singular} | `gan_framework.{kind}` | `{KINDS[kind].group}/` |"
        assert row in PAGE and re.search(f"^## An? {singular}$", PAGE, re.MULTILINE), kind


def test_every_claim_of_the_built_in_strategies_is_on_the_page():
    rows = re.findall(r"^\| `([^`]+)` \| ((?:`\w+`(?:, )?)+) \|$", PAGE, re.MULTILINE)
    listed = {owner for _, owners in rows for owner in re.findall(r"\w+", owners)}
    claiming = [path for path in (ROOT / "plugins/gan_zoo/strategies").glob("*.py") if ".claim(" in path.read_text()]
    named = {"annealing": {"lr_decay", "lr_decay_exponential", "momentum_ramp"}}
    assert {owner for path in claiming for owner in named.get(path.stem, {path.stem})} <= listed


def test_the_members_of_a_pair_are_on_the_page():
    members = {name for name in vars(Pair) if not name.startswith("_")}
    inner = {"has_judge", "judged_by_network", "logits", "differentiate"}
    for name in members - inner:
        assert re.search(rf"^\|.*`{name}[`(]", PAGE, re.MULTILINE), name


def test_the_version_of_the_contract_is_on_the_page():
    assert f"\n| {registry.CONTRACT} | gan-framework" in PAGE


def test_the_step_by_hand_is_the_step_that_the_framework_plays():
    """With latents of its own for each update, as in schedule.share_fakes=false."""
    (code,) = (text for _, path, text in FILES if path.endswith("by_hand.py"))
    module = {}
    exec(code, module)
    subject = Subject("losses", "nonsaturating", overrides=("data.image_size=8", "schedule.share_fakes=false"))
    games = subject.game(), subject.game()
    for number in range(2):
        batch = subject.batch(number)
        for game, play in zip(games, (module["step"], lambda game, batch: game.step(lambda: batch)), strict=True):
            torch.manual_seed(number)
            play(game, batch)
    by_hand, played, before = (dict(game.named_parameters()) for game in (*games, subject.game()))
    assert all(torch.equal(weight, played[name]) for name, weight in by_hand.items())
    assert not any(torch.equal(weight, before[name]) for name, weight in by_hand.items())


@pytest.mark.slow
def test_the_commands_do_what_the_page_says(environment, folder):
    printed, checked = {}, []
    for program, *arguments in COMMANDS:
        if program == "pip":
            assert arguments[:2] == ["install", "-e"]
            environment.install(folder / arguments[2])
        elif program == "pytest":
            passed = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, cwd=folder).stdout
        else:
            out = environment.command(*arguments, cwd=folder).stdout
            printed[" ".join(arguments[:2])] = out
            checked += [out] if arguments[:2] == ["plugins", "check"] else []
    assert "my_loss" in printed["plugins losses"]
    assert "broken" not in "".join(checked)
    assert [out.count("ok      ") for out in checked] == [1, 2, sum(map(len, plugins().values()))]
    assert " passed" in passed and "failed" not in passed
    assert (folder / "run" / "progress.txt").read_text().startswith("1  ")
    for run in ("run", "cleaned"):
        assert (folder / run / "sample.png").stat().st_size > 0


def test_the_code_passes_ruff(environment, folder):
    rules = ROOT / "plugins" / "example" / "pyproject.toml"
    source = folder / "tutorial-gans" / "src"
    environment.run("-m", "ruff", "check", "--no-cache", "--config", rules, source)
    environment.run("-m", "ruff", "format", "--check", "--no-cache", "--config", rules, folder / "tutorial-gans")
