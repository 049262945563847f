"""The losses of D2GAN and Dualing GAN, on worked numbers and at their best discriminators."""

import numpy as np
import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape, DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.discriminators.twin import TwinDiscriminator
from gan_zoo.losses.dual_discriminator import log_softplus
from tests.helpers.independent import finite_differences, image_game
from tests.zoo.losses.test_truths import FAKE, REAL, P, Q


def build(name, kind="losses", **settings):
    return registry.build(kind, {"name": name, **settings})


def scored(first, second):
    first, second = (torch.as_tensor(np.array(of), dtype=torch.float64) for of in (first, second))
    return DiscriminatorOutput(first, heads={"second": second[:, None]})


def softplus(t):
    return np.log1p(np.exp(t))


def test_both_losses_on_the_example():
    loss = build("dual_discriminator", alpha=0.2, beta=0.1)
    real, fake = (scored(of, -np.array(of)) for of in (REAL, FAKE))
    assert loss.discriminator(real, fake).item() == pytest.approx(1.1899562313)
    assert loss.generator(fake).item() == pytest.approx(-0.4988997278)


def at_best(nudge=(0.0, 0.0)):
    """D's loss of P and Q, whose scores are those of α p/q and β q/p and something more."""
    loss = build("dual_discriminator", alpha=0.2, beta=0.1)
    best = np.log(np.expm1(0.2 * P / Q)) + nudge[0], np.log(np.expm1(0.1 * Q / P)) + nudge[1]
    sides = [[np.repeat(score, (10 * weights).astype(int)) for score in best] for weights in (P, Q)]
    return loss.discriminator(*(scored(*side) for side in sides)).item()


def test_the_best_discriminators_tell_both_divergences():
    kl = (P * np.log(P / Q)).sum()
    assert kl == pytest.approx(0.2748872196)
    value = 0.2 * (np.log(0.2) - 1) + 0.1 * (np.log(0.1) - 1) + 0.3 * kl
    assert value == pytest.approx(-0.7696799259)
    assert -at_best() == pytest.approx(value)
    for nudge in ((0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1)):
        assert at_best(nudge) > at_best()


def test_the_logarithm_of_softplus_is_finite_and_smooth():
    x = torch.tensor([-1e4, -30.1, -29.9, -3.0, 0.0, 2.0, 1e4], requires_grad=True)
    values = log_softplus(x)
    (gradient,) = torch.autograd.grad(values.sum(), x)
    inner = x.detach().numpy()[3:6]
    np.testing.assert_allclose(values[3:6].detach(), np.log(softplus(inner)))
    np.testing.assert_allclose(values[:3].detach(), x[:3].detach(), rtol=1e-12)
    assert torch.isfinite(gradient).all()
    np.testing.assert_allclose(gradient[:3], 1, rtol=1e-12)
    np.testing.assert_allclose(gradient[3:6], finite_differences(lambda t: np.log(softplus(t)).sum(), inner), rtol=1e-6)


def test_the_halves_of_a_twin_are_two_networks_that_score_apart():
    torch.manual_seed(0)
    of = {"image_size": None, "channels": 2, "hidden": [3], "activation": "tanh", "init_std": 0.8, "init_bias": 0.1}
    twin = TwinDiscriminator({"name": "mlp", "pixels": "symmetric", **of})
    x = torch.randn(4, 2)
    said = twin(x)
    assert said.heads["second"].shape == (4, 1)
    first = torch.tanh(twin.first.hidden[0][0](x)) @ twin.output.weight.T + twin.output.bias
    torch.testing.assert_close(said.logits, first.squeeze(1))
    torch.testing.assert_close(said.heads["second"][:, 0], twin.second(x).logits)
    assert not torch.allclose(said.logits, said.heads["second"][:, 0])
    gradients = torch.autograd.grad(said.logits.sum(), [*twin.second.parameters()], allow_unused=True)
    assert gradients == (None,) * 4


def test_what_does_not_fit_is_refused_by_name():
    with pytest.raises(ConfigError, match="loss=dual_discriminator needs two scores"):
        image_game(build("dual_discriminator"))
    for settings in ({"alpha": 0.0}, {"beta": 1.5}):
        with pytest.raises(Exception, match=f"{next(iter(settings))}="):
            build("dual_discriminator", **settings)
    with pytest.raises(ValueError, match="of.name='autoencoder'"):
        TwinDiscriminator({"name": "autoencoder"})
    with pytest.raises(ValueError, match="settings of discriminator=mlp do not fit"):
        TwinDiscriminator({"name": "mlp", "width": 3})
    with pytest.raises(ConfigError, match="loss=dualing finds its own.*game=moment_matching"):
        image_game(build("dualing"))
    with pytest.raises(Exception, match="weight=0"):
        build("dualing", weight=0.0)


