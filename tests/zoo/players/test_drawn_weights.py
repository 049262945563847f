"""Generators whose weights are drawn: the GAN of implicit models, and BCGAN."""

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_zoo.systems.bcgan import ClassGenerator
from gan_zoo.systems.implicit_models_gan import VariationalGenerator
from tests.zoo.players.playing import DIGITS, built, play

OF = {
    "name": "mlp", "image_size": None, "channels": 2, "hidden": [4], "activation": "relu", "output": "linear",
    "init": "he", "init_std": 0.1, "init_bias": 0.0,
}  # fmt: skip


def generator(deviation=0.3, draws=3):
    torch.manual_seed(0)
    return VariationalGenerator(2, OF, deviation, draws)


def test_without_deviation_it_is_the_network_inside():
    net, z = generator(), torch.randn(7, 2)
    with torch.no_grad():
        for log_s in net.log_deviations:
            log_s.fill_(-torch.inf)
    torch.testing.assert_close(net(z), net.of(z))
    torch.testing.assert_close(net.eval()(z), net.of(z))


def test_samples_of_a_batch_take_turns_with_the_drawn_networks():
    net, z = generator(draws=2), torch.randn(1, 2).expand(6, 2)
    made = net(z)
    assert len(made.unique(dim=0)) == 2
    torch.testing.assert_close(made[0::2], made[:1].expand(3, 2))
    assert not torch.equal(made, net(z))


def test_in_evaluation_a_sample_is_that_of_its_z():
    net = generator(draws=5).eval()
    z = torch.randn(40, 2)
    together = net(z)
    assert torch.equal(together, net(z))
    torch.testing.assert_close(together[7:8], net(z[7:8]))
    apart = torch.stack([torch.linspace(0, 1, 200), torch.zeros(200)], 1)
    assert not torch.allclose(net(apart), net.of(apart))


def test_weights_are_normal_with_the_deviation_and_its_gradient():
    """Of a linear generator: the mean over draws of d x / d s is that of ε, and x has the variance Σ s² z²."""
    of = {**OF, "hidden": []}
    torch.manual_seed(0)
    net = VariationalGenerator(2, of, 0.5, 400)
    z = torch.tensor([[1.0, 2.0]]).expand(4000, 2)
    made = net(z).detach()
    assert made.var(0).mean().item() == pytest.approx(0.25 * (1 + 4 + 1), rel=0.2)
    torch.testing.assert_close(made.mean(0), net.of(z[:1])[0].detach(), atol=0.25, rtol=0)


def test_the_divergence_is_that_of_normals():
    net = generator(0.3)
    m = torch.cat([p.flatten() for p in net.of.parameters()])
    one = torch.distributions.Normal(m, torch.full_like(m, 0.3))
    expected = torch.distributions.kl_divergence(one, torch.distributions.Normal(0.0, 1.0)).sum()
    torch.testing.assert_close(net.divergence(), expected)
    with torch.no_grad():
        for p, log_s in zip(net.of.parameters(), net.log_deviations, strict=True):
            p.zero_(), log_s.zero_()
    assert net.divergence().item() == 0


def test_what_keeps_more_than_weights_is_refused():
    with pytest.raises(ValueError, match="batch norm"):
        VariationalGenerator(5, {"name": "dcgan", "image_size": 8, "channels": 1, "width": 2}, 0.1, 2)
    with pytest.raises(ValueError, match="deviation=0.0: it must be positive"):
        generator(0.0)


SMALL = ["data.image_size=8", "networks.generator.of.hidden=[8]", "networks.discriminator.hidden=[8]"]


def test_the_generator_pays_its_share_of_the_divergence(compose):
    game = built(compose, DIGITS, "experiment=implicit_models_gan", "game.divergence=1", *SMALL)
    expected = game.generator.divergence().item() / 100
    assert play(game, range(1))[0]["generator/weights"].item() == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ConfigError, match="MLPGenerator has weights: set generator=variational"):
        built(compose, DIGITS, "model=mlp", "data.image_size=8", "game=implicit_models_gan")


def test_a_network_that_is_not_drawn_makes_one_image_of_a_class(compose):
    net = ClassGenerator(1, 10, 8, 1, [8])
    labels = torch.tensor([3, 3, 4])
    made = net(torch.randn(3, 1), labels)
    assert torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])
    game = built(compose, DIGITS, "experiment=bcgan", *SMALL)
    latent = game.latent(30, torch.full((30,), 3))
    assert len(game.sample(latent).flatten(1).unique(dim=0)) > 3
