"""Losses on a worked example, and at the best discriminator of two distributions on three points."""

from math import log, nan

import numpy as np
import pytest
import torch

from gan_framework.core.records import DiscriminatorOutput
from gan_framework.registry import registry

REAL, FAKE = (1.0, -0.5), (0.2, -1.5)
"""The example: what D says of two real and of two generated samples."""

P, Q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
"""The distributions of real and of generated samples."""


def build(name, **settings):
    return registry.build("losses", {"name": name, **settings})


def said(logits, samples=None):
    samples = None if samples is None else torch.tensor(samples, dtype=torch.float64)
    return DiscriminatorOutput(torch.tensor(np.array(logits), dtype=torch.float64), samples=samples)


def values(loss, real=REAL, fake=FAKE):
    real, fake = said(real), said(fake)
    return loss.discriminator(real, fake).item(), loss.generator(fake, real).item()


def expected(loss, scores):
    """Both losses where D says `scores` on the three points: each ten times as often as it is probable."""
    scores = np.array(scores)
    return values(loss, *(np.repeat(scores, (10 * weights).astype(int)) for weights in (P, Q)))


F_GAN = {
    # divergence: that of P and Q, D's loss, G's by saddle, G's by heuristic
    "kl": (0.2748872196, 0.0157069814, -0.2657069814, 0.65),
    "reverse_kl": (0.2748872196, -0.6416996441, 1.65, 2.6502099117),
    "pearson": (0.63, -0.61375, 0.36375, 0.65),
    "hellinger": (0.1350889359, -0.2694331849, 0.2777335408, 1.6502099117),
    "jensen_shannon": (0.1328286288, -0.2428489516, 0.1933711069, 0.4566288931),
    "gan": (-1.2534657324, 1.1434454095, -0.4997760737, 1.1497760737),
    "total_variation": (0.3, -0.2518124830, 0.1769432334, 0.1769432334),
}

BEST_SCORES = {
    "kl": 1 + np.log(P / Q),
    "reverse_kl": np.log(P / Q),
    "pearson": 2 * (P / Q - 1),
    "neyman": 2 * np.log(P / Q),
    "hellinger": np.log(P / Q) / 2,
    "jensen_shannon": np.log(P / Q),
    "gan": np.log(P / Q),
    "total_variation": 20 * np.sign(P - Q),
}
"""The scores v with g(v) = f'(p / q); large ones where tanh has to be ±1."""


@pytest.mark.parametrize("divergence", F_GAN)
def test_f_gan_on_the_example(divergence):
    _, d, saddle, heuristic = F_GAN[divergence]
    assert values(build("f_gan", divergence=divergence, generator="saddle")) == pytest.approx((d, saddle), abs=1e-9)
    assert values(build("f_gan", divergence=divergence, generator="heuristic"))[1] == pytest.approx(heuristic, abs=1e-9)


def test_neyman_has_its_sign_turned_so_that_high_scores_are_real():
    real, fake = (-np.array(side) for side in (REAL, FAKE))
    assert values(build("f_gan", divergence="neyman", generator="saddle"), real, fake) == pytest.approx(
        (1.0848687733, -0.4224625292), abs=1e-9
    )


@pytest.mark.parametrize("divergence", BEST_SCORES)
def test_the_best_discriminator_of_f_gan_tells_the_divergence(divergence):
    loss = build("f_gan", divergence=divergence, generator="saddle")
    truth = F_GAN[divergence][0] if divergence in F_GAN else 0.63
    assert expected(loss, BEST_SCORES[divergence])[0] == pytest.approx(-truth, abs=1e-9)
    for nudge in (-0.1, 0.1):
        assert expected(loss, BEST_SCORES[divergence] + nudge)[0] >= -truth - 1e-12


LINE = np.linspace(-14, 14, 28_001)
OF_NORMALS = {
    # of N(0, 1) and N(0.5, 1.2²)
    "kl": 0.1163493346,
    "reverse_kl": 0.1626784432,
    "pearson": 0.1995973377,
    "neyman": 0.7402282143,
    "hellinger": 0.0666238494,
    "jensen_shannon": 0.0641937839,
    "gan": -1.3221005772,
    "total_variation": 0.1929884955,
}


def normal(mean, std):
    return np.exp(-(((LINE - mean) / std) ** 2) / 2) / (std * np.sqrt(2 * np.pi))


