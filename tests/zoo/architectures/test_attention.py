"""Self-attention in residual networks, as SAGAN has it."""

import math

import pytest
import torch

from gan_framework.registry import registry
from gan_zoo.attention import SelfAttention
from gan_zoo.discriminators.resnet_projection import ResNetProjectionDiscriminator
from gan_zoo.generators.resnet_projection import ResNetProjectionGenerator
from tests.helpers.runs import make_run
from tests.zoo.architectures.helpers import count, meta

SMALL = ["networks.generator.width=4", "networks.discriminator.width=4", "debug=smoke"]


@pytest.mark.parametrize(("features", "parameters"), [(64, 5_121), (256, 81_921)])
def test_the_layer_has_as_many_parameters(features, parameters):
    assert count(meta(SelfAttention, features)) == parameters


def test_each_place_gets_the_values_weighted_by_a_softmax_over_pooled_keys():
    torch.manual_seed(0)
    layer = SelfAttention(8).double()
    torch.nn.init.constant_(layer.gamma, 0.7)
    x = torch.randn(2, 8, 4, 6, dtype=torch.float64)
    theta, phi, g = (
        torch.einsum("oi,nihw->nohw", one.weight[:, :, 0, 0], x) for one in (layer.theta, layer.phi, layer.g)
    )
    pooled = [m.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5)) for m in (phi, g)]
    for n, row, column in ((0, 1, 5), (1, 3, 0)):
        scores = [(theta[n, :, row, column] * pooled[0][n, :, i, j]).sum().item() for i in range(2) for j in range(3)]
        total = sum(math.exp(score) for score in scores)
        seen = sum(
            math.exp(score) / total * pooled[1][n, :, i, j]
            for score, (i, j) in zip(scores, [(i, j) for i in range(2) for j in range(3)], strict=True)
        )
        expected = x[n, :, row, column] + 0.7 * layer.o.weight[:, :, 0, 0] @ seen
        torch.testing.assert_close(layer(x)[n, :, row, column], expected)


def test_turning_maps_by_whole_pooling_cells_turns_what_comes_out():
    torch.manual_seed(0)
    layer, x = SelfAttention(8).double(), torch.randn(2, 8, 6, 6, dtype=torch.float64)
    torch.nn.init.ones_(layer.gamma)
    torch.testing.assert_close(layer(x.roll((2, 4), (2, 3))), layer(x).roll((2, 4), (2, 3)))


def pair_of_networks(attention):
    torch.manual_seed(0)
    g = ResNetProjectionGenerator(4, 10, 32, 1, 4, "by_size", attention)
    torch.manual_seed(0)
    d = ResNetProjectionDiscriminator(10, 1, 4, 32, "by_size", attention=attention)
    return g, d


def test_without_gamma_the_networks_are_those_without_attention_to_the_bit_and_gamma_learns():
    z, y = torch.randn(3, 4, generator=torch.Generator().manual_seed(1)), torch.arange(3)
    (g, d), (plain_g, plain_d) = pair_of_networks("by_size"), pair_of_networks(None)
    images = g(z, y)
    assert torch.equal(images, plain_g(z, y))
    # D's projection is drawn after attention's weights, so that it is the other's that is asked.
    d.load_state_dict(plain_d.state_dict(), strict=False)
    said = d(images, y)
    assert torch.equal(said.logits, plain_d(images, y).logits)
    said.logits.sum().backward()
    for network in (g, d):
        (attention,) = network.attention.values()
        assert attention.gamma.item() == 0
        assert attention.gamma.grad.item() != 0


def test_it_stands_at_half_the_size_and_at_most_at_32_pixels():
    for size, place_in_g, place_in_d, channels in ((32, "1", "0", (8, 4)), (128, "2", "1", (16, 8))):
        g = meta(ResNetProjectionGenerator, 8, 10, size, 1, 4, "by_size", "by_size")
        d = meta(ResNetProjectionDiscriminator, 10, 1, 4, size, "by_size", attention="by_size")
        assert [*g.attention] == [place_in_g] and [*d.attention] == [place_in_d]
        assert (g.attention[place_in_g].o.out_channels, d.attention[place_in_d].o.out_channels) == channels


def test_the_experiment_normalises_weights_and_no_gains(compose, tmp_path):
    run = make_run(compose("experiment=sagan", *SMALL), tmp_path)
    names = [name for name, _ in run.game.generator.named_parameters()]
    normalised = [name for name in names if "parametrizations" in name]
    assert "attention.1.theta.parametrizations.weight.original" in normalised
    assert "blocks.0.conv1.parametrizations.weight.original" in normalised
    assert {"blocks.0.norm1.gain.weight", "blocks.0.norm1.bias.weight"} <= {*names}
    assert "projection.parametrizations.weight.original" in dict(run.game.discriminator.named_parameters())


def test_the_networks_are_chosen_by_name():
    for kind in ("generators", "discriminators"):
        assert {"resnet", "resnet_projection"} <= {plugin.name for plugin in registry.installed(kind)}
