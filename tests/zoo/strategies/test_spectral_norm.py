"""Spectral normalisation against numpy's singular values and power iteration."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from gan_framework.core.contracts.networks import Discriminator
from gan_framework.core.records import Batch
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.generators.dcgan import DCGANGenerator
from tests.helpers.independent import double_precision, finite_differences, image_game, images  # noqa: F401 (a fixture is among them)


def strategy(networks=("discriminator",), power_iterations=1):
    settings = {"name": "spectral_norm", "networks": list(networks), "power_iterations": power_iterations}
    return registry.build("strategies", settings)


def ema():
    return registry.build("strategies", {"name": "ema", "networks": None, "decay": 0.9, "warmup": 0, "bounded": False})


def normed_game(*strategies):
    game = image_game(start=False)
    for each in strategies or (strategy(),):
        each.apply(game)
    game.start(torch.device("cpu"))
    return game


def play(game, steps, first=0):
    for step in range(first, first + steps):
        torch.manual_seed(step)
        measured = game.step(lambda step=step: images(seed=step))
    return measured


def largest_singular_value(weight, dim=0):
    matrix = np.moveaxis(weight.detach().numpy(), dim, 0)
    return np.linalg.svd(matrix.reshape(len(matrix), -1), compute_uv=False)[0]


class Embedding(Discriminator):
    """A discriminator with every kind of layer that is normalised, and one kind that is not."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.conv = nn.Conv2d(1, 4, 2)
        self.norm = nn.GroupNorm(1, 4)
        self.up = nn.ConvTranspose2d(4, 3, 2)
        self.output = nn.Linear(12, 1)

    def features(self, x, labels=None):
        return (
            self.up(self.norm(self.conv(x)) + self.embedding(torch.zeros(len(x), dtype=torch.long))[..., None, None]),
        )


def test_every_weight_has_a_largest_singular_value_of_one():
    torch.manual_seed(0)
    game = image_game(start=False)
    game.networks["discriminator"] = network = Embedding()
    plain = copy.deepcopy(network)
    strategy(power_iterations=50).apply(game)
    network(images().samples)
    network.eval()
    for name, dim in (("embedding", 0), ("conv", 0), ("up", 1), ("output", 0)):
        weight, original = getattr(network, name).weight, getattr(plain, name).weight
        assert largest_singular_value(weight, dim) == pytest.approx(1, rel=1e-6)
        np.testing.assert_allclose(
            weight.detach().numpy(), original.detach().numpy() / largest_singular_value(original, dim), rtol=1e-6
        )
    np.testing.assert_array_equal(network.norm.weight.detach(), plain.norm.weight.detach())


def test_one_forward_pass_is_one_power_iteration():
    game = normed_game()
    layer = game.discriminator.hidden[0][0]
    state = layer.parametrizations.weight
    w, u = state.original.detach().numpy(), state[0]._u.numpy().copy()
    game.discriminator(images().samples)
    v = w.T @ u / np.linalg.norm(w.T @ u)
    u = w @ v / np.linalg.norm(w @ v)
    np.testing.assert_allclose(state[0]._u.numpy(), u, rtol=1e-12)
    game.discriminator.eval()
    np.testing.assert_allclose(layer.weight.detach().numpy(), w / (u @ w @ v), rtol=1e-10)


def test_the_gradient_goes_through_the_singular_value():
    game = normed_game()
    game.discriminator.eval()
    layer = game.discriminator.hidden[0][0]
    state = layer.parametrizations.weight
    u, v = state[0]._u.numpy(), state[0]._v.numpy()
    (gradient,) = torch.autograd.grad((layer.weight**3).sum(), state.original)
    slope = finite_differences(lambda w: ((w / (u @ w @ v)) ** 3).sum(), state.original.detach().numpy())
    np.testing.assert_allclose(gradient.numpy(), slope, rtol=1e-5, atol=1e-8)


