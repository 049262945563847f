"""Losses that compare features, energies or whole batches, on numbers worked out by other means."""

from math import exp, inf

import numpy as np
import pytest
import torch

from gan_framework.core.pair import Pair
from gan_framework.core.records import Batch, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.kernels import KERNELS, rbf, squared_mmd
from tests.helpers.independent import image_game, images


def build(name, kind="losses", **settings):
    return registry.build(kind, {"name": name, **settings})


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def featured(vectors, head=False):
    vectors = tensor(vectors)
    inner = {"heads": {"vector": vectors}} if head else {"features": (vectors[:, :1] * 9, vectors)}
    return DiscriminatorOutput(torch.zeros(len(vectors), dtype=torch.float64), **inner)


def both(loss, real, fake):
    return loss.discriminator(real, fake).item(), loss.generator(fake, real).item()


X, Y = [(0, 0), (1, 0), (0, 2)], [(1, 1), (2, 0), (0, -1)]


@pytest.mark.parametrize(
    ("kernel", "biased", "unbiased"),
    [("rbf", 0.4776380378, -0.3695813613), ("rational_quadratic", 1.1943886169, -0.7252519935)],
)
@pytest.mark.parametrize("head", [True, False])
def test_the_discrepancy_under_a_kernel(kernel, biased, unbiased, head):
    real, fake = featured(X, head), featured(Y, head)
    assert both(build("mmd", kernel=kernel), real, fake) == pytest.approx((-biased, biased))
    assert both(build("mmd", kernel=kernel, estimator="unbiased"), real, fake) == pytest.approx((-unbiased, unbiased))
    assert both(build("mmd", kernel=kernel, rooted=True), real, fake)[1] == pytest.approx(biased**0.5)


def test_the_discrepancy_of_one_width_against_its_definition():
    def k(a, b):
        return exp(-((np.array(a) - np.array(b)) ** 2).sum() / 2)

    within = [np.mean([k(a, b) for a in batch for b in batch]) for batch in (X, Y)]
    definition = sum(within) - 2 * np.mean([k(a, b) for a in X for b in Y])
    value = squared_mmd(lambda a, b: rbf(a, b, (1.0,)), tensor(X), tensor(Y), unbiased=False)
    assert value.item() == pytest.approx(definition) == pytest.approx(0.2817800353)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_root_of_no_discrepancy_has_a_finite_gradient(kernel):
    x = tensor(X).requires_grad_()
    loss = build("mmd", kernel=kernel, rooted=True)
    said = DiscriminatorOutput(torch.zeros(3), (x,))
    (gradient,) = torch.autograd.grad(loss.generator(said, featured(X)), x)
    assert torch.isfinite(gradient).all()


def test_the_field_of_coulomb():
    loss = build("coulomb")
    g, x = tensor([(0.0, 0.0), (1.0, 0.0)]), tensor([(0.0, 1.0), (2.0, 0.0)])
    at_real, at_fake = loss.potentials(x, g)
    assert at_fake.tolist() == pytest.approx([-0.2763932023, -0.2113248654])
    assert at_real.tolist() == pytest.approx([0.0618956200, 0.1269639569])
    at_real, at_fake = loss.potentials(x, g[:1])  # of other numbers
    assert at_real.tolist() == pytest.approx([(1 + 6**-0.5) / 2 - 2**-0.5, (1 + 6**-0.5) / 2 - 5**-0.5])
    assert at_fake.tolist() == pytest.approx([(2**-0.5 + 5**-0.5) / 2 - 1])
    real = DiscriminatorOutput(tensor([0.1, 0.2]), samples=x)
    fake = DiscriminatorOutput(tensor([-0.3, 0.0]), samples=g)
    off = [(0.1 - 0.0618956200), (0.2 - 0.1269639569), (-0.3 + 0.2763932023), 0.2113248654]
    expected = (off[0] ** 2 + off[1] ** 2) / 2 + (off[2] ** 2 + off[3] ** 2) / 2
    assert both(loss, real, fake) == pytest.approx((expected, 0.15))


