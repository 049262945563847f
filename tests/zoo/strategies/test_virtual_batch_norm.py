"""Virtual batch norm against a loop over samples with means and means of squares."""

import pytest
import torch
from torch import nn

from gan_framework.core import distributed
from gan_framework.core.contracts.networks import Discriminator, Generator
from gan_framework.core.game import Components, Game
from gan_framework.core.pair import Pair
from gan_framework.core.records import Batch, DataShape, Latent
from gan_framework.errors import ConfigError
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.strategies.ema import EMA
from gan_zoo.strategies.virtual_batch_norm import (
    VirtualBatchNorm,
    VirtualBatchNormLayer,
    VirtualDiscriminator,
    normalise,
    replace_batch_norms,
)
from gan_zoo.terms.gradient_penalty import GradientPenalty
from tests.helpers.small import SmallPrior, sgd, small_game

R, EPS = 5, 1e-5


def by_loop(x, eps=EPS, reference=R):
    """Normalise sample after sample as the paper's code does: E x and E x² with weights 1/(n + 1) and n/(n + 1)."""
    first = x[:reference]
    dims = tuple(d for d in range(x.ndim) if d != 1)
    mean_r, square_r = first.mean(dims), first.square().mean(dims)
    shape = (-1, *[1] * (x.ndim - 2))
    result = []
    for i, sample in enumerate(x):
        mean, square = mean_r, square_r
        if i >= reference:
            own = sample.flatten(1) if x.ndim > 2 else sample[:, None]
            mean = own.mean(1) / (reference + 1) + mean_r * reference / (reference + 1)
            square = own.square().mean(1) / (reference + 1) + square_r * reference / (reference + 1)
        result.append((sample - mean.view(shape)) / (square - mean.square() + eps).sqrt().view(shape))
    return torch.stack(result)


def samples(*shape):
    torch.manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64) * 3 + 2


@pytest.mark.parametrize("shape", [(9, 4), (9, 4, 3, 2), (9, 4, 7)])
def test_each_sample_is_normalised_with_the_reference_and_itself(shape):
    x = samples(*shape)
    torch.testing.assert_close(normalise(x, R, EPS), by_loop(x), rtol=1e-9, atol=1e-12)


def test_the_reference_alone_is_plain_batch_norm():
    x = samples(9, 4, 3, 2)
    expected = nn.functional.batch_norm(x[:R], None, None, training=True, eps=EPS)
    torch.testing.assert_close(normalise(x, R, EPS)[:R], expected)


def test_gradients_equal_finite_differences_also_of_second_order():
    x = samples(4, 2, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: normalise(x, 2, EPS), x)
    assert torch.autograd.gradgradcheck(lambda x: normalise(x, 2, EPS), x)


@pytest.mark.parametrize("affine", [True, False])
def test_the_layer_keeps_gain_and_bias(affine):
    norm = nn.BatchNorm2d(4, eps=1e-3, affine=affine).double()
    x = samples(9, 4, 3, 2)
    expected = by_loop(x, eps=1e-3)
    if affine:
        norm.weight.data.normal_()
        norm.bias.data.normal_()
        expected = expected * norm.weight.view(1, -1, 1, 1) + norm.bias.view(1, -1, 1, 1)
    torch.testing.assert_close(VirtualBatchNormLayer(norm, R)(x), expected)


def test_channels_last_stays_channels_last():
    x = samples(9, 4, 3, 2).to(memory_format=torch.channels_last)
    y = normalise(x, R, EPS)
    assert y.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(y, by_loop(x))


class NormedGenerator(Generator):
    def __init__(self, conditional=False):
        super().__init__()
        self.conditional = conditional
        self.layers = nn.Sequential(
            nn.Linear(4 if conditional else 3, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2)
        )

    def forward(self, z, labels=None):
        return self.layers(torch.cat([z, labels[:, None].float()], dim=1) if self.conditional else z)


class NormedDiscriminator(Discriminator):
    def __init__(self, conditional=False):
        super().__init__()
        self.conditional = conditional
        self.inner = nn.Sequential(nn.Linear(3 if conditional else 2, 4), nn.BatchNorm1d(4), nn.Tanh())
        self.output = nn.Linear(4, 1)
        self.heads["q"] = nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2))

    def features(self, x, labels=None):
        return (self.inner(torch.cat([x, labels[:, None].float()], dim=1) if self.conditional else x),)


