"""TransGAN's networks: sizes, attention against torch's, and what places do to it."""

import pytest
import torch
from torch.nn import functional as F

from gan_zoo.systems.transgan import Attention, Block, TokenNoise, TransGANDiscriminator, TransGANGenerator
from tests.zoo.architectures.counting import parameters


def test_the_generator_has_the_published_size():
    assert parameters(TransGANGenerator, 256, 32, 3, 1024, [5, 4, 2], 4, False) == 83_260_878


@pytest.mark.parametrize("size", [8, 28, [20, 36]])
def test_images_of_sizes_that_four_divides_are_made_and_judged(size):
    generator = TransGANGenerator(5, size, 1, 32, [1, 1, 1], 2, True)
    discriminator = TransGANDiscriminator(size, 1, 8, 1, 2, True)
    images = generator(torch.randn(2, 5))
    assert images.shape[1:] == (1, *((size, size) if isinstance(size, int) else size))
    said = discriminator(images)
    assert said.logits.shape == (2,)
    assert [feature.shape[1] for feature in said.features] == [6, 8, 8]


def test_settings_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="image_size=30: each side must be a multiple of 4"):
        TransGANDiscriminator(30, 1, 8, 1, 2, True)
    with pytest.raises(ValueError, match="width=40 must be a multiple of 16 times heads=2"):
        TransGANGenerator(5, 8, 1, 40, [1, 1, 1], 2, True)
    with pytest.raises(ValueError, match="there are three sizes"):
        TransGANGenerator(5, 8, 1, 32, [1, 1], 2, True)


def attention(size):
    torch.manual_seed(0)
    layer = Attention(6, 2, size).double()
    if size is not None:
        layer.apart.data.normal_()
    return layer


@pytest.mark.parametrize("size", [None, (2, 3)])
def test_attention_is_torchs_with_biases_of_offsets(size):
    layer, x = attention(size), torch.randn(4, 6, 6, dtype=torch.float64)
    q, k, v = (part.unflatten(2, (2, 3)).transpose(1, 2) for part in layer.inputs(x).chunk(3, dim=2))
    bias = None
    if size is not None:
        places = [(row, column) for row in range(2) for column in range(3)]
        numbers = [[(a[0] - b[0] + 1) * 5 + a[1] - b[1] + 2 for b in places] for a in places]
        bias = layer.apart[:, torch.tensor(numbers)]
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).flatten(2)
    torch.testing.assert_close(layer(x), layer.output(expected))


def test_without_places_permuted_tokens_are_permuted_outputs():
    torch.manual_seed(0)
    order = torch.randperm(6)
    x = torch.randn(2, 6, 6, dtype=torch.float64)
    plain, placed = Block(6, 2, None).double(), Block(6, 2, (2, 3)).double()
    torch.testing.assert_close(plain(x[:, order]), plain(x)[:, order])
    placed.attention.apart.data.normal_()
    assert (placed(x[:, order]) - placed(x)[:, order]).abs().max() > 1e-3


def test_noise_begins_at_nothing_is_new_in_training_and_fixed_in_evaluation():
    layer, x = TokenNoise(5), torch.zeros(2, 5, 3)
    assert torch.equal(layer(x), x)
    layer.strength.data.fill_(2.0)
    made = layer(x)
    assert torch.equal(made[..., :1].expand(-1, -1, 3), made) and not torch.equal(made, layer(x))
    assert torch.equal(layer.eval()(x), 2 * layer.fixed.expand(2, 5, 3))
