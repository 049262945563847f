"""Standing statistics of batch norm, of a law that is known."""

import pytest
import torch
from torch import nn

from gan_framework.errors import ConfigError
from gan_zoo.priors.uniform import Uniform
from gan_zoo.samplers.standing_statistics import StandingStatistics
from tests.evaluation.test_samplers import drawn, make


def test_samples_are_normalised_by_the_law_of_the_latents():
    norm = nn.BatchNorm1d(1, affine=False, momentum=0.5)
    game = make(norm, lambda x, labels: x[:, 0], prior=Uniform(1))
    game.networks["generator"].norm = norm
    norm.running_mean.fill_(5)
    norm.running_var.fill_(9)
    z = drawn(make(lambda z: z, lambda x, labels: x[:, 0], prior=Uniform(1)), None, 40)
    torch.testing.assert_close(drawn(game, None, 40), (z - 5) / 3, atol=1e-4, rtol=1e-4)
    # Uniform entries have mean 0 and variance 1/3.
    found = drawn(game, StandingStatistics(batches=40, batch_size=500), 40)
    torch.testing.assert_close(found, z * 3**0.5, atol=0.03, rtol=0)
    assert norm.running_mean.item() == 5 and norm.running_var.item() == 9 and norm.momentum == 0.5
    assert game.networks["generator"].norm is norm


def test_a_network_without_batch_norm_has_none():
    with pytest.raises(ConfigError, match=r"no effect: networks\.generator has no batch norm"):
        StandingStatistics(2, 2).check(make(lambda z: z, lambda x, labels: x[:, 0]))
