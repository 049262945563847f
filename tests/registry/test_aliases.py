"""Names that the field has for what has another one here."""

import pytest

from gan_framework.config.field_names import ELSEWHERE
from gan_framework.config.proposals import alias
from gan_framework.errors import ConfigError
from gan_framework.registry.aliases import ALIASES, SPELLINGS, meant
from gan_framework.registry.kinds import kind_named
from gan_framework.registry.packages import options
from gan_framework.scaffold import write


@pytest.mark.parametrize("names", [ALIASES, SPELLINGS])
def test_every_alias_stands_for_an_option_and_is_none(names):
    for group, known in names.items():
        offered = options(group)
        wrong = [word for word, option in known.items() if option not in offered or word in offered]
        wrong += [word for word, option in known.items() if meant(group, word, offered) != option]
        assert not wrong, group


def test_no_option_is_said_to_be_elsewhere():
    for group, words in ELSEWHERE.items():
        assert not [word for word in words if meant(group, word, options(group))], group


# What a researcher would type.
NAMES = {
    "loss": "wgan wgan-gp wgangp rahinge RaLSGAN ragan rasgan rsgan lsgan bce hinge",
    "experiment": "sngan wgan wgan-gp wgangp biggan stylegan2 stylegan pix2pixhd cyclegan munit vaegan progan madgan",
    "metrics": "is fid kid prdc lpips ssim ms-ssim psnr",
    "optimizer": "adam adamw sgd rmsprop momentum",
    "data": "cifar cifar-10 mnist fashion celeba stl10 8gaussians imagefolder",
    "discriminator": "patchgan multiscale",
    "strategy": "sn topk diffaug ema",
    "term": "gp zero-centered-gp r1 lecam",
    "sampler": "drs mh",
}


@pytest.mark.parametrize("group", NAMES)
def test_the_fields_names_lead_somewhere(group):
    offered = options(group)
    assert not [word for word in NAMES[group].split() if meant(group, word, offered) is None]


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
        ("loss=rahinge", "loss=relativistic_average_hinge"),
        ("loss=wgangp", "loss=wasserstein_gp"),
        ("+data@sources.b=cifar", "+data@sources.b=cifar10"),
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
        kind_named("zzz")  # which can be listed
    with pytest.raises(ConfigError, match="there is no plugin kind 'losess'; closest: losses$"):
        kind_named("losess")
