"""Every plugin of a third-party distribution of systems of the literature keeps its contract, where it belongs."""

import pytest

from gan_framework.registry.kinds import KINDS
from gan_framework.testing import check_plugin
from gan_framework.testing.subject import Subject
from gan_framework.testing.suites import exemptions
from tests.probe.installed import installed, project

PREFIX = "gan_framework."
PLUGINS = [
    (group.removeprefix(PREFIX), name)
    for group, entries in project()["entry-points"].items()
    if group.removeprefix(PREFIX) in KINDS
    for name in entries
]


@pytest.fixture(scope="module", autouse=True)
def probe():
    with installed():
        yield


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_a_plugin_of_a_system_keeps_its_contract(kind, name):
    check_plugin(kind, f"gan-probe:{name}")


@pytest.mark.parametrize(
    ("kind", "name", "experiment"),
    [
        ("games", "probe_bigan", "probe_bigan"),
        ("networks", "bigan_encoder", "probe_bigan"),
        ("discriminators", "patches", "probe_pix2pix"),
        ("terms", "cycle_consistency", "probe_cyclegan"),
        ("generators", "tokens", "tokens"),
    ],
)
def test_it_is_tried_in_the_experiment_that_it_belongs_to(kind, name, experiment):
    assert Subject(kind, f"gan-probe:{name}").surroundings.experiment == experiment


def test_a_translator_is_given_its_source_and_a_critic_in_patches_too():
    z, labels, given = Subject("generators", "gan-probe:translator").call().given
    assert z.shape == (8, 0) and labels is None and given["source"].shape == (8, 1, 8, 12)
    x, _, source = Subject("discriminators", "gan-probe:patches").call().given
    assert x.shape == source.shape == (8, 1, 8, 12) and (x + source).abs().max() < 1e-6  # its source is its negative


def test_the_loss_of_energies_says_that_it_pulls_the_other_way():
    assert exemptions("losses", "gan-probe:began").keys() == {"pulls_the_right_way"}
