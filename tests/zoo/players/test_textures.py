"""Spatial GAN and PSGAN: textures of any size; crops of textures."""

import math

import numpy as np
import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_zoo.datasets.texture import Texture, pattern
from gan_zoo.systems.spatial_gan import SpatialDiscriminator, SpatialGenerator
from tests.zoo.players.playing import built, count


def spatial(field=4, local=3, global_dim=0, waves=0, widths=(6, 5)):
    torch.manual_seed(0)
    dim = field**2 * local + global_dim + waves
    net = SpatialGenerator(dim, field, local, global_dim, waves, 1, [*widths]).double().eval()
    for module in net.modules():
        if isinstance(module, torch.nn.ConvTranspose2d):
            module.weight.data.normal_(0, 0.3)
    return net


def test_the_counts_and_sizes_of_the_papers_networks():
    widths = [512, 256, 128, 64]
    with torch.device("meta"):
        plain = SpatialGenerator(2500, 5, 100, 0, 0, 3, widths)
        critic = SpatialDiscriminator(3, widths[::-1])
        assert plain(torch.zeros(2, 2500)).shape == (2, 3, 129, 129)
        assert critic(torch.zeros(2, 3, 129, 129)).logits.shape == (2, 1, 5, 5)
    periodic = SpatialGenerator(816, 5, 30, 60, 6, 3, widths)
    assert count(plain) == 5_587_520
    assert count(critic) == 4_320_192
    assert count(periodic.layers) == 5_536_320
    assert count(periodic.waves) == 3_662
    assert periodic.waves.layers[-1].bias.tolist() == [1, 0, 0, 1] * 3
    torch.testing.assert_close(periodic.waves.band, math.pi * torch.tensor([4, 4, 5, 5, 6, 6]) / 6)


@pytest.mark.parametrize(("field", "side"), [(2, 9), (5, 33), (6, 41)])
def test_positions_make_pixels(field, side):
    assert spatial(field)(torch.randn(1, field**2 * 3, dtype=torch.float64)).shape == (1, 1, side, side)


def test_a_shifted_field_makes_a_shifted_image():
    net = spatial()
    local, none = torch.randn(1, 3, 12, 12, dtype=torch.float64), torch.zeros(1, 0, dtype=torch.float64)
    made = net.paint(local, none, none)
    shifted = net.paint(local.roll(1, dims=3), none, none)
    torch.testing.assert_close(made[..., 24:-40], shifted[..., 32:-32])


def test_a_larger_field_has_the_smaller_images_interior():
    net = spatial()
    local, none = torch.randn(1, 3, 14, 14, dtype=torch.float64), torch.zeros(1, 0, dtype=torch.float64)
    large, small = net.paint(local, none, none), net.paint(local[..., :9, :9], none, none)
    torch.testing.assert_close(large[..., :40, :40], small[..., :40, :40])


def test_waves_repeat_after_their_period():
    net = spatial(local=1, global_dim=2, waves=2)
    net.waves.layers[-1].weight.data.zero_()
    net.waves.band.fill_(2 * math.pi / 3)
    local, of_all = torch.zeros(1, 1, 15, 15, dtype=torch.float64), torch.randn(1, 2, dtype=torch.float64)
    fields = net.waves(of_all, torch.rand(1, 2, dtype=torch.float64), 15, 15)
    torch.testing.assert_close(fields[..., :12], fields[..., 3:])
    torch.testing.assert_close(fields[:, 0, :, 0], fields[:, 0, :, 7])  # down alone
    torch.testing.assert_close(fields[:, 1, 0], fields[:, 1, 7])  # across alone
    made = net.paint(local, of_all, torch.rand(1, 2, dtype=torch.float64))
    torch.testing.assert_close(made[..., 24:60, 24:60], made[..., 48:84, 24:60])
    assert made[..., 24:60, 24:60].std() > 1e-3


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="4x4 positions with 3 entries each, 0 for all and 0 phases take 48"):
        SpatialGenerator(47, 4, 3, 0, 0, 1, [4])
    with pytest.raises(ValueError, match="waves=2: .* set global_dim"):
        SpatialGenerator(50, 4, 3, 0, 2, 1, [4])


def test_pictures_show_more_than_was_trained(compose):
    small = ["data.image_size=17", "prior.dim=51", "networks.generator.field=3", "networks.generator.local=5"]
    nets = ["networks.generator.widths=[4,4]", "networks.discriminator.widths=[4,4]", "networks.generator.global_dim=2"]
    game = built(compose, DataShape((1, 17, 17)), "experiment=psgan", *small, *nets, "networks.generator.waves=4")
    latent = game.latent(8)
    assert game.picture(latent, 8).shape == (3, 65 + 4, 2 * (65 + 2) + 2)
    assert torch.equal(game.picture(latent, 8), game.picture(latent, 8))
    assert game.generator.training
    with pytest.raises(ConfigError, match="DCGANGenerator makes one size"):
        built(compose, DataShape((1, 16, 16)), "model=dcgan", "data.image_size=16", "game=spatial_gan")


def texture(**settings):
    usual = {"path": None, "pattern": "stripes", "period": 8, "samples": 5, "image_size": 16, "channels": 1}
    return Texture(**(usual | {"num_classes": 0} | settings))


def test_stripes_have_the_period():
    image = pattern("stripes", 8, 64)
    assert (image[:, :56].int() - image[:, 8:].int()).abs().max() <= 1  # rounded
    assert torch.equal(image[..., 0], image[..., 9])
    spectrum = torch.fft.rfft(image[0, :, 0].double() - 127.5).abs()
    assert spectrum.argmax() == 8
    assert not torch.equal(pattern("checks", 8, 64)[..., 2], pattern("checks", 8, 64)[..., 4])
    assert pattern("scales", 8, 64).float().std() > 10


def test_crops_are_parts_of_the_image(tmp_path):
    from PIL import Image

    pixels = torch.randint(256, (20, 30, 3), dtype=torch.uint8)
    Image.fromarray(pixels.numpy()).save(tmp_path / "a.png")
    crops = texture(path=str(tmp_path / "a.png"), image_size=12, channels=3).load("train").samples
    windows = pixels.permute(2, 0, 1).unfold(1, 12, 1).unfold(2, 12, 1).permute(1, 2, 0, 3, 4).flatten(0, 1)
    assert all((windows == crop).flatten(1).all(1).any() for crop in crops)
    assert len(crops.flatten(1).unique(dim=0)) > 1
    with pytest.raises(ConfigError, match="has only 30x20 pixels"):
        texture(path=str(tmp_path / "a.png"), image_size=21, channels=3).load("train")
    # Grey is luma here as everywhere, rounded as Pillow does.
    grey = texture(path=str(tmp_path / "a.png"), image_size=20, channels=1).load("train").samples
    with Image.open(tmp_path / "a.png") as image:
        luma = torch.from_numpy(np.array(image.convert("L"))).unfold(1, 20, 1).movedim(1, 0)
    assert all((luma == crop).flatten(1).all(1).any() for crop in grey)
    with pytest.raises(ConfigError, match="there is no such file"):
        texture(path=str(tmp_path / "b.png")).load("train")


@pytest.mark.parametrize("settings", [{"pattern": "dots"}, {"period": 1}, {"channels": 2}, {"image_size": 600}])
def test_settings_of_no_texture_are_refused(settings):
    (name,) = settings
    with pytest.raises(ConfigError, match=f"data.{name}="):
        texture(**settings)