@pytest.mark.parametrize("divergence", OF_NORMALS)
def test_it_is_the_divergence_of_two_normal_distributions_too(divergence):
    p, q = normal(0, 1), normal(0.5, 1.2)
    best = {
        "kl": 1 + np.log(p / q),
        "pearson": 2 * (p / q - 1),
        "neyman": 2 * np.log(p / q),
        "hellinger": np.log(p / q) / 2,
        "total_variation": 20 * np.sign(p - q),
    }.get(divergence, np.log(p / q))
    loss = build("f_gan", divergence=divergence, generator="saddle")
    real, fake = loss.activation(torch.tensor(best)).numpy(), loss.conjugate(torch.tensor(best)).numpy()
    value = ((p * real - q * fake).sum()) * (LINE[1] - LINE[0])
    assert value == pytest.approx(OF_NORMALS[divergence], abs=1e-6)


@pytest.mark.parametrize(("mean", "distance"), [(0.5, 0.4855758459), (1.0, 0.9034473214), (2.0, 1.4837796208)])
def test_fishers_distance_of_two_normal_distributions(mean, distance):
    def critic(x):
        p, q = (np.exp(-((x - m) ** 2) / 2) for m in (0, mean))
        return 2 * (p - q) / (p + q) / distance

    evenly = torch.distributions.Normal(0.0, 1.0).icdf((torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000)
    real, fake = critic(evenly.numpy()), critic(evenly.numpy() + mean)
    for multiplier in (0.0, 1.0):  # the constraint holds
        loss = build("fisher", rho=0.5)
        loss.multiplier.fill_(multiplier)
        assert values(loss, real, fake)[0] == pytest.approx(-distance, abs=1e-4)


def test_the_gan_divergence_is_the_minimax_game():
    assert values(build("f_gan", divergence="gan", generator="saddle")) == pytest.approx(values(build("minimax")))


def test_targets_of_least_squares():
    assert values(build("least_squares")) == pytest.approx((1.135, 1.7225))
    pearson = build("least_squares", fake_target=-1.0, real_target=1.0, generator_target=0.0)
    assert values(pearson) == pytest.approx((0.985, 0.5725))
    best = (P - Q) / (P + Q)
    assert best == pytest.approx([0.4285714286, 0, -0.4285714286])
    # Both terms of the paper's V(G), that of real samples too, which G cannot change.
    both = (P * best**2).sum() + (Q * best**2).sum()
    assert both == pytest.approx(0.2571428571)
    assert expected(pearson, best)[1] == pytest.approx((Q * best**2).sum() / 2)


def test_density_ratio():
    assert values(build("density_ratio")) == pytest.approx((-1.2770033026, 0.1631364823))
    assert expected(build("density_ratio"), np.log(P / Q)) == pytest.approx((-0.815, 0.315))
    kl = expected(build("density_ratio", divergence="kl"), np.log(P / Q))
    assert kl == pytest.approx((1 - 0.2748872196, 0.2748872196))


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.9])
def test_the_relative_ratio_is_the_best_one(alpha):
    ratio = P / (alpha * P + (1 - alpha) * Q)
    loss = build("density_ratio", relative=alpha)
    least = expected(loss, np.log(ratio))[0]
    for nudge in np.random.default_rng(0).normal(0, 0.1, (8, 3)):
        assert expected(loss, np.log(ratio) + nudge)[0] > least
    softplus = build("density_ratio", relative=alpha, positive="softplus")
    assert expected(softplus, np.log(np.expm1(ratio)))[0] == pytest.approx(least)


def test_a_bounded_ratio_pays_no_more_at_real_samples_and_pulls_there_no_longer():
    for divergence, most in (("pearson", 10), ("kl", log(10))):
        loss = build("density_ratio", divergence=divergence, most=10.0)
        far = torch.tensor([40.0, 1.0], dtype=torch.float64, requires_grad=True)
        paid = loss.real_half(DiscriminatorOutput(far))
        paid.backward()
        assert paid.item() == pytest.approx(-(most + (np.e if most == 10 else 1)) / 2)
        assert far.grad[0] == 0 and far.grad[1] < 0
    endless = build("density_ratio", most=None).real_half(DiscriminatorOutput(torch.tensor([40.0])))
    assert endless.item() == pytest.approx(-np.exp(40.0))


