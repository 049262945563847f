"""FastGAN's layers, networks, loss and self-supervision."""

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape, DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_zoo.discriminators.fastgan import FastGANDiscriminator
from gan_zoo.fast import Excitation, Gated
from gan_zoo.generators.fastgan import FastGANGenerator
from gan_zoo.losses.hinge import Hinge, RandomHinge
from gan_zoo.terms.self_supervision import quarter
from tests.zoo.architectures.counting import parameters


@pytest.mark.parametrize(("large", "count"), [(True, 105_684_175), (False, 79_354_307)], ids=["large", "small"])
def test_the_generator_has_the_published_size(large, count):
    """At 256 pixels and a width of 128, as in projected GAN."""
    assert parameters(FastGANGenerator, 256, 256, 3, 128, large) == count


@pytest.mark.slow
def test_the_discriminator_has_the_size_that_its_layers_have():
    """At 256 pixels and a width of 64, counted from the authors' layer list."""

    def down(a, b):
        return 16 * a * b + 9 * b * b + a * b + 3 * 2 * b

    def gate(a, b):
        return 16 * a * b + b * b

    def decoded(a):
        pairs = ((a, 128), (128, 64), (64, 64), (64, 32))
        return sum(9 * a * 2 * b + 2 * 2 * b for a, b in pairs) + 9 * 32 * 3

    big = (
        9 * 3 * 16 + sum(down(a, 2 * a) for a in (16, 32, 64, 128, 256)) + gate(16, 128) + gate(32, 256) + gate(64, 512)
    )
    judged = 512 * 1024 + 2 * 1024 + 16 * 1024
    small = 16 * 3 * 32 + sum(16 * a * 2 * a + 2 * 2 * a for a in (32, 64, 128)) + 16 * 256
    decoders = decoded(512) + 2 * decoded(256)
    assert parameters(FastGANDiscriminator, 256, 3, 64) == big + judged + small + decoders


@pytest.mark.parametrize("size", [8, 28, 64, [20, 36]])
def test_images_of_every_size_are_made(size):
    generator = FastGANGenerator(5, size, 1, 2, large=True)
    assert len(generator.excitations) == (1 if size == 64 else 0)
    assert generator(torch.randn(2, 5)).shape[1:] == (1, *((size, size) if isinstance(size, int) else size))


@pytest.mark.parametrize("size", [32, 64])
def test_both_branches_judge_25_places(size):
    discriminator = FastGANDiscriminator(size, 1, 2)
    output = discriminator(torch.randn(2, 1, size, size))
    assert output.logits.shape == (2, 50)
    assert output.features[-1].shape[2:] == (8, 8)
    for name, maps in (("whole", output.features[-1]), ("small", output.heads["small"])):
        assert discriminator.decoders[name](maps).shape == (2, 1, size // 2, size // 2)
    assert discriminator.decoders["part"](quarter(output.features[-2], torch.tensor([0, 3]))).shape[2] == size // 2


@pytest.mark.parametrize("size", [16, 48, [32, 64]])
def test_images_that_do_not_halve_to_8_pixels_are_refused(size):
    with pytest.raises(ValueError, match="takes square images of 32, 64, 128"):
        FastGANDiscriminator(size, 1, 2)


def test_a_gate_logit_of_0_halves_the_large_maps():
    excitation = Excitation(3, 5)
    excitation.logits[-1] = torch.nn.Conv2d(5, 5, 1, bias=False)
    torch.nn.init.zeros_(excitation.logits[-1].weight)
    small, large = torch.randn(2, 3, 6, 6), torch.randn(2, 5, 9, 9)
    torch.testing.assert_close(excitation(small, large), large / 2)


def test_gates_halve_the_channels():
    x = torch.randn(2, 6, 3, 3)
    torch.testing.assert_close(Gated()(x), x[:, :3] * x[:, 3:].sigmoid())


def test_noise_is_without_effect_at_first():
    generator = FastGANGenerator(5, 16, 1, 4, large=True)
    strengths = [p for name, p in generator.named_parameters() if name.endswith("strength")]
    assert len(strengths) == 4
    assert not any(strength.item() for strength in strengths)


def test_a_quarter_is_a_quarter():
    x = torch.arange(16.0).reshape(1, 1, 4, 4).expand(4, -1, -1, -1)
    found = quarter(x, torch.arange(4))[:, 0, 0, 0]
    assert found.tolist() == [0, 2, 8, 10]


def test_random_margins_lie_between_the_bounds_and_are_the_hinges_at_1():
    real, fake = (DiscriminatorOutput(torch.full((10_000,), value)) for value in (-1.0, 1.0))
    torch.manual_seed(0)
    assert RandomHinge(0.8).discriminator(real, fake).item() == pytest.approx(2 * (1 + 0.9), abs=0.01)
    sure = DiscriminatorOutput(torch.full((1000,), 0.9))
    assert 0 < RandomHinge(0.8).real_half(sure) < Hinge().real_half(sure)


@pytest.fixture
def game(compose):
    def build(*overrides):
        widths = ["networks.generator.width=2", "networks.discriminator.width=2", "prior.dim=5"]
        config = compose("experiment=fastgan", "data.image_size=32", *widths, "train.batch_size=4", *overrides)
        return build_game(config, DataShape((1, 32, 32), 10), torch.device("cpu"))

    return build


def test_self_supervision_trains_the_decoders_and_the_encoder_of_real_images(game):
    played = game("~strategy.diff_augment")
    torch.manual_seed(0)
    pair = played.meet(Batch(torch.rand(4, 1, 32, 32), torch.arange(4)))["main"].detached()
    player = played.player("discriminator")
    player.term("self_supervision")(pair, player).backward()
    reached = {name for name, p in played.discriminator.named_parameters() if p.grad is not None}
    assert {name.partition(".")[0] for name in reached} == {"stem", "blocks", "small", "decoders"}
    assert {name.split(".")[1] for name in reached if name.startswith("decoders")} == {"whole", "part", "small"}
    assert "fake_output" not in pair.__dict__


def test_what_is_decoded_is_the_image_as_the_discriminator_saw_it(game):
    played = game("strategy=[diff_augment]", "strategy.diff_augment.policy=[mirror]")
    x = torch.rand(4, 1, 32, 32)
    pair = played.meet(Batch(x, torch.arange(4)))["main"].detached()
    assert torch.equal(pair.real_output.heads["seen"], x.flip(-1))


def test_other_discriminators_have_no_decoders(compose):
    config = compose("model=dcgan", "data.image_size=16", "term=[self_supervision]", "tracker=[]", "metrics=[]")
    with pytest.raises(ConfigError, match=r"needs a discriminator with decoders, as fastgan is"):
        build_game(config, DataShape((1, 16, 16), 10), torch.device("cpu"))
