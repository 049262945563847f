"""Terms on samples small enough to work out by hand, before a judge that is a line."""

import numpy as np
import pytest
import torch
from torch import nn

from gan_framework.core.pair import Pair
from gan_framework.core.records import EMPTY, Batch, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.strategies.sliced_wasserstein import SlicedWassersteinTerm, sliced_distance
from tests.helpers.independent import image_game, images


def build(name, **settings):
    return registry.build("terms", {"name": name, **settings})


def pair(w, real, fake, z=None):
    """A pair whose judge says w·x."""
    w, real, fake = (torch.tensor(values, dtype=torch.float64) for values in (w, real, fake))
    z = torch.zeros(len(fake), 1) if z is None else torch.tensor(z, dtype=torch.float64)

    def judge(x, labels=None, *given):
        return DiscriminatorOutput(x @ w, (x,), EMPTY, x, labels)

    return Pair(judge, Batch(real), Latent(z), fake)


@pytest.mark.parametrize(
    ("w", "power", "greatest", "one_sided", "two_sided"),
    [((3.0, 4.0), 31250, 25, 16, 16), ((0.3, 0.4), 0.03125, 0.25, 0, 0.25)],
)
def test_penalties_of_a_linear_critic(w, power, greatest, one_sided, two_sided):
    def value(term, factor=1.0):
        return factor * term(pair(w, [[1.0, 0.0]] * 3, [[0.0, 1.0]] * 3), None).item()

    assert value(build("gradient_power"), 2) == pytest.approx(power)
    assert value(build("gradient_maximum")) == pytest.approx(greatest)
    assert value(build("gradient_penalty", one_sided=True)) == pytest.approx(one_sided)
    assert value(build("gradient_penalty")) == pytest.approx(two_sided)


@pytest.mark.parametrize("power", [1.5, 2.0, 6.0])
def test_the_gradient_of_a_power_is_finite_where_the_critic_is_flat(power):
    w = torch.zeros(2, requires_grad=True)

    def judge(x, labels=None, *given):
        return DiscriminatorOutput(x @ w)

    flat = Pair(judge, Batch(torch.ones(3, 2)), Latent(torch.zeros(3, 1)), torch.zeros(3, 2))
    (gradient,) = torch.autograd.grad(build("gradient_power", power=power)(flat, None), w)
    assert torch.equal(gradient, torch.zeros(2))


def test_the_weighted_gradient():
    term = build("weighted_gradient")
    both = pair((0.6, 0.8), [[1.0, 0.0], [0.0, 2.0]], [[0.0, 0.0], [1.0, 1.0]])
    both.differentiate(term.differentiates)
    # The sum of both sides' means, of which the term is half.
    assert 2 * term(both, None).item() == pytest.approx(0.5236381337)


def test_the_weighted_gradient_needs_probabilities():
    game = image_game(registry.build("losses", {"name": "wasserstein"}), start=False)
    game.player("discriminator").add_term("weighted_gradient", build("weighted_gradient"))
    with pytest.raises(ConfigError, match="weighted_gradient weighs by D's probabilities, and Wasserstein has none"):
        game.start(torch.device("cpu"))


@pytest.mark.parametrize(("side", "value"), [("real", 0.625), ("fake", 1.145), ("both", 1.77)])
def test_the_size_of_scores(side, value):
    example = pair((1.0,), [[1.0], [-0.5]], [[0.2], [-1.5]])
    assert build("score_size", side=side)(example, None).item() == pytest.approx(value)


class Weights:
    """A player of some parameters, and the game that it plays."""

    def __init__(self, *layers):
        self.network = nn.ModuleList(layers)
        self.networks = ("generator",)
        self.trained = list(self.network.parameters())

    def as_game(self):
        return type("G", (), {"network": lambda _, name: self.network})()


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize(("form", "value"), [("full", 834), ("absolute", 50), ("off_diagonal", 242)])
def test_orthogonal_regularisation(form, value, normalised):
    layer = nn.Linear(2, 2, dtype=torch.float64)
    layer.weight.data = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    embedding = nn.Embedding(3, 2)
    player = Weights(layer, nn.utils.parametrizations.spectral_norm(embedding) if normalised else embedding)
    term = build("orthogonal", form=form)
    term.attach(player.as_game())
    result = term(None, player)
    assert result.item() == pytest.approx(value)
    result.backward()
    w = np.array([[1.0, 2.0], [3.0, 4.0]])
    excess = w @ w.T - (np.diag(np.diag(w @ w.T)) if form == "off_diagonal" else np.eye(2))
    assert layer.weight.grad.numpy() == pytest.approx((2 * np.sign(excess) if form == "absolute" else 4 * excess) @ w)


