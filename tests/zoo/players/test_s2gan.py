"""S2GAN: normals, and images of them."""

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_zoo.systems.s2gan import StructureGenerator, StyleGenerator, normals_of
from tests.zoo.players.playing import batch, built, play

SHAPE = DataShape((1, 16, 16), 10)
SMALL = ["experiment=s2gan", "data.image_size=16", "prior.dim=8"]
SMALL += [f"networks.generator_{part}.latent_dim=4" for part in ("structure", "style")]
SMALL += [
    f"networks.{team}_{part}.width=4" for team in ("generator", "discriminator") for part in ("structure", "style")
]


def test_the_sizes_of_the_papers_networks():
    with torch.device("meta"):
        net, style = StructureGenerator(100, 72, 128), StyleGenerator(100, 128, 3, 64)
        x, sides = torch.zeros(2, 100), []
        for layer in net.layers:
            x = layer(x)
            if isinstance(layer, torch.nn.ConvTranspose2d):
                sides.append(x.shape[-1])
        assert sides == [9, 18, 36, 72] and x.shape == (2, 3, 72, 72)
        assert style.of_normals(torch.zeros(2, 3, 128, 128)).shape == (2, 128, 32, 32)
        assert style.of_noise(torch.zeros(2, 100)).shape == (2, 64, 32, 32)
        made = style(torch.zeros(2, 100), None, {"normals": torch.zeros(2, 3, 128, 128)})
        assert made.shape == (2, 3, 128, 128)


def test_normals_have_norm_one_and_lean_away_from_what_is_higher():
    torch.manual_seed(0)
    made = StructureGenerator(4, 16, 4)(torch.randn(3, 4))
    torch.testing.assert_close(made.norm(dim=1), torch.ones(3, 16, 16))
    ramp = torch.linspace(-1, 1, 9).expand(1, 1, 9, 9)
    normals = normals_of(ramp)[0, :, 4, 4]
    slope = 2 * (2 / 8)
    expected = F.normalize(torch.tensor([-slope, 0.0, 1.0]), dim=0)
    torch.testing.assert_close(normals, expected)
    torch.testing.assert_close(normals_of(torch.zeros(1, 3, 5, 5))[0, :, 2, 2], torch.tensor([0.0, 0.0, 1.0]))


def test_images_are_made_of_normals_and_judged_beside_them(compose):
    game, one = built(compose, SHAPE, *SMALL), batch(SHAPE, 4)
    meeting = game.meet(one)
    real = normals_of(one.samples)
    assert torch.equal(meeting["structure"].real, real) and torch.equal(meeting["style"].fake_given[0], real)
    assert meeting["structure"].fake.shape == (4, 3, 16, 16) and meeting["style"].fake.shape == (4, 1, 16, 16)
    losses = game.player("generator").evaluate(meeting)
    reader = game.network("reader")
    read = 1 - (reader(meeting["style"].fake) * real).sum(1).mean()
    torch.testing.assert_close(losses["readability"], 0.1 * read)
    own = game.player("reader").evaluate(meeting)
    assert {*own} == {"readability"}
    torch.testing.assert_close(own["readability"], 1 - (reader(one.samples) * real).sum(1).mean())


def test_each_player_trains_its_own_networks(compose):
    game = built(compose, SHAPE, *SMALL)
    before = {name: [p.clone() for p in net.parameters()] for name, net in game.networks.items()}
    play(game, range(2), n=4)
    for name, net in game.networks.items():
        assert any(not torch.equal(old, new) for old, new in zip(before[name], net.parameters(), strict=True)), name


def test_samples_are_images_of_made_normals(compose):
    game = built(compose, SHAPE, *SMALL)
    latent = game.latent(6)
    game.networks.eval()
    normals = game.generate(latent, "generator_structure")
    image = game.network("generator_style")(latent.z[:, 4:], None, {"normals": normals})
    torch.testing.assert_close(game.sample(latent), image)
    assert game.picture(latent, 3).shape == (3, 4 * 18 + 2, 3 * 18 + 2)
    with pytest.raises(ConfigError, match="even prior.dim"):
        built(compose, SHAPE, *SMALL, "prior.dim=7")