def test_boundary_seeking():
    assert values(build("boundary_seeking"))[1] == pytest.approx(1.145)
    d = 1 / (1 + np.exp(-np.array(FAKE)))
    halves = -(np.log(d) + np.log(1 - d)).mean() / 2
    assert values(build("boundary_seeking", form="cross_entropy"))[1] == pytest.approx(halves)
    # Where D is confident that samples are generated, this still pulls as strongly as they are far.
    logits = torch.tensor([-50.0], requires_grad=True)
    build("boundary_seeking").generator(DiscriminatorOutput(logits)).backward()
    assert logits.grad.item() == -100


def test_the_running_log_z_of_boundary_seeking():
    loss = build("boundary_seeking", form="log_z")
    first = log(np.exp(FAKE).mean())
    assert values(loss)[1] == pytest.approx(((np.array(FAKE) - first) ** 2).mean())

    class Pair:
        def __init__(self, fake):
            self.fake_output = said(fake)

    class Player:
        team = "generator"

    loss.after_update({"main": Pair(FAKE)}, Player())
    assert loss.log_z.item() == pytest.approx(first)
    loss.after_update({"main": Pair((2.0, 2.0))}, Player())
    assert loss.log_z.item() == pytest.approx(0.995 * first + 0.005 * 2)
    Player.team = "discriminator"
    loss.after_update({"main": Pair((9.0, 9.0))}, Player())
    assert loss.figures()["log_z"].item() == pytest.approx(0.995 * first + 0.005 * 2)


def test_importance_weights():
    assert values(build("importance_weighted"))[1] == pytest.approx(0.7685564434)
    same = (REAL, (0.3, 0.3))
    assert values(build("importance_weighted"), *same) == pytest.approx(values(build("nonsaturating"), *same))
    logits = torch.tensor(FAKE, dtype=torch.float64, requires_grad=True)
    build("importance_weighted").generator(DiscriminatorOutput(logits)).backward()
    weights = np.array([0.8455347349, 0.1544652651])
    assert logits.grad.numpy() == pytest.approx(-weights / (1 + np.exp(FAKE)))


def test_softmax():
    loss = build("softmax")
    # The paper's sum over four samples where the loss has a mean.
    assert np.array(values(loss)) + log(4) == pytest.approx([1.3122090641, 1.7622090641])
    real, fake = (torch.tensor(side, dtype=torch.float64, requires_grad=True) for side in (REAL, FAKE))
    loss.discriminator(DiscriminatorOutput(real), DiscriminatorOutput(fake)).backward()
    share = np.exp([*REAL, *FAKE]) / np.exp([*REAL, *FAKE]).sum()
    assert torch.cat([real.grad, fake.grad]).numpy() == pytest.approx(share - [0.5, 0.5, 0, 0])


RELATIVISTIC = {
    ("paired", "standard"): (0.3421811767, 1.2421811767),
    ("average", "standard"): (0.8126576418, 2.6126576418),
    ("centered", "standard"): (1.1358307090, 2.0358307090),
    ("average", "least_squares"): (1.305, 8.505),
    ("average", "hinge"): (0.9, 3.8),
    ("paired", "least_squares"): (0.02, 3.62),
    ("paired", "hinge"): (0.1, 1.9),
}


@pytest.mark.parametrize(("pairing", "base"), RELATIVISTIC)
def test_the_relativistic_family(pairing, base):
    loss = build("relativistic", pairing=pairing, base=base)
    assert values(loss) == pytest.approx(RELATIVISTIC[pairing, base], abs=1e-9)
    assert values(loss, np.array(REAL) + 7, np.array(FAKE) + 7) == pytest.approx(RELATIVISTIC[pairing, base], abs=1e-9)


def test_all_pairs_are_compared():
    loss = build("relativistic", pairing="all_pairs", base="hinge")
    pairs = [(r, f) for r in REAL for f in FAKE]
    assert values(loss)[0] == pytest.approx(np.mean([max(0, 1 - r + f) for r, f in pairs]))
    assert values(loss)[1] == pytest.approx(np.mean([max(0, 1 - f + r) for r, f in pairs]))


@pytest.mark.parametrize(
    ("distances", "slope", "value"), [((1, 1.5), 0, 0.35), ((0.3, 0.7), 0, 0), ((0.3, 0.7), 0.01, -0.004)]
)
def test_loss_sensitive(distances, slope, value):
    loss = build("loss_sensitive", margin=1.0, slope=slope)
    # Each pair is apart by half of its distance in each of two pixels.
    real = said((1.0, -0.5), np.zeros((2, 2)))
    fake = said((0.2, -1.5), np.repeat(np.array(distances)[:, None] / 2, 2, axis=1))
    assert loss.discriminator(real, fake).item() == pytest.approx(value)
    assert loss.generator(fake).item() == pytest.approx(0.65)