def test_the_discriminator_is_lipschitz_while_it_trains():
    """Linear layers of norm 1 with tanh between them: the score's slope cannot exceed 1."""
    game = normed_game()
    play(game, 20)
    x = images(200).samples.requires_grad_()
    game.discriminator.eval()
    (slope,) = torch.autograd.grad(game.discriminator(x).logits.sum(), x)
    assert 0.01 < slope.flatten(1).norm(dim=1).max() <= 1.001


def test_probing_the_discriminator_changes_nothing():
    game = normed_game()
    before = copy.deepcopy(game.networks.state_dict())
    game.probe()
    after = game.networks.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_saved_and_reloaded_it_goes_on_to_the_bit(tmp_path):
    both = strategy(("generator", "discriminator"))
    whole, first, second = normed_game(both, ema()), normed_game(both, ema()), normed_game(both, ema())
    expected = play(whole, 4) and play(whole, 2, 4)
    play(first, 4)
    torch.save(first.state_dict(), tmp_path / "state.pt")
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    got = play(second, 2, 4)
    assert all(torch.equal(expected[key], got[key]) for key in expected)
    latent = whole.latent(3)
    assert torch.equal(whole.sample(latent), second.sample(latent))


@pytest.mark.parametrize("order", [("norm", "ema"), ("ema", "norm")])
def test_averaged_weights_are_those_of_the_normalised_generator(order):
    """In either order: the average is of the weights before the division, and apart from the trained ones."""
    # As the composer does it: what applies last goes last.
    parts = {"norm": strategy(("generator",)), "ema": ema()}
    game = normed_game(*sorted((parts[name] for name in order), key=lambda part: part.applies_last))
    trained, average = game.generator, game.networks["generator_ema"]
    kept = [p.detach().clone() for p in average.parameters()]
    play(game, 1)
    for previous, now, target in zip(kept, average.parameters(), trained.parameters(), strict=True):
        torch.testing.assert_close(now, 0.9 * previous + 0.1 * target)
    assert not {p.data_ptr() for p in average.parameters()} & {p.data_ptr() for p in trained.parameters()}
    assert game.sample(game.latent(2)).shape == (2, 1, 2, 2)


def test_convolutions_of_dcgan_train_normalised():
    torch.set_default_dtype(torch.float32)
    game = image_game(start=False)
    game.data = game.data._replace(sample=(1, 16, 16))
    game.networks["discriminator"] = DCGANDiscriminator(16, 1, 4, "batch")
    game.networks["generator"] = DCGANGenerator(2, 16, 1, 4)
    strategy(("generator", "discriminator"), power_iterations=20).apply(game)
    game.start(torch.device("cpu"))
    batch = Batch(torch.rand(4, 1, 16, 16) * 2 - 1)
    for _ in range(2):
        assert all(torch.isfinite(value).all() for value in game.step(lambda: batch).values())
    game.eval()
    for network, dim in (("discriminator", 0), ("generator", 1)):
        layers = [m for m in game.networks[network].modules() if hasattr(m, "parametrizations")]
        assert len(layers) >= 2
        for layer in layers:
            assert largest_singular_value(layer.weight, dim) == pytest.approx(1, abs=0.02)


class Flat(Discriminator):
    def __init__(self):
        super().__init__()
        self.output = nn.Flatten()

    def features(self, x, labels=None):
        return (x.flatten(1)[:, :1],)


def test_what_cannot_be_normalised_is_refused():
    game = image_game(start=False)
    with pytest.raises(ConfigError, match="no network 'critic'.*generator, discriminator"):
        strategy(("critic",)).apply(game)
    game.networks["discriminator"] = Flat()
    with pytest.raises(ConfigError, match="no effect on networks.discriminator: Flat has no"):
        strategy().apply(game)
    for wrong in ({"networks": ()}, {"power_iterations": 0}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            strategy(**wrong)


def test_a_network_is_normalised_once():
    game = image_game(start=False)
    nn.utils.parametrizations.spectral_norm(game.discriminator.output)
    with pytest.raises(ConfigError, match="networks.discriminator is normalised already"):
        strategy().apply(game)
