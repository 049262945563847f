"""Shapes and parameter counts by hand, and what unpooling does."""

import pytest
import torch

from gan_zoo.networks.conv_autoencoder import ConvAutoEncoder
from gan_zoo.networks.mlp_autoencoder import MLPAutoEncoder
from gan_zoo.networks.mlp_encoder import MLPEncoder
from tests.zoo.networks.tracing import images, layers, meta, parameters


def test_the_fully_connected_autoencoder():
    network = meta(MLPAutoEncoder, 28, 1, [128], 32, "relu", "sigmoid", "he")
    assert layers(network, images(1, 28)) == [
        *("Flatten 784", "Linear 128", "ReLU 128", "Linear 32"),
        *("Linear 128", "ReLU 128", "Linear 784", "SigmoidImage 784"),
    ]
    half = (784 * 128 + 128) + (128 * 32 + 32)
    assert parameters(network) == half + (32 * 128 + 128) + (128 * 784 + 784)


def test_more_layers_are_mirrored():
    network = meta(MLPAutoEncoder, None, 5, [4, 3], 2, "tanh", "linear", "xavier")
    sizes = [name.split()[1] for name in layers(network, torch.zeros(2, 5, device="meta")) if name.startswith("Linear")]
    assert sizes == ["4", "3", "2", "3", "4", "5"]


def test_the_encoder():
    network = meta(MLPEncoder, 28, 1, [400], "relu", [20, 20], "he")
    assert layers(network, images(1, 28)) == ["Flatten 784", "Linear 400", "ReLU 400", "Linear 40"]
    assert parameters(network) == (784 * 400 + 400) + (400 * 40 + 40)


@pytest.mark.parametrize("up", ["unpool", "upsample"])
def test_the_convolutional_autoencoder(up):
    network = ConvAutoEncoder(28, 1, 16, 8, up)
    larger = {"unpool": "MaxUnpool2d", "upsample": "Upsample"}[up]
    pooled = []
    network.pool.register_forward_hook(lambda module, _, out: pooled.append(tuple(out[0].shape[1:])))
    shapes = []
    for name in ("encode_first", "encode_second", "decode_first", "decode_second", larger):
        module = {"MaxUnpool2d": network.unpool, "Upsample": network.upsample}.get(name) or getattr(network, name)
        module.register_forward_hook(lambda m, _, out, name=name: shapes.append((name, tuple(out.shape[1:]))))
    assert network(torch.zeros(2, 1, 28, 28)).shape == (2, 1, 28, 28)
    assert pooled == [(16, 14, 14), (8, 7, 7)]
    assert shapes == [
        ("encode_first", (16, 28, 28)),
        ("encode_second", (8, 14, 14)),
        (larger, (8, 14, 14)),
        ("decode_first", (16, 14, 14)),
        (larger, (16, 28, 28)),
        ("decode_second", (1, 28, 28)),
    ]
    down = (1 * 16 * 9 + 16) + (16 * 8 * 9 + 8)
    assert parameters(network) == down + (8 * 16 * 9 + 16) + (16 * 1 * 9 + 1)


def test_unpooling_puts_each_maximum_where_it_was():
    network = ConvAutoEncoder(4, 1, 1, 1, "unpool")
    x = torch.tensor([[1.0, 5.0, 0.0, 2.0], [3.0, 2.0, 9.0, 1.0], [4.0, 4.5, 7.0, 6.0], [1.0, 0.0, 8.0, 3.0]])
    pooled, maxima = network.pool(x[None, None])
    assert pooled[0, 0].tolist() == [[5, 9], [4.5, 8]]
    assert network._enlarge(pooled, maxima)[0, 0].tolist() == [
        [0, 5, 0, 0],
        [0, 0, 9, 0],
        [0, 4.5, 0, 0],
        [0, 0, 8, 0],
    ]
    other = ConvAutoEncoder(4, 1, 1, 1, "upsample")
    assert other._enlarge(pooled, maxima)[0, 0].tolist() == [[5, 5, 9, 9]] * 2 + [[4.5, 4.5, 8, 8]] * 2


def test_only_unpooling_remembers_where_maxima_were():
    """Shifting a bright pixel within its pooling window moves the reconstruction only if positions are remembered."""
    torch.manual_seed(0)
    here, there = torch.zeros(2, 1, 1, 8, 8)
    here[0, 0, 4, 4] = there[0, 0, 5, 5] = 1.0
    for up, same in (("unpool", False), ("upsample", True)):
        network = ConvAutoEncoder(8, 1, 2, 2, up)
        for part in (network.encode_first, network.encode_second, network.decode_first, network.decode_second):
            # Each convolution looks at one pixel, so that pooling is all that can lose the position.
            with torch.no_grad():
                centre = part[0].weight[:, :, 1, 1].abs() + 0.1
                part[0].weight.zero_()
                part[0].weight[:, :, 1, 1] = centre
                part[0].bias.zero_()
        assert torch.allclose(network(here), network(there)) == same


def test_other_sizes_and_ways_up_are_refused():
    with pytest.raises(ValueError, match="image_size=30: it must be a multiple of 4"):
        ConvAutoEncoder(30, 1, 4, 2, "unpool")
    with pytest.raises(ValueError, match="up='bilinear': choose one of unpool, upsample"):
        ConvAutoEncoder(28, 1, 4, 2, "bilinear")
