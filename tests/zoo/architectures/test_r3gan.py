"""R3GAN's networks, and the numbers of its training that change."""

import math

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape, DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_zoo.discriminators.r3gan import R3GANDiscriminator
from gan_zoo.generators.r3gan import R3GANGenerator
from gan_zoo.strategies.ema import HalfLife
from tests.zoo.architectures.counting import parameters

SMALL = (
    "data.image_size=8",
    "networks.generator.width=4",
    "networks.discriminator.width=4",
    "train.batch_size=4",
    "tracker=[]",
    "metrics=[]",
)


@pytest.mark.parametrize(
    ("classes", "size", "width", "blocks", "generator", "discriminator"),
    [
        (10, 32, 768, 2, 20_781_952, 21_280_512),
        (None, 32, 768, 2, 20_732_160, 20_683_776),
        (None, 64, 768, 2, 22_429_824, 22_381_440),
        (None, 32, [32, 32, 16, 16], 1, 41_392, 39_376),
    ],
    ids=["CIFAR-10", "without classes", "FFHQ-64", "tiny"],
)
def test_the_networks_have_the_published_sizes(classes, size, width, blocks, generator, discriminator):
    assert parameters(R3GANGenerator, 64, classes, size, 3, width, blocks) == generator
    assert parameters(R3GANDiscriminator, classes, size, 3, width, blocks) == discriminator


@pytest.mark.parametrize("size", [8, 28, 32, [20, 36]])
def test_images_of_every_size_are_made_and_judged(size):
    generator, discriminator = R3GANGenerator(5, 3, size, 1, 4, 1), R3GANDiscriminator(3, size, 1, 4, 1)
    labels = torch.tensor([0, 2])
    images = generator(torch.randn(2, 5), labels)
    assert images.shape[1:] == (1, *((size, size) if isinstance(size, int) else size))
    assert discriminator(images, labels).logits.shape == (2,)


def test_both_networks_begin_linear():
    torch.manual_seed(0)
    generator = R3GANGenerator(5, None, 16, 3, 16, 2).double()
    discriminator = R3GANDiscriminator(None, 16, 3, 16, 2).double()
    a, b = torch.randn(2, 3, 5, dtype=torch.float64)
    torch.testing.assert_close(generator(a + b), generator(a) + generator(b))
    x, y = torch.randn(2, 3, 3, 16, 16, dtype=torch.float64)
    said = [discriminator(images).logits for images in (x, y, x - 2 * y, torch.zeros_like(x))]
    torch.testing.assert_close(said[2], said[0] - 2 * said[1])
    assert said[3].tolist() == [0.0, 0.0, 0.0]
    assert said[0].abs().max() > 0.01


def test_weights_keep_the_variance_at_the_start():
    torch.manual_seed(0)
    generator = R3GANGenerator(256, None, 32, 3, 64, 2)
    discriminator = R3GANDiscriminator(None, 32, 3, 64, 2)
    block = generator.towers[0][0]
    gain = math.sqrt(2 / 1.04) * 8**-0.25
    assert block.widen.weight.std().item() == pytest.approx(gain / math.sqrt(64), rel=0.05)
    assert block.mix.weight.std().item() == pytest.approx(gain / math.sqrt(16 * 9), rel=0.05)
    assert not block.narrow.weight.any()
    assert discriminator.basis.weight.std().item() == pytest.approx(1 / 4, rel=0.1)


def test_classes_change_samples_and_scores():
    torch.manual_seed(0)
    generator, discriminator = R3GANGenerator(5, 3, 16, 1, 8, 1), R3GANDiscriminator(3, 16, 1, 8, 1)
    z = torch.randn(1, 5).expand(3, -1)
    images = generator(z, torch.arange(3))
    assert (images[0] - images[1]).abs().max() > 1e-3
    logits = discriminator(images[:1].expand(3, -1, -1, -1), torch.arange(3)).logits
    assert logits.unique().numel() == 3


@pytest.fixture
def game(compose):
    def build(*overrides):
        config = compose("experiment=r3gan", *SMALL, *overrides)
        return build_game(config, DataShape((1, 8, 8), 10), torch.device("cpu"))

    return build


