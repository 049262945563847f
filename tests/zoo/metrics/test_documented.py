"""Every metric stands in docs/evaluation.md, with each of its scores and with what it needs."""

import re
from pathlib import Path

import pytest

from gan_framework.registry import registry

TEXT = (Path(__file__).parents[3] / "docs" / "evaluation.md").read_text()
METRICS = {
    plugin.name: plugin.load() for plugin in registry.installed("metrics") if plugin.distribution == "gan-framework"
}
TABLE = TEXT.partition("### What each needs")[2].partition("\n\n**")[0]
ROWS = {cells[0]: cells[1:] for cells in re.findall(r"^\| `(\w+)` \|(.*)\|(.*)\|(.*)\|(.*)\|$", TABLE, re.MULTILINE)}
PUBLISHED = TEXT.partition("| published | as in the papers only with |")[2].partition("\n\n")[0]


def test_the_table_has_every_metric_and_no_other():
    assert ROWS.keys() == METRICS.keys()


@pytest.mark.parametrize("name", METRICS)
def test_what_a_metric_needs_and_what_its_scores_say_is_written(name):
    metric = METRICS[name]
    samples, _, needs, _ = (cell.strip() for cell in ROWS[name])
    words = [
        ("no samples", not metric.needs_samples),
        ("pairs", metric.needs_pairs),
        ("a model", metric.needs_game and not metric.needs_pairs),
        ("classes", metric.needs_labels),
        ("logits", metric.needs_logits),
        (" and ".join(metric.needs_splits) + " split" + "s" * (len(metric.needs_splits) > 1), metric.needs_splits),
    ]
    assert needs == ", ".join(word for word, needed in words if needed)
    assert samples != "any" or not metric.needs_images
    listed = set(re.findall(r"`(\w+(?:<code>)?)`", TEXT.partition("| score | what it is |")[2]))
    assert {*metric.legend, *metric.higher_is_better} <= listed


def test_what_compares_with_published_numbers_is_said_under_which_conditions():
    named = {
        "fid": "FID",
        "kid": "KID",
        "inception_score": "IS",
        "prc": "precision",
        "clipped": "clipped",
        "ppl": "PPL",
    }
    named |= {
        "cmmd": "CMMD",
        "fid_infinity": "FID∞",
        "lpips": "LPIPS",
        "dists": "DISTS",
        "psnr": "PSNR",
        "ssim": "SSIM",
    }
    found = {name for name, cells in ROWS.items() if cells[3].strip() == "yes"}
    assert found == named.keys()
    assert all(word in PUBLISHED for word in named.values())