def test_the_norm_of_the_last_layer():
    game = image_game(start=False)
    game.player("discriminator").add_term("svm_norm", build("svm_norm"), 0.5)
    game.start(torch.device("cpu"))
    weight = game.discriminator.output.weight
    losses = game.player("discriminator").evaluate(game.meet(images()))
    assert losses["svm_norm"].item() == pytest.approx(0.25 * weight.square().sum().item())
    (gradient,) = torch.autograd.grad(losses["svm_norm"], weight)
    torch.testing.assert_close(gradient, 0.5 * weight)


def test_mode_seeking():
    example = pair((1.0,), [[0.0]] * 2, [[0.2], [0.4]])
    other = pair((1.0,), [[0.0]] * 2, [[0.0], [0.0]])
    example.latent = Latent(torch.tensor([[1.0, 0.5, 0.5]], dtype=torch.float64))
    other.latent = Latent(torch.zeros(1, 3, dtype=torch.float64))
    example.again = lambda latent: other
    # Mean distances 0.3 of the samples and 2/3 of the latents.
    assert build("mode_seeking")(example, None).item() == pytest.approx(2.2221728406, abs=1e-9)


def test_mode_seeking_up_to_a_bound():
    example = pair((1.0,), [[0.0]] * 2, [[3.0, 4.0], [0.0, 1.0]], z=[[1.0], [2.0]])
    example.again = lambda latent: pair((1.0,), [[0.0]] * 2, [[0.0, 0.0], [0.0, 0.0]], z=[[0.0], [0.0]])
    assert build("mode_seeking", form="bounded")(example, None).item() == pytest.approx(-(5 + 0.5) / 2)
    assert build("mode_seeking", form="bounded", bound=2.0)(example, None).item() == pytest.approx(-(2 + 0.5) / 2)


def test_mode_seeking_draws_a_second_batch_with_a_gradient():
    game = image_game(start=False)
    game.player("generator").add_term("mode_seeking", build("mode_seeking"))
    game.start(torch.device("cpu"))
    measured = game.player("generator").play(game.meet(images()))
    assert measured["generator/mode_seeking"].item() > 0


@pytest.mark.parametrize(("name", "player"), [("mode_seeking", "discriminator"), ("score_size", "generator")])
def test_a_term_on_the_wrong_side_is_refused(name, player):
    game = image_game(start=False)
    game.player(player).add_term(name, build(name))
    with pytest.raises(ConfigError, match=f"terms.{name}.player={player}: {name} has no effect .* choose"):
        game.start(torch.device("cpu"))


def test_the_sliced_distance_on_a_line():
    real, fake = (torch.tensor(values).view(-1, 1) for values in ((3.0, 0.0, 1.0), (2.0, 0.5, 2.0)))
    assert sliced_distance(real, fake, torch.ones(1, 1)).item() == pytest.approx(0.75)


def test_the_sliced_distance_of_two_points():
    real, fake = torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])
    angles = torch.linspace(0, np.pi, 181)[:-1]
    directions = torch.stack([angles.cos(), angles.sin()], dim=1)
    assert sliced_distance(real, fake, directions).item() == pytest.approx(12.5)
    assert sliced_distance(fake, fake, directions).item() == 0


def test_random_directions_have_length_one():
    real, fake = torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])
    torch.manual_seed(0)
    value = SlicedWassersteinTerm(20_000, None)(pair((1.0, 0.0), real.tolist(), fake.tolist()), None)
    assert value.item() == pytest.approx(12.5, rel=0.02)


@pytest.mark.parametrize("layer", [None, 0])
def test_a_generator_follows_the_sliced_distance_alone(layer):
    game = image_game(start=False)
    settings = {"name": "sliced_wasserstein", "layer": layer, "directions": 20}
    registry.build("strategies", settings).apply(game)
    game.start(torch.device("cpu"))
    generator = game.player("generator")
    assert generator.objective is None
    losses = [generator.play(game.meet(images(64)))["generator/sliced_wasserstein"].item() for _ in range(60)]
    assert np.mean(losses[-10:]) < np.mean(losses[:10])


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("score_size", {"side": "left"}),
        ("gradient_power", {"power": 1.0}),
        ("orthogonal", {"form": "half"}),
        ("mode_seeking", {"form": "ms"}),
        ("mode_seeking", {"bound": 1.0}),
        ("mode_seeking", {"form": "bounded", "bound": 0.0}),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(name, settings):
    with pytest.raises(ConfigError, match=[*settings][-1]):
        build(name, **settings)
