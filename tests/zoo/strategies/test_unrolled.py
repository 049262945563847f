"""Unrolling against plain training (K = 0), finite differences (K > 0) and a case solved by hand."""

import copy

import pytest
import torch
from torch import nn

from gan_framework.core.contracts.networks import Discriminator, Generator
from gan_framework.core.pair import Meeting, Pair
from gan_framework.core.records import Batch, Latent
from gan_framework.errors import ConfigError
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.optimistic import OptimisticAdam, OptimisticSGD
from gan_zoo.schedules.simultaneous import Simultaneous
from gan_zoo.strategies.spectral_norm import SpectralNorm
from gan_zoo.strategies.split_discriminator import SplitDiscriminator
from gan_zoo.strategies.unrolled import Unrolled
from gan_zoo.terms.gradient_penalty import GradientPenalty
from gan_zoo.terms.zero_centered import R2
from tests.helpers.small import Draws, Halves, small_game


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.01)


class NormedDiscriminator(Discriminator):
    """With batch norm, whose running statistics a look-ahead could disturb."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.LeakyReLU(0.2, inplace=True))
        self.output = nn.Linear(4, 1)

    def features(self, x, labels=None):
        return (self.inner(x),)


def unrolled(k, *others, lr=0.1, loss=None, discriminator=None, **settings):
    game = small_game(loss=loss or NonSaturating(), start=False, **settings)
    if discriminator is not None:
        torch.manual_seed(5)
        game.networks["discriminator"] = discriminator()
    for strategy in (*others, *([Unrolled(k, lr)] if k is not None else [])):
        strategy.apply(game)
    game.start(torch.device("cpu"))
    return game


@pytest.mark.parametrize("discriminator", [None, NormedDiscriminator])
def test_k_0_is_plain_training_to_the_bit(discriminator):
    game, plain = (unrolled(k, discriminator=discriminator, optimizer=adam) for k in (0, None))
    for each in (game, plain):
        torch.manual_seed(1)
        draws = Draws()
        each.losses = [each.step(draws) for _ in range(4)]
    assert all(torch.equal(a[name], b[name]) for a, b in zip(game.losses, plain.losses, strict=True) for name in a)
    ours, theirs = game.state_dict(), plain.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours if isinstance(ours[name], torch.Tensor))


def met(game, real, z, fake):
    return Meeting(main=Pair(game.judge("discriminator"), Batch(real), Latent(z), fake))


def discriminator_loss(d, real, fake):
    return nn.functional.softplus(-d(real).logits).mean() + nn.functional.softplus(d(fake).logits).mean()


def loss_after_look_ahead(d, real, fake, k, lr, penalty=0.0):
    """Return the generator's loss after k steps made by hand on a copy of the discriminator."""
    d = copy.deepcopy(d)
    for _ in range(k):
        loss = discriminator_loss(d, real, fake)
        if penalty:
            points = fake.clone().requires_grad_()
            (slopes,) = torch.autograd.grad(d(points).logits.sum(), points, create_graph=True)
            loss = loss + penalty * 0.5 * slopes.square().sum(1).mean()
        gradients = torch.autograd.grad(loss, list(d.parameters()), allow_unused=True)
        with torch.no_grad():
            for parameter, gradient in zip(d.parameters(), gradients, strict=True):
                parameter -= lr * (0 if gradient is None else gradient)
    return nn.functional.softplus(-d(fake).logits).mean().item()


class Penalised:
    """Penalises the slope at generated samples, which the generator moves."""

    def apply(self, game):
        game.player("discriminator").add_term("r2", R2(), 3.0)


@pytest.mark.parametrize(("k", "penalty"), [(1, 0.0), (3, 0.0), (1, 3.0), (3, 3.0)])
def test_the_generators_gradient_equals_finite_differences(k, penalty):
    game = unrolled(k, *([Penalised()] if penalty else []), lr=0.7).double()
    real = torch.randn(5, 2, dtype=torch.float64)
    z = torch.randn(5, 3, dtype=torch.float64)
    g, d, player = game.generator, game.discriminator, game.player("generator")

    losses = player.evaluate(met(game, real, z, g(z)))
    assert losses["adversarial"].item() == pytest.approx(loss_after_look_ahead(d, real, g(z).detach(), k, 0.7, penalty))
    player.backward(losses)

    step = 1e-6
    for parameter in g.parameters():
        for i in range(parameter.numel()):
            entry = parameter.data.view(-1)
            around = []
            for sign in (1, -1):
                entry[i] += sign * step
                around.append(loss_after_look_ahead(d, real, g(z).detach(), k, 0.7, penalty))
                entry[i] -= sign * step
            expected = (around[0] - around[1]) / (2 * step)
            assert parameter.grad.view(-1)[i].item() == pytest.approx(expected, rel=1e-5, abs=1e-8)


