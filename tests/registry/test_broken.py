"""Broken plugins are contained and explained, whatever is broken."""

import json

import pytest

from gan_framework.config.explain import explain
from gan_framework.errors import ConfigError
from gan_framework.registry import packages, registry
from gan_framework.registry.listing import config_problems, entries
from gan_framework.testing.surroundings import compose
from tests.helpers.environment import ROOT, Environment, distribution

GOOD = '''
from gan_zoo.losses.vanilla import Minimax
class Loss(Minimax):
    """A loss."""
'''


def problem(name, kind="losses"):
    (found,) = [entry for entry in entries((kind,)) if entry.name == name]
    return found.problem


def choosing(name, kind="losses"):
    with pytest.raises(ConfigError) as error:
        registry.build(kind, {"name": name})
    return str(error.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("x = 1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("class Other: pass", "AttributeError: module 'bad' has no attribute 'Loss'"),
        ("def broken(:", "SyntaxError"),
        ("class Loss: pass", "no subclass of gan_framework.api.AdversarialLoss"),
        ("Loss = 3", "no subclass of gan_framework.api.AdversarialLoss"),
        (
            "from gan_framework.api import AdversarialLoss\nclass Loss(AdversarialLoss): pass",
            "does not define discriminator and generator",
        ),
    ],
)
def test_a_plugin_that_cannot_be_used_is_marked_and_explained(install, content, reason):
    install("bad", {"losses": {"bad": "bad:Loss"}}, {"bad.py": content})
    assert reason in choosing("bad") and reason in problem("bad")
    assert "'bad' (losses) of bad 1.0" in choosing("bad")
    assert problem("minimax") is None


def test_the_place_of_an_import_error_is_named(install):
    install("bad", {"losses": {"bad": "bad:Loss"}}, {"bad.py": "\n\nimport no_such_package"})
    assert "bad.py, line 3)" in choosing("bad")


def test_an_entry_point_to_what_there_is_not_is_shown(install):
    install("bad", {"losses": {"bad": "bad:Los"}}, {"bad.py": GOOD})
    assert choosing("bad").endswith("module 'bad' has no attribute 'Los' (its entry point is bad:Los)")


def test_the_place_of_a_syntax_error_is_in_the_plugin(install):
    install("bad", {"losses": {"bad": "bad:Loss"}}, {"bad.py": "\n\ndef broken(:"})
    assert "SyntaxError: invalid syntax (" in choosing("bad") and choosing("bad").endswith("bad.py, line 3)")


ATTRIBUTE = "from torch import nn\nfrom gan_framework.api import {base}\nclass Thing({base}):\n    {body}\n"


@pytest.mark.parametrize(
    ("kind", "base", "body", "reason"),
    [
        ("losses", "AdversarialLoss", "__init__ = lambda self: None", "Thing.__init__ must call super().__init__()"),
        ("terms", "Term", "def __init__(self): self.layer = nn.Linear(1, 1)", "must call super().__init__()"),
        ("metrics", "Metric", "pass", "has no attribute `higher_is_better`, which all metrics have"),
        ("samplers", "Sampler", "pass", "has no attribute `name`, which all samplers have"),
        ("datasets", "DataSource", "pass", "has no attribute `shape`, which all datasets have"),
        ("priors", "Prior", "pass", "has no attribute `dim`, which all priors have"),
    ],
)
def test_what_a_plugin_has_left_out_is_said_when_it_is_built(install, kind, base, body, reason):
    done = "__abstractmethods__ = frozenset()"
    content = ATTRIBUTE.format(base=base, body=body) + f"Thing.{done}\n"
    install("lacks", {kind: {"lacks": "lacks:Thing"}}, {"lacks.py": content})
    assert reason in choosing("lacks", kind) and "of lacks 1.0" in choosing("lacks", kind)


def test_an_error_in_a_plugins_constructor_says_where(install):
    content = GOOD + "    def __init__(self): self.x = undefined"
    install("bug", {"losses": {"bug": "bug:Loss"}}, {"bug.py": content})
    assert "NameError: name 'undefined' is not defined" in choosing("bug") and "bug.py, line " in choosing("bug")