def batches():
    torch.manual_seed(0)
    return lambda: Batch(torch.rand(4, 1, 8, 8) * 2 - 1, torch.arange(4))


def test_a_constant_on_all_logits_changes_neither_loss(game):
    loss = game().loss
    real, fake = torch.randn(2, 6, dtype=torch.float64)
    moved = [DiscriminatorOutput(logits + 5) for logits in (real, fake)]
    still = [DiscriminatorOutput(logits) for logits in (real, fake)]
    torch.testing.assert_close(loss.discriminator(*moved), loss.discriminator(*still))
    torch.testing.assert_close(loss.generator(*moved[::-1]), loss.generator(*still[::-1]))


def test_the_numbers_go_along_a_cosine(game):
    played = game("train.steps=4", "strategy.burn_in.levels=null")
    player, (average,) = played.player("discriminator"), [m for m in played.modules() if isinstance(m, HalfLife)]
    seen = []
    for _ in range(5):
        seen.append((player.optimizer.param_groups[0]["betas"][1], player.plans["r1"].weight, float(average.half_life)))
        played.step(batches())
    shares = [(1 - math.cos(math.pi * t / 4)) / 2 for t in range(5)]
    for share, (beta2, gamma, half_life) in zip(shares, seen, strict=True):
        assert beta2 == pytest.approx(0.9 + 0.09 * share)
        assert gamma == pytest.approx(0.05 - 0.045 * share)
        assert half_life == pytest.approx(0.25 * 4 * 4 * share)


def test_levels_hold_the_numbers_between_their_changes(game):
    played = game("train.steps=6", "strategy.burn_in.levels=3")
    seen = []
    for _ in range(7):
        seen.append(played.player("generator").optimizer.param_groups[0]["betas"][1])
        played.step(batches())
    assert seen == pytest.approx([0.9, 0.9, 0.945, 0.945, 0.99, 0.99, 0.99])


def test_a_resumed_game_has_the_numbers_of_its_update(game):
    first, second = (game("train.steps=4", "strategy.burn_in.levels=null") for _ in range(2))
    for _ in range(2):
        first.step(batches())
    second.load_state_dict(first.state_dict())
    for name in ("discriminator", "generator"):
        groups = [played.player(name).optimizer.param_groups[0]["betas"] for played in (first, second)]
        assert groups[0] == groups[1] != (0.0, 0.9)
    assert second.player("discriminator").plans == first.player("discriminator").plans


def test_a_sample_counts_half_after_the_half_life():
    trained, average = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(trained.weight)
    torch.nn.init.ones_(average.weight)
    following = HalfLife(trained, average, half_life=40, ramp=None, batch=8, warmup=0)
    for _ in range(5):
        following()
    assert average.weight.item() == pytest.approx(0.5)
    for half_life, batch, kept in ((500_000, 64, 0.99991128), (10_000, 32, 0.99778439)):
        other = HalfLife(trained, average, half_life, None, batch, 0)
        assert float(other.share()) == pytest.approx(kept, abs=1e-7)


def test_the_ramp_bounds_the_half_life_by_the_images_so_far():
    trained, average = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    following = HalfLife(trained, average, half_life=1000, ramp=0.5, batch=10, warmup=0)
    following()
    torch.testing.assert_close(average.weight, trained.weight)
    assert float(following.share()) == pytest.approx(0.5 ** (10 / 5))
    following.images.fill_(1e6)
    assert float(following.share()) == pytest.approx(0.5 ** (10 / 1000))


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["+strategy.burn_in.weights.r3=1"], r"burn_in.weights.r3 has no effect: no player has a term 'r3'"),
        (["~strategy.ema"], r"strategy.burn_in.half_life has no effect without ema"),
        (["terms.r1.weight={start: 1, end: 2, steps: 3}"], r"burn_in and terms.r1.weight both change"),
        (["strategy.ema.half_life=null", "strategy.ema.ramp=0.1"], r"ramp=0.1 bounds the half-life"),
    ],
)
def test_what_cannot_change_is_refused(game, overrides, reason):
    with pytest.raises((ConfigError, ValueError), match=reason):
        game(*overrides)