def test_the_energy_of_coulombs_field_is_measured_after_updates_of_the_discriminator():
    class Met:
        real, fake = tensor([(0.0, 1.0), (2.0, 0.0)]), tensor([(0.0, 0.0), (1.0, 0.0)])

    class Player:
        team = "generator"

    loss = build("coulomb").double()
    loss.after_update({"main": Met}, Player)
    assert loss.figures()["field_energy"].item() == 0
    Player.team = "discriminator"
    loss.after_update({"main": Met}, Player)
    assert loss.figures()["field_energy"].item() == pytest.approx(0.1691444111)


REAL, FAKE = [(1, 0), (0, 1), (2, 2)], [(0, 0), (1, 0), (0, -1)]


@pytest.mark.parametrize(("q", "value"), [(2, 1.4907119850), (inf, 4 / 3), (1, 2)])
def test_the_distance_of_means(q, value):
    assert both(build("moment_ipm", q=q), featured(REAL), featured(FAKE)) == pytest.approx((-value, value))


@pytest.mark.parametrize("k", [1, 16])
def test_the_distance_of_covariances(k):
    loss = build("moment_ipm", moment="covariance", k=k)
    assert both(loss, featured(REAL), featured(FAKE))[1] == pytest.approx(2.6666666667)
    x = tensor(REAL).requires_grad_()
    loss.generator(featured(FAKE), DiscriminatorOutput(torch.zeros(3), (x,))).backward()
    for i in np.ndindex(3, 2):
        ahead, behind = tensor(REAL), tensor(REAL)
        ahead[i] += 1e-5
        behind[i] -= 1e-5
        slope = sum(
            sign * np.linalg.svd(v.T @ v / 3 - np.array(FAKE).T @ np.array(FAKE) / 3)[1][:k].sum()
            for sign, v in ((1, ahead.numpy()), (-1, behind.numpy()))
        )
        if k == 1:  # with both, the second one is 0, where it has no derivative
            assert x.grad[i].item() == pytest.approx(slope / 2e-5, abs=1e-4)


@pytest.mark.parametrize(("ridge", "value"), [(0.0, 2.0), (1e-3, 1.9977533687)])
def test_the_linear_discriminant(ridge, value):
    loss = build("linear_discriminant", ridge=ridge)
    assert loss.discriminator(featured(REAL), featured(FAKE)).item() == pytest.approx(-value)
    apart = np.mean(REAL, 0) - np.mean(FAKE, 0)
    within = np.cov(np.array(REAL).T, ddof=0) + np.cov(np.array(FAKE).T, ddof=0) + ridge * np.eye(2)
    w = np.linalg.solve(within, apart)
    along = -(np.array(FAKE) @ (w / np.linalg.norm(w))).mean()
    assert loss.generator(featured(FAKE), featured(REAL)).item() == pytest.approx(along)


def scored(*logits):
    return DiscriminatorOutput(tensor(logits))


def test_energies_and_a_margin():
    loss = build("energy_margin")
    assert both(loss, scored(-0.4, -0.6), scored(-0.5, -3.0)) == pytest.approx((0.75, 1.75))


def test_the_moments_of_scores():
    loss = build("score_moments")
    assert loss.generator(scored(0.5, 1, 2)).item() == pytest.approx(0.0430571022)
    assert loss.real_half(scored(0.5, 1, 2)).item() == pytest.approx(0.0430571022)
    assert loss.fake_half(scored(-0.5, -1, -2)).item() == pytest.approx(0.0430571022)
    same = tensor((1.0, 1.0)).requires_grad_()
    (gradient,) = torch.autograd.grad(loss.generator(DiscriminatorOutput(same)), same)
    assert torch.isfinite(gradient).all()


def test_the_balance_of_began():
    loss = build("boundary_equilibrium", balance=0.5, rate=0.1)

    class Said:
        def __init__(self, **energies):
            for side, energy in energies.items():
                setattr(self, f"{side}_output", scored(-energy))

    class Player:
        team = ""

    for (real, fake), value, convergence, k in zip(
        [(1, 0.2), (0.9, 0.3), (0.8, 0.6)], [1.0, 0.891, 0.773], [1.3, 1.05, 1.0], [0.03, 0.045, 0.025], strict=True
    ):
        assert loss.discriminator(scored(-real), scored(-fake)).item() == pytest.approx(value)
        Player.team = "discriminator"
        loss.after_update({"main": Said(real=float(real), fake=7.0)}, Player)
        Player.team = "generator"
        loss.after_update({"main": Said(fake=float(fake))}, Player)
        assert loss.k.item() == pytest.approx(k)
        assert loss.figures()["convergence"].item() == pytest.approx(convergence)
    assert loss.generator(scored(-0.3, -0.5)).item() == pytest.approx(0.4)


