"""Networks that grow, and what has them grow."""

import copy

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError
from gan_zoo.discriminators.pggan import PGGANDiscriminator
from gan_zoo.generators.pggan import PGGANGenerator
from gan_zoo.growing import Growing, pooled, repeated
from gan_zoo.strategies.progressive_growing import Growth, Reduced
from tests.zoo.architectures.counting import parameters

SHAPE = DataShape((1, 16, 16), 10)


@pytest.mark.parametrize(
    ("size", "generator", "discriminator"),
    [(32, 20_719_628, 20_726_785), (64, 22_490_383, 22_498_049), (1024, 23_079_115, 23_087_249)],
)
def test_the_networks_have_the_published_sizes(size, generator, discriminator):
    assert parameters(PGGANGenerator, 512, size, 3, 16384, 512) == generator
    assert parameters(PGGANDiscriminator, size, 3, 16384, 512, 4) == discriminator


@pytest.mark.parametrize("size", [8, 28, 32, [20, 36]])
def test_images_of_every_size_are_made_and_judged(size):
    generator, discriminator = PGGANGenerator(5, size, 1, 32, 4), PGGANDiscriminator(size, 1, 32, 4, 4)
    for newest in range(generator.sizes):
        for network in (generator, discriminator):
            network.grow(newest, fades=newest > 0)
        images = generator(torch.randn(2, 5))
        assert images.shape[1:] == (1, *((size, size) if isinstance(size, int) else size))
        assert discriminator(images).logits.shape == (2,)


@pytest.fixture
def networks():
    torch.manual_seed(0)
    return PGGANGenerator(5, 16, 1, 64, 8).double(), PGGANDiscriminator(16, 1, 64, 8, 4).double()


def grown(network, newest, fade=None):
    network.grow(newest, fades=fade is not None)
    network.fade.fill_(fade or 0.0)
    return network


def test_a_size_without_fade_is_the_network_of_that_size_repeated(networks):
    generator, discriminator = networks
    small, judge = PGGANGenerator(5, 8, 1, 64, 8).double(), PGGANDiscriminator(8, 1, 64, 8, 4).double()
    for smaller, larger in ((small, generator), (judge, discriminator)):
        own = smaller.state_dict()
        state = {name: value for name, value in larger.state_dict().items() if name in own and "level" not in name}
        smaller.load_state_dict(own | state)
    z = torch.randn(4, 5, dtype=torch.float64)
    made = grown(generator, 1)(z)
    assert torch.equal(made, repeated(small(z), 1))
    assert torch.equal(grown(discriminator, 1)(made).logits, judge(pooled(made, 1)).logits)


@pytest.mark.parametrize(("fade", "newest"), [(1.0, 1), (0.0, 2)])
def test_both_ends_of_a_fade_are_the_smaller_and_the_larger_network_to_the_bit(networks, fade, newest):
    generator, discriminator = networks
    z, x = torch.randn(4, 5, dtype=torch.float64), torch.rand(4, 1, 16, 16, dtype=torch.float64)
    assert torch.equal(grown(generator, 2, fade)(z), grown(generator, newest)(z))
    assert torch.equal(grown(discriminator, 2, fade)(x).logits, grown(discriminator, newest)(x).logits)
    assert torch.equal(Reduced(grown(generator, 2, fade)).reduced(x), Reduced(grown(generator, newest)).reduced(x))


def test_half_way_the_images_are_the_mean_of_both(networks):
    generator, _ = networks
    z, x = torch.randn(4, 5, dtype=torch.float64), torch.rand(4, 1, 16, 16, dtype=torch.float64)
    ends = [grown(generator, newest)(z) for newest in (1, 2)]
    torch.testing.assert_close(grown(generator, 2, 0.5)(z), (ends[0] + ends[1]) / 2)
    torch.testing.assert_close(Reduced(generator).reduced(x), (repeated(pooled(x, 1), 1) + x) / 2)


def test_a_network_loaded_from_its_state_has_its_size(networks):
    generator, _ = networks
    grown(generator, 1, 0.25)
    other = PGGANGenerator(5, 16, 1, 64, 8).double()
    other.load_state_dict(generator.state_dict())
    z = torch.randn(2, 5, dtype=torch.float64)
    assert (other.newest, other.fades) == (1, True)
    assert torch.equal(other(z), generator(z))