def game_with(*strategies, conditional=False, start=True, kind=Game, **shape):
    torch.manual_seed(0)
    game = kind(
        Components(
            data=DataShape((2,), num_classes=3, **shape),
            networks={"generator": NormedGenerator(conditional), "discriminator": NormedDiscriminator(conditional)},
            schedule=Alternating(1, 1, share_fakes=True),
            prior=SmallPrior(),
            loss=NonSaturating(),
            optimizers={"generator": sgd, "discriminator": sgd},
        )
    )
    for strategy in strategies:
        strategy.apply(game)
    if start:
        game.start(torch.device("cpu"))
    return game


class LabelledDraws:
    def __init__(self, n=3):
        self.n = n
        self.batches = []

    def __call__(self):
        generator = torch.Generator().manual_seed(len(self.batches))
        self.batches.append(
            Batch(torch.randn(self.n, 2, generator=generator), torch.randint(3, (self.n,), generator=generator))
        )
        return self.batches[-1]


BOTH = ["generator", "discriminator"]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("conditional", [True, False])
def test_a_sample_does_not_depend_on_those_beside_it(training, conditional):
    game = game_with(VirtualBatchNorm(BOTH, R), conditional=conditional)
    game.step(LabelledDraws())
    game.train(training)
    z, x, labels = torch.randn(6, 3), torch.randn(6, 2), torch.arange(6) % 3
    together = game.generator(z, labels)
    alone = torch.cat([game.generator(z[i : i + 1], labels[i : i + 1]) for i in range(6)])
    torch.testing.assert_close(together, alone)
    together = game.discriminator(x, labels).logits if not training else game.discriminator.features(x, labels)[-1]
    one = lambda i: (x[i : i + 1], labels[i : i + 1])  # noqa: E731
    alone = [
        game.discriminator.features(*one(i))[-1] if training else game.discriminator(*one(i)).logits for i in range(6)
    ]
    torch.testing.assert_close(together, torch.cat(alone))


def test_the_whole_generator_equals_a_loop_over_its_layers():
    game = game_with(VirtualBatchNorm(["generator"], R)).double()
    linear, norm, _, last = game.generator.inner.layers
    norm.weight.data.normal_()
    z = samples(4, 3)
    hidden = by_loop(linear(torch.cat([game.generator.reference, z])))
    expected = last(torch.relu(hidden * norm.weight + norm.bias))[R:]
    torch.testing.assert_close(game.generator(z), expected)
    torch.testing.assert_close(game.generate(Latent(z)), expected)


def test_sampling_uses_the_same_statistics_as_training():
    game = game_with(VirtualBatchNorm(["generator"], R))
    game.step(LabelledDraws())
    z = torch.randn(4, 3)
    torch.testing.assert_close(game.sample(Latent(z)), game.generate(Latent(z)))


def test_the_references_are_chosen_once_and_are_in_the_state():
    game, draws = game_with(VirtualBatchNorm(BOTH, R)), LabelledDraws(n=3)
    latents = game.generator.reference.clone()
    game.step(draws)
    # Five reference samples are the first batch of three and two of the second.
    first = torch.cat([batch.samples for batch in draws.batches])[:R]
    assert torch.equal(game.discriminator.reference, first)
    game.step(draws)
    assert torch.equal(game.discriminator.reference, first)
    assert torch.equal(game.generator.reference, latents)
    assert len(draws.batches) == 4

    resumed = game_with(VirtualBatchNorm(BOTH, R))
    torch.nn.init.zeros_(resumed.generator.reference)
    resumed.load_state_dict(game.state_dict())
    assert torch.equal(resumed.generator.reference, latents)
    for each in (game, resumed):
        torch.manual_seed(1)
        each.step(LabelledDraws())
    assert all(torch.equal(a, b) for a, b in zip(game.parameters(), resumed.parameters(), strict=True))
    assert torch.equal(resumed.discriminator.reference, first)


def test_conditional_networks_get_reference_labels():
    game, draws = game_with(VirtualBatchNorm(BOTH, R), conditional=True), LabelledDraws(n=R)
    assert game.conditional
    assert game.generator.reference_labels.tolist() == [0, 1, 2, 0, 1]
    game.step(draws)
    assert torch.equal(game.discriminator.reference_labels, draws.batches[0].labels)


