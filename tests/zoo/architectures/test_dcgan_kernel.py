"""DCGAN with either of its kernels."""

import pytest
import torch

from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.generators.dcgan import DCGANGenerator
from tests.zoo.architectures.helpers import count, meta, noise


@pytest.mark.parametrize(
    ("settings", "of_g", "of_d"),
    [((64, 3, 64), 3_576_707, 2_765_633), ((64, 3, 128), 12_658_435, 11_036_289), ((28, 1, 64), 759_681, 138_689)],
)
def test_the_usual_kernel_gives_the_tutorials_networks(settings, of_g, of_d):
    assert count(meta(DCGANGenerator, 100, *settings)) == of_g
    assert count(meta(DCGANDiscriminator, *settings, "batch")) == of_d


def test_the_authors_kernel_has_25_weights_for_every_16():
    four, five = (meta(DCGANGenerator, 100, 64, 3, 64, kernel=kernel) for kernel in (4, 5))
    inner = 512 * 256 + 256 * 128 + 128 * 64 + 64 * 3
    assert count(five) - count(four) == 9 * inner
    four, five = (meta(DCGANDiscriminator, 64, 3, 64, "batch", kernel=kernel) for kernel in (4, 5))
    assert count(five) - count(four) == 9 * inner


@pytest.mark.parametrize("kernel", [4, 5])
@pytest.mark.parametrize("size", [16, 28, 33, (20, 37)])
def test_either_kernel_takes_any_size(size, kernel):
    height, width = (size, size) if isinstance(size, int) else size
    assert meta(DCGANGenerator, 8, size, 1, 4, kernel=kernel)(noise(2, 8)).shape == (2, 1, height, width)
    d = meta(DCGANDiscriminator, size, 1, 4, "none", kernel=kernel)
    assert d(noise(2, 1, height, width)).logits.shape == (2,)


def test_an_output_pixel_of_a_doubling_is_made_of_two_or_three_inputs_a_side():
    torch.manual_seed(0)
    g = DCGANGenerator(4, 8, 1, 2, kernel=5)
    last = g.layers[-2]
    x = torch.zeros(1, 2, 4, 4)
    x[0, 0, 1, 1] = 1
    touched = (last(x) - last(torch.zeros_like(x)))[0, 0].abs() > 0
    assert touched.any(1).tolist() == touched.any(0).tolist() == [True] * 5 + [False] * 3


@pytest.mark.parametrize(
    "build", [lambda: DCGANGenerator(4, 8, 1, 2, 3), lambda: DCGANDiscriminator(8, 1, 2, "none", 0.0, 3)]
)
def test_other_kernels_are_refused(build):
    with pytest.raises(ValueError, match="kernel=3: choose 4 or 5"):
        build()
