"""Samplers that calibrate the discriminator on held-out samples, against laws that are known."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from gan_framework.core import seeding
from gan_framework.core.records import DataShape
from gan_framework.data import InMemory
from gan_framework.errors import ConfigError, RunFailed
from gan_framework.evaluation.held_out import show_held_out
from gan_framework.evaluation.sampler import as_promised
from gan_zoo.samplers.calibration import isotonic, logistic
from gan_zoo.samplers.metropolis_hastings import MetropolisHastings
from gan_zoo.samplers.rejection import Rejection
from tests.evaluation.test_samplers import P, Q, drawn, make

N = 20_000
NORMAL = torch.distributions.Normal


def test_a_logistic_calibration_finds_the_density_ratio():
    # Of N(1/2, 1) to N(-1/2, 1) the log density ratio is x; the judge says 3 x + 2; there are twice as many real ones.
    torch.manual_seed(0)
    real, generated = torch.randn(2 * N) + 0.5, torch.randn(N) - 0.5
    calibrated = logistic(3 * real + 2, 3 * generated + 2)
    at = torch.tensor([-2.0, 0.0, 2.0], dtype=torch.float64)
    torch.testing.assert_close(calibrated(3 * at + 2), at, atol=0.08, rtol=0)


def test_a_logistic_calibration_is_the_regression_with_platts_targets():
    real, generated = torch.tensor([0.5, 2.0, 3.0]), torch.tensor([-1.0, 1.0])
    line = logistic(real, generated)
    slope = float(line(torch.tensor([1.0])) - line(torch.tensor([0.0])))
    level = float(line(torch.tensor([0.0]))) + math.log(3 / 2)
    # Where the cross entropy is least, its derivatives by a and b vanish.
    logits = torch.cat([real, generated]).double()
    gap = (slope * logits + level).sigmoid() - torch.tensor([0.8, 0.8, 0.8, 0.25, 0.25], dtype=torch.float64)
    assert gap.sum().item() == pytest.approx(0, abs=1e-4)
    assert (gap * logits).sum().item() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("kind", [logistic, isotonic])
def test_logits_that_separate_or_say_nothing_have_finite_odds(kind):
    apart = kind(torch.full((50,), 900.0), torch.full((50,), -900.0))(torch.tensor([-900.0, 900.0]).double())
    assert apart.isfinite().all()
    assert apart[0] < -3
    assert apart[1] > 3
    same = kind(torch.ones(50), torch.ones(25))(torch.tensor([1.0, 1.0]).double())
    torch.testing.assert_close(same, torch.zeros(2).double(), atol=0.02, rtol=0)


def test_an_isotonic_calibration_pools_what_is_out_of_order():
    calibrated = isotonic(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 2.0]))
    # Shares 0, 1, 0, 1 in the order of the logits: the middle two are pooled, the ends are an eighth from 0 and 1.
    odds = calibrated(torch.tensor([-5.0, 0.0, 0.5, 1.0, 1.7, 2.0, 3.0, 9.0]).double())
    end = math.log(7)
    torch.testing.assert_close(odds, torch.tensor([-end, -end, -end / 2, 0, 0, 0, end, end]).double())


def held_out(count=N, labels=None):
    values = torch.multinomial(P, count, replacement=True, generator=seeding.generator(1, "real"))
    return InMemory(values[:, None].float(), labels)


def thirds(distort=lambda logits: logits):
    """Three values, q generated and p the data; the judge's logit is one of an optimal judge, distorted."""
    edges, ratios = Q.cumsum(0), (P / Q).log()

    def generate(z):
        return (torch.special.ndtr(z) > edges[:2]).sum(1, keepdim=True).float()

    return make(generate, lambda x, labels: distort(ratios[x[:, 0].long()]))


def shown(sampler, game, data=None):
    show_held_out(sampler, game, lambda split: {"test": held_out() if data is None else data}[split])
    return sampler


def p_value(samples):
    counts = samples[:, 0].long().bincount(minlength=3).numpy()
    return stats.chisquare(counts, P.double().numpy() * len(samples) / P.double().sum().item()).pvalue


@pytest.mark.parametrize("calibrate", ["logistic", "isotonic"])
@pytest.mark.parametrize(
    "build",
    [
        lambda calibrate: Rejection(burn_in=5000, percentile=None, epsilon=1e-6, calibrate=calibrate),
        lambda calibrate: MetropolisHastings(30, calibrate),
    ],
)
def test_a_judge_that_is_too_sure_leads_to_the_data_once_calibrated(build, calibrate):
    game = thirds(lambda logits: 3 * logits + 1)
    # 2,000 samples of each side fix the ratios to some hundredths, which 1,500 drawn ones do not tell from none.
    assert p_value(drawn(game, shown(build(calibrate), game), 1500)) > 0.001
    assert p_value(drawn(game, build(None), 1500)) < 1e-6


