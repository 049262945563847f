"""A prior without entries is refused."""

import pytest

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
