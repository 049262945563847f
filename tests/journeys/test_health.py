"""Real runs that go wrong say so by name; a healthy one says nothing."""

import json
import sys

import pytest

from gan_framework.cli.train import train

RUN = [
    "run.py", "metrics=[]", "tracker=[]", "data.image_size=8", "train.batch_size=32", "train.log_every=5",
    "train.sample_every=50", "train.checkpoint_every=0", "train.steps=300", "optimizer.discriminator.lr=1e-3",
]  # fmt: skip


@pytest.fixture
def warnings(tmp_path, monkeypatch):
    def run(*overrides):
        monkeypatch.setattr(sys, "argv", [*RUN, f"hydra.run.dir={tmp_path}", *overrides])
        assert train() == 0
        summary = json.loads((tmp_path / "summary.json").read_text())
        return {text.split(": ")[1] for text in summary["warnings"]}

    return run


def test_a_generator_that_does_not_learn_lets_the_discriminator_saturate(warnings):
    assert "discriminator_saturated" in warnings(
        "model=mlp", "optimizer.generator.lr=0.0", "networks.generator.init_std=1.0", "optimizer.discriminator.lr=5e-3"
    )


def test_a_generator_that_ignores_its_latents_has_collapsed(warnings):
    assert "diversity_collapsed" in warnings(
        "model=mlp", "optimizer.generator.lr=0.0", "networks.generator.init_std=0.001"
    )


def test_a_healthy_run_is_silent(warnings):
    small = ["networks.generator.width=8", "networks.discriminator.width=8", "data.image_size=16"]
    assert warnings("model=dcgan", *small, "optimizer.generator.lr=2e-3", "train.steps=100") == set()
