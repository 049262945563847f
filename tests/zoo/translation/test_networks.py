"""Generators of images of images: sizes of the papers, pixel shuffle, what was measured stays."""

import pytest
import torch

from gan_zoo.datasets.tasks import kept_lines
from gan_zoo.generators.encoder_decoder import EncoderDecoder
from gan_zoo.generators.resnet_translator import ResNetTranslator
from gan_zoo.generators.sr_resnet import SRResNetGenerator
from gan_zoo.generators.unet import UNetGenerator
from gan_zoo.generators.unrolled_fourier import UnrolledFourier, consistent

Z = torch.zeros(2, 0)


def unet(size, channels, width=64, **settings):
    given = {"latent_dim": 0, "levels": None, "norm": "batch", "dropout": 0.5, **settings}
    return UNetGenerator(size, channels, channels, width=width, **given)


SIZES = {
    "unet of 256 pixels": (lambda: unet(256, 3), 54_413_955),
    "unet of 32 pixels": (lambda: unet(32, 3), 16_659_075),
    "unet of 32 grey pixels": (lambda: unet(32, 1), 16_652_929),
    "resnet of 9 blocks": (lambda: ResNetTranslator(3, 3, 64, 9), 11_378_179),
    "resnet of 6 blocks": (lambda: ResNetTranslator(3, 3, 64, 6), 7_837_699),
    "narrow grey resnet": (lambda: ResNetTranslator(1, 1, 16, 6), 490_945),
    "sr_resnet": (lambda: SRResNetGenerator(3, 3, 64, 16, 4), 1_547_350),
}


@pytest.mark.parametrize("name", SIZES)
def test_the_sizes_of_the_papers(name):
    make, parameters = SIZES[name]
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in make().parameters()) == parameters


@pytest.mark.parametrize("size", [16, (16, 24)])
def test_images_become_images_of_their_size(size):
    height, width = (size, size) if isinstance(size, int) else size
    given = {"source": torch.rand(2, 3, height, width) * 2 - 1}
    for generator in (UNetGenerator(size, 1, 3, 0, 4, None, "instance", 0.5), ResNetTranslator(1, 3, 4, 1)):
        assert generator(Z, None, given).shape == (2, 1, height, width)
    assert EncoderDecoder(size, 1, 3, 4, 5)(Z, None, given).shape == (2, 1, height, width)
    assert SRResNetGenerator(1, 3, 4, 1, 4)(Z, None, given).shape == (2, 1, 4 * height, 4 * width)


def test_latents_change_what_a_unet_makes_and_dropout_only_trains():
    torch.manual_seed(0)
    generator = unet(16, 1, 4, latent_dim=3)
    given = {"source": torch.rand(2, 1, 16, 16)}
    first, second = torch.randn(2, 3), torch.randn(2, 3)
    assert not torch.equal(generator(first, None, given), generator(first, None, given))
    generator.eval()
    assert torch.equal(generator(first, None, given), generator(first, None, given))
    assert not torch.equal(generator(first, None, given), generator(second, None, given))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: unet(20, 1, 4, levels=3), "levels=3: images of 20x20 pixels can be halved from 2 to 2 times"),
        (lambda: unet(16, 1, 4, norm="layer"), "norm='layer': choose one of batch, instance, none"),
        (lambda: unet(16, 1, 4, dropout=1.0), "dropout=1.0"),
        (lambda: SRResNetGenerator(1, 1, 4, 1, 3), "scale=3: it must be one of 1, 2, 4, 8, 16"),
        (lambda: EncoderDecoder(18, 1, 1, 4, None), "image_size=18: both sides must be multiples of 4"),
        (lambda: ResNetTranslator(1, 1, 4, 1)(Z, None, {"a": torch.zeros(1, 1, 18, 16)}), "multiples of 4"),
        (lambda: unet(16, 1, 4)(Z), "is given none: choose a game that gives them"),
        (lambda: UnrolledFourier(1, 4, 1, 1)(Z, None, {"source": torch.zeros(1, 1, 8, 8)}), "no mask is given"),
    ],
)
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_pixel_shuffle_lays_channels_out_as_squares():
    """The doubling of sr_resnet: channel 4 c + 2 i + j of a pixel becomes pixel (i, j) of a square of channel c."""
    shuffle = SRResNetGenerator(1, 1, 4, 1, 2).up[0][1]
    x = torch.arange(8.0)[None, :, None, None]
    assert shuffle(x)[0].tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]


def test_what_was_measured_is_kept_whatever_the_weights():
    torch.manual_seed(0)
    x, g = torch.randn(2, 3, 1, 12, 10, dtype=torch.float64)
    mask = kept_lines(12, 0.4).double()[None, None, :, None].expand(3, 1, 12, 10)
    made = consistent(g, x, mask)
    spectrum = (torch.fft.fft2(made) - torch.fft.fft2(x)) * mask
    assert spectrum.abs().max() < 1e-12 * 120
    assert (consistent(g, x, torch.ones_like(mask)) - x).abs().max() < 1e-14
    assert (torch.fft.fft2(made).abs().square().sum() / 120 - made.square().sum()).abs() < 1e-9  # Parseval
    generator = UnrolledFourier(1, 4, 1, 2).double()
    found = generator(Z, None, {"source": consistent(torch.zeros_like(x), x, mask), "mask": mask})
    assert ((torch.fft.fft2(found) - torch.fft.fft2(x)) * mask).abs().max() < 1e-12 * 120