def test_the_look_ahead_is_computed_in_float32_whatever_the_precision():
    game = unrolled(None)
    seen = []

    class Noting(Unrolled):
        def apply(self, game):
            super().apply(game)
            game.player("generator").look_aheads.append(note)

    def note(ahead):
        (pair,) = ahead.values()
        seen.extend(value.dtype for value in pair.judge._state.values())
        for output in pair.outputs:
            seen.extend(part.dtype for part in (output.logits, output.features[0]))
        return ahead

    Noting(1, 0.1).apply(game)
    game.start(torch.device("cpu"), "bf16")
    game.step(Draws())
    assert set(seen) == {torch.float32}


def test_the_gradient_through_the_steps_is_not_the_one_without_them():
    """The second term of equation 9: a look-ahead whose steps are taken as constants has another gradient."""
    gradients = []
    for detach in (False, True):
        game = unrolled(2, lr=0.7)

        def constant(ahead):
            (pair,) = ahead.values()
            state = {name: value.detach() for name, value in pair.judge._state.items()}
            return Meeting(main=pair.judged_by(pair.judge.with_state(state)))

        if detach:
            game.player("generator").look_aheads.append(constant)
        torch.manual_seed(1)
        game.player("generator").play(game.meet(Draws()()))
        gradients.append(game.player("generator").trained[0].grad)
    assert not torch.allclose(gradients[0], gradients[1], rtol=0.05)


class Slope(Discriminator):
    """D(x) = w x, by hand."""

    def __init__(self):
        super().__init__()
        self.output = nn.Linear(1, 1, bias=False)
        self.output.weight.data.fill_(0.5)

    def features(self, x, labels=None):
        return (x[:, :1],)


class Place(Generator):
    """G(z) = θ, by hand."""

    def __init__(self):
        super().__init__()
        self.place = nn.Parameter(torch.tensor([[2.0, 0.0]]))

    def forward(self, z, labels=None):
        return self.place.expand(len(z), 2)


def test_a_case_solved_by_hand():
    # L_D = -w x̄ + (wθ)², so w' = w - η(-x̄ + 2wθ²); G minimises -w'θ, whose slope is -w' - θ dw'/dθ, dw'/dθ = -4ηwθ.
    game = small_game(loss=Halves(), start=False)
    game.networks["discriminator"], game.networks["generator"] = Slope(), Place()
    Unrolled(k=1, lr=0.1).apply(game)
    game.start(torch.device("cpu"))
    batch = Draws()()
    mean = batch.samples[:, 0].mean().item()
    w, place, lr = 0.5, 2.0, 0.1
    ahead = w - lr * (-mean + 2 * w * place**2)
    measured = game.player("generator").play(game.meet(batch))
    assert measured["generator/adversarial"].item() == pytest.approx(-ahead * place)
    slope = -ahead + place * 4 * lr * w * place
    assert game.player("generator").trained[0].grad[0, 0].item() == pytest.approx(slope)


def test_looking_ahead_changes_nothing_of_the_discriminator():
    game = unrolled(3, SpectralNorm(["discriminator"], 1), discriminator=NormedDiscriminator, optimizer=adam)
    game.step(Draws())
    meeting = game.meet(Draws()())
    before = copy.deepcopy(game.discriminator.state_dict())
    optimizer = copy.deepcopy(game.player("discriminator").optimizer.state_dict())
    gradients = [p.grad.clone() for p in game.player("discriminator").trained]
    game.player("generator").play(meeting)
    after = game.discriminator.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    now = game.player("discriminator").optimizer.state_dict()
    assert str(now) == str(optimizer)
    kept = zip(gradients, game.player("discriminator").trained, strict=True)
    assert all(torch.equal(gradient, p.grad) for gradient, p in kept)