def test_the_sizes_follow_the_images():
    """Two sizes further on, 20 images at each and 10 in which the next fades in, 5 in an update."""
    network = Growing(3)
    player = torch.nn.Module()
    player.updates = 0
    growth = Growth(torch.nn.ModuleDict({"generator": network}), player, [], 3, 20, 10, 5)
    seen = []
    for _ in range(14):
        seen.append((network.newest, network.fades, round(float(network.fade), 6)))
        growth()
        player.updates += 1
    whole = [(0, False, 0.0)] * 5 + [(1, True, 0.5)]
    then = [(1, False, 0.0)] * 5 + [(2, True, 0.5)]
    assert seen == [*whole, *then, (2, False, 0.0), (2, False, 0.0)]


@pytest.fixture
def game(compose):
    def build(*overrides):
        small = [
            f"networks.{name}.{setting}" for name in ("generator", "discriminator") for setting in ("base=32", "most=4")
        ]
        growth = [f"strategy.progressive_growing.{setting}" for setting in ("train_images=8", "fade_images=8")]
        rest = ["data.image_size=16", "prior.dim=5", "train.batch_size=4", "tracker=[]", "metrics=[]"]
        config = compose("experiment=pggan", *small, *growth, *rest, *overrides)
        return build_game(config, SHAPE, torch.device("cpu"))

    return build


def batches():
    return Batch(torch.rand(4, 1, 16, 16), torch.arange(4))


def test_a_game_grows_with_its_average_and_its_optimizers_forget(game):
    played = game()
    torch.manual_seed(0)
    seen, forgot = [], []
    for _ in range(9):
        seen.append([(net.newest, net.fades) for net in played.networks.values()])
        played.step(batches)
        moments = [kept["exp_avg_sq"] for kept in played.player("generator").optimizer.state.values()]
        forgot.append(not any(bool(moment.any()) for moment in moments))
    assert all(len(set(sizes)) == 1 for sizes in seen)
    assert len(seen[0]) == 3
    assert [sizes[0] for sizes in seen] == [
        *[(0, False)] * 3,
        (1, True),
        *[(1, False)] * 3,
        (2, True),
        (2, False),
    ]
    assert forgot == [False, False, True, True, False, False, True, True, False]


def test_sizes_that_are_not_at_work_do_not_move(game):
    played = game()
    before = {name: p.detach().clone() for name, p in played.generator.named_parameters()}
    torch.manual_seed(0)
    played.step(batches)
    moved = {name for name, p in played.generator.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {
        *("start.weight", "start.bias", "second.0.weight", "second.0.bias", "images.0.weight", "images.0.bias"),
    }


def test_a_resumed_game_goes_on_in_the_middle_of_a_fade(game):
    first, second = game(), game()
    torch.manual_seed(0)
    for _ in range(3):
        first.step(batches)
    second.load_state_dict(copy.deepcopy(first.state_dict()))  # an optimizer would share its moments
    assert second.generator.fades
    found = []
    for played in (first, second):
        torch.manual_seed(1)
        found.append([played.step(batches) for _ in range(2)])
    for expected, measured in zip(*found, strict=True):
        assert all(torch.equal(measured[name], value) for name, value in expected.items())


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (
            ["discriminator=mlp"],
            "progressive_growing needs networks that grow, as pggan are, and networks.discriminator",
        ),
        (["strategy.progressive_growing.fade_images=0"], "fade_images=0: it must be at least 1"),
    ],
)
def test_what_cannot_grow_is_refused(compose, overrides, reason):
    config = compose(
        "model=dcgan",
        "generator=pggan",
        "discriminator=pggan",
        "strategy=[progressive_growing]",
        "data.image_size=16",
        *overrides,
    )
    with pytest.raises((ConfigError, ValueError), match=reason):
        build_game(config, SHAPE, torch.device("cpu"))


def test_images_that_cannot_be_halved_are_refused(compose):
    config = compose(
        "model=dcgan", "generator=pggan", "discriminator=pggan", "strategy=[progressive_growing]", "data.image_size=18"
    )
    with pytest.raises(ConfigError, match=r"halves images 2 times, and they are 18 x 18: choose data.image_size=16"):
        build_game(config, DataShape((1, 18, 18), 10), torch.device("cpu"))
