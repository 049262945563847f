"""GMM-GAN: masses and best intervals against the normal distribution function, and where its players go."""

import functools

import numpy as np
import pytest
import torch
from scipy import optimize, stats

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError
from gan_zoo.intervals import best_intervals, mass
from tests.helpers.independent import double_precision, finite_differences  # noqa: F401 (a fixture)

REAL, FAKE = (-1.0, 1.0), (-0.5, 2.0)


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def of_mixture(means, left, right):
    """The mass of a union of intervals, by integrating the indicator's pieces."""
    ends = sorted((a, b) for a, b in zip(left, right, strict=True) if a < b)
    total, reached = 0.0, -np.inf
    for a, b in ends:
        a = max(a, reached)
        if b > a:
            total += np.mean([stats.norm(mean, 1).cdf(b) - stats.norm(mean, 1).cdf(a) for mean in means])
            reached = b
    return total


INTERVALS = {
    "apart": ((-3.0, 0.5), (-0.5, 1.5)),
    "exchanged": ((0.5, -3.0), (1.5, -0.5)),
    "overlapping": ((-3.0, -1.0), (-0.5, 1.5)),
    "one in the other": ((-3.0, -1.0), (2.5, 1.5)),
    "one empty": ((-3.0, 1.5), (-0.5, 0.5)),
    "both empty": ((1.0, 1.5), (-0.5, 0.5)),
}


@pytest.mark.parametrize("name", INTERVALS)
def test_the_mass_of_two_intervals_and_its_gradient(name):
    left, right = INTERVALS[name]
    means = tensor([REAL, FAKE])
    ends = tensor(left).requires_grad_(), tensor(right).requires_grad_()
    found = mass(means, *ends)
    assert found.tolist() == pytest.approx([of_mixture(of, left, right) for of in (REAL, FAKE)])
    gradients = torch.autograd.grad(found[0] - found[1], ends)
    for i, gradient in enumerate(gradients):

        def value(end, i=i):
            both = [left, right]
            both[i] = end
            return of_mixture(REAL, *both) - of_mixture(FAKE, *both)

        np.testing.assert_allclose(gradient, finite_differences(value, (left, right)[i]), atol=1e-8)


def test_the_value_on_the_example():
    masses = mass(tensor([REAL, FAKE]), tensor([-3.0, 0.5]), tensor([-0.5, 1.5]))
    assert (masses[0] + 1 - masses[1]).item() == pytest.approx(1.1506875725)
    left, right = best_intervals(tensor(REAL), tensor(FAKE))
    assert left[0].item() == -np.inf
    assert right[0].item() == pytest.approx(1.3702, abs=1e-4)
    masses = mass(tensor([REAL, FAKE]), left, right)
    assert (masses[0] + 1 - masses[1]).item() == pytest.approx(1.2009046658)


@pytest.mark.parametrize(
    ("real", "fake"), [(REAL, FAKE), ((-2.0, 2.0), (-0.3, 0.1)), ((-0.3, 0.1), (-2.0, 2.0)), ((0.0, 4.0), (1.0, 5.5))]
)
def test_the_best_intervals_are_where_the_real_density_is_higher(real, fake):
    def difference(x):
        return stats.norm.pdf(x, np.array(real)[:, None]).mean(0) - stats.norm.pdf(x, np.array(fake)[:, None]).mean(0)

    grid = np.linspace(-8, 12, 4001)
    signs = np.sign(difference(grid))
    changes = np.flatnonzero(signs[1:] != signs[:-1])
    crossings = [optimize.brentq(lambda x: difference(x).item(), grid[i], grid[i + 1]) for i in changes]
    left, right = best_intervals(tensor(real), tensor(fake))
    bounds = sorted(
        bound for pair in zip(left.tolist(), right.tolist(), strict=True) for bound in pair if pair[0] < pair[1]
    )
    assert [bound for bound in bounds if np.isfinite(bound)] == pytest.approx(crossings, abs=1e-9)
    inside = np.any([(a < grid) & (grid < b) for a, b in zip(left.numpy(), right.numpy(), strict=True)], axis=0)
    np.testing.assert_array_equal(inside, signs > 0)
    variation = np.trapezoid(np.maximum(difference(grid), 0), grid)
    masses = mass(tensor([real, fake]), left, right)
    assert (masses[0] - masses[1]).item() == pytest.approx(variation, abs=1e-6)


