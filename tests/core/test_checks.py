"""Real and generated samples go through the discriminator together exactly where that changes nothing."""

import copy

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.build import start as start_game
from gan_framework.core.contracts.networks import Discriminator
from gan_framework.core.judge import Judge
from gan_framework.core.precision import Precision
from gan_framework.core.records import Batch, DataShape
from gan_framework.weights.independence import batch_independent
from tests.helpers.small import Draws, small_game

TINY = ["data.image_size=16", "data.channels=1"]


def game(compose, *overrides):
    return build_game(compose(*TINY, *overrides), DataShape((1, 16, 16), num_classes=10), torch.device("cpu"))


@pytest.mark.parametrize(
    ("overrides", "alone"),
    [
        (["model=mlp"], True),
        (["model=cgan_mlp"], True),
        (["model=cgan_maxout"], True),  # with dropout
        (["model=resnet", "strategy=[spectral_norm]", "networks.discriminator.width=8"], True),
        (["model=dcgan", "networks.discriminator.width=8"], False),  # batch norm
        (["model=dcgan", "networks.discriminator.width=8", "networks.discriminator.norm=none"], True),
        (["model=mlp", "strategy=[minibatch_discrimination]"], False),
        (["model=mlp", "strategy=[minibatch_stddev]"], False),
    ],
)
def test_it_is_known_which_discriminators_judge_each_sample_alone(compose, overrides, alone):
    assert game(compose, *overrides).judge("discriminator").batch_independent is alone


class Branched(Discriminator):
    """Adds a branch with batch norm that begins at zero, as residual blocks do."""

    def __init__(self):
        super().__init__()
        self.trunk = torch.nn.Linear(256, 4)
        self.branch = torch.nn.Sequential(torch.nn.Linear(256, 4), torch.nn.BatchNorm1d(4))
        torch.nn.init.zeros_(self.branch[1].weight)
        self.output = torch.nn.Linear(4, 1)

    def features(self, x, labels=None):
        return (self.trunk(x.flatten(1)) + self.branch(x.flatten(1)),)


def test_a_branch_that_begins_at_zero_does_not_hide_its_batch_norm():
    judge = Judge("discriminator", Branched(), Precision("fp32", torch.device("cpu")))
    assert not batch_independent(judge, 1e-3 * torch.randn(8, 1, 16, 16), None)


def test_finding_out_changes_neither_the_network_nor_the_random_numbers(compose):
    overrides = ["model=resnet", "strategy=[spectral_norm]", "networks.discriminator.width=8"]
    tried = game(compose, *overrides)
    state, random = copy.deepcopy(tried.discriminator.state_dict()), torch.get_rng_state()
    start_game(tried, torch.device("cpu"))
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, state[name]) for name, value in tried.discriminator.state_dict().items())


def test_one_pass_says_what_two_say(compose):
    one = game(compose, "model=cgan_mlp")
    batch = Batch(torch.rand(5, 1, 16, 16) * 2 - 1, torch.arange(5))
    together, apart = (one.meet(batch, graph=False)["main"] for _ in range(2))
    apart.fake = together.fake
    for joined, single in zip(together.outputs, (apart.real_output, apart.fake_output), strict=True):
        torch.testing.assert_close(joined.logits, single.logits)
        torch.testing.assert_close(joined.features, single.features)


def test_the_heads_are_shared_out_too():
    one = small_game()
    one.discriminator.heads["class"] = torch.nn.Linear(4, 3)
    real, fake = (pair := one.meet(Draws()(), graph=False)["main"]).outputs
    torch.testing.assert_close(real.heads["class"], one.discriminator(pair.real).heads["class"])
    torch.testing.assert_close(fake.heads["class"], one.discriminator(pair.fake).heads["class"])


def test_it_costs_one_pass_and_what_was_said_is_kept():
    one = small_game()
    pair = one.meet(Draws()(), graph=False)["main"]
    real, fake = pair.outputs
    assert pair.real_output is real and pair.fake_output is fake
    assert one.discriminator.calls == 1


def test_a_batch_that_is_judged_as_a_whole_is_never_mixed(compose):
    one = game(compose, "model=dcgan", "networks.discriminator.width=8")
    batch = Batch(torch.rand(5, 1, 16, 16) * 2 - 1)
    pair = one.meet(batch, graph=False)["main"]
    real, _ = pair.outputs
    torch.testing.assert_close(real.logits, one.discriminator(batch.samples).logits)


def test_samples_with_a_graph_go_through_by_themselves():
    one = small_game()
    pair = one.meet(Draws()())["main"]
    assert len(pair.outputs) == 2
    assert one.discriminator.calls == 2
