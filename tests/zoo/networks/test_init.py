"""The distributions that weights are drawn from."""

import math

import pytest
import torch
from torch import nn

from gan_zoo.discriminators.cgan_maxout import CGANMaxoutDiscriminator
from gan_zoo.discriminators.conv import ConvDiscriminator
from gan_zoo.discriminators.infogan import InfoGANDiscriminator
from gan_zoo.discriminators.mlp import MLPDiscriminator
from gan_zoo.discriminators.resnet_projection import ResNetProjectionDiscriminator
from gan_zoo.generators.cgan_maxout import CGANMaxoutGenerator
from gan_zoo.generators.cgan_mlp import CGANMLPGenerator
from gan_zoo.generators.conv import ConvGenerator
from gan_zoo.generators.dcgan import DCGANGenerator
from gan_zoo.generators.dcgan_conditional import DCGANConditionalGenerator
from gan_zoo.generators.infogan import InfoGANGenerator
from gan_zoo.generators.mlp import MLPGenerator
from gan_zoo.generators.resnet_projection import ResNetProjectionGenerator
from gan_zoo.networks.q_mlp import QMLP

CUT_AT_TWO = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))
"""The deviation of a standard normal variable cut off at two deviations: 0.8796."""


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def weights(network, kinds=(nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
    return torch.cat([layer.weight.flatten() for layer in network.modules() if isinstance(layer, kinds)]).detach()


def biases(network):
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    found = [layer.bias for layer in network.modules() if isinstance(layer, kinds) and layer.bias is not None]
    return torch.cat(found).detach()


def deviation(values):
    return values.pow(2).mean().sqrt().item()


def test_the_cut_deviation_is_the_known_one():
    assert pytest.approx(0.87963, abs=1e-5) == CUT_AT_TWO


def test_mlp_weights_are_cut_off_and_its_biases_start_at_a_tenth():
    g = MLPGenerator(100, 28, 1, [128], "tanh", "sigmoid", 0.1, 0.1)
    assert weights(g).abs().max() <= 0.2
    assert deviation(weights(g)) == pytest.approx(0.1 * CUT_AT_TWO, rel=0.01)
    assert torch.all(biases(g) == 0.1)


@pytest.mark.parametrize(
    "build",
    [
        lambda: ConvGenerator(100, 28, 1),
        lambda: ConvDiscriminator(28, 1, [32, 64], 64, "unit"),
        lambda: DCGANConditionalGenerator(100, 10, 28, 1, 32),
    ],
)
def test_tutorial_convolutions_are_cut_off_at_two_deviations(build):
    network = build()
    assert weights(network).abs().max() <= 0.04
    assert deviation(weights(network)) == pytest.approx(0.02 * CUT_AT_TWO, rel=0.01)
    assert torch.all(biases(network) == 0)


def test_conv_generators_biases_can_be_drawn_as_its_weights_are():
    g = ConvGenerator(100, 28, 1, drawn_biases=True)
    assert deviation(g.linear.bias) == pytest.approx(0.02 * CUT_AT_TWO, rel=0.05)
    assert biases(g).abs().max() <= 0.04
    assert torch.all(biases(g) != 0)
    assert deviation(weights(g)) == pytest.approx(0.02 * CUT_AT_TWO, rel=0.01)


def test_without_a_gain_batch_norm_learns_a_bias_alone():
    g = ConvGenerator(8, 12, 1, norm_gain=False)
    norms = [layer for layer in g.modules() if isinstance(layer, nn.BatchNorm2d)]
    adam = torch.optim.Adam([p for p in g.parameters() if p.requires_grad], 0.1)
    (g(torch.randn(4, 8)) - 1).square().mean().backward()
    adam.step()
    assert all(torch.all(norm.weight == 1) for norm in norms)
    assert all(torch.all(norm.bias != 0) for norm in norms)
    trained = sum(p.numel() for p in g.parameters() if p.requires_grad)
    assert trained == (8 * 576 + 576) + (1 + 4 + 2) + (9 * 4 + 4) + (9 * 4 * 2 + 2) + (2 + 1)


def test_dcgan_weights_are_normal_with_tails():
    g = DCGANGenerator(100, 32, 1, 32)
    assert deviation(weights(g)) == pytest.approx(0.02, rel=0.01)
    assert weights(g).abs().max() > 0.06
    gains = torch.cat([layer.weight for layer in g.modules() if isinstance(layer, nn.BatchNorm2d)])
    assert gains.mean().item() == pytest.approx(1, abs=0.01)
    assert gains.std().item() == pytest.approx(0.02, rel=0.25)


def test_he_and_xavier_scale_with_the_layers_sizes():
    he = CGANMLPGenerator(100, 10, 28, 1, [128], "relu", "sigmoid", "he")
    first, second = (layer.weight for layer in he.modules() if isinstance(layer, nn.Linear))
    assert deviation(first) == pytest.approx(math.sqrt(2 / 110), rel=0.02)
    assert deviation(second) == pytest.approx(math.sqrt(2 / 128), rel=0.02)
    assert torch.all(biases(he) == 0)

    xavier = CGANMLPGenerator(100, 10, 28, 1, [128], "relu", "tanh", "xavier")
    second = [layer.weight for layer in xavier.modules() if isinstance(layer, nn.Linear)][1]
    bound = math.sqrt(6 / (128 + 784))
    assert 0.99 * bound < second.abs().max().item() <= bound
    assert deviation(second) == pytest.approx(bound / math.sqrt(3), rel=0.02)


MLPS = {
    "generator": lambda init: MLPGenerator(26, 28, 1, [256], "relu", "sigmoid", 0.1, 0.1, init),
    "discriminator": lambda init: MLPDiscriminator(28, 1, [128], "relu", 0.1, 0.1, "unit", init),
    "q": lambda init: QMLP(28, 1, 128, {"categorical": [10]}, "fixed", 0.1, "unit", init),
}


@pytest.mark.parametrize("name", MLPS)
def test_fully_connected_networks_start_as_init_says(name):
    def linear(init):
        network = MLPS[name](init)
        return network, [layer for layer in network.modules() if isinstance(layer, nn.Linear)]

    he, layers = linear("he")
    assert len(layers) == 2
    for layer in layers:
        allowed = 4 / math.sqrt(2 * layer.weight.numel())  # standard errors of a deviation
        assert deviation(layer.weight) == pytest.approx(math.sqrt(2 / layer.in_features), rel=allowed)
    assert torch.all(biases(he) == 0)

    xavier, layers = linear("xavier")
    for layer in layers:
        bound = math.sqrt(6 / (layer.in_features + layer.out_features))
        assert 0.95 * bound < layer.weight.abs().max().item() <= bound
    assert torch.all(biases(xavier) == 0)

    normal, _ = linear("normal")
    assert deviation(weights(normal)) == pytest.approx(0.1, rel=0.02)
    assert weights(normal).abs().max() > 0.3
    assert torch.all(biases(normal) == 0)

    with pytest.raises(ValueError, match="init='glorot': choose one of normal, truncated_normal, uniform, he, xavier"):
        MLPS[name]("glorot")


@pytest.mark.parametrize("init", ["he", "xavier"])
def test_convolutions_of_both_kinds_are_scaled_by_their_channels_and_kernels(init):
    g = InfoGANGenerator(26, 28, 1, 64, 32, init=init)
    d = InfoGANDiscriminator(28, 1, 32, 64, init=init)
    up, to_image = (layer for layer in g.layers if isinstance(layer, nn.ConvTranspose2d))
    # Maps of 32 and 64 channels on either side; every kernel has 4 x 4 entries.
    sizes = {
        up: (64 * 16, 32 * 16),
        to_image: (32 * 16, 1 * 16),
        d.blocks[0][0]: (1 * 16, 32 * 16),
        d.blocks[1][0]: (32 * 16, 64 * 16),
        d.blocks[2][1]: (7 * 7 * 64, 64),
    }
    for layer, (inputs, outputs) in sizes.items():
        variance = 2 / inputs if init == "he" else 2 / (inputs + outputs)
        allowed = 4 / math.sqrt(2 * layer.weight.numel())
        assert deviation(layer.weight) == pytest.approx(math.sqrt(variance), rel=allowed)
    assert torch.all(biases(g) == 0)
    assert torch.all(biases(d) == 0)


def test_residual_weights_are_xavier_with_a_gain_inside_the_blocks():
    d = ResNetProjectionDiscriminator(10, 3, 32)
    inside, outside = d.blocks[1].conv1.weight, d.blocks[1].shortcut.weight
    assert inside.abs().max().item() == pytest.approx(math.sqrt(2) * math.sqrt(6 / (9 * 32 + 9 * 32)), rel=0.01)
    assert outside.abs().max().item() == pytest.approx(math.sqrt(6 / (32 + 32)), rel=0.01)
    assert torch.all(biases(d) == 0)


def test_conditional_gains_start_at_one_and_biases_at_zero():
    g = ResNetProjectionGenerator(8, 10, 32, 3, 4)
    norms = [norm for block in g.blocks for norm in (block.norm1, block.norm2)]
    assert len(norms) == 6
    for norm in norms:
        assert torch.all(norm.gain.weight == 1)
        assert torch.all(norm.bias.weight == 0)


def test_wrong_names_of_choices_are_refused_with_those_there_are():
    with pytest.raises(ValueError, match="init='kaiming'.*he, xavier"):
        CGANMLPGenerator(8, 10, 28, 1, [4], "relu", "tanh", "kaiming")
    with pytest.raises(ValueError, match="output='relu'.*tanh, sigmoid, linear"):
        CGANMLPGenerator(8, 10, 28, 1, [4], "relu", "relu", "he")


def test_maxout_networks_start_within_their_ranges_and_without_biases():
    g = CGANMaxoutGenerator(100, 10, 28, 1, 20, 30, 40, 0.5)
    d = CGANMaxoutDiscriminator(10, 28, 1, [24, 5], [5, 5], [24, 4], 0.5, "unit")
    for network, bound in ((g, 0.05), (d, 0.005)):
        values = weights(network)
        assert 0.99 * bound < values.abs().max() <= bound
        assert deviation(values) == pytest.approx(bound / math.sqrt(3), rel=0.02)
        assert torch.all(biases(network) == 0)
    assert torch.any(biases(CGANMaxoutGenerator(100, 10, 28, 1, 20, 30, 40, 0.5, None)) != 0)
    plain = MLPGenerator(100, 28, 1, [40], "relu", "sigmoid", 0.05, 0.1, "uniform")
    assert 0.0495 < weights(plain).abs().max() <= 0.05
    assert torch.all(biases(plain) == 0)
    with pytest.raises(ValueError, match="init_std=0: it must be positive"):
        MLPGenerator(100, 28, 1, [40], "relu", "sigmoid", 0, 0.1, "uniform")
    with pytest.raises(ValueError, match="init_range=-1: it must be positive"):
        CGANMaxoutGenerator(100, 10, 28, 1, 20, 30, 40, 0.5, -1)
