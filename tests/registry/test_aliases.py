"""Names that the field has for what has another one here."""

import pytest

from gan_framework.config.proposals import alias
from gan_framework.errors import ConfigError
from gan_framework.registry.aliases import ALIASES
from gan_framework.registry.kinds import kind_named
from gan_framework.registry.packages import options
from gan_framework.scaffold import write


@pytest.mark.parametrize(("group", "word"), [(group, word) for group, known in ALIASES.items() for word in known])
def test_every_alias_stands_for_an_option_and_is_none(group, word):
    assert ALIASES[group][word] in options(group)
    assert word not in options(group)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("loss=wgan-gp", "loss=wasserstein_gp"),
        ("loss=WGAN", "loss=wasserstein"),
        ("loss=Hinge", "loss=hinge"),
        ("loss=f-gan", "loss=f_gan"),
        ("loss=ebgan,began,hinge", "loss=energy_margin,boundary_equilibrium,hinge"),
        ("experiment=SNGAN", "experiment=resnet"),
        ("experiment=wgan-gp", "experiment=wgan_gp"),
        ("strategy=[sn,ema]", "strategy=[spectral_norm,ema]"),
        ("loss=no-such-loss", "loss=no-such-loss"),
        ("data.path=wgan-gp", "data.path=wgan-gp"),
    ],
)
def test_names_are_understood_however_they_are_written(typed, meant):
    assert alias(typed) == meant


def test_a_new_plugin_is_of_a_kind_that_can_be_written(tmp_path):
    with pytest.raises(ConfigError, match="no plugin kind 'lossy'; the kinds are generators, ") as refused:
        write("mine", "lossy", tmp_path)
    assert "models" not in str(refused.value) and "experiments" not in str(refused.value)
    with pytest.raises(ConfigError, match="the kinds are models, experiments, generators, "):
        kind_named("lossy")  # which can be listed
