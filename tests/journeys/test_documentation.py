"""Every block of docs/plugins.md is run: together they are one distribution, and the commands that use it.

Of the other pages every command is composed, and what is made of the configuration is complete.
"""

import base64
import dataclasses
import json
import re
import shlex

import pytest
import torch
import typer
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from docs.sitepages import api, configuration, experiments, gallery, links, navigation, notebooks
from gan_framework import api as exported
from gan_framework.cli.commands import app
from gan_framework.config import schema
from gan_framework.config.compose import compose, plain, readable
from gan_framework.core.pair import Pair
from gan_framework.registry import registry
from gan_framework.registry.aliases import meant
from gan_framework.registry.kinds import KINDS
from gan_framework.registry.packages import groups, options
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
    named = {
        "annealing": {"lr_decay", "lr_decay_exponential", "momentum_ramp"},
        "augmentation": {"diff_augment", "ada"},
    }
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


DOCS = ROOT / "docs"
OPTIONS = sorted(path.relative_to(ROOT / "conf") for path in (ROOT / "conf").glob("[!h]*/*.yaml"))
PAGES = sorted({*DOCS.rglob("*.md"), ROOT / "README.md"} - {DOCS / "plugins.md"})
PLACEHOLDER = re.compile(r"(?<![\w.])[A-Z]{2,}(?![\w.])|\.\.\.|…")


def commands(page):
    """The commands of a page that can be typed as they stand, each as its words; not those that end with an error."""
    text = re.sub(r"\\\n\s*", " ", page.read_text())
    fences = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    outside = fences.sub("", text)
    typed = re.findall(r"^\n((?:    .*\n)+)", outside, re.MULTILINE) + re.findall(r"`([^`\n]+)`", outside)
    for kind, block in fences.findall(text):
        if kind == "console" and block.startswith("$ "):
            shown = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
            typed += [one.partition("\n")[0] for one in shown if not re.search(r"^error: ", one, re.MULTILINE)]
        elif kind in ("bash", "console", ""):
            typed.append(block)
    for block in typed:
        for line in block.splitlines():
            for command in line.split("&& "):
                found = re.match(r"((?:python|torchrun .*) run\.py|gan-framework) .*", command.strip())
                if found and not PLACEHOLDER.search(found[0].partition(" #")[0]):
                    yield shlex.split(found[0], comments=True)


def last_of(override):
    """An override of a sweep as its last run has it: the longest list, mostly."""
    key, _, value = override.partition("=")
    parsed = OverridesParser.create().parse_override(readable(override))
    if parsed.is_choice_sweep():
        *_, value = parsed.sweep_string_iterator()
    elif parsed.is_interval_sweep():
        value = parsed.value().end
    return f"{key}={value}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_composes(page):
    program = typer.main.get_command(app)
    of_plugin = set(re.findall(r"gan-framework new-plugin ([\w-]+)", page.read_text()))
    for words in commands(page):
        if any(name.replace("-", "_") in word for name in of_plugin for word in words):
            continue
        if words[0] == "gan-framework" and words[1] not in ("train", "resume"):
            if len(words) > 2:  # and not a mention of its name
                program.commands[words[1]].make_context(words[1], words[2:])
            else:
                assert words[1] in program.commands or words[1].startswith("--")
            continue
        given = [word for word in words if "=" in word and not word.startswith(("hydra", "-")) and "_saved" not in word]
        plain(compose([*map(last_of, given)] if "-m" in words else given))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_option_that_is_named_exists(page):
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    if page.name == "coming-from.md":  # whose tables have the names of others in their first column
        prose = re.sub(r"^\|[^|]*\|", "|", prose, flags=re.MULTILINE)
    for group, chosen in re.findall(rf"`[^`\n]*?\b({'|'.join(groups())})=(\[[\w,]+\]|\w+)(?=['` ])", prose):
        for option in chosen.strip("[]").split(","):
            known = meant(group, option, options(group)) is not None
            assert known or option in ("null", "NAME", "_saved", "none"), f"{group}={option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_page_shows_a_fault_of_the_program(page):
    """What is shown may end with `error:` and what would be right, but not with an exception that nobody expected."""
    fault = r"^(Traceback \(most|(error: )?\w+(Error|Exception|Warning): )"
    assert not re.search(fault, page.read_text(), re.MULTILINE)


def test_commands_are_found():
    found = [words for page in PAGES for words in commands(page)]
    assert len(found) > 60
    assert ["gan-framework", "sample", "outputs/first", "--n", "64"] in found
    assert ["python", "run.py", "experiment=wgan_gp"] in found


def test_every_experiment_has_its_row_and_its_place_in_the_gallery():
    names = [path.stem for path in OPTIONS if path.parent.name == "experiment"]
    table, pictures = experiments.table(), gallery.pictures()
    assert len(names) >= 30
    for name in names:
        assert table.count(f"`python run.py experiment={name}`") == 1
        assert (f"\n## {name}\n" in pictures) != (f"\n| {name} | " in pictures)
    sourced = [
        name for name in names if "arXiv" in (ROOT / f"conf/experiment/{name}.yaml").read_text().split("\n\n")[0]
    ]
    assert table.count("https://arxiv.org/abs/") >= len(sourced) > 10