def test_the_last_layer_and_the_heads_see_the_samples_alone():
    game = game_with(VirtualBatchNorm(BOTH, R))
    game.step(LabelledDraws())
    seen = []
    game.discriminator.output.register_forward_hook(lambda _, inputs, output: seen.append(len(inputs[0])))
    output = game.discriminator(torch.randn(4, 2))
    assert seen == [4]
    assert output.logits.shape == (4,) and output.heads["q"].shape == (4, 2) and output.features[-1].shape == (4, 4)
    # Batch norm inside a head is not the features' and stays.
    assert isinstance(game.discriminator.heads["q"][1], nn.BatchNorm1d)


def test_parameters_are_moved_once_and_all():
    game, plain = game_with(VirtualBatchNorm(BOTH, R)), game_with()
    for name in game.players:
        assert len(game.player(name).trained) == len(plain.player(name).trained)


def test_the_average_generator_normalises_in_the_same_way():
    game = game_with(VirtualBatchNorm(["generator"], R), EMA(networks=None, decay=0.0, warmup=0))
    game.step(LabelledDraws())
    z = torch.randn(4, 3)
    torch.testing.assert_close(game.sample(Latent(z)), game.generate(Latent(z)))


def test_a_penalty_on_single_samples_is_welcome():
    game = game_with(VirtualBatchNorm(BOTH, R), start=False)
    del game.discriminator.heads["q"]
    game.player("discriminator").add_term("gradient_penalty", GradientPenalty(one_sided=False))
    game.start(torch.device("cpu"))
    assert torch.isfinite(game.step(LabelledDraws())["discriminator/gradient_penalty"])


def test_networks_without_batch_norm_are_refused():
    with pytest.raises(ConfigError, match="virtual_batch_norm has no effect on networks.generator: SmallGenerator"):
        VirtualBatchNorm(["generator"], R).apply(small_game(start=False))


def test_unknown_networks_are_refused():
    with pytest.raises(ConfigError, match="'critic' is neither .* generator, discriminator"):
        VirtualBatchNorm(["critic"], R).apply(small_game(start=False))


def test_a_discriminator_with_a_score_of_its_own_is_refused():
    class Projecting(NormedDiscriminator):
        def forward(self, x, labels=None):
            return super().forward(x, labels)

    game = game_with(start=False)
    game.networks["discriminator"] = Projecting()
    with pytest.raises(ConfigError, match="virtual_batch_norm cannot wrap networks.discriminator.*Projecting"):
        VirtualBatchNorm(["discriminator"], R).apply(game)


class Other(Game):
    """Its discriminator judges what another source has, beside what is made."""

    def pair(self, batch, latent):
        return Pair(self.judge("discriminator"), batch, latent, self.generate(latent), real=batch.others["a"].samples)


class OfOther:
    def __call__(self):
        return Batch(torch.zeros(3, 2), others={"a": Batch(torch.rand(3, 2) + 5)})


def test_the_reference_is_of_what_the_discriminator_judges():
    game = game_with(VirtualBatchNorm(["discriminator"], R), kind=Other, others={"a": DataShape((2,))})
    game.step(OfOther())
    assert (game.discriminator.reference >= 5).all()


def test_the_reference_is_the_first_processs(monkeypatch):
    asked = []

    def copy_from_first(tensors):
        asked.extend(tensor.clone() for tensor in tensors)
        for tensor in tensors:
            tensor.fill_(2)

    monkeypatch.setattr(distributed, "copy_from_first", copy_from_first)
    game = game_with(VirtualBatchNorm(BOTH, R), conditional=True)
    game.step(draws := LabelledDraws(n=R))
    assert torch.equal(asked[0], draws.batches[0].samples) and torch.equal(asked[1], draws.batches[0].labels)
    assert (game.discriminator.reference == 2).all() and (game.discriminator.reference_labels == 2).all()


class Patches(Discriminator):
    patches = True

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(1, 3, 3, 2, 1), nn.BatchNorm2d(3), nn.Tanh())
        self.output = nn.Conv2d(3, 1, 1)

    def features(self, x, labels=None):
        return (self.inner(x),)


def test_a_logit_for_each_place_stays_one():
    network, x = Patches(), torch.randn(4, 1, 6, 6)
    assert replace_batch_norms(network, R) == 1
    wrapped = VirtualDiscriminator(network, torch.randn(R, 1, 6, 6), None)
    assert wrapped(x).logits.shape == (4, 1, 3, 3)