def test_a_name_claimed_twice_is_refused_unless_a_distribution_is_named(install):
    for name in ("one", "Other_Dist"):
        install(name, {"losses": {"mine": f"{name.lower()}:Loss"}}, {f"{name.lower()}.py": GOOD})
    assert "several distributions have losses named 'mine'" in choosing("mine")
    assert "choose one with loss.name=Other_Dist:mine or one:mine" in choosing("mine")
    assert [entry.problem is None for entry in entries(("losses",)) if entry.name == "mine"] == [False, False]
    assert type(registry.build("losses", {"name": "other-dist:mine"})).__module__ == "other_dist"
    assert compose(("loss.name=one:mine",))["loss"] == {"name": "one:mine"}


def test_a_plugin_of_a_newer_contract_is_refused(install):
    install("newer", {"losses": {"newer": "newer:Loss"}}, {"newer.py": GOOD}, contract=registry.CONTRACT + 1)
    message = (
        f"written for version {registry.CONTRACT + 1} of the plugin contract, and this gan-framework knows version "
    )
    assert message in choosing("newer") and message in problem("newer")
    assert "upgrade gan-framework" in choosing("newer")


def test_a_plugin_of_an_older_contract_is_told_what_to_edit(install):
    install("older", {"losses": {"older": "older:Loss"}}, {"older.py": GOOD}, contract=1)
    for message in (choosing("older"), problem("older")):
        assert "written for version 1 of the plugin contract, and this gan-framework knows version 2: " in message
        assert "gan_framework.api" in message and "docs/plugins.md" in message and "state version 2" in message


def test_a_module_that_has_left_is_told_apart_from_one_that_never_was(install):
    content = "from gan_framework.losses import AdversarialLoss"
    install("unsaid", {"losses": {"unsaid": "unsaid:Loss"}}, {"unsaid.py": content}, contract=None)
    assert "No module named 'gan_framework.losses'" in choosing("unsaid")
    assert "plugins import everything from gan_framework.api now" in choosing("unsaid")


def test_a_contract_that_is_no_version_is_refused(install):
    install("odd", {"losses": {"odd": "odd:Loss"}}, {"odd.py": GOOD}, contract="latest")
    assert "odd states the contract version 'latest', which is not an integer" in choosing("odd")


def test_a_distribution_that_states_no_contract_is_used(install):
    install("silent", {"losses": {"silent": "silent:Loss"}}, {"silent.py": GOOD}, contract=None)
    assert registry.contract("silent") is None
    assert registry.build("losses", {"name": "silent"}) is not None


def test_a_configuration_package_that_does_not_exist_is_named_where_it_is_missed(install):
    install("gone", {"losses": {"gone": "gone:Loss"}, "configs": {"gone": "gone.conf"}}, {"gone/__init__.py": GOOD})
    assert config_problems() == {"gone": "its configuration package gone.conf does not exist"}
    with pytest.raises(ConfigError, match="loss=gone: unknown option; .*gone is installed, but its config"):
        compose(("loss=gone",))
    assert compose(("loss=minimax",))["loss"] == {"name": "minimax"}


def test_an_empty_configuration_package_is_named(install):
    install("empty", {"configs": {"empty": "empty.conf"}}, {"empty/conf/__init__.py": ""})
    assert config_problems() == {"empty": "its configuration package empty.conf holds no file like loss/name.yaml"}


def test_a_plugin_without_a_yaml_is_named_where_it_is_missed(install):
    install("bare", {"losses": {"bare": "bare:Loss"}}, {"bare.py": GOOD})
    with pytest.raises(ConfigError, match="bare has a plugin of that name but no file loss/bare.yaml"):
        compose(("loss=bare",))


@pytest.mark.parametrize(
    ("kind", "group", "chosen", "line"),
    [
        ("terms", "term", "[lost]", "# @package terms.lost"),
        ("generators", "generator", "lost", "# @package networks.generator"),
    ],
)
def test_a_yaml_that_does_not_say_where_it_belongs_is_told_its_first_line(install, kind, group, chosen, line):
    files = {"lost/__init__.py": "", f"lost/conf/{group}/lost.yaml": "name: lost"}
    install("lost", {kind: {"lost": "lost:Lost"}, "configs": {"lost": "lost.conf"}}, files)
    with pytest.raises(ConfigError, match=f"{group}=lost: the first line of its YAML must be `{line}`"):
        compose((f"{group}={chosen}",))


def test_a_strategy_whose_yaml_fills_the_place_of_all_is_told_its_first_line():
    said = "this is .lost.; a YAML of strategies begins with `# @package strategy.NAME`"
    with pytest.raises(ConfigError, match=said):
        registry.build("strategies", "lost")


