"""What stacks, and what is refused, from the configuration on."""

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError

SMALL = ("model=mlp", "data.image_size=16", "tracker=[]", "metrics=[]", "optimizer.generator.lr=1e-3")
SHAPE = DataShape((1, 16, 16), 10)


@pytest.fixture
def build(compose):
    return lambda *overrides: build_game(compose(*SMALL, *overrides), SHAPE, torch.device("cpu"))


def draw():
    return Batch(torch.rand(8, 1, 16, 16) * 2 - 1, torch.arange(8))


def test_four_techniques_of_salimans_stack(build):
    game = build("strategy=[k_step,feature_matching,historical_averaging,minibatch_discrimination]")
    measured = game.step(draw)
    assert (game.player("discriminator").updates, game.player("generator").updates) == (5, 1)
    assert {name for name, value in measured.items() if value.ndim == 0} == {
        "discriminator/adversarial",
        "discriminator/historical_averaging",
        "generator/feature_matching",
        "generator/historical_averaging",
    }


@pytest.mark.parametrize("loss", ["hinge", "relativistic", "wasserstein"])
def test_losses_of_each_form_play_with_strategies(build, loss):
    game = build(f"loss={loss}", "strategy=[ema,historical_averaging,lr_decay]")
    for _ in range(2):
        assert all(torch.isfinite(value).all() for value in game.step(draw).values())


def test_losses_bring_their_terms_and_a_term_can_be_added(build):
    assert set(build("loss=r3gan").player("discriminator").terms) == {"r1", "r2"}
    assert set(build("loss=wasserstein_gp", "term=[r1]").player("discriminator").terms) == {"gradient_penalty", "r1"}
    assert len(build("loss=wasserstein").player("discriminator").after_step) == 1


@pytest.mark.parametrize("loss", ["wasserstein_gp", "relativistic"])
def test_label_smoothing_without_targets_is_refused(build, loss):
    with pytest.raises(ConfigError, match="one_sided_label_smoothing has no effect on"):
        build(f"loss={loss}", "strategy=[one_sided_label_smoothing]")


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (("loss=dragan", "model=dcgan"), "dragan.*DCGANDiscriminator has batch norm"),
        (("loss=wasserstein", "term=[gradient_penalty]"), "weight_clipping and gradient_penalty"),
        (("strategy=[lr_decay,lr_decay_exponential]",), "lr_decay and lr_decay_exponential"),
        (("strategy=[singular_clip,spectral_norm]",), "singular_clip and spectral_norm both set the norm of"),
        (("strategy=[spectral_norm,singular_clip]",), "spectral_norm and singular_clip both set the norm of"),
        (("loss=wasserstein", "strategy=[singular_clip]"), "singular_clip and weight_clipping both set the norm of"),
        (("strategy=[momentum_ramp]",), "momentum_ramp has no effect on optimizer.discriminator, which is Adam"),
        (("term=[r1]", "terms.r1.player=generator"), r"terms\.r1\.player=generator"),
        (("loss=relativistic", "strategy=[split_discriminator]"), "split_discriminator.*Relativistic"),
    ],
)
def test_combinations_without_effect_are_refused_with_both_names(build, overrides, named):
    with pytest.raises(ConfigError, match=named):
        build(*overrides)


def test_the_momentum_ramp_goes_with_sgd(build):
    game = build(
        "optimizer=sgd",
        "optimizer.generator.momentum=0.5",
        "optimizer.discriminator.momentum=0.5",
        "strategy=[momentum_ramp,lr_decay_exponential]",
        "train.steps=500",
    )
    game.step(draw)
    for name in ("generator", "discriminator"):
        optimizer = game.player(name).optimizer
        group = optimizer.param_groups[0]
        assert group["momentum"] == pytest.approx(0.5 + 0.2 / 500)
        assert group["lr"] == pytest.approx(optimizer.defaults["lr"] / 1.00004)
