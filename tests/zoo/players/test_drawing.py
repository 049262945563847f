"""GRAN's strokes, LR-GAN's objects."""

import pytest
import torch

from gan_zoo.generators.dcgan import DCGANGenerator
from gan_zoo.systems.gran import GRANDiscriminator, GRANGenerator
from gan_zoo.systems.lr_gan import LRGANGenerator


def gran(steps, noise="once", latent_dim=6):
    torch.manual_seed(0)
    net = GRANGenerator(latent_dim, 8, 1, 8, 5, steps, noise).eval()
    for parameter in net.parameters():
        parameter.data.normal_(0, 0.3)
    return net


def test_one_stroke_is_the_decoder_with_nothing_read():
    net, z = gran(1), torch.randn(4, 6)
    stroke = net.decoder(torch.cat([net.of_noise(z), torch.zeros(4, 5)], 1))
    assert torch.equal(net(z), net.output(stroke))
    assert not any(parameter.requires_grad for parameter in net.encoder.parameters())


def test_the_image_is_the_sum_of_the_strokes_in_any_order():
    net, z = gran(3), torch.randn(4, 6)
    strokes = net.strokes(z)
    assert len(strokes) == 3 and not torch.allclose(strokes[0], strokes[1])
    torch.testing.assert_close(net(z), net.output(strokes[2] + strokes[0] + strokes[1]))
    canvas = net.canvas(z)
    torch.testing.assert_close(canvas[:, 2], net(z))
    torch.testing.assert_close(canvas[:, 0], net.output(strokes[0]))
    torch.testing.assert_close(net(z), 2 * sum(strokes).sigmoid() - 1)


def test_a_stroke_depends_on_the_one_before():
    net, z = gran(2).train(), torch.randn(4, 6)
    net.of_noise.requires_grad_(False)
    first, second = net.strokes(z)
    assert torch.autograd.grad(second.square().sum(), first)[0].abs().max() > 0


def test_each_stroke_may_have_noise_of_its_own():
    net, z = gran(3, "each"), torch.randn(4, 6)
    changed = torch.cat([z[:, :4], torch.randn(4, 2)], 1)
    before, after = net.strokes(z), net.strokes(changed)
    assert torch.equal(before[1], after[1]) and not torch.allclose(before[2], after[2])
    with pytest.raises(ValueError, match="latent_dim=7: 3 steps have a part of z each"):
        gran(3, "each", 7)


def test_the_sizes_of_the_authors_network():
    with torch.device("meta"):
        net, critic = GRANGenerator(100, 32, 3, 1024, 100, 3, "once"), GRANDiscriminator(32, 3, 1024, 100)
    shapes = [tuple(layer.weight.shape[:2]) for layer in net.decoder if isinstance(layer, torch.nn.ConvTranspose2d)]
    assert shapes == [(1024, 512), (512, 256), (256, 3)]
    assert net.decoder[0].weight.shape == (16384, 200)
    assert [tuple(f.shape[1:]) for f in critic.features(torch.zeros(2, 3, 32, 32, device="meta"))] == [
        (1024, 16, 16), (512, 8, 8), (256, 4, 4), (100,),
    ]  # fmt: skip


# -- LR-GAN ----------------------------------------------------------------------------------------


def lr(layers, size=5):
    torch.manual_seed(0)
    return LRGANGenerator(size * layers, 16, 2, 4, layers, 1.2, 0.1)


def test_without_objects_it_is_dcgan():
    net = lr(1)
    torch.manual_seed(0)
    plain = DCGANGenerator(5, 16, 2, 4)
    z = torch.randn(4, 5)
    assert torch.equal(net(z), plain(z))
    assert [*net.state_dict()] == [f"background.{name}" for name in plain.state_dict()]
    assert plain.layers[0].weight.shape[1] == 2 * 4


def test_an_object_begins_smaller_than_the_image_at_its_centre():
    net = lr(2).eval()
    assert torch.equal(net.placed(torch.randn(3, 5)), torch.tensor([[1.2, 0, 0], [0, 1.2, 0]]).expand(3, 2, 3))
    net.mask[-1] = torch.nn.Hardtanh(1.0, 1.0 + 1e-9)
    mask = net.painted(torch.randn(2, 10))["mask_1"]
    torch.testing.assert_close(mask[:, :, 3:13, 3:13], torch.ones(2, 1, 10, 10))
    assert (mask[:, :, 0] == 0).all() and (mask[..., -1] == 0).all()


def test_places_stay_within_their_bounds():
    net = lr(2)
    with torch.no_grad():
        net.place.weight.normal_(0, 10)
    placed = net.placed(torch.randn(200, 5)).detach()
    scales, shears, shifts = placed[:, [0, 1], [0, 1]], placed[:, [0, 1], [1, 0]], placed[:, :, 2]
    assert scales.min() == pytest.approx(1.2) and scales.max() == pytest.approx(2.4)
    assert shears.abs().max() == pytest.approx(0.1) and shifts.abs().max() == 1


class Even(torch.nn.Module):
    def __init__(self, value, channels):
        super().__init__()
        self.value, self.channels = value, channels

    def forward(self, x):
        return x.new_full((len(x), self.channels, 16, 16), self.value)


@pytest.mark.parametrize(("mask", "expected"), [(0.0, -0.5), (1.0, 0.8), (0.25, 0.25 * 0.8 - 0.75 * 0.5)])
def test_an_object_lies_on_the_background(mask, expected):
    net = lr(2).eval()
    net.background, net.image, net.mask = Even(-0.5, 2), Even(0.8, 2), Even(mask, 1)
    with torch.no_grad():
        net.place.bias.copy_(torch.tensor([1.0, 0, 0, 0, 1.0, 0]))
    net.scale = 1.0  # the object fills the image
    made = net(torch.randn(2, 10))
    torch.testing.assert_close(made, torch.full((2, 2, 16, 16), expected))


def test_further_objects_read_the_one_before():
    net = lr(3)
    made = net.painted(torch.randn(4, 15))
    assert {*made} == {"samples", "background", "object_1", "mask_1", "object_2", "mask_2"}
    made["samples"].square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    assert net.reader.layers[-3].weight.grad.abs().max() > 0
