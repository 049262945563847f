"""A logit for each patch: losses, one pass, minibatch layers, penalties and health figures, and two processes."""

import numpy as np
import pytest
import torch

from gan_framework.core.records import DiscriminatorOutput
from gan_framework.registry import registry
from gan_framework.runs import diagnostics
from tests.core.abilities import experiment, play

pytestmark = pytest.mark.usefixtures("probe")


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


FORMULAS = {
    "nonsaturating": (lambda r, f: softplus(-r).mean() + softplus(f).mean(), lambda r, f: softplus(-f).mean()),
    "minimax": (lambda r, f: softplus(-r).mean() + softplus(f).mean(), lambda r, f: -softplus(f).mean()),
    "maximum_likelihood": (lambda r, f: softplus(-r).mean() + softplus(f).mean(), lambda r, f: -np.exp(f).mean()),
    "hinge": (lambda r, f: np.maximum(0, 1 - r).mean() + np.maximum(0, 1 + f).mean(), lambda r, f: -f.mean()),
    "least_squares": (
        lambda r, f: ((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2,
        lambda r, f: ((f - 1) ** 2).mean() / 2,
    ),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda r, f: -f.mean()),
    "relativistic": (lambda r, f: softplus(f - r).mean(), lambda r, f: softplus(r - f).mean()),
}
"""What discriminator and generator minimise, of logits of any shape."""


OF_MORE_THAN_SCORES = {
    "class_softmax",
    "coulomb",
    "cramer",
    "dual_discriminator",
    "dualing",
    "linear_discriminant",
    "loss_sensitive",
    "mmd",
    "moment_ipm",
    "multi_hinge",
    "omni",
    "quadratic_potential",
    "realness",
    "stein",
    "variational_energy",
}
"""Losses that look at samples or features too."""

OF_SCORES = sorted(
    {plugin.name for plugin in registry.installed("losses") if plugin.distribution == "gan-framework"}
    - OF_MORE_THAN_SCORES
    - {"random_hinge"}  # draws a margin for each logit, so two computations differ
)


@pytest.mark.parametrize("name", FORMULAS)
def test_every_loss_is_a_mean_over_all_patches(compose, name):
    game, batches = experiment(compose, "probe_pix2pix", f"loss={name}")
    meeting = game.meet(batches())
    real, fake = meeting["main"].outputs
    assert real.logits.shape == fake.logits.shape == (16, 1, 4, 6)
    numbers = [output.logits.detach().double().numpy() for output in (real, fake)]
    for player, formula in zip(("discriminator", "generator"), FORMULAS[name], strict=True):
        value = game.player(player).evaluate(meeting)["adversarial"]
        assert value.shape == () and value.item() == pytest.approx(formula(*numbers), rel=1e-5)


@pytest.mark.parametrize("name", OF_SCORES)
def test_flat_logits_and_patches_of_one_are_the_same(name):
    loss = registry.build("losses", {"name": name})
    flat = [DiscriminatorOutput(torch.randn(5)) for _ in range(2)]
    patches = [DiscriminatorOutput(output.logits.view(5, 1, 1, 1)) for output in flat]
    torch.testing.assert_close(loss.discriminator(*flat), loss.discriminator(*patches))
    torch.testing.assert_close(loss.generator(flat[1], flat[0]), loss.generator(patches[1], patches[0]))


def test_one_pass_over_both_sides_says_what_two_say(compose):
    game, batches = experiment(compose, "probe_pix2pix")
    judge = game.judge("discriminator")
    assert judge.batch_independent
    sizes = []
    judge.network.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    pair = game.meet(batches(), graph=False)["main"]
    real, fake = pair.outputs
    assert sizes == [32]
    torch.testing.assert_close(real.logits, judge(pair.real, None, *pair.real_given).logits)
    torch.testing.assert_close(fake.logits, judge(pair.fake, None, *pair.fake_given).logits)


def test_the_score_that_penalties_differentiate_is_the_mean_of_the_patches(compose):
    game, batches = experiment(compose, "probe_pix2pix", "term=[r1]")
    batch = batches()
    x, source = batch.samples, batch.extra["source"]
    torch.testing.assert_close(source, -x)
    inside = x.clone().requires_grad_()
    logits = game.network("discriminator")(inside, None, source).logits
    (slope,) = torch.autograd.grad(logits.mean((1, 2, 3)).sum(), inside)
    expected = 0.5 * slope.flatten(1).square().sum(1).mean()
    weight = game.player("discriminator").plans["r1"].weight
    value = game.player("discriminator").evaluate(game.meet(batch).detached())["r1"]
    torch.testing.assert_close(value, weight * expected)


@pytest.mark.parametrize("strategy", ["minibatch_stddev", "minibatch_discrimination"])
def test_minibatch_layers_add_one_number_to_all_patches_of_a_sample(compose, strategy):
    game, batches = experiment(compose, "probe_pix2pix", f"strategy=[{strategy}]")
    play(game, batches, range(1))
    layer = game.network("discriminator").output
    pair = game.meet(batches(), graph=False)["main"]
    features = pair.real_output.features[-1]
    said = layer.on_statistic(layer.statistic(features.flatten(1)))
    assert said.abs().max() > 0
    torch.testing.assert_close(pair.real_output.logits, layer.output(features) + said[:, :, None, None])
    assert not game.judge("discriminator").batch_independent


def test_health_figures_are_means_over_all_patches(compose):
    game, batches = experiment(compose, "probe_pix2pix")
    meeting = game.meet(batches(), graph=False)
    measured = game.player("discriminator").play(meeting)
    logits = meeting["main"].real_output.logits.detach()
    figures = diagnostics.figures(measured)
    assert measured["real"].shape == (16 * 4 * 6,)
    assert figures["health/d_real"] == pytest.approx(logits.sigmoid().mean().item(), rel=1e-5)
    assert figures["health/accuracy_real"] == pytest.approx((logits > 0).float().mean().item())


def test_the_distance_to_the_target_is_the_mean_absolute_one(compose):
    game, batches = experiment(compose, "probe_pix2pix")
    batch = batches()
    made = game.generator(torch.zeros(16, 0), None, {"source": batch.extra["source"]})
    value = game.player("generator").evaluate(game.meet(batch))["absolute"]
    assert value.item() == pytest.approx(100 * np.abs(made.detach().numpy() - batch.samples.numpy()).mean(), rel=1e-5)


def test_a_batch_in_parts_is_the_batch(compose):
    """The sum of the parts' gradients is the gradient of the whole, with sources and penalties."""
    after = []
    for parts in (1, 4):
        options = [f"train.accumulate={parts}", "term=[r1]", "optimizer=sgd"]
        game, batches = experiment(compose, "probe_pix2pix", *options)
        measured = play(game, batches, range(2))
        after.append((measured[-1], dict(game.named_parameters())))
    (whole, weights), (divided, parted) = after
    assert whole.keys() == divided.keys()
    for name, value in whole.items():
        torch.testing.assert_close(divided[name], value, rtol=1e-4, atol=1e-5)
    for name, weight in weights.items():
        torch.testing.assert_close(parted[name], weight, rtol=1e-4, atol=1e-5)
