"""The table of papers in docs/papers.md names experiments that there are."""

import re

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


def test_a_row_without_an_experiment_says_why():
    without = {paper: differs for paper, _, experiments, differs in ROWS if not experiments}
    assert without.keys() == {"LeGAN", "SAD-GAN", "ST-GAN"} and all(without.values())
