"""Batch norm's running statistics in games that make samples of latents and of codes: those of what is drawn."""

import pytest
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from gan_zoo.running_statistics import running_statistics_kept
from tests.zoo.encoders.common import images, small

WIDTHS = ("networks.generator.width=2", "networks.discriminator.width=2")
VAE_GAN = (
    *("networks.generator.first=4", "networks.generator.widths=[4,4,4]", "networks.encoder.widths=[4,4,4]"),
    *("networks.encoder.hidden=8", "networks.discriminator.first=4", "networks.discriminator.widths=[4,4,4]"),
    *("networks.discriminator.hidden=8", "prior.dim=3"),
)
GAMES = {
    "reg_gan": ("main", WIDTHS),
    "mdgan": ("diffusion", WIDTHS),
    "alpha_gan": ("main", WIDTHS),
    "dist_gan": ("main", WIDTHS),
    "vae_gan": ("main", VAE_GAN),
    "cvae_gan": ("main", (*WIDTHS, "networks.encoder.widths=[4,4,4]", "networks.encoder.hidden=8")),
    "bgan": ("main", ("networks.generator.widths=[4,4,4]", "networks.encoder.widths=[4,4,4]")),
}


def statistics(network):
    return [buffer.clone() for name, buffer in network.named_buffers() if name.endswith(("_mean", "_var"))]


@pytest.mark.slow
@pytest.mark.parametrize("experiment", GAMES)
def test_they_follow_samples_of_latents_and_not_those_of_codes(compose, experiment):
    drawn, overrides = GAMES[experiment]
    game = small(compose, experiment, *overrides, size=16)
    game.train()
    other = small(compose, experiment, *overrides, size=16)
    other.load_state_dict(game.state_dict())
    other.train()
    before = statistics(game.generator)
    meeting = game.meet(images(size=16))
    other.generate(meeting[drawn].latent)
    followed = statistics(other.generator)
    assert before and not all(map(torch.equal, before, followed))
    assert all(map(torch.equal, statistics(game.generator), followed))
    momenta = [layer.momentum for layer in game.generator.modules() if isinstance(layer, _BatchNorm)]
    assert momenta == [layer.momentum for layer in other.generator.modules() if isinstance(layer, _BatchNorm)]


@pytest.mark.parametrize("experiment", ["aae", "wae_gan"])
def test_they_follow_codes_where_nothing_else_is_made(compose, experiment):
    widths = (
        "prior.dim=3",
        "networks.generator.width=2",
        "networks.encoder.width=2",
        "networks.discriminator.hidden=[8]",
    )
    game = small(compose, experiment, *(widths if experiment == "wae_gan" else ()), size=16)
    game.train()
    before = statistics(game.generator)
    game.meet(images(size=16))
    assert all(not torch.equal(*pair) for pair in zip(before, statistics(game.generator), strict=True))


def test_a_batch_is_normalised_by_its_own_statistics_all_the_same():
    layer = torch.nn.BatchNorm1d(3)
    x = torch.randn(16, 3) * 5 + 2
    with running_statistics_kept(layer):
        y = layer(x)
    torch.testing.assert_close(y, (x - x.mean(0)) / (x.var(0, unbiased=False) + layer.eps).sqrt())
    assert torch.equal(layer.running_mean, torch.zeros(3)) and torch.equal(layer.running_var, torch.ones(3))
    layer(x)
    torch.testing.assert_close(layer.running_mean, 0.1 * x.mean(0))
