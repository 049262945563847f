"""The layers that networks are made of, against plain formulas."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gan_zoo.discriminators.cgan_maxout import CGANMaxoutDiscriminator
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.discriminators.mlp import MLPDiscriminator
from gan_zoo.discriminators.resnet import ResNetDiscriminator
from gan_zoo.generators.cgan_maxout import CGANMaxoutGenerator
from gan_zoo.generators.conv import ConvGenerator
from gan_zoo.generators.mlp import MLPGenerator
from gan_zoo.layers import Maxout, Projection
from gan_zoo.priors.truncated_normal import TruncatedNormal
from gan_zoo.ranges import require_above_zero, require_not_negative, require_positive
from gan_zoo.residual import DownBlock, UpBlock


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("require", "least", "below"),
    [(require_positive, 1, 0.9), (require_above_zero, 1e-9, 0.0), (require_not_negative, 0.0, -1e-9)],
)
def test_a_setting_that_is_too_small_or_no_number_is_named(require, least, below):
    require(other=least, steps=least)
    for value in (below, float("nan")):
        with pytest.raises(ValueError, match=f"steps={value}: it"):
            require(other=least, steps=value)


def test_maxout_is_the_largest_piece_of_every_unit():
    layer = Maxout(4, 3, 5)
    x = torch.randn(2, 4)
    for n in range(2):
        for unit in range(3):
            pieces = [
                x[n] @ layer.linear.weight[unit * 5 + piece] + layer.linear.bias[unit * 5 + piece] for piece in range(5)
            ]
            assert layer(x)[n, unit].item() == pytest.approx(max(pieces).item(), rel=1e-5)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_projection_is_a_transposed_convolution_of_a_pixel(layout):
    layer = Projection(5, 3, 4, bias=False).double().to(memory_format=layout)
    x = torch.randn(2, 5, 1, 1, dtype=torch.float64, requires_grad=True)
    made, expected = layer(x), F.conv_transpose2d(x, layer.weight)
    torch.testing.assert_close(made, expected)
    assert made.is_contiguous(memory_format=layout)
    for a, b in zip(*(torch.autograd.grad(y.sin().sum(), (x, layer.weight)) for y in (made, expected)), strict=True):
        torch.testing.assert_close(a, b)


def test_a_discriminators_maps_and_their_gradient_have_the_same_layout():
    network = DCGANDiscriminator(16, 1, 4, "none").to(memory_format=torch.channels_last)
    seen = []
    network.blocks[-1].register_full_backward_pre_hook(lambda _, gradients: seen.append(gradients[0]))
    x = torch.randn(3, 1, 16, 16)
    network(x).logits.sum().backward()
    assert seen[0].is_contiguous(memory_format=torch.channels_last) and not seen[0].is_contiguous()


def test_an_up_block_is_upsampling_before_both_paths_convolutions():
    block, x = UpBlock(3).double(), torch.randn(2, 3, 4, 4, dtype=torch.float64)
    h = F.relu(nn.BatchNorm2d(3, dtype=torch.float64)(x))
    h = block.conv1(F.interpolate(h, scale_factor=2, mode="nearest"))
    h = block.conv2(F.relu(nn.BatchNorm2d(3, dtype=torch.float64)(h)))
    expected = h + block.shortcut(F.interpolate(x, scale_factor=2, mode="nearest"))
    torch.testing.assert_close(block(x, None), expected)


@pytest.mark.parametrize("first", [False, True])
def test_a_down_block_is_pooling_after_both_paths_convolutions(first):
    block, x = DownBlock(3, 5, True, first).double(), torch.randn(2, 3, 8, 8, dtype=torch.float64)
    start = x if first else F.relu(x)
    expected = F.avg_pool2d(block.conv2(F.relu(block.conv1(start))), 2) + F.avg_pool2d(block.shortcut(x), 2)
    torch.testing.assert_close(block(x), expected)


def test_a_down_block_that_keeps_shape_has_the_identity_as_its_shortcut():
    block, x = DownBlock(3, 3, False), torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(block(x), x + block.conv2(F.relu(block.conv1(F.relu(x)))))


def test_the_residual_discriminator_sums_over_positions():
    d = ResNetDiscriminator(1, 4)
    features = d.features(torch.rand(2, 1, 32, 32))
    assert [tuple(f.shape[1:]) for f in features] == [(4, 16, 16), (4, 8, 8), (4, 8, 8), (4, 8, 8), (4,)]
    torch.testing.assert_close(features[-1], features[-2].clamp(min=0).flatten(2).sum(2))


def test_the_conv_generator_resizes_between_its_convolutions():
    g = ConvGenerator(8, 12, 1).eval()
    z = torch.randn(2, 8)
    x = F.relu(g.start[0](g.linear(z).view(2, 1, 24, 24)))
    for convolution in g.convolutions:
        x = convolution(x)
        assert x.shape[2:] == (12, 12)
        x = F.interpolate(x, size=(24, 24), mode="bilinear", align_corners=False)
    expected = 2 * torch.sigmoid(g.output[0](x)) - 1
    torch.testing.assert_close(g(z), expected)


def test_a_sigmoid_output_is_rescaled_to_the_framework_s_range():
    sigmoid = MLPGenerator(4, 4, 1, [8], "tanh", "sigmoid", 1.0, 0.0)
    z = torch.randn(5, 4)
    logits = sigmoid.layers[:-1](z).view(5, 1, 4, 4)
    torch.testing.assert_close(sigmoid(z), 2 / (1 + torch.exp(-logits)) - 1)


def test_a_discriminator_published_with_pixels_from_zero_is_shown_them_so():
    shown = []
    torch.manual_seed(1)
    unit = MLPDiscriminator(4, 1, [8], "tanh", 0.5, 0.0, "unit")
    torch.manual_seed(1)
    symmetric = MLPDiscriminator(4, 1, [8], "tanh", 0.5, 0.0, "symmetric")
    unit.hidden[0].register_forward_pre_hook(lambda _, inputs: shown.append(inputs[0]))
    x = torch.rand(3, 1, 4, 4) * 2 - 1
    torch.testing.assert_close(unit(x).logits, symmetric((x + 1) / 2).logits)
    assert 0 <= shown[0].min() < shown[0].max() <= 1
    with pytest.raises(ValueError, match="pixels='bytes': choose one of unit, symmetric"):
        MLPDiscriminator(4, 1, [8], "tanh", 0.5, 0.0, "bytes")


def test_dropout_works_in_training_and_rests_in_evaluation():
    g = CGANMaxoutGenerator(8, 10, 28, 1, 8, 16, 16, 0.5)
    d = CGANMaxoutDiscriminator(10, 28, 1, [8, 5], [8, 5], [8, 4], 0.5, "unit")
    z, y = torch.randn(2, 8), torch.tensor([1, 2])
    x = torch.rand(2, 1, 28, 28)
    assert not torch.equal(g(z, y), g(z, y))
    assert not torch.equal(d(x, y).logits, d(x, y).logits)
    g.eval(), d.eval()
    assert torch.equal(g(z, y), g(z, y))
    assert torch.equal(d(x, y).logits, d(x, y).logits)


def test_the_truncated_prior_has_no_tails():
    z = TruncatedNormal(50, 2.0).draw(1000, torch.device("cpu")).z
    assert z.shape == (1000, 50)
    assert 1.99 < z.abs().max() <= 2
    assert z.std().item() == pytest.approx(0.8796, rel=0.02)
    same = [TruncatedNormal(5, 1.0).draw(3, torch.device("cpu"), torch.Generator().manual_seed(1)).z for _ in range(2)]
    assert torch.equal(*same)
    assert same[0].abs().max() <= 1
    with pytest.raises(ValueError, match="bound=0"):
        TruncatedNormal(5, 0)
