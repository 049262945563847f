"""Samples of any shape: games start, play, and give what the same networks say outside of a game."""

import copy

import pytest
import torch
from torch import nn

from gan_framework.core.contracts.networks import Discriminator, Generator
from gan_framework.core.game import Game
from gan_framework.core.records import Batch, DataShape
from gan_framework.data import InMemory
from gan_framework.data.batches import Batches
from gan_zoo.terms.zero_centered import R1
from tests.core.abilities import experiment, make, noise, play

from gan_probe.layers import Dense, DenseJudge  # isort: skip
from gan_probe.tokens import TokenGenerator, TokenJudge  # isort: skip

pytestmark = pytest.mark.usefixtures("probe")

CONVOLUTIONS = {
    1: (nn.Conv1d, nn.ConvTranspose1d),
    2: (nn.Conv2d, nn.ConvTranspose2d),
    3: (nn.Conv3d, nn.ConvTranspose3d),
}
LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}


class ConvGenerator(Generator):
    """Makes samples (C, *sizes), or videos (T, C, H, W) of (C, T, H, W)."""

    def __init__(self, shape, video=False):
        super().__init__()
        self.video = video
        channels, *sizes = (shape[1], shape[0], *shape[2:]) if video else shape
        self.start = (4, *(size // 2 for size in sizes))
        self.first = nn.Linear(2, torch.Size(self.start).numel())
        self.last = CONVOLUTIONS[len(sizes)][1](4, channels, 4, 2, 1)

    def forward(self, z, labels=None):
        made = self.last(self.first(z).unflatten(1, self.start).relu()).tanh()
        return made.transpose(1, 2) if self.video else made


class ConvJudge(Discriminator):
    def __init__(self, shape, video=False):
        super().__init__()
        self.video = video
        channels, *sizes = (shape[1], shape[0], *shape[2:]) if video else shape
        self.inner = CONVOLUTIONS[len(sizes)][0](channels, 4, 4, 2, 1)
        self.output = nn.Linear(4 * torch.Size(size // 2 for size in sizes).numel(), 1)

    def features(self, x, labels=None):
        return (self.inner(x.transpose(1, 2) if self.video else x).relu(),)


def networks(shape):
    if len(shape) == 1:
        return Dense(2, list(shape), 3, None), DenseJudge(shape[0], 0, 3)
    if shape == (7, 5):
        return TokenGenerator(2, 7, 5), TokenJudge(5, 4, hard=False)
    video = shape == (4, 3, 8, 6)
    return ConvGenerator(shape, video), ConvJudge(shape, video)


SHAPES = [(5,), (7, 5), (3, 16), (6, 8, 12), (1, 12, 8), (2, 4, 8, 6), (4, 3, 8, 6)]
"""(D,), (T, V), (C, L), two of (C, H, W), (C, D, H, W), (T, C, H, W)."""


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_shape_is_played_and_says_what_the_networks_say_alone(shape):
    torch.manual_seed(0)
    generator, judge = networks(shape)
    kept = copy.deepcopy(judge)
    vocabulary = 5 if shape == (7, 5) else 0
    data = DataShape(shape, value_range=None if vocabulary else (-1.0, 1.0), vocabulary=vocabulary)
    game = make(
        Game,
        {"generator": generator, "discriminator": judge},
        data,
        edit=lambda g: g.player("discriminator").add_term("r1", R1(), 0.1),
    )
    for parameter in game.networks.parameters():
        if parameter.ndim in LAYOUTS:
            assert parameter.is_contiguous(memory_format=LAYOUTS[parameter.ndim])
    batch = noise(6, *shape)
    pair = game.meet(batch, graph=False)["main"]
    assert pair.fake.shape == (6, *shape)
    torch.testing.assert_close(pair.real_output.logits, kept(batch.samples.contiguous()).logits)

    # R1 by finite differences of the score, at one entry of each sample.
    x = batch.samples.double()
    wide = copy.deepcopy(kept).double()
    step = torch.zeros_like(x)
    step.flatten(1)[:, 1] = 1e-5
    slope = (wide(x + step).logits - wide(x - step).logits) / 2e-5
    found = pair.gradient_at(batch.samples, None)[:, 1]
    torch.testing.assert_close(found.double(), slope, rtol=1e-3, atol=1e-5)

    before = [p.detach().clone() for p in game.networks.parameters()]
    for measured in play(game, lambda: batch, range(2)):
        assert all(torch.isfinite(value).all() for value in measured.values())
    assert all(not torch.equal(p, b) for p, b in zip(game.networks.parameters(), before, strict=True))
    assert game.sample(game.latent(3)).shape == (3, *shape)


@pytest.mark.parametrize("strategy", ["spectral_norm", "minibatch_stddev", "unrolled", "ema", "feature_matching"])
@pytest.mark.parametrize("name", ["voxels", "tokens"])
def test_strategies_work_on_volumes_and_on_tokens(compose, name, strategy):
    game, batches = experiment(compose, name, f"strategy=[{strategy}]", "optimizer=sgd")
    for measured in play(game, batches, range(2)):
        assert all(torch.isfinite(value).all() for value in measured.values())


def test_a_judge_through_which_no_gradient_reaches_tokens_is_asked_twice_and_learns():
    """Tokens are looked up: nothing says that they are judged one by one, so there are two passes."""
    torch.manual_seed(0)
    judge = TokenJudge(5, 4, hard=True)
    calls = []
    game = make(
        Game,
        {"generator": TokenGenerator(2, 7, 5), "discriminator": judge},
        DataShape((7, 5), vocabulary=5),
    )
    assert not game.judge("discriminator").batch_independent
    judge.register_forward_pre_hook(lambda _, inputs: calls.append(len(inputs[0])))
    tokens = torch.nn.functional.one_hot(torch.arange(28).reshape(4, 7) % 5, 5).float()
    before, made = judge.embedding.weight.detach().clone(), game.generator.layer.weight.detach().clone()
    measured = game.step(lambda: Batch(tokens))
    assert calls == [4, 4, 4]  # real, generated, and generated once more for the generator
    assert torch.isfinite(measured["discriminator/adversarial"])
    assert not torch.equal(judge.embedding.weight, before)
    assert torch.equal(game.generator.layer.weight, made)  # it is told nothing by such a judge


def test_floats_are_given_as_they_are_to_the_bit_and_bytes_in_their_range():
    x = torch.randn(20, 3, 4, 6, generator=torch.Generator().manual_seed(0)) * 100
    batch = Batches(InMemory(x), 8, 0, "cpu")()
    assert torch.equal(batch.samples, x[batch.index])
    x = torch.randint(256, (20, 2, 4, 4, 6), dtype=torch.uint8)
    batch = Batches(InMemory(x), 8, 0, "cpu")()
    torch.testing.assert_close(batch.samples, x[batch.index].float() / 127.5 - 1)
