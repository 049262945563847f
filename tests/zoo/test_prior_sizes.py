"""A prior without entries is refused."""

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.registry import registry


@pytest.mark.parametrize(
    "settings",
    [{"name": name} for name in ("normal", "uniform", "logistic")] + [{"name": "truncated_normal", "bound": 2.0}],
)
def test_a_prior_has_an_entry_at_least(settings):
    assert registry.build("priors", {**settings, "dim": 1}).dim == 1
    with pytest.raises(ConfigError, match="dim=0: it must be at least 1"):
        registry.build("priors", {**settings, "dim": 0})


def test_uniform_entries_fill_the_range_that_is_set():
    z = (
        registry.build("priors", {"name": "uniform", "dim": 4, "low": 0.0, "high": 2.0})
        .draw(2000, torch.device("cpu"))
        .z
    )
    assert 0 <= z.min() < 0.01 and 1.99 < z.max() <= 2
    assert abs(z.mean() - 1) < 0.03
    with pytest.raises(ConfigError, match="low=1.0, high=1.0: low must be below high"):
        registry.build("priors", {"name": "uniform", "dim": 4, "low": 1.0, "high": 1.0})