def test_a_loss_function_that_is_not_negative_pays_nothing_for_samples_better_than_real_ones():
    loss = build("loss_sensitive", margin=1.0, nonnegative=True)
    real = said((1.0, -0.5), np.zeros((2, 2)))  # L: 0 and 0.5
    fake = said((0.2, -1.5), [[0.5, 0.5], [0.75, 0.75]])  # L: 0 and 1.5
    assert loss.discriminator(real, fake).item() == pytest.approx((1.0 + 0 - 0 + 1.5 + 0.5 - 1.5) / 2)
    assert loss.generator(fake).item() == pytest.approx(0.75)


def test_loss_sensitive_with_slope_one_is_a_critic_and_a_mean_margin():
    loss = build("loss_sensitive", margin=0.5, slope=1.0, real_weight=0.1)
    real, fake = said(REAL, np.zeros((2, 2))), said(FAKE, np.ones((2, 2)))
    critic = values(build("wasserstein"))[0]
    assert loss.discriminator(real, fake).item() == pytest.approx(critic + 0.5 * 2 - 0.1 * np.mean(REAL))


def test_quadratic_potential():
    loss = build("quadratic_potential")
    real, fake = said(REAL, np.zeros((2, 4))), said(FAKE, [[0.5] * 4, [2.0] * 4])
    assert loss.discriminator(real, fake).item() == pytest.approx(-0.8555)
    # G's loss is E T without the part of the real samples.
    assert loss.generator(fake).item() + np.mean(REAL) == pytest.approx(0.9)
    best = said(10 * np.array([0.5, 2.0]), np.zeros((2, 4)))
    nothing = said((0.0, 0.0), [[0.5] * 4, [2.0] * 4])
    assert loss.discriminator(best, nothing).item() == pytest.approx(-10 * (0.5 + 2) / 4)
    root = build("quadratic_potential", distance="l2")
    apart = said(FAKE, [[1.0, 0, 0, 0], [4.0, 0, 0, 0]])
    assert root.discriminator(real, apart).item() == pytest.approx(-0.8555)


def test_quadratic_potential_of_a_sample_and_itself_is_finite():
    loss = build("quadratic_potential")
    same = np.zeros((2, 4))
    assert np.isfinite(loss.discriminator(said(REAL, same), said(FAKE, same)).item())


def test_margin_pair():
    assert values(build("margin_pair")) == pytest.approx((0.1, 0.65))


def test_fisher():
    distance = 0.7171371656
    critic = (P - Q) / ((P + Q) / 2) / distance
    assert critic == pytest.approx([1.1952286093, 0, -1.1952286093])
    # The constraint holds, so that neither the multiplier nor the penalty changes the value.
    for multiplier in (0.0, 3.0):
        loss = build("fisher", rho=0.5)
        loss.multiplier.fill_(multiplier)
        assert expected(loss, critic)[0] == pytest.approx(-distance)


def test_the_multiplier_of_fisher_follows_the_critic():
    class Pair:
        real_output, fake_output = said((1.0, 1.0)), said((2.0, 0.0))

    class Player:
        team = "generator"

    loss = build("fisher", rho=0.1)
    loss.after_update({"main": Pair()}, Player())
    assert loss.multiplier.item() == 0
    Player.team = "discriminator"
    loss.after_update({"main": Pair()}, Player())
    assert loss.figures()["multiplier"].item() == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("f_gan", {"divergence": "js"}),
        ("f_gan", {"generator": "nonsaturating"}),
        ("density_ratio", {"divergence": "kl", "relative": 0.1}),
        ("density_ratio", {"relative": 1.0}),
        ("density_ratio", {"most": 1.0}),
        ("density_ratio", {"positive": "square"}),
        ("boundary_seeking", {"form": "half"}),
        ("relativistic", {"pairing": "pair"}),
        ("relativistic", {"base": "wasserstein"}),
        ("least_squares", {"real_target": 0.0}),
        ("least_squares", {"generator_target": -1.0}),
        ("loss_sensitive", {"slope": 2.0}),
        ("loss_sensitive", {"margin": nan}),
        ("quadratic_potential", {"distance": "l3"}),
        ("quadratic_potential", {"weight": 0.0}),
        ("margin_pair", {"margin": 0.0}),
        ("fisher", {"rho": 0.0}),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(name, settings):
    with pytest.raises(Exception, match=next(iter(settings.items()))[0]):
        build(name, **settings)
