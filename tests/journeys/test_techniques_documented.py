"""docs/techniques: a page for every loss, term, strategy and schedule, whose settings and commands are true."""

import re
import shlex
from importlib.metadata import distribution

import pytest
import torch

from gan_framework.build import assemble
from gan_framework.data import Sources
from gan_framework.errors import ConfigError
from tests.helpers.environment import ROOT

FOLDER = ROOT / "docs" / "techniques"
PAGES = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.md"))}
INDEX = PAGES.pop("index")
SECTIONS = [
    *("Equation", "Where it is from", "How to type it", "Settings", "Measured effect", "Stacks with"),
    *("When", "When not"),
]
KINDS = {"losses": "loss", "terms": "term", "strategies": "strategy", "schedules": "schedule", "samplers": "sampler"}
"""The folder of each kind's configurations."""
LINES = {
    kind: dict(re.findall(r"^\| \[`(\w+)`\]\((\w+)\.md\) \| \S", table, re.MULTILINE))
    for kind, table in ((part.partition("\n")[0].lower(), part) for part in INDEX.split("\n## ")[1:])
}
"""By kind and name, the page that the index leads to."""
TYPED = [line for page in PAGES.values() for line in re.findall(r"^python run\.py (?!-m )(.+)$", page, re.MULTILINE)]
REFUSED = [
    found
    for page in [INDEX, *PAGES.values()]
    for found in re.findall(r"^\$ python run\.py (.+)\nerror: (.+)$", page, re.MULTILINE)
]


def options(kind):
    """The configurations of a kind that are one plugin's."""
    for path in sorted((ROOT / "conf" / KINDS[kind]).glob("*.yaml")):
        if "@package _global_" not in path.read_text() and path.stem != "wasserstein_plain":  # the plugin wasserstein
            yield path.stem


@pytest.mark.parametrize("kind", KINDS)
def test_every_technique_has_its_line_and_its_page(kind):
    plugins = [point.name for point in distribution("gan-framework").entry_points.select(group=f"gan_framework.{kind}")]
    configurations = [path.stem for path in (ROOT / "conf" / KINDS[kind]).glob("*.yaml")]
    missing = {*plugins, *configurations} - LINES[kind].keys() - {"wasserstein_plain"}
    assert not missing, f"docs/techniques/index.md has no line for the {kind} {', '.join(sorted(missing))}"
    for name, page in LINES[kind].items():
        assert name in re.match(r"# (.+)\n", PAGES[page])[1].split(", "), f"{page}.md does not name {name} in its title"


def test_every_page_has_a_line_that_leads_to_it():
    assert PAGES.keys() == {page for lines in LINES.values() for page in lines.values()}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_everything_in_its_place(page):
    assert re.findall(r"^## (.+)$", PAGES[page], re.MULTILINE) == SECTIONS


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in options(kind)])
def test_a_page_has_the_settings_of_the_configuration(kind, name):
    """Each setting with its default, as the YAML has both."""
    text = (ROOT / "conf" / KINDS[kind] / f"{name}.yaml").read_text()
    prefix = {"terms": f"terms.{name}", "strategies": f"strategy.{name}"}.get(kind, KINDS[kind])
    rows = re.findall(rf"^\| `{prefix}\.(\w+)` \| .+ \| `(.+)` \|$", PAGES[LINES[kind][name]], re.MULTILINE)
    of_yaml = re.findall(r"^(\w+):(?: +([^#\n]+?))?\s*(?:#.*)?$", text, re.MULTILINE)
    for setting, default in of_yaml:
        if setting not in ("name", "defaults"):
            assert any(setting == row and default in ("", value) for row, value in rows), f"{setting} = {default}"
    if kind in ("terms", "strategies"):  # the others' settings have no name of their option in them
        assert {row for row, _ in rows} <= {setting for setting, _ in of_yaml}


def test_what_was_measured_is_what_the_record_says(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import techniques
    from evidence.record import RecordFile

    record = RecordFile(techniques.RECORD, techniques.SCORES).read()
    assert techniques.PAGE.read_text() == techniques.page(record)
    for text in PAGES.values():
        assert text == techniques.measured(text, record)
    named = "; ".join(re.findall(r"<!-- measured: (.+) -->", "".join(PAGES.values()))).split("; ")
    controls = {name for name, row in techniques.ROWS.items() if row.control is None}
    listed = {name for lines in LINES.values() for name in lines}
    rows = {row for row in techniques.ROWS.keys() - controls if row.split(",")[0] in listed}
    assert set(named) == rows


def test_the_claims_on_pages_are_what_the_record_says(monkeypatch):
    """Each claim about a technique stands on a page, with what became of it."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import objectives
    from evidence.objective_claims import FAMILIES
    from evidence.objective_page import claimed
    from evidence.record import RecordFile

    record = RecordFile(objectives.RECORD, objectives.SCORES).read()
    for text in PAGES.values():
        assert text == claimed(text, record)
    named = {
        run
        for page in PAGES.values()
        for runs in re.findall(r"<!-- claims: (.+) -->", page)
        for run in runs.split("; ")
    }
    runs = {claim.run for claims in FAMILIES.values() for claim in claims}
    of_no_page = {"dirac", "ring, optimistic_adam", "digits, projections", "intervals, best"}
    of_no_page |= {"digits, least_squares, mixture_likelihood"}
    missing = runs - of_no_page - named
    assert not missing, f"a page of docs/techniques says `<!-- claims: RUN; RUN -->`: {'; '.join(sorted(missing))}"
    assert named <= runs


@pytest.mark.slow
@pytest.mark.parametrize("overrides", TYPED)
def test_what_a_page_types_can_be_run(compose, overrides):
    build(compose(*shlex.split(overrides)))


@pytest.mark.parametrize(("overrides", "reason"), REFUSED)
def test_what_a_page_says_is_refused_is_refused_for_that_reason(compose, overrides, reason):
    with pytest.raises(ConfigError) as refused:
        build(compose(*shlex.split(overrides)))
    assert reason in str(refused.value)


def build(config):
    return assemble(config, Sources(config["data"], config["sources"]), torch.device("cpu"), scored=True)