def test_configuration_packages_are_found_without_importing_them(install):
    files = {"rude/__init__.py": "raise RuntimeError('imported')", "rude/conf/loss/rude.yaml": "name: minimax"}
    install("rude", {"configs": {"rude": "rude.conf"}}, files)
    assert compose(("loss=rude",))["loss"] == {"name": "minimax"}
    assert "rude" in packages.options("loss") and "loss" in packages.groups()


def test_the_framework_comes_first_where_two_have_a_file(install):
    install("shadow", {"configs": {"shadow": "shadow.conf"}}, {"shadow/conf/loss/minimax.yaml": "name: hinge"})
    assert compose(("loss=minimax",))["loss"] == {"name": "minimax"}


def test_an_unknown_hydra_error_is_still_one_line():
    assert explain(ValueError("first\n  second")) == "first second"


@pytest.mark.slow
def test_nothing_broken_breaks_a_run_that_does_not_use_it(tmp_path):
    site = tmp_path / "site"
    distribution(site, "raises", {"losses": {"raises": "raises:Loss"}}, {"raises.py": "1 / 0"})
    distribution(
        site, "missing", {"losses": {"missing": "missing.module:Loss"}, "configs": {"missing": "missing.conf"}}
    )
    distribution(site, "wrong", {"losses": {"wrong": "json:dumps", "minimax": "json:dumps"}})
    distribution(site, "newer", {"losses": {"newer": "json:dumps"}}, contract=99)
    distribution(
        site, "rude", {"configs": {"rude": "rude.conf"}}, {"rude/__init__.py": "1 / 0", "rude/conf/a/b.yaml": ""}
    )
    environment = Environment(tmp_path / "environment")
    run = ("debug=smoke", "model=mlp", "metrics=[]", f"hydra.run.dir={tmp_path}/run")
    environment.run(ROOT / "run.py", *run, PYTHONPATH=str(site))
    assert json.loads((tmp_path / "run/summary.json").read_text())["status"] == "finished"
    listed = environment.command("plugins", "losses", PYTHONPATH=str(site))
    assert listed.stdout.count("broken: ") == 6
    assert "missing: its configuration package missing.conf does not exist" in listed.stderr
    refused = environment.run(ROOT / "run.py", *run, "loss.name=raises", check=2, PYTHONPATH=str(site))
    assert "ZeroDivisionError" in refused.stderr.splitlines()[-1] and "Traceback" not in refused.stderr


MALFORMED = [b"[some.group]\nno equals sign here\n", b"[gan_framework.losses]\nx = \xff\xfe:y\n"]


def malformed(site, name, content):
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_bytes(content)


@pytest.mark.parametrize("content", [pytest.param(one, marks=pytest.mark.slow) for one in MALFORMED])
def test_a_distribution_with_malformed_entry_points_is_left_out_and_named_once(tmp_path, content):
    """The other plugins are there, also those of torch and Hydra, which look for entry points too."""
    site = tmp_path / "site"
    malformed(site, "evil_pkg", content)
    distribution(site, "good", {"losses": {"good": "good:Loss"}}, {"good.py": GOOD})
    environment = Environment(tmp_path / "environment")

    def warnings(done):
        return [line for line in done.stderr.splitlines() if line.startswith("warning: ")]

    listed = environment.command("plugins", "losses", PYTHONPATH=str(site))
    assert " good " in listed.stdout and " minimax " in listed.stdout
    (warning,) = warnings(listed)
    assert warning.startswith(f"warning: evil_pkg ({site}/evil_pkg-1.0.dist-info) is left out")
    run = ("debug=smoke", "model=mlp", "metrics=[]", "tracker=[]", "loss.name=good")
    done = environment.run(ROOT / "run.py", *run, f"hydra.run.dir={tmp_path}/run", PYTHONPATH=str(site))
    assert len(warnings(done)) == 1
    assert json.loads((tmp_path / "run/summary.json").read_text())["status"] == "finished"
    drawn = environment.command("sample", tmp_path / "run", PYTHONPATH=str(site))  # imports torch first
    assert len(warnings(drawn)) == 1


def test_a_distribution_without_metadata_does_not_hide_the_others(install, tmp_path):
    install("good", {"losses": {"good": "good:Loss"}}, {"good.py": GOOD})
    info = tmp_path / "site" / "bare-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[gan_framework.losses]\nnameless = good:Loss\n")
    install("other", {})
    assert problem("good") is None
    (found,) = [entry for entry in entries(("losses",)) if entry.name == "nameless"]
    assert (found.distribution, found.version) == ("unknown", "?")