def test_the_walk_begins_at_a_held_out_sample_of_the_label():
    labels = torch.tensor([0] * 10 + [2] * 10)
    values = torch.tensor([[0.0]] * 10 + [[5.0]] * 10)
    game = make(
        lambda z, labels: 10 + z, lambda x, labels: x[:, 0] / 10, DataShape((1,), num_classes=3), conditional=True
    )
    sampler = shown(MetropolisHastings(1, "logistic"), game, InMemory(values, labels))
    latent = game.latent(6, torch.tensor([0, 1, 2, 0, 1, 2]))
    begun = sampler._held_out_logits(latent, torch.Generator())
    assert begun.isnan().tolist() == [False, True, False] * 2
    found = sampler._held_out
    assert begun[0] == begun[3] == found.logits[0]
    assert begun[2] == begun[5] == found.logits[-1]
    assert begun[0] != begun[2]


def test_a_walk_that_never_leaves_the_data_is_walked_again_from_a_generated_sample():
    # What is generated is never taken in the place of real samples, but each in the place of another.
    game = make(lambda z: z - 100, lambda x, labels: torch.where(x[:, 0] > -50, 1e3, 0.0))
    data = InMemory(torch.zeros(100, 1))
    sampler = shown(MetropolisHastings(3, "isotonic"), game, data)
    sampler._held_out = sampler._held_out._replace(logits=torch.full((100,), 1e3, dtype=torch.float64))
    latent = game.latent(20, generator=torch.Generator().manual_seed(0))
    with as_promised(game):
        found = sampler.draw(game, latent, torch.Generator().manual_seed(1))
    assert (found < -50).all()
    assert not (found == latent.z - 100).any()


def test_what_is_shown_is_of_the_held_out_split_evenly_spaced_and_at_most_so_many():
    game, seen = thirds(), []
    sampler = Rejection(burn_in=10, percentile=None, epsilon=1e-6, calibrate="logistic")
    sampler.see_held_out = lambda game, real: seen.extend(real)
    state = torch.get_rng_state()
    show_held_out(sampler, game, lambda split: {"test": InMemory(torch.arange(4000.0)[:, None])}[split])
    values = torch.cat([batch.samples for batch in seen])[:, 0]
    assert len(values) == 2000
    assert values.tolist() == np.linspace(0, 3999, 2000).round().tolist()
    assert torch.equal(state, torch.get_rng_state())


def test_data_without_a_held_out_split_are_refused_by_name():
    def load(split):
        raise ConfigError("there is none")

    with pytest.raises(ConfigError, match="sampler=rejection needs the test split of the data: there is none"):
        show_held_out(Rejection(10, None, 1e-6, "logistic"), thirds(), load)


def test_without_held_out_samples_it_says_so():
    with pytest.raises(RunFailed, match="sampler=metropolis_hastings was shown no held-out samples"):
        drawn(thirds(), MetropolisHastings(2, "logistic"), 10)


def test_a_judge_that_is_not_finite_ends_the_calibration():
    with pytest.raises(RunFailed, match="sampler=rejection cannot draw"):
        shown(Rejection(10, None, 1e-6, "logistic"), thirds(lambda logits: logits * torch.nan))


def test_a_calibration_that_is_none_is_refused_by_name():
    with pytest.raises(ValueError, match="calibrate=platt: choose one of logistic, isotonic, or null"):
        MetropolisHastings(2, "platt")


def test_a_sample_beyond_what_all_others_are_worth_does_not_end_the_drawing():
    # A calibrated judge may say the same of all samples but some that are rare.
    game = make(lambda z: z, lambda x, labels: (x[:, 0] > 4).float() * 1e-3)
    sampler = Rejection(burn_in=50, percentile=80, epsilon=1e-6)
    with as_promised(game):
        sampler.prepare(game, game.latent(50), torch.Generator().manual_seed(0))
        assert sampler._greatest == 0
        before = sampler._keeps(torch.zeros(4000).double(), torch.Generator().manual_seed(0)).float().mean().item()
        sampler._keeps(torch.full((1,), 1e-3).double(), torch.Generator())
        after = sampler._keeps(torch.zeros(4000).double(), torch.Generator().manual_seed(0)).float().mean().item()
    assert before == pytest.approx(0.5, abs=0.03)
    assert after == pytest.approx(0.5, abs=0.03)
