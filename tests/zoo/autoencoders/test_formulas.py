"""The VAE's two terms and the reparametrisation, against torch.distributions."""

import math

import pytest
import torch
from torch import distributions

from gan_framework.core.game import Components
from gan_framework.core.records import DataShape
from gan_zoo.autoencoding import encode
from gan_zoo.games.vae import VAE
from gan_zoo.generators.mlp import MLPGenerator
from gan_zoo.priors.normal import Normal
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.terms.kl_divergence import kl_to_standard_normal
from gan_zoo.terms.reconstruction import Reconstruction, cross_entropy, squared_error


def normal(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_the_divergence_is_that_of_torch():
    mean, log_variance = normal(2, 10, 4)
    q = distributions.Normal(mean, (log_variance / 2).exp())
    p = distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = distributions.kl_divergence(q, p).sum(1)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), expected, rtol=1e-12, atol=0)


def test_the_divergence_by_hand():
    # ½ [(4 - (1 + log 4) + 9) + (1 - 1 + 0)]
    found = kl_to_standard_normal(torch.tensor([[3.0, 0.0]]), torch.tensor([[math.log(4), 0.0]]))
    assert found.item() == pytest.approx((12 - math.log(4)) / 2)


def test_the_cross_entropy_is_a_bernoulli_likelihood_of_pixels_in_0_1():
    x, reconstructed = torch.tanh(normal(2, 6, 1, 3, 3))
    pixels, probabilities = (x + 1) / 2, (reconstructed + 1) / 2
    # Grey pixels are their own probabilities: p log p̂ + (1 - p) log(1 - p̂).
    q = distributions.Bernoulli(probabilities)
    expected = pixels * q.log_prob(torch.ones_like(x)) + (1 - pixels) * q.log_prob(torch.zeros_like(x))
    torch.testing.assert_close(cross_entropy(reconstructed, x), -expected.sum((1, 2, 3)), rtol=1e-12, atol=0)


def test_the_squared_error_is_a_gaussian_likelihood():
    x, reconstructed = normal(2, 6, 5)
    q = distributions.Normal(reconstructed, 1.0)
    constant = 5 * math.log(2 * math.pi) / 2
    torch.testing.assert_close(squared_error(reconstructed, x) + constant, -q.log_prob(x).sum(1), rtol=1e-12, atol=0)


def test_certain_pixels_that_are_wrong_cost_much_but_not_everything():
    white, black = torch.ones(1, 1, 1, 1), -torch.ones(1, 1, 1, 1)
    assert cross_entropy(white, black).item() == 100
    assert cross_entropy(white, white).item() == 0
    assert cross_entropy(white * (1 + 1e-6), white).item() == 0
    assert cross_entropy(white * torch.nan, white).isnan().item()


def test_other_distances_are_refused():
    with pytest.raises(ValueError, match="distance='l1': choose one of cross_entropy, squared_error"):
        Reconstruction("l1")


class Encoder(torch.nn.Module):
    """Says the same of everything: means 1 and -2, deviations 0.5 and 3."""

    def forward(self, x):
        return torch.tensor([1.0, -2.0, 2 * math.log(0.5), 2 * math.log(3.0)]).expand(len(x), 4)


def test_codes_are_drawn_from_what_the_encoder_says():
    decoder = MLPGenerator(2, None, 3, [4], "tanh", "linear", 0.1, 0.0)
    networks = {"encoder": Encoder(), "generator": decoder}
    game = VAE(Components(DataShape((3,)), networks, Alternating(1, 1, True), Normal(2)))
    torch.manual_seed(0)
    latent = encode(game, torch.zeros(50_000, 3))
    torch.testing.assert_close(latent.z.mean(0), torch.tensor([1.0, -2.0]), atol=0.04, rtol=0)
    torch.testing.assert_close(latent.z.std(0), torch.tensor([0.5, 3.0]), atol=0.03, rtol=0)
    assert latent.code["mean"][0].tolist() == [1, -2]
