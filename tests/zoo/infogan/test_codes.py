"""Codes against torch.distributions and against channels whose mutual information is known."""

import math

import pytest
import torch
from torch import distributions

from gan_zoo.codes import CodeList, QOutput, categorical_log_likelihood, gaussian_log_likelihood

BOTH = CodeList((3, 2), 2)


def normal(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_names_and_sizes_follow_the_order_in_z():
    assert BOTH.sizes == {"categorical_0": 3, "categorical_1": 2, "continuous_0": 1, "continuous_1": 1}
    assert BOTH.dim == 7
    parts = BOTH.split(torch.arange(7.0)[None])
    assert [part[0].tolist() for part in parts.values()] == [[0, 1, 2], [3, 4], [5], [6]]


@pytest.mark.parametrize(
    "settings", [{"binary": 2}, {"categorical": [1]}, {"continuous": -1}, {"categorical": [], "continuous": 0}, {}]
)
def test_a_list_that_makes_no_codes_is_refused(settings):
    with pytest.raises(ValueError, match="code"):
        CodeList.of(settings)


def test_either_kind_may_be_left_out():
    assert CodeList.of({"categorical": [10]}) == CodeList((10,), 0)
    assert CodeList.of({"continuous": 2}) == CodeList((), 2)


def test_the_categorical_likelihood_is_that_of_torch():
    logits, values = normal(20, 5), torch.arange(20) % 5
    expected = distributions.Categorical(logits=logits).log_prob(values)
    found = categorical_log_likelihood(torch.eye(5, dtype=torch.float64)[values], logits)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


def test_the_gaussian_likelihood_is_that_of_torch():
    c, mean, log_variance = normal(3, 20, 2)
    expected = distributions.Normal(mean, (log_variance / 2).exp()).log_prob(c).sum(1)
    torch.testing.assert_close(gaussian_log_likelihood(c, mean, log_variance), expected, rtol=1e-12, atol=0)


def test_the_gaussian_likelihood_by_hand():
    # -½ log 2π - log 2 - ½ (3/2)²
    found = gaussian_log_likelihood(torch.tensor([[4.0]]), torch.tensor([[1.0]]), torch.tensor([[2 * math.log(2)]]))
    assert found.item() == pytest.approx(-0.9189385332 - 0.6931471806 - 1.125)


def test_the_bound_of_a_noisy_channel_is_its_mutual_information():
    # c is uniform on two values and arrives wrong once in five: I(c; x) = log 2 - H(1/5).
    codes = CodeList((2,), 0)
    sent = torch.tensor([0] * 5 + [1] * 5)
    arrived = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 1, 0])
    posterior = torch.tensor([[0.8, 0.2], [0.2, 0.8]])[arrived]
    information = math.log(2) + 0.8 * math.log(0.8) + 0.2 * math.log(0.2)
    code = {"categorical_0": torch.eye(2)[sent]}
    assert codes.bounds(posterior.log(), code)["categorical_0"].item() == pytest.approx(information)
    # Any other Q gives less.
    assert codes.bounds((posterior**2).log(), code)["categorical_0"].item() < information


def test_the_bounds_of_a_q_that_knows_nothing_and_of_one_that_knows_all():
    code = {
        "categorical_0": torch.eye(3).repeat(2, 1),
        "categorical_1": torch.eye(2).repeat(3, 1),
        "continuous_0": torch.linspace(-1, 1, 6)[:, None],
        "continuous_1": torch.linspace(1, -1, 6)[:, None],
    }
    nothing = BOTH.bounds(torch.zeros(6, 9), code)
    assert nothing["categorical_0"].item() == pytest.approx(0, abs=1e-6)
    # log 2 - ½ log 2π - ½ mean(c²)
    mean_square = sum(v * v for v in (-1, -0.6, -0.2, 0.2, 0.6, 1)) / 6
    assert nothing["continuous_0"].item() == pytest.approx(0.6931472 - 0.9189385 - mean_square / 2, abs=1e-6)

    certain = torch.cat([50 * code["categorical_0"], 50 * code["categorical_1"]], dim=1)
    known = torch.cat(
        [certain, code["continuous_0"], code["continuous_1"], torch.zeros(6, 1), -2 * torch.ones(6, 1)], 1
    )
    all_known = BOTH.bounds(known, code)
    assert all_known["categorical_0"].item() == pytest.approx(math.log(3))
    assert all_known["categorical_1"].item() == pytest.approx(math.log(2))
    assert all_known["continuous_0"].item() == pytest.approx(0.6931472 - 0.9189385, abs=1e-6)
    assert all_known["continuous_1"].item() == pytest.approx(0.6931472 - 0.9189385 + 1, abs=1e-6)  # σ = exp(-1)


def test_a_fixed_deviation_is_one_and_learns_nothing():
    output = QOutput(4, BOTH, "fixed")
    assert output.linear.out_features == 7
    assert output(torch.randn(3, 4))[:, 7:].tolist() == [[0, 0]] * 3


def test_a_predicted_deviation_has_an_output_of_its_own():
    output = QOutput(4, BOTH, "predicted")
    assert output.linear.out_features == 9
    features = torch.randn(3, 4)
    torch.testing.assert_close(output(features), output.linear(features))


def test_another_deviation_is_refused():
    with pytest.raises(ValueError, match="deviation='learned': choose one of fixed, predicted"):
        QOutput(4, BOTH, "learned")
