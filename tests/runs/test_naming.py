"""What people call a run."""

import pytest

from gan_framework.config.compose import compose, plain
from gan_framework.runs import naming
from gan_framework.runs.naming import display_name


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ([], "dcgan-nonsaturating-s0"),
        (["loss=hinge", "strategy=[feature_matching]", "seed=1"], "dcgan-hinge-fm-s1"),
        (["loss=wasserstein_gp", "strategy=[ema,spectral_norm]"], "dcgan-wasserstein-gp-ema+sn-s0"),
        (["model=autoencoder"], "mlp_autoencoder-reconstruction-s0"),
    ],
)
def test_a_single_run_is_called_by_what_it_is(overrides, name):
    assert display_name(plain(compose(overrides))) == name


def test_a_long_name_keeps_its_seed():
    strategies = {f"some_strategy_{i}": {} for i in range(20)}
    name = display_name({"networks": {"generator": {"name": "mlp"}}, "strategy": strategies, "seed": 123})
    assert len(name) <= naming.LONGEST and name.startswith("mlp-some_strategy_0+") and name.endswith("-s123")
