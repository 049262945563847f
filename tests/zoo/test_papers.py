"""The table of papers in docs/papers.md names experiments that there are, and where they were measured."""

import re
from pathlib import Path

from docs import measured
from gan_framework.registry.packages import options
from tests.helpers.environment import ROOT

ROWS = [
    [cell.strip() for cell in line.strip("|").split(" |")]
    for line in (ROOT / "docs" / "papers.md").read_text().splitlines()
    if re.match(r"\| [^|]+\| \[", line)
]


def test_there_are_as_many_rows_as_the_page_says():
    assert len(ROWS) == 191


def test_every_experiment_of_a_row_is_there():
    named = {name for _, _, experiments, *_ in ROWS for name in re.findall(r"`(\w+)`", experiments)}
    assert len(named) > 180
    assert named <= {*options("experiment")}


def test_what_begins_with_a_papers_name_cites_that_paper():
    checked = 0
    for paper, title, experiments, *_ in ROWS:
        link = re.search(r"arxiv\.org/abs/([\d.]+)", title)
        for name in re.findall(r"`(\w+)`", experiments) if link else ():
            files = [ROOT / f"conf/experiment/{name}.yaml", ROOT / f"plugins/gan_zoo/systems/{name}.py"]
            for path in filter(Path.exists, files):
                line = path.read_text().removeprefix("# @package _global_\n").split("\n")[0]
                if re.match(rf'(?:# |""")(?i:{re.escape(paper)})[ :(,].*arXiv', line):
                    assert link[1] in line, f"{path.name} cites another paper than {paper}'s"
                    checked += 1
    assert checked > 200


def test_a_row_without_an_experiment_says_why():
    without = {paper: differs for paper, _, experiments, differs, _ in ROWS if not experiments}
    assert without.keys() == {"LeGAN", "SAD-GAN", "ST-GAN"} and all(without.values())


def test_where_a_paper_was_measured_is_what_the_records_say():
    assert measured.PAPERS.read_text() == measured.page(measured.PAPERS.read_text()), "run `python docs/measured.py`"
    last = {paper: cells[-1].strip() for paper, *cells in ROWS}
    assert "[on CIFAR-10](results/colour.md)" in last["WGAN-GP"] and last["LeGAN"] == "–"
    assert last["BS-GAN"].startswith("[claim: 1 ") and "[in small](results/conditional.md)" in last["GAN-CLS"]
    assert "[one run](gallery.md#acgan)" in last["AC-GAN"]
    assert measured.page("| A | B | `of_nobody` | | |\n") == "| A | B | `of_nobody` | | not measured |\n"
    row = "| A | B | `irgan` | of us | [old](results.md) |"
    known = "[in small](results/beyond_images.md), [one run](gallery.md#irgan), [first steps](results/experiments.md)"
    assert measured.page(f"{row}\n") == f"| A | B | `irgan` | of us | {known} |\n"


def test_a_claim_is_found_by_its_paper_and_by_what_it_is_about():
    objectives = measured.RecordFile(measured.DOCS / "results" / "objectives.csv", measured.SCORES).read()
    link, *_ = measured.measured("softmax_gan", objectives, {})
    assert link.startswith("[claims: ") and link.endswith("](results/objectives.md#scores-alone)")
    assert measured.measured("of_nobody", objectives, {}) == []
