"""The discriminator of patches: sizes, fields and what a logit may see."""

import pytest
import torch

from gan_zoo.discriminators.patch import PatchDiscriminator

SIZES = [(6, "batch", 2_768_705), (3, "instance", 2_764_737)]
FIELDS = {0: 1, 1: 16, 2: 34, 3: 70}
MAPS = {0: 32, 1: 14, 2: 6, 3: 2}


@pytest.mark.parametrize(("channels", "norm", "parameters"), SIZES)
def test_the_sizes_of_the_papers(channels, norm, parameters):
    with torch.device("meta"):
        discriminator = PatchDiscriminator(channels, 0, 64, 3, norm)
        logits = discriminator(torch.zeros(2, channels, 256, 256)).logits
    assert sum(parameter.numel() for parameter in discriminator.parameters()) == parameters
    assert logits.shape == (2, 1, 30, 30)


@pytest.mark.parametrize("layers", FIELDS)
def test_a_logit_sees_its_field_alone(layers):
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(1, 0, 4, layers, "none").double()
    x = torch.zeros(1, 1, 128, 128, dtype=torch.float64, requires_grad=True)
    logits = discriminator(x).logits
    centre = logits.shape[-1] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, centre, centre], x)
    assert [int((gradient[0, 0].abs().sum(side) > 0).sum()) for side in (0, 1)] == [FIELDS[layers]] * 2
    assert discriminator(torch.zeros(1, 1, 32, 32, dtype=torch.float64)).logits.shape[2:] == (MAPS[layers],) * 2


def test_inner_logits_are_those_of_their_patches():
    """Where a patch touches no border, its logit is what the same patch gets inside any other image."""
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(2, 0, 4, 1, "none").double()
    image = torch.randn(1, 2, 48, 48, dtype=torch.float64)
    whole, crop = discriminator(image).logits, discriminator(image[..., 4:44, 4:44]).logits
    # Two pixels a logit; the outer three of a side see beyond the border.
    assert torch.allclose(whole[..., 5:-5, 5:-5], crop[..., 3:-3, 3:-3], atol=1e-12)


def test_what_an_image_is_judged_beside_counts():
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(1, 3, 4, 2, "none")
    x, source, other = torch.randn(2, 1, 32, 32), torch.randn(2, 3, 32, 32), torch.randn(2, 3, 32, 32)
    assert not torch.equal(discriminator(x, None, source).logits, discriminator(x, None, other).logits)
    halves = source[:, :1], source[:, 1:]
    assert torch.equal(discriminator(x, None, source).logits, discriminator(x, None, *halves).logits)
    with pytest.raises(ValueError, match="given_channels=3, and maps of 0 channels are given"):
        discriminator(x)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layers": -1}, "layers=-1: it cannot be negative"),
        ({"given_channels": -3}, "given_channels=-3: it cannot be negative"),
        ({"width": 0}, "width=0: it must be at least 1"),
        ({"norm": "group"}, "norm='group': choose one of batch, layer, instance, none"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        PatchDiscriminator(**{"channels": 1, "given_channels": 0, "width": 4, "layers": 1, "norm": "batch", **settings})


def test_images_that_are_too_small_are_named():
    discriminator = PatchDiscriminator(1, 0, 4, 3, "batch")
    assert discriminator(torch.zeros(1, 1, 24, 24)).logits.shape == (1, 1, 1, 1)
    with pytest.raises(ValueError, match="layers=3: images must have at least 24 pixels on each side, and have 24x23"):
        discriminator(torch.zeros(1, 1, 24, 23))
