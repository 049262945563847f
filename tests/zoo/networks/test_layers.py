"""Layer by layer shapes and parameter counts, against numbers worked out from the papers and tutorials."""

import pytest
import torch

from gan_zoo.discriminators.cgan_maxout import CGANMaxoutDiscriminator
from gan_zoo.discriminators.cgan_mlp import CGANMLPDiscriminator
from gan_zoo.discriminators.cgan_vectors import CGANVectorsDiscriminator
from gan_zoo.discriminators.conv import ConvDiscriminator
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.discriminators.dcgan_conditional import DCGANConditionalDiscriminator
from gan_zoo.discriminators.infogan import InfoGANDiscriminator
from gan_zoo.discriminators.maxout import MaxoutDiscriminator
from gan_zoo.discriminators.mlp import MLPDiscriminator
from gan_zoo.discriminators.resnet import ResNetDiscriminator
from gan_zoo.discriminators.resnet_projection import ResNetProjectionDiscriminator
from gan_zoo.generators.cgan_maxout import CGANMaxoutGenerator
from gan_zoo.generators.cgan_mlp import CGANMLPGenerator
from gan_zoo.generators.cgan_vectors import CGANVectorsGenerator
from gan_zoo.generators.conv import ConvGenerator
from gan_zoo.generators.dcgan import DCGANGenerator
from gan_zoo.generators.dcgan_conditional import DCGANConditionalGenerator
from gan_zoo.generators.infogan import InfoGANGenerator
from gan_zoo.generators.mlp import MLPGenerator
from gan_zoo.generators.resnet import ResNetGenerator
from gan_zoo.generators.resnet_projection import ResNetProjectionGenerator
from gan_zoo.systems.semi_kplus1 import SoftplusGenerator
from tests.zoo.networks.tracing import classes, images, latents, layers, meta, parameters


def test_mlp():
    g = meta(MLPGenerator, 100, 28, 1, [128], "tanh", "sigmoid", 0.1, 0.1)
    assert layers(g, latents(100)) == ["Linear 128", "Tanh 128", "Linear 784", "SigmoidImage 784"]
    assert parameters(g) == (100 * 128 + 128) + (128 * 784 + 784)

    d = meta(MLPDiscriminator, 28, 1, [128], "tanh", 0.1, 0.1, "unit")
    assert layers(d, images(1, 28)) == ["UnitPixels 1x28x28", "Linear 128", "Tanh 128", "Linear 1"]
    assert parameters(d) == (784 * 128 + 128) + (128 + 1)


def test_conv():
    g = meta(ConvGenerator, 100, 28, 1)
    assert layers(g, latents(100)) == [
        *("Linear 3136", "BatchNorm2d 1x56x56", "ReLU 1x56x56"),
        *("Conv2d 50x28x28", "BatchNorm2d 50x28x28", "ReLU 50x28x28"),  # then resized to 56x56
        *("Conv2d 25x28x28", "BatchNorm2d 25x28x28", "ReLU 25x28x28"),  # then resized to 56x56
        *("Conv2d 1x28x28", "SigmoidImage 1x28x28"),
    ]
    assert [tuple(b[0].kernel_size) + tuple(b[0].stride) for b in g.convolutions] == [(3, 3, 2, 2)] * 2
    assert (g.output[0].kernel_size, g.output[0].stride) == ((1, 1), (2, 2))
    linear, norms = 100 * 3136 + 3136, 2 * (1 + 50 + 25)
    assert parameters(g) == linear + norms + (9 * 1 * 50 + 50) + (9 * 50 * 25 + 25) + (25 * 1 + 1)

    d = meta(ConvDiscriminator, 28, 1, [32, 64], 1024, "unit")
    assert layers(d, images(1, 28)) == [
        "UnitPixels 1x28x28",
        *("Conv2d 32x28x28", "ReLU 32x28x28", "AvgPool2d 32x14x14"),
        *("Conv2d 64x14x14", "ReLU 64x14x14", "AvgPool2d 64x7x7"),
        *("Flatten 3136", "Linear 1024", "ReLU 1024", "Linear 1"),
    ]
    assert parameters(d) == (25 * 1 * 32 + 32) + (25 * 32 * 64 + 64) + (7 * 7 * 64 * 1024 + 1024) + (1024 + 1)