def test_the_discriminator_itself_moves_one_plain_step():
    game, plain = unrolled(5), unrolled(None)
    for each in (game, plain):
        torch.manual_seed(1)
        each.step(Draws())
    ours, theirs = game.discriminator.parameters(), plain.discriminator.parameters()
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert not torch.equal(game.generator.layer.weight, plain.generator.layer.weight)


def test_two_halves_look_ahead_as_the_whole_does():
    whole, halves = unrolled(2), unrolled(2, SplitDiscriminator())
    losses = []
    for game in (whole, halves):
        torch.manual_seed(1)
        losses.append(game.player("generator").play(game.meet(Draws()()))["generator/adversarial"])
    torch.testing.assert_close(*losses)


def test_the_discriminators_terms_are_part_of_the_look_ahead():
    losses = []
    for weight in (0.0, 10.0):
        game = small_game(loss=NonSaturating(), start=False)
        game.player("discriminator").add_term("gradient_penalty", GradientPenalty(one_sided=False), weight)
        Unrolled(2, 0.5).apply(game)
        game.start(torch.device("cpu"))
        torch.manual_seed(1)
        losses.append(game.player("generator").play(game.meet(Draws()()))["generator/adversarial"].item())
    assert losses[0] != pytest.approx(losses[1], rel=1e-3)


def test_it_goes_with_simultaneous_moves():
    game = unrolled(2, schedule=Simultaneous())
    assert all(torch.isfinite(loss).all() for loss in game.step(Draws()).values())


def stepped(d, optimizer, real, fake, k):
    """Return a copy of the discriminator after k steps of a copy of its optimizer, made by torch."""
    d = copy.deepcopy(d)
    own = torch.optim.Adam(d.parameters(), lr=0.01)
    own.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for _ in range(k):
        own.zero_grad()
        discriminator_loss(d, real, fake).backward()
        own.step()
    return d


@pytest.mark.parametrize("taken", [0, 3])
def test_without_a_learning_rate_it_looks_ahead_by_the_discriminators_own_steps(taken):
    game = unrolled(3, lr=None, optimizer=adam).double()
    batch, z = torch.randn(5, 2, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
    g, d, player = game.generator, game.discriminator, game.player("generator")
    for _ in range(taken):
        critic = game.player("discriminator")
        critic.play(met(game, batch, z, g(z).detach()))

    def ahead():
        fake = g(z).detach()
        after = stepped(d, game.player("discriminator").optimizer, batch, fake, 3)
        return nn.functional.softplus(-after(fake).logits).mean().item()

    losses = player.evaluate(met(game, batch, z, g(z)))
    assert losses["adversarial"].item() == pytest.approx(ahead(), rel=1e-7)
    player.backward(losses)
    step = 1e-6
    for parameter in g.parameters():
        for i in range(parameter.numel()):
            entry, around = parameter.data.view(-1), []
            for sign in (1, -1):
                entry[i] += sign * step
                around.append(ahead())
                entry[i] -= sign * step
            expected = (around[0] - around[1]) / (2 * step)
            assert parameter.grad.view(-1)[i].item() == pytest.approx(expected, rel=1e-4, abs=1e-8)


def test_the_own_steps_of_gradient_descent_are_gradient_steps():
    losses = []
    for lr in (None, 0.1):  # the learning rate of the small game's optimizers
        game = unrolled(3, lr=lr)
        torch.manual_seed(1)
        losses.append(game.player("generator").play(game.meet(Draws()()))["generator/adversarial"])
    assert torch.equal(*losses)


def test_an_optimizer_that_it_cannot_follow_is_refused():
    with pytest.raises(ConfigError, match="give strategy.unrolled.lr a learning rate"):
        unrolled(2, lr=None, optimizer=torch.optim.RMSprop)
    assert unrolled(0, lr=None, optimizer=torch.optim.RMSprop) and unrolled(2, lr=0.1, optimizer=torch.optim.RMSprop)


@pytest.mark.parametrize("optimizer", [OptimisticAdam, OptimisticSGD])
def test_an_optimizer_whose_steps_are_others_than_those_it_derives_from_is_refused(optimizer):
    with pytest.raises(ConfigError, match="give strategy.unrolled.lr a learning rate"):
        unrolled(2, lr=None, optimizer=optimizer)
