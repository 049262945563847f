"""BEGAN: an auto-encoder and a generator without norm."""

import pytest
import torch

from gan_zoo.systems.began import BEGANDiscriminator, BEGANGenerator
from tests.helpers.runs import make_run
from tests.zoo.architectures.helpers import count, meta, noise


def test_what_is_made_and_judged_of_one_sample_does_not_depend_on_the_others(compose, tmp_path):
    game = make_run(compose("experiment=began", "debug=smoke"), tmp_path).game
    g, d = game.networks["generator"].train(), game.networks["discriminator"].train()
    z = torch.rand(4, 64) * 2 - 1
    together = g(z)
    torch.testing.assert_close(g(z[:1]), together[:1])
    torch.testing.assert_close(d(together[:1]).logits, d(together).logits[:1])


def test_the_networks_for_64_pixels_have_the_programs_parameters():
    def conv(inputs, outputs):
        return 9 * inputs * outputs + outputs

    decoder = 65 * 64 * 128 + 8 * conv(128, 128) + conv(128, 3)
    encoder = conv(3, 128) + 512 * 64 * 64 + 64
    for i, outputs in enumerate((128, 256, 384, 512)):
        encoder += conv((128, 128, 256, 384)[i], outputs) + (2 if i < 3 else 1) * conv(outputs, outputs)
    assert count(meta(BEGANGenerator, 64, 64, 3, 128)) == decoder
    assert count(meta(BEGANDiscriminator, 64, 3, 128, 64, "l1")) == encoder + decoder


@pytest.mark.parametrize("size", [8, 16, 28, 33, (20, 37)])
def test_any_size_can_be(size):
    height, width = (size, size) if isinstance(size, int) else size
    assert meta(BEGANGenerator, 5, size, 2, 2)(noise(3, 5)).shape == (3, 2, height, width)
    said = meta(BEGANDiscriminator, size, 2, 2, 6, "l1")(noise(3, 2, height, width))
    assert said.logits.shape == (3,) and said.heads["vector"].shape == (3, 6)
    assert said.heads["reconstruction"].shape == (3, 2, height, width)


def test_the_logit_is_minus_the_mean_error():
    torch.manual_seed(0)
    d = BEGANDiscriminator(16, 1, 2, 4, "l1")
    x = torch.randn(3, 1, 16, 16)
    said = d(x)
    torch.testing.assert_close(said.logits, -(x - said.heads["reconstruction"]).abs().mean((1, 2, 3)))