@pytest.mark.parametrize(("activation", "layer"), [("relu", "ReLU"), ("leaky_relu", "LeakyReLU")])
def test_cgan_mlp(activation, layer):
    g = meta(CGANMLPGenerator, 100, 10, 28, 1, [128], "relu", "sigmoid", "he")
    assert layers(g, latents(100), classes()) == ["Linear 128", "ReLU 128", "Linear 784", "SigmoidImage 784"]
    assert parameters(g) == ((100 + 10) * 128 + 128) + (128 * 784 + 784)

    d = meta(CGANMLPDiscriminator, 10, 28, 1, [128], activation, "xavier", "symmetric")
    assert layers(d, images(1, 28), classes()) == ["Identity 1x28x28", "Linear 128", f"{layer} 128", "Linear 1"]
    assert parameters(d) == ((784 + 10) * 128 + 128) + (128 + 1)


def test_cgan_maxout():
    g = meta(CGANMaxoutGenerator, 100, 10, 28, 1, 200, 1000, 1200, 0.5)
    assert layers(g, latents(100), classes()) == [
        *("Linear 200", "ReLU 200", "Dropout 200"),
        *("Linear 1000", "ReLU 1000", "Dropout 1000"),
        *("Linear 1200", "ReLU 1200", "Dropout 1200"),
        *("Linear 784", "SigmoidImage 784"),
    ]
    assert parameters(g) == ((100 * 200 + 200) + (10 * 1000 + 1000) + ((200 + 1000) * 1200 + 1200) + (1200 * 784 + 784))

    d = meta(CGANMaxoutDiscriminator, 10, 28, 1, [240, 5], [50, 5], [240, 4], 0.5, "unit")
    assert layers(d, images(1, 28), classes()) == [
        *("UnitPixels 1x28x28", "Dropout 784"),
        *("Linear 1200", "Dropout 240"),
        *("Linear 250", "Dropout 50"),
        *("Linear 960", "Dropout 240"),
        "Linear 1",
    ]
    assert parameters(d) == (
        (784 * 240 * 5 + 240 * 5) + (10 * 50 * 5 + 50 * 5) + ((240 + 50) * 240 * 4 + 240 * 4) + (240 + 1)
    )


def test_the_first_gan():
    g = meta(MLPGenerator, 100, 28, 1, [1200, 1200], "relu", "sigmoid", 0.05, 0.0, "uniform")
    hidden = ["Linear 1200", "ReLU 1200"]
    assert layers(g, latents(100)) == [*hidden, *hidden, "Linear 784", "SigmoidImage 784"]

    d = meta(MaxoutDiscriminator, 28, 1, [[240, 5], [240, 5]])
    hidden = ["Linear 1200", "Dropout 240"]
    assert layers(d, images(1, 28)) == ["UnitPixels 1x28x28", "Dropout 784", *hidden, *hidden, "Linear 1"]
    assert parameters(d) == (784 * 1200 + 1200) + (240 * 1200 + 1200) + (240 + 1)
    with pytest.raises(ValueError, match="at least one hidden layer"):
        MaxoutDiscriminator(28, 1, [])


def test_cgan_vectors():
    g = meta(CGANVectorsGenerator, 100, 4096, 200, 500, 2000)
    conditions = latents(4096)
    assert layers(g, latents(100), conditions) == [
        *("Linear 500", "ReLU 500", "Dropout 500", "Linear 2000", "ReLU 2000", "Dropout 2000", "Linear 200"),
    ]
    assert parameters(g) == (100 * 500 + 500) + (4096 * 2000 + 2000) + (2500 * 200 + 200)

    d = meta(CGANVectorsDiscriminator, 4096, 200, 500, 1200, [1000, 3])
    assert layers(d, latents(200), conditions) == [
        *("Linear 500", "ReLU 500", "Dropout 500", "Linear 1200", "ReLU 1200", "Dropout 1200"),
        *("Linear 3000", "Dropout 1000", "Linear 1"),
    ]
    assert parameters(d) == (200 * 500 + 500) + (4096 * 1200 + 1200) + (1700 * 3000 + 3000) + (1000 + 1)


