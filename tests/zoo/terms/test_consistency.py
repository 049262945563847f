"""Consistency of three kinds and path lengths, on judges and generators small enough to work out by hand."""

import pytest
import torch
from torch import nn

from gan_framework.api import Generator
from gan_framework.core.pair import Pair
from gan_framework.core.player import Player
from gan_framework.core.records import EMPTY, Batch, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.augmenting import AUGMENTATIONS
from gan_zoo.terms import consistency
from gan_zoo.terms.path_length import path_lengths
from tests.helpers.differences import by_differences
from tests.zoo.strategies.every import build as build_game_with

D, G = (Player(team, (team,), team, team) for team in ("discriminator", "generator"))


def build(name, **settings):
    return registry.build("terms", {"name": name, **settings})


def left_minus_right(x, labels=None, *given):
    half = x.shape[-1] // 2
    score = x[..., :half].sum((1, 2, 3)) - x[..., half:].sum((1, 2, 3))
    return DiscriminatorOutput(score, (score[:, None],), EMPTY, x, labels)


def images(n=3):
    return torch.rand(n, 2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(n)) * 2 - 1


def pair(judge=left_minus_right):
    return Pair(judge, Batch(images(3)), Latent(torch.zeros(5, 1)), images(5))


@pytest.fixture
def always_mirrored(monkeypatch):
    monkeypatch.setattr(consistency, "ALWAYS", ())


def test_without_a_change_consistency_is_nothing(monkeypatch):
    monkeypatch.setitem(AUGMENTATIONS, "mirror", lambda x: x)
    assert build("consistency", policy=["mirror"], real=1.0, fake=1.0)(pair(), D).item() == 0


@pytest.mark.usefixtures("always_mirrored")
@pytest.mark.parametrize(("real", "fake"), [(1.0, 0.0), (0.0, 1.0), (2.0, 3.0)])
def test_a_judge_of_left_minus_right_pays_four_times_its_square_for_mirroring(real, fake):
    both = pair()
    squares = [4 * said.logits.square().mean() for said in both.outputs]
    value = build("consistency", policy=["mirror"], real=real, fake=fake)(both, D)
    torch.testing.assert_close(value, real * squares[0] + fake * squares[1])


@pytest.mark.usefixtures("always_mirrored")
def test_the_gradient_of_consistency_flows_through_both_scores():
    w = torch.tensor([0.3, -0.2, 0.5, 0.1], dtype=torch.float64, requires_grad=True)

    def judge(x, labels=None, *given):
        return DiscriminatorOutput((x.sum((1, 2)) @ w).tanh())

    term = build("consistency", policy=["mirror"], real=1.0, fake=1.0)
    (found,) = torch.autograd.grad(term(pair(judge), D), w)
    expected = by_differences(lambda: term(pair(judge), D), w)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


def test_every_second_image_is_mirrored():
    x = images(200)
    changed = (consistency._augmented(x, ["mirror"]) != x).flatten(1).any(1)
    assert 60 < changed.sum() < 140


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"policy": ["blur"], "real": 1.0, "fake": 0.0}, "policy"),
        ({"policy": ["mirror"], "real": 0.0, "fake": 0.0}, "one above it"),
        ({"policy": ["mirror"], "real": -1.0, "fake": 2.0}, "at least 0"),
    ],
)
def test_consistency_that_cannot_be_is_refused(settings, why):
    with pytest.raises(ConfigError, match=why):
        build("consistency", **settings)


class Made(Pair):
    """A pair of a linear generator of its latents."""

    A = torch.tensor([[1.0, 2.0], [0.0, 1.0], [3.0, 1.0]], dtype=torch.float64)

    def __init__(self, latent, w):
        super().__init__(
            lambda x, labels=None: DiscriminatorOutput(x @ w), Batch(torch.zeros(4, 3)), latent, latent.z @ self.A.T
        )
        self.again = lambda other: Made(other, w)


def test_latent_consistency_of_a_linear_game():
    w = torch.tensor([0.5, -1.0, 0.25], dtype=torch.float64)
    latent = Latent(torch.randn(4, 2, dtype=torch.float64))
    term = build("latent_consistency", std=0.05, discriminator=20.0, generator=0.5)

    def value(player):
        torch.manual_seed(3)
        return term(Made(latent, w), player)

    torch.manual_seed(3)
    step = 0.05 * torch.randn(4, 2, dtype=torch.float64) @ Made.A.T
    torch.testing.assert_close(value(D), 20 * (step @ w).square().mean())
    torch.testing.assert_close(value(G), -0.5 * step.square().mean())


def dropping(scores, features):
    """A judge whose passes, one after another, say these."""
    said = iter(zip(scores, features, strict=True))

    def judge(x, labels=None, *given):
        score, feature = next(said)
        return DiscriminatorOutput(score, (feature,))

    return judge


@pytest.mark.parametrize(("margin", "value"), [(0.0, 0.0625), (0.1, 0.005)])
def test_dropout_consistency_by_hand(margin, value):
    """Score differences (0.3, -0.1); mean squared feature differences 0.2 and 0.05."""
    double = {"dtype": torch.float64}
    scores = [torch.tensor([1.3, 0.4], **double), torch.tensor([1.0, 0.5], **double)]
    features = [torch.zeros(2, 2, **double), torch.tensor([[0.4, 0.0], [0.0, 0.1]], **double).mul(5).sqrt()]
    features[1] = torch.tensor([[0.2, 0.2], [0.05, 0.05]], **double).sqrt()
    both = Pair(dropping(scores, features), Batch(torch.zeros(2, 1)), Latent(torch.zeros(2, 1)), torch.zeros(2, 1))
    assert build("dropout_consistency", margin=margin)(both, D).item() == pytest.approx(value, abs=1e-12)


