"""MSG-GAN: an image at every size before one judge."""

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_zoo.systems.msg_gan import MSGDiscriminator, MSGGenerator
from tests.zoo.architectures.counting import parameters


@pytest.mark.parametrize(
    ("z", "most", "generator", "discriminator"), [(512, 512, 20_719_628, 17_184_001), (256, 256, 5_182_476, 4_299_393)]
)
def test_the_networks_have_the_published_sizes(z, most, generator, discriminator):
    assert parameters(MSGGenerator, z, 32, 3, 32 * most, most) == generator
    assert parameters(MSGDiscriminator, 32, 3, 32 * most, most, 4) == discriminator


@pytest.fixture
def game(compose):
    small = [
        f"networks.{name}.{setting}" for name in ("generator", "discriminator") for setting in ("base=32", "most=8")
    ]
    config = compose("experiment=msg_gan", *small, "data.image_size=16", "prior.dim=5", "tracker=[]", "metrics=[]")
    torch.manual_seed(0)
    return build_game(config, DataShape((1, 16, 16), 10), torch.device("cpu"))


def batch():
    return Batch(torch.rand(4, 1, 16, 16), torch.arange(4))


def test_the_judge_takes_both_sides_at_every_size(game):
    pair = game.meet(batch())["main"]
    for side in ("real", "fake"):
        sizes = [x.shape[2] for x in (*getattr(pair, f"{side}_given"), getattr(pair, side))]
        assert sizes == [4, 8, 16]
    torch.testing.assert_close(pair.real_given[0][0, 0, 0, 0], pair.real[0, 0, :4, :4].mean())
    assert torch.equal(pair.fake_given[1], pair.made["scale_1"])


def test_the_blocks_convolutions_are_normalised_and_those_to_and_from_images_are_not(game):
    """As the authors' first program has it, the one that makes the smallest maps among them."""
    plain = {
        name
        for network in (game.generator, game.discriminator)
        for name, p in network.named_parameters()
        if p.ndim > 1 and "original" not in name
    }
    assert plain == {
        *(f"images.{i}.weight" for i in range(3)),
        *(f"inputs.{i}.weight" for i in range(3)),
        "output.weight",
    }


def test_all_samples_of_a_batch_are_compared(game):
    assert game.discriminator.deviation.size == 32


def test_a_gradient_reaches_the_smallest_maps_without_the_larger_ones(game):
    pair = game.meet(batch())["main"]
    given = (pair.fake_given[0], *(x.detach() for x in pair.fake_given[1:]))
    pair.judge(pair.fake.detach(), None, *given).logits.sum().backward()
    reached = {
        name.split(".")[0] + name.split(".")[1] for name, p in game.generator.named_parameters() if p.grad is not None
    }
    assert reached == {"startparametrizations", "startbias", "second0", "images0"}


def test_a_judge_that_does_not_read_the_smaller_images_is_a_plain_one(game):
    for layer in game.discriminator.inputs[:-1]:
        torch.nn.init.zeros_(layer.weight)
    pair = game.meet(batch())["main"]
    game.discriminator.eval()
    said = pair.judge(pair.real, None, *pair.real_given).logits
    assert torch.equal(said, pair.judge(pair.real, None, *pair.fake_given).logits)


def test_images_that_do_not_halve_are_refused():
    with pytest.raises(ValueError, match=r"image_size=18: both sides must be multiples of 4, to be halved 2 times"):
        MSGGenerator(5, 18, 1, 32, 4)