def test_the_generator_of_few_labels():
    g = SoftplusGenerator(100, 28, 1)
    hidden = ["Linear", "BatchNorm1d", "Softplus"]
    assert [type(layer).__name__ for layer in g.layers] == [*hidden, *hidden, "ParametrizedLinear", "SigmoidImage"]
    assert g(torch.rand(3, 100)).shape == (3, 1, 28, 28)
    trained = sum(p.numel() for p in g.parameters() if p.requires_grad)
    assert trained == (100 * 500 + 500) + (500 * 500 + 500) + (500 * 784 + 784 + 784)  # shifts, lengths and biases
    assert torch.allclose(g.layers[6].weight.norm(dim=1), torch.ones(784))


def test_dcgan_at_64_pixels():
    g = meta(DCGANGenerator, 100, 64, 3, 128)
    expected = []
    for shape in ("1024x4x4", "512x8x8", "256x16x16", "128x32x32"):
        expected += [f"ConvTranspose2d {shape}", f"BatchNorm2d {shape}", f"ReLU {shape}"]
    expected[0] = "Projection 1024x4x4"  # a transposed convolution too
    assert layers(g, latents(100)) == [*expected, "ConvTranspose2d 3x64x64", "Tanh 3x64x64"]
    weights = 16 * (100 * 1024 + 1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3)
    assert parameters(g) == weights + 2 * (1024 + 512 + 256 + 128) + 3

    d = meta(DCGANDiscriminator, 64, 3, 128, "batch")
    expected = ["Conv2d 128x32x32", "LeakyReLU 128x32x32"]
    for shape in ("256x16x16", "512x8x8", "1024x4x4"):
        expected += [f"Conv2d {shape}", f"BatchNorm2d {shape}", f"LeakyReLU {shape}"]
    assert layers(d, images(3, 64)) == [*expected, "Linear 1"]
    weights = 16 * (3 * 128 + 128 * 256 + 256 * 512 + 512 * 1024 + 1024)
    assert parameters(d) == weights + 128 + 2 * (256 + 512 + 1024) + 1


def test_dcgan_conditional():
    g = meta(DCGANConditionalGenerator, 100, 10, 28, 1, 128)
    assert layers(g, latents(100), classes()) == [
        *("Projection 256x7x7", "BatchNorm2d 256x7x7", "LeakyReLU 256x7x7"),
        *("ConvTranspose2d 128x14x14", "BatchNorm2d 128x14x14", "LeakyReLU 128x14x14"),
        *("ConvTranspose2d 1x28x28", "Tanh 1x28x28"),
    ]
    assert parameters(g) == 49 * 110 * 256 + 2 * 256 + 25 * 256 * 128 + 2 * 128 + (25 * 128 * 1 + 1)

    d = meta(DCGANConditionalDiscriminator, 10, 28, 1, 128)
    assert layers(d, images(1, 28), classes()) == [
        *("Conv2d 128x14x14", "LeakyReLU 128x14x14"),
        *("Conv2d 256x7x7", "BatchNorm2d 256x7x7", "LeakyReLU 256x7x7"),
        "Linear 1",  # the 7x7 'valid' convolution to one channel
    ]
    assert parameters(d) == (25 * 11 * 128 + 128) + 25 * 128 * 256 + 2 * 256 + (49 * 256 + 1)