def test_equal_mixtures_are_told_apart_by_nothing():
    left, right = best_intervals(tensor(REAL), tensor(REAL))
    assert not (right > left).any()


@pytest.fixture(scope="module")
def game(compose):
    composed = functools.cache(compose)

    def built(*overrides):
        return build_game(composed("experiment=gmm_gan", *overrides), DataShape((2,)), torch.device("cpu"))

    return built


def play(game, steps):
    measured = {}
    for _ in range(steps):
        measured = game.step(lambda: Batch(torch.zeros(1, 2)))
    return measured


def test_a_first_step_goes_along_both_gradients(game):
    played = game("schedule=simultaneous")
    means, left, right = (part.numpy() for part in played.position().split(2))

    def value(position):
        return of_mixture(REAL, position[2:4], position[4:]) + 1 - of_mixture(position[:2], position[2:4], position[4:])

    start = np.concatenate([means, left, right])
    assert value(start) == pytest.approx(1.1506875725)
    gradient = finite_differences(value, start)
    play(played, 1)
    # G descends, D ascends.
    np.testing.assert_allclose(played.position(), start + 0.3 * gradient * [-1, -1, 1, 1, 1, 1], atol=1e-8)


def test_g_goes_along_the_gradient_of_the_best_answer(game):
    played = game("game.optimal=true")
    start = played.position()[:2]

    def best(means):
        left, right = best_intervals(tensor(REAL), tensor(means))
        return of_mixture(REAL, left.tolist(), right.tolist()) - of_mixture(means, left.tolist(), right.tolist())

    measured = play(played, 1)
    expected = start.numpy() - 0.3 * finite_differences(best, start.numpy(), 1e-5)
    np.testing.assert_allclose(played.position()[:2].numpy(), expected, rtol=1e-6, atol=1e-7)
    assert measured["value_optimal"].item() == pytest.approx(1 + best(played.position()[:2].tolist()))


@pytest.mark.parametrize("start", [(0.3, 0.5), (-3.0, -2.5)])
def test_the_best_answer_leads_to_the_real_means(game, start):
    played = game("game.optimal=true", f"networks.generator.start={[*start]}", "optimizer.generator.lr=2.0")
    play(played, 30)
    for group in played.player("generator").optimizer.param_groups:
        group["lr"] = 0.1  # L has a kink at the real means, across which long steps jump to and fro
    measured = play(played, 30)
    assert sorted(played.position()[:2].tolist()) == pytest.approx(REAL, abs=0.1)
    assert measured["value_optimal"].item() == pytest.approx(1, abs=0.05)


def test_an_interval_that_is_empty_stays_so(game):
    played = game("networks.discriminator.left=[-3.0,2.0]", "networks.discriminator.right=[-0.5,1.9]")
    play(played, 50)
    path = played.path
    assert path.shape == (51, 6)
    assert (path[:, 3] == 2.0).all() and (path[:, 5] == 1.9).all()
    assert (path[1:, 2] != path[:-1, 2]).all()


def test_the_path_is_drawn_and_kept(game):
    played = game()
    play(played, 5)
    picture = played.picture(None, 1)
    assert picture.dtype == torch.uint8 and picture.shape[0] == 3
    resumed = game()
    resumed.load_state_dict(played.state_dict())
    assert torch.equal(resumed.path, played.path)
    play(resumed, 1)
    play(played, 1)
    assert torch.equal(resumed.path, played.path)


def test_what_has_no_closed_form_is_refused(game):
    for overrides, message in (
        (["discriminator=mlp", "networks.discriminator.image_size=null"], "discriminator=intervals, not for MLPDisc"),
        (["game.optimal=true", "strategy=[unrolled]"], "mixture_intervals with game.optimal=true and unrolled"),
        (["game.means=[0.0]"], "means=.*two Gaussians"),
        (["networks.generator.start=[1.0]"], "start=.*a number, or 2 of them"),
        (["networks.discriminator.left=[1.0]"], "left=.*two intervals"),
    ):
        with pytest.raises(ConfigError, match=message):
            game(*overrides)
