"""Runs of a few steps, shared by the tests of the library."""

import pytest

from gan_framework.config.compose import compose
from gan_framework.runs.launch import launch
from tests.helpers.hub import serving

SMALL = [
    *("data.image_size=16", "networks.generator.width=8", "networks.discriminator.width=8", "evaluate.samples=0"),
    *("tracker=[]", "train.batch_size=8", "train.steps=3", "train.sample_every=3"),
]


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Train a small run of some overrides, once, and return its folder."""
    made = {}

    def run(*overrides):
        if overrides not in made:
            made[overrides] = tmp_path_factory.mktemp("runs") / "run"
            launch(compose([*SMALL, *overrides]), made[overrides], [*overrides])
        return made[overrides]

    return run


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A server like the Hub, which is asked in its place, with a cache of its own."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_TOKEN", "hf_" + "a" * 34)
    with serving() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.endpoint)
        yield found