def test_resnet_at_32_pixels():
    g = meta(ResNetGenerator, 128, 32, 3, 256)
    expected = ["Linear 4096", "Unflatten 256x4x4"]
    for before, after in ((4, 8), (8, 16), (16, 32)):
        small, large = f"256x{before}x{before}", f"256x{after}x{after}"
        expected += [
            *(f"BatchNorm2d {small}", f"Conv2d {large}", f"BatchNorm2d {large}", f"Conv2d {large}"),
            f"Conv2d {small}",  # the 1x1 shortcut, before its upsampling
        ]
    expected += ["BatchNorm2d 256x32x32", "ReLU 256x32x32", "Conv2d 3x32x32", "Tanh 3x32x32"]
    assert layers(g, latents(128)) == expected
    conv, shortcut, norm = 9 * 256 * 256 + 256, 256 * 256 + 256, 2 * 256
    block = 2 * conv + shortcut + 2 * norm
    assert parameters(g) == (128 * 4096 + 4096) + 3 * block + norm + (9 * 256 * 3 + 3)

    d = meta(ResNetDiscriminator, 3, 128)
    assert layers(d, images(3, 32)) == [
        *("Conv2d 128x32x32", "Conv2d 128x32x32", "AvgPool2d 128x16x16", "AvgPool2d 3x16x16", "Conv2d 128x16x16"),
        *("Conv2d 128x16x16", "Conv2d 128x16x16", "AvgPool2d 128x8x8", "AvgPool2d 128x8x8", "Conv2d 128x8x8"),
        *("Conv2d 128x8x8", "Conv2d 128x8x8", "Identity 128x8x8", "Identity 128x8x8", "Identity 128x8x8"),
        *("Conv2d 128x8x8", "Conv2d 128x8x8", "Identity 128x8x8", "Identity 128x8x8", "Identity 128x8x8"),
        "Linear 1",
    ]
    conv, shortcut = 9 * 128 * 128 + 128, 128 * 128 + 128
    first = (9 * 3 * 128 + 128) + conv + (3 * 128 + 128)
    assert parameters(d) == first + (2 * conv + shortcut) + 2 * (2 * conv) + (128 + 1)


def test_resnet_projection_differs_from_resnet_in_its_norms_and_an_embedding():
    plain = meta(ResNetGenerator, 128, 32, 3, 256)
    g = meta(ResNetProjectionGenerator, 128, 10, 32, 3, 256)
    assert parameters(g) == parameters(plain) + 3 * 2 * (10 - 1) * 2 * 256  # gain and bias for ten classes, not one
    assert g(latents(128), classes()).shape == (2, 3, 32, 32)

    d = meta(ResNetProjectionDiscriminator, 10, 3, 128)
    assert parameters(d) == parameters(meta(ResNetDiscriminator, 3, 128)) + 10 * 128
    assert d(images(3, 32), classes()).logits.shape == (2,)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [16, 28, 32, 64, 128])
def test_pairs_that_take_any_size_fit_each_other(size, channels):
    z, y, x = latents(7), classes(), images(channels, size)
    g, d = meta(DCGANGenerator, 7, size, channels, 4), meta(DCGANDiscriminator, size, channels, 4, "batch")
    assert (g(z).shape, d(x).logits.shape) == (x.shape, (2,))
    base = 7 if size == 28 else 4
    assert d(x).features[-1].shape[2:] == (base, base)

    g = meta(DCGANConditionalGenerator, 7, 10, size, channels, 4)
    d = meta(DCGANConditionalDiscriminator, 10, size, channels, 4)
    assert (g(z, y).shape, d(x, y).logits.shape) == (x.shape, (2,))

    g, d = (
        meta(ResNetProjectionGenerator, 7, 10, size, channels, 4),
        meta(ResNetProjectionDiscriminator, 10, channels, 4),
    )
    assert (g(z, y).shape, d(x, y).logits.shape) == (x.shape, (2,))