def test_the_gradient_of_dropout_consistency():
    w = torch.tensor([0.4, -0.7], dtype=torch.float64, requires_grad=True)
    masks = torch.tensor([[[1.0, 0.0], [1.0, 1.0]], [[1.0, 1.0], [0.0, 1.0]]], dtype=torch.float64)
    x = torch.tensor([[1.0, 2.0], [-0.5, 1.5]], dtype=torch.float64)

    def value():
        passes = iter(masks)

        def judge(x, labels=None, *given):
            features = (x * w).tanh() * next(passes)
            return DiscriminatorOutput(features.sum(1), (features,))

        return build("dropout_consistency", margin=0.01)(Pair(judge, Batch(x), Latent(x), x), D)

    (found,) = torch.autograd.grad(value(), w)
    torch.testing.assert_close(found, by_differences(value, w), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_discriminator_without_dropout_is_refused(compose, dropout):
    config = compose(
        "data.image_size=8", "model=dcgan", "networks.discriminator.norm=none", "term=[dropout_consistency]",
        f"networks.discriminator.dropout={dropout}", "networks.generator.width=4", "networks.discriminator.width=4",
    )  # fmt: skip
    from gan_framework.build import build_game
    from gan_framework.core.records import DataShape

    if dropout:
        build_game(config, DataShape((1, 8, 8), 10), torch.device("cpu"))
        return
    with pytest.raises(ConfigError, match="dropout_consistency compares passes .* drops none"):
        build_game(config, DataShape((1, 8, 8), 10), torch.device("cpu"))


def test_the_expected_squared_path_length_of_a_linear_generator():
    torch.manual_seed(0)
    w = torch.randn(20_000, 2, dtype=torch.float64, requires_grad=True)
    lengths = path_lengths(w @ Made.A.T, w)
    assert lengths.square().mean().item() == pytest.approx(16, rel=0.03)


def test_noise_is_divided_by_the_root_of_the_places_and_layers_are_averaged():
    torch.manual_seed(0)
    w = torch.randn(20_000, 2, 3, dtype=torch.float64, requires_grad=True)
    # Two layers with gains 1 and 3, to one channel of 2 x 2 equal pixels.
    pixels = (w * torch.tensor([[1.0], [3.0]])).sum((1, 2))[:, None, None, None].expand(-1, 1, 2, 2)
    squares = path_lengths(pixels, w).square()
    # <G(w), y> = (w_1 + 3 w_2)·1 Σy, E (Σy)² = 4 / 4; of each layer three entries.
    assert squares.mean().item() == pytest.approx((3 * 1 + 3 * 9) / 2, rel=0.03)


class Linear(Generator):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 3, bias=False, dtype=torch.float64)

    def forward(self, z, labels=None):
        return self.layer(z).tanh()


class Of:
    """A game of one generator."""

    def __init__(self, generator):
        self.generator = generator

    def network(self, name):
        return self.generator


def of_a_linear_generator(**settings):
    term, generator = build("path_length", **settings), Linear()
    term.attach(Of(generator))
    z = torch.randn(6, 2, dtype=torch.float64)
    made = Pair(lambda x: None, Batch(torch.zeros(6, 3)), Latent(z), torch.zeros(6, 3, dtype=torch.float64))
    return term, generator, made


def test_the_path_length_term_and_its_average():
    torch.manual_seed(1)
    term, generator, made = of_a_linear_generator(decay=0.9, shrink=2)
    torch.manual_seed(5)
    value = term(made, G)
    assert term.average.item() == 0  # nothing is kept before the update
    torch.manual_seed(5)
    w = made.latent.z[:3].detach().requires_grad_()
    lengths = path_lengths(generator(w), w)
    average = 0.1 * lengths.mean().item()
    assert value.item() == pytest.approx((lengths - average).square().mean().item(), rel=1e-6)
    term.after_update(made, G)
    assert term.average.item() == pytest.approx(average, rel=1e-6)
    assert not term.average.requires_grad


def test_the_gradient_of_path_lengths_with_the_average_held():
    torch.manual_seed(1)
    term, generator, made = of_a_linear_generator(decay=0.0, shrink=1)
    weight = generator.layer.weight

    def value(held=None):
        torch.manual_seed(5)
        w = made.latent.z.detach().requires_grad_()
        lengths = path_lengths(generator(w), w)
        return (lengths - (lengths.detach().mean() if held is None else held)).square().mean()

    torch.manual_seed(5)
    (found,) = torch.autograd.grad(term(made, G), weight)
    held = term.newest.double()
    torch.testing.assert_close(found, by_differences(lambda: value(held), weight), rtol=1e-4, atol=1e-6)


def test_a_flat_generator_has_a_finite_gradient():
    term, generator, made = of_a_linear_generator(decay=0.99, shrink=1)
    with torch.no_grad():
        generator.layer.weight.zero_()
    (gradient,) = torch.autograd.grad(term(made, G), generator.layer.weight)
    assert gradient.isfinite().all()


@pytest.mark.parametrize(
    ("name", "player", "why"),
    [
        ("path_length", "discriminator", "path_length has no effect"),
        ("consistency", "generator", "consistency has no effect"),
        ("dropout_consistency", "generator", "dropout_consistency has no effect"),
    ],
)
def test_the_wrong_player_is_refused_by_name(compose, name, player, why):
    from tests.zoo.strategies.every import OVERRIDES

    base = compose(*OVERRIDES, f"term=[{name}]", f"terms.{name}.player={player}")
    with pytest.raises(ConfigError, match=why):
        build_game_with(base)