@pytest.mark.slow
def test_the_gallery_says_how_each_picture_was_made():
    pictures = {path.stem for path in (DOCS / "gallery").glob("*.png")}
    records = gallery.records()
    assert pictures == records.keys() and pictures
    for name, record in records.items():
        assert (DOCS / "gallery" / f"{name}.png").stat().st_size < 60_000
        words = shlex.split(record["command"])
        assert words[:2] == ["python", "run.py"] and f"experiment={name}" in words
        assert plain(compose(words[2:]))["train"]["steps"] == record.get("of", record["steps"])


def test_every_option_is_in_the_configuration_with_its_settings():
    pages = configuration.pages()
    for path in OPTIONS:
        page = pages[f"configuration/{path.parent}.md"]
        assert f"\n## {path.stem}\n" in page, path
    assert re.search(
        r"\| `strategy.ema.decay` \| the share .* \| `0.999` \| float \|", pages["configuration/strategy.md"]
    )
    assert "| `optimizer.generator.lr` | the learning rate | `0.0002` |" in pages["configuration/optimizer.md"]
    assert "arxiv.org/abs/1806.04498" in pages["configuration/strategy.md"]


def test_every_setting_of_a_run_is_in_the_configuration():
    text = configuration.sections()
    for name, section in schema.SECTIONS.items():
        for one in dataclasses.fields(section):
            row = re.search(rf"^\| `{name}\.{one.name}` \| .+ \| `.+` \| .+ \|$", text, re.MULTILINE)
            assert row, f"{name}.{one.name}"


def test_the_reference_has_everything_that_the_api_exports():
    text = api.reference()
    assert sorted(re.findall(r"^::: .*\.(\w+)$", text, re.MULTILINE)) == exported.__all__


def test_every_page_is_in_the_navigation():
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: None)
    nav = yaml.load((ROOT / "mkdocs.yml").read_text(), Loader)["nav"]

    made = [uri for uri in (*configuration.pages(), *notebooks.pages(), *links.FROM_ROOT) if uri.endswith(".md")]
    listed = [*navigation.named(navigation.expanded(nav, DOCS, made))]
    assert len(listed) == len(set(listed))
    assert {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} | set(made) == set(listed)


def test_the_navigation_takes_up_folders_and_new_pages(tmp_path):
    for name in ("a.md", "b.md", "new.md", "inner/z.md", "inner/index.md", "inner/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    nav = [{"One": ["a.md", {"Inner": "inner/"}, {"None": "empty/"}]}, {"Two": ["b.md", "*", "made.md"]}]
    inner = {"Inner": ["inner/index.md", "inner/z.md"]}
    assert navigation.expanded(nav, tmp_path, ["made.md"]) == [
        {"One": ["a.md", inner]},
        {"Two": ["b.md", "new.md", "made.md"]},
    ]


def test_a_notebook_becomes_a_page(tmp_path, monkeypatch):
    drawn = {"data": {"image/png": base64.b64encode(b"PNG").decode(), "text/plain": ["<Figure>"]}}
    code = {"cell_type": "code", "source": ["1 + ", "1"], "outputs": [{"text": ["\x1b[1mtwo\x1b[0m\n"]}, drawn]}
    cells = [{"cell_type": "markdown", "source": ["# A title\n", "said"]}, code]
    (tmp_path / "one.ipynb").write_text(json.dumps({"cells": cells}))
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    pages = notebooks.pages()
    text = pages["notebooks/one.md"]
    assert text.startswith("# A title\nsaid\n\n```python\n1 + 1\n```\n\n```text\ntwo\n```\n\n![one](one_0.png)")
    assert pages["notebooks/one_0.png"] == b"PNG" and "<Figure>" not in text


def test_links_out_of_the_pages_lead_somewhere_on_the_site_too():
    assert (
        links.kept_inside("[s](../SECURITY.md#a) [d](sweeps.md)", "tracking.md") == "[s](security.md#a) [d](sweeps.md)"
    )
    assert links.kept_inside("[s](../../SECURITY.md)", "results/gpu.md") == "[s](../security.md)"
    assert links.kept_inside("[the files](../conf/experiment)", "experiments.md") == "the files (`conf/experiment`)"
    assert links.from_root("[d](docs/data.md#x) [l](LICENSE)") == "[d](data.md#x) [l](../LICENSE)"


def test_links_of_the_repository_lead_to_files():
    for page in [*PAGES, DOCS / "plugins.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]:
        prose = re.sub(r"^```.*?^```|`[^`]*`", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)#\s]+)", prose):
            assert ":" in target or (page.parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("model", ["dcgan", "dcgan_conditional"])
def test_what_the_page_on_python_shows_works(program, tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    small = ("data.image_size=16", "networks.generator.width=8", "networks.discriminator.width=8", "metrics=[]")
    program("debug=smoke", f"model={model}", *small, "hydra.run.dir=outputs/first", cwd=tmp_path, check=0)
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```", (DOCS / "python.md").read_text(), re.DOTALL | re.MULTILINE):
        if model == "dcgan" or names or "load_game" not in block:
            exec(block, names)
        else:
            exec(block.partition("images =")[0], names)  # which classes, the next block says
    assert names["images"].shape == (80, 1, 16, 16) and names["logits"].shape == (80,)