def judged(real, fake, **heads):
    """A pair of which a judge says these codes and what else."""
    sides = iter((real, fake))

    def judge(x, labels=None, *given):
        return DiscriminatorOutput(torch.zeros(len(x)), heads={"vector": tensor(next(sides)), **heads})

    pair = Pair(judge, Batch(torch.zeros(len(real), 2)), Latent(torch.zeros(len(fake), 1)), torch.zeros(len(fake), 2))
    return pair


def test_pulling_away():
    term = build("pulling_away", "terms")
    codes = [(1, 0), (0, 1), (1, 1)]
    assert term(judged(codes, codes), None).item() == pytest.approx(1 / 3)


def test_the_feasible_set():
    term = build("feasible_set", "terms")
    # Mean codes (1, 1) of real and (1/3, -1/3) of generated samples, and with the sides exchanged.
    pair = judged(REAL, FAKE)
    pair.real_output, _ = pair.real_output, pair.fake_output
    assert term(pair, None).item() == 0
    pair = judged(FAKE, REAL)
    pair.real_output, _ = pair.real_output, pair.fake_output
    assert term(pair, None).item() == pytest.approx((2 / 3 + 4 / 3) / 2)


def autoencoder(**settings):
    torch.manual_seed(0)
    small = {"image_size": 16, "channels": 1, "width": 4, "code": 3, "norm": "none", **settings}
    return build("autoencoder", "discriminators", **small)


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_the_energy_of_an_autoencoder(distance):
    judge = autoencoder(distance=distance).eval()
    x = torch.rand(5, 1, 16, 16) * 2 - 1
    with torch.no_grad():
        said = judge(x)
    off = (x - said.heads["reconstruction"]).numpy()
    energy = (np.abs(off) if distance == "l1" else off**2).mean(axis=(1, 2, 3))
    assert said.logits.numpy() == pytest.approx(-energy, rel=1e-5)
    assert said.heads["vector"].shape == (5, 3)
    real = Pair(judge, Batch(x), Latent(torch.zeros(5, 1)), x)
    with torch.no_grad():
        assert build("reconstruction_error", "terms")(real, None).item() == pytest.approx(2 * (off**2).mean(), rel=1e-5)


def test_the_energy_has_both_ways_of_a_gradient_to_the_sample():
    judge = autoencoder(distance="l2").eval()
    for parameter in judge.parameters():
        parameter.data.mul_(8)  # at first it hardly answers to its input
    x = (torch.rand(1, 1, 16, 16) * 2 - 1).requires_grad_()
    (through_both,) = torch.autograd.grad(judge(x).logits.sum(), x)
    direct = -2 * (x - judge(x).heads["reconstruction"]).detach() / x.numel()
    assert not torch.allclose(through_both, direct)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("mmd", {"kernel": "gauss"}),
        ("mmd", {"estimator": "unbiased", "rooted": True}),
        ("coulomb", {"dimension": 2}),
        ("moment_ipm", {"moment": "variance"}),
        ("moment_ipm", {"q": 0.5}),
        ("energy_margin", {"margin": 0.0}),
        ("boundary_equilibrium", {"balance": 2.0}),
        ("score_moments", {"std": 0.0}),
        ("linear_discriminant", {"ridge": -1.0}),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(name, settings):
    with pytest.raises(ConfigError, match=[*settings][-1]):
        build(name, **settings)


def test_a_head_gives_the_vector_that_is_compared():
    game = image_game(build("mmd"), start=False)
    build("vector_head", "strategies", size=5).apply(game)
    game.start(torch.device("cpu"))
    pair = game.meet(images())["main"]
    assert pair.real_output.heads["vector"].shape == (5, 5)
    value = game.player("discriminator").evaluate(game.meet(images()))["adversarial"]
    (gradient,) = torch.autograd.grad(value, game.discriminator.heads["vector"].weight)
    assert gradient.any()
    with pytest.raises(ConfigError, match="vector_head has no effect on NonSaturating"):
        build("vector_head", "strategies").apply(image_game(start=False))