@pytest.mark.parametrize("channels", [1, 3])
def test_pairs_of_fully_connected_and_pooling_layers_take_colour(channels):
    z, y, x = latents(8), classes(), images(channels, 28)
    assert meta(MLPGenerator, 8, 28, channels, [4], "tanh", "sigmoid", 0.1, 0.1)(z).shape == x.shape
    assert meta(MLPDiscriminator, 28, channels, [4], "tanh", 0.1, 0.1, "unit")(x).logits.shape == (2,)
    assert meta(ConvGenerator, 8, 28, channels)(z).shape == x.shape
    assert meta(ConvDiscriminator, 28, channels, [4, 8], 16, "unit")(x).logits.shape == (2,)
    assert meta(CGANMLPGenerator, 8, 10, 28, channels, [4], "relu", "tanh", "he")(z, y).shape == x.shape
    assert meta(CGANMLPDiscriminator, 10, 28, channels, [4], "relu", "he", "unit")(x, y).logits.shape == (2,)
    assert meta(CGANMaxoutGenerator, 8, 10, 28, channels, 4, 4, 4, 0.5)(z, y).shape == x.shape
    assert meta(CGANMaxoutDiscriminator, 10, 28, channels, [4, 5], [2, 5], [4, 4], 0.5, "unit")(x, y).logits.shape == (
        2,
    )


SIZES = {(20, 36): (5, 9), (48, 64): (6, 8), (33, 47): (4, 5), (96, 96): (6, 6), (256, 256): (4, 4), (8, 9): (4, 4)}
"""Sizes that are not square, odd or large, and the last map of D, which halves them with odd ones rounded down."""


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pairs_fit_each_other_at_sizes_that_are_not_square_or_odd(size):
    z, y, x = latents(8), classes(), torch.zeros(2, 3, *size, device="meta")
    d = meta(DCGANDiscriminator, size, 3, 4, "batch")
    assert d(x).features[-1].shape[2:] == SIZES[size]
    pairs = (
        (meta(DCGANGenerator, 8, size, 3, 4), d),
        (meta(ResNetGenerator, 8, size, 3, 4), meta(ResNetDiscriminator, 3, 4)),
        (meta(InfoGANGenerator, 8, size, 3, 16, 4), meta(InfoGANDiscriminator, size, 3, 4, 16)),
        (meta(ConvGenerator, 8, size, 3), meta(ConvDiscriminator, size, 3, [4, 8], 16, "unit")),
        (
            meta(MLPGenerator, 8, size, 3, [4], "tanh", "sigmoid", 0.1, 0.1),
            meta(MLPDiscriminator, size, 3, [4], "tanh", 0.1, 0.1, "unit"),
        ),
    )
    conditional = (
        (meta(DCGANConditionalGenerator, 8, 10, size, 3, 4), meta(DCGANConditionalDiscriminator, 10, size, 3, 4)),
        (
            meta(CGANMLPGenerator, 8, 10, size, 3, [4], "relu", "tanh", "he"),
            meta(CGANMLPDiscriminator, 10, size, 3, [4], "relu", "he", "unit"),
        ),
    )
    assert {tuple(g(z).shape) for g, _ in pairs} == {tuple(g(z, y).shape) for g, _ in conditional} == {tuple(x.shape)}
    assert {tuple(judge(x).logits.shape) for _, judge in pairs} == {(2,)}
    assert {tuple(judge(x, y).logits.shape) for _, judge in conditional} == {(2,)}


def test_an_image_is_the_centre_of_the_next_larger_one():
    from gan_zoo.layers import cropped

    larger = torch.arange(48.0).view(1, 1, 6, 8)
    assert torch.equal(cropped(larger, (3, 7)), larger[:, :, 1:4, :7])
    assert cropped(larger, (6, 8)) is larger


@pytest.mark.parametrize("size", [7, (64, 5)])
def test_sizes_that_do_not_fit_are_refused_by_name(size):
    said = r"image_size=(7|\[64,5\]): the sizes that fit have at least 8 pixels on each side"
    for build in (lambda: DCGANGenerator(7, size, 1, 4), lambda: ResNetGenerator(7, size, 1, 4)):
        with pytest.raises(ValueError, match=said):
            build()


def test_what_is_halved_twice_needs_4_pixels():
    for build in (lambda: ConvDiscriminator(3, 1, [4, 8], 16, "unit"), lambda: InfoGANDiscriminator((64, 3), 1, 4, 16)):
        with pytest.raises(ValueError, match="at least 4 pixels on each side, to be halved 2 times"):
            build()
