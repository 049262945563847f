"""Shapes and parameter counts against the table of the paper and the tutorials' sizes, by hand."""

import pytest
import torch
from torch import nn

from gan_zoo.codes import CodeList, QOutput
from gan_zoo.discriminators.infogan import InfoGANDiscriminator
from gan_zoo.generators.infogan import InfoGANGenerator
from gan_zoo.networks.q_conv import QConv
from gan_zoo.networks.q_mlp import QMLP
from tests.zoo.networks.tracing import images, latents, layers, meta, parameters


def test_the_generator():
    g = meta(InfoGANGenerator, 74, 28, 1, 1024, 64, third_norm=False)
    assert layers(g, latents(74)) == [
        *("Linear 1024", "BatchNorm1d 1024", "ReLU 1024"),
        *("Linear 6272", "BatchNorm1d 6272", "ReLU 6272", "Unflatten 128x7x7"),
        *("ConvTranspose2d 64x14x14", "ReLU 64x14x14"),
        *("ConvTranspose2d 1x28x28", "SigmoidImage 1x28x28"),
    ]
    first, second = 74 * 1024 + 1024 + 2 * 1024, 1024 * 6272 + 6272 + 2 * 6272
    assert parameters(g) == first + second + (128 * 64 * 16 + 64) + (64 * 1 * 16 + 1)

    normed = meta(InfoGANGenerator, 74, 28, 1, 1024, 64)
    assert layers(normed, latents(74))[7:10] == ["ConvTranspose2d 64x14x14", "BatchNorm2d 64x14x14", "ReLU 64x14x14"]
    assert parameters(normed) == parameters(g) + 2 * 64


def test_the_discriminator():
    d = meta(InfoGANDiscriminator, 28, 1, 64, 1024)
    assert layers(d, images(1, 28)) == [
        *("Conv2d 64x14x14", "LeakyReLU 64x14x14"),
        *("Conv2d 128x7x7", "BatchNorm2d 128x7x7", "LeakyReLU 128x7x7"),
        *("Flatten 6272", "Linear 1024", "BatchNorm1d 1024", "LeakyReLU 1024"),
        "Linear 1",
    ]
    convolutions = (1 * 64 * 16 + 64) + (64 * 128 * 16 + 128 + 2 * 128)
    assert parameters(d) == convolutions + (6272 * 1024 + 1024 + 2 * 1024) + (1024 + 1)


def test_the_tutorials_norm_stands_after_the_activation():
    g = meta(InfoGANGenerator, 26, 28, 1, 1024, 64, "after", "xavier")
    assert layers(g, latents(26))[:6] == [
        *("Linear 1024", "ReLU 1024", "BatchNorm1d 1024"),
        *("Linear 6272", "ReLU 6272", "BatchNorm1d 6272"),
    ]
    d = meta(InfoGANDiscriminator, 28, 1, 64, 1024, "after", "xavier")
    assert layers(d, images(1, 28)) == [
        *("Conv2d 64x14x14", "LeakyReLU 64x14x14"),
        *("Conv2d 128x7x7", "LeakyReLU 128x7x7", "BatchNorm2d 128x7x7"),
        *("Flatten 6272", "Linear 1024", "LeakyReLU 1024", "BatchNorm1d 1024"),
        "Linear 1",
    ]
    before = meta(InfoGANDiscriminator, 28, 1, 64, 1024)
    assert parameters(d) == parameters(before)
    with pytest.raises(ValueError, match="norm_position='behind': choose before or after"):
        InfoGANGenerator(26, 28, 1, 8, 4, "behind")


def test_a_norm_right_before_the_last_layer_gives_all_batches_the_same_mean_logit():
    torch.manual_seed(0)
    dark, bright = torch.rand(16, 1, 8, 8) - 1, torch.rand(16, 1, 8, 8)
    after = InfoGANDiscriminator(8, 1, 4, 32, "after", "xavier")
    torch.testing.assert_close(after(dark).logits.mean(), after(bright).logits.mean(), atol=1e-5, rtol=0)
    before = InfoGANDiscriminator(8, 1, 4, 32, "before", "xavier")
    assert (before(dark).logits.mean() - before(bright).logits.mean()).abs() > 0.01


def test_other_sizes_and_colours():
    g = meta(InfoGANGenerator, 10, 32, 3, 8, 4)
    assert layers(g, latents(10))[-1] == "SigmoidImage 3x32x32"
    d = meta(InfoGANDiscriminator, 32, 3, 4, 8)
    assert layers(d, images(3, 32))[0] == "Conv2d 4x16x16"
    g = meta(InfoGANGenerator, 10, (30, 21), 1, 8, 4)
    assert layers(g, latents(10))[-1] == "SigmoidImage 1x32x24" and g(latents(10)).shape == (2, 1, 30, 21)


@pytest.mark.parametrize(("deviation", "outputs"), [("fixed", 12), ("predicted", 14)])
def test_the_head(deviation, outputs):
    head = meta(QOutput, 128, CodeList((10,), 2), deviation)
    assert parameters(head) == 128 * outputs + outputs


def test_the_separate_q():
    q = meta(QMLP, 28, 1, 128, {"categorical": [10]}, "fixed", 0.1, "unit")
    assert layers(q, images(1, 28))[1:5] == ["Flatten 784", "Linear 128", "ReLU 128", "Linear 10"]
    assert parameters(q) == (784 * 128 + 128) + (128 * 10 + 10)


def test_the_separate_q_of_convolutions():
    q = meta(QConv, 28, 1, 64, 1024, 128, {"categorical": [10], "continuous": 2}, "fixed", "after", "xavier")
    assert layers(q, images(1, 28)) == [
        *("Conv2d 64x14x14", "LeakyReLU 64x14x14"),
        *("Conv2d 128x7x7", "LeakyReLU 128x7x7", "BatchNorm2d 128x7x7"),
        *("Flatten 6272", "Linear 1024", "LeakyReLU 1024", "BatchNorm1d 1024"),
        *("Linear 128", "LeakyReLU 128", "BatchNorm1d 128"),
        *("Linear 12", "ZeroPad1d 14"),
    ]
    trunk = (1 * 64 * 16 + 64) + (64 * 128 * 16 + 128 + 2 * 128) + (6272 * 1024 + 1024 + 2 * 1024)
    assert parameters(q) == trunk + (1024 * 128 + 128 + 2 * 128) + (128 * 12 + 12)


def test_the_head_on_a_discriminator(compose):
    from gan_framework.build import build_game
    from gan_framework.core.records import DataShape

    config = compose("experiment=infogan", "data.image_size=8", "debug=smoke", "networks.generator.hidden=16")
    game = build_game(config, DataShape((1, 8, 8), 10), torch.device("cpu"))
    head = game.discriminator.heads["q"]
    assert [type(layer) for layer in head] == [nn.Linear, nn.BatchNorm1d, nn.LeakyReLU, QOutput]
    assert parameters(head) == (1024 * 128 + 128) + 2 * 128 + (128 * 12 + 12)
    assert game.probe().heads["q"].shape == (2, 14)