def column(values):
    return torch.tensor(values, dtype=torch.float64)[:, None]


def vectors(of):
    return DiscriminatorOutput(of.new_zeros(len(of)), heads={"vector": of})


def entropy(p):
    return -(p * np.log(p) + (1 - p) * np.log(1 - p))


def test_the_linear_discriminator_and_its_dual():
    loss = build("dualing", weight=0.1)
    x, g = column([1.0, 2.0]), column([-1.0, 0.5])
    w = loss.best(x, g)
    assert w.item() == pytest.approx(1.0520202787, abs=1e-7)
    scores = w.item() * np.array([1.0, 2.0]), w.item() * np.array([-1.0, 0.5])
    shares = 1 / (1 + np.exp(scores[0])) / 4, 1 / (1 + np.exp(-scores[1])) / 4
    assert shares[0] == pytest.approx([0.0647093352, 0.0271761801], abs=1e-8)
    assert shares[1] == pytest.approx([0.0647093352, 0.1571380151], abs=1e-8)
    apart = (shares[0] * [1.0, 2.0]).sum() - (shares[1] * [-1.0, 0.5]).sum()
    dual = -(apart**2) / (2 * 0.1) + sum(entropy(4 * of).sum() for of in shares) / 4
    assert dual == pytest.approx(0.4814614317)
    assert loss.generator(vectors(g), vectors(x)).item() == pytest.approx(-dual, abs=1e-9)


def test_the_generators_gradient_is_that_of_the_solved_dual():
    loss = build("dualing", weight=0.3)
    torch.manual_seed(0)
    x, g = torch.randn(6, 3), torch.randn(4, 3).requires_grad_()
    (gradient,) = torch.autograd.grad(loss.generator(vectors(g), vectors(x)), g)

    def solved(values):
        return loss.generator(vectors(torch.tensor(values)), vectors(x)).item()

    np.testing.assert_allclose(gradient, finite_differences(solved, g.detach().numpy(), 1e-5), rtol=1e-5, atol=1e-8)


def test_the_best_discriminator_is_the_best_also_where_the_classes_part():
    loss = build("dualing", weight=1e-4)
    x, g = column([3.0, 4.0, 50.0]), column([-3.0, -80.0, -5.0])
    w = loss.best(x, g)
    least = loss.primal(w, x, g).item()
    assert all(least < loss.primal(w * (1 + nudge), x, g).item() for nudge in (-0.01, 0.01))


def test_a_line_of_moments_is_matched(compose):
    torch.set_default_dtype(torch.float32)
    config = compose("experiment=dualing_gan", "optimizer.generator.lr=0.1")
    game = build_game(config, DataShape((1,)), torch.device("cpu"))
    losses = []
    for _ in range(150):
        batch = Batch(2 + 0.5 * torch.randn(128, 1))
        losses.append(game.step(lambda batch=batch: batch)["generator/adversarial"].item())
    generator = game.networks["generator"]
    assert generator.mean.item() == pytest.approx(2, abs=0.1)
    assert abs(generator.std.item()) == pytest.approx(0.5, abs=0.1)
    # The dual rises to log 2, where the discriminator tells nothing.
    smooth = np.mean(np.reshape(losses, (3, 50)), axis=1)
    assert (np.diff(smooth) < 1e-3).all()
    assert smooth[-1] == pytest.approx(-np.log(2), abs=0.01)


def test_a_trained_discriminator_can_be_linear_in_the_same_moments():
    settings = {"name": "linear", "image_size": None, "channels": 2, "start": 0.0}
    discriminator = registry.build("discriminators", {**settings, "powers": 3}).double()
    with torch.no_grad():
        discriminator.output.weight.copy_(torch.tensor([[1.0, -2.0, 0.5, 3.0, -1.0, 0.25]]))
    x = torch.tensor([[2.0, -1.0], [0.5, 3.0]], dtype=torch.float64)
    # x + x² + x³ by their weights: 2 + 2 + 2 + 3 - 8 - 0.25, and 0.5 - 6 + 0.125 + 27 - 0.125 + 6.75.
    assert discriminator(x).logits.tolist() == pytest.approx([0.75, 28.25])
    with pytest.raises(ConfigError, match="powers=0: it must be at least 1"):
        registry.build("discriminators", {**settings, "powers": 0})
