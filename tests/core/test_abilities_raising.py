"""A judge that raises when it is not given what it judges samples with, in front of everything that asks a judge."""

import pytest
import torch

from gan_framework.core import seeding
from gan_framework.errors import ConfigError
from gan_framework.evaluation import latents
from gan_framework.evaluation.held_out import show
from gan_framework.evaluation.sampler import as_promised
from gan_framework.registry import registry
from tests.core.abilities import experiment, play

pytestmark = pytest.mark.usefixtures("probe")


def own(kind):
    """The plugins of a kind that the repository itself has."""
    return sorted(plugin.name for plugin in registry.installed(kind) if plugin.distribution == "gan-framework")


SETTINGS = {
    "feature_distance": ["terms.feature_distance.network=discriminator"],
    "pretrain_discriminator": ["strategy.pretrain_discriminator.steps=2"],
    "minibatch_discrimination": ["strategy.minibatch_discrimination.kernels=3"],
    "k_step": ["strategy.k_step.k=2"],
    "ada": ["strategy.ada.policy=[color,cutout]"],  # what moves samples is refused beside a source
    "diff_augment": ["strategy.diff_augment.policy=[color,cutout]"],
    "stored_discriminators": ["strategy.stored_discriminators.every=1"],
    "unrolled": ["strategy.unrolled.k=1", "optimizer=sgd"],
    **dict.fromkeys(("class_softmax", "multi_hinge", "omni"), ["strategy=[heads]"]),
    "momentum_ramp": ["optimizer=sgd", "optimizer.generator.momentum=0.5", "optimizer.discriminator.momentum=0.5"],
}
"""What makes a strategy cheap, or gives it or a loss what it asks for."""

REFUSED = {
    "small_mask": "makes none",
    "q_head": "prior=codes",
    "virtual_batch_norm": "batch norm",
    "rbm_pretraining": "auto-encoder",
    "auxiliary_classification": "class",
    "mutual_information": "codes",
    "kl_divergence": None,
    "reconstruction_error": "reconstructions",
    "vector_head": "compares scores",
    "heads": "nor a term asks for one",
    "twin_classification": "heads",
    "discriminative_classification": "heads",
    "class_contrast": "heads",
    "rotation": "square images",
    "infomax": "heads",
    "margin_adaptation": "margin of energies",
    "pack": "given",
    "set_adversarial": "set_discriminator",
    "cramer_penalty": "loss=cramer",
    "stage_ranking": "game=gogan",
    "dual_discriminator": "two scores",
    "dualing": "its own linear discriminator",
    "transport_cost": "loss=semi_dual_transport",
    "consistency": "images of whose judge nothing else is given",
    "dropout_consistency": "dropout",
    "style_mixing": "a style for each layer",
    "cutmix": "a logit for every pixel",
    "progressive_growing": "networks that grow",
    "self_supervision": "decoders",
}
"""What does not fit the game, and a word of the reason."""


def outcome(compose, name, *overrides):
    """Play two steps; return None, or why the game was refused."""
    try:
        game, batches = experiment(compose, *overrides)
        measured = play(game, batches, range(2))
    except ConfigError as error:
        assert name in str(error), f"{name} refuses the game and does not name itself: {error}"
        assert "judged together with" not in str(error), f"{name} asks the judge about x alone: {error}"
        return str(error)
    assert all(torch.isfinite(value).all() for step in measured for value in step.values())
    return None


GAMES = ["probe_bigan", "probe_pix2pix"]

REFUSED_IN_ONE = {
    ("probe_bigan", "ada"),
    ("probe_bigan", "diff_augment"),
    ("probe_bigan", "feature_distance"),
    ("probe_bigan", "mirror_map"),
    ("probe_bigan", "one_sided_label_smoothing"),
    ("probe_pix2pix", "marginal_bias"),
    ("probe_pix2pix", "train_with_labels"),
    ("probe_pix2pix", "mode_seeking"),
    ("probe_pix2pix", "latent_consistency"),
    ("probe_pix2pix", "latent_optimisation"),
    ("probe_pix2pix", "path_length"),
}
"""What fits the other game: images are augmented, classes told, latents drawn, D's targets D's own, in one alone."""

OF_GENERATORS = {"feature_distance", "manifold_matching", "mode_seeking", "pulling_away", "path_length"}
"""Terms that the generator's player is given."""


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("name", own("strategies"))
def test_strategies_ask_the_judge_with_all_that_it_needs(compose, game, name):
    reason = outcome(compose, name, game, f"strategy=[{name}]", *SETTINGS.get(name, []))
    assert (reason is not None) == (name in REFUSED or (game, name) in REFUSED_IN_ONE), reason


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("name", own("terms"))
def test_terms_ask_the_judge_with_all_that_it_needs(compose, game, name):
    player = "generator" if name in OF_GENERATORS else "discriminator"
    reason = outcome(compose, name, game, f"term=[{name}]", f"terms.{name}.player={player}", *SETTINGS.get(name, []))
    assert (reason is not None) == (name in REFUSED or (game, name) in REFUSED_IN_ONE), reason


@pytest.mark.parametrize("name", own("losses"))
def test_losses_and_schedules_ask_the_judge_with_all_that_it_needs(compose, name):
    for schedule in own("schedules"):
        reason = outcome(compose, name, "probe_bigan", f"loss={name}", f"schedule={schedule}", *SETTINGS.get(name, []))
        assert (reason is not None) == (name in REFUSED), reason


@pytest.mark.parametrize("game", GAMES)
def test_a_batch_in_parts_asks_the_judge_with_all_that_it_needs(compose, game):
    assert outcome(compose, "accumulate", game, "train.accumulate=4", "term=[r1,gradient_penalty]") is None


OF_NETWORKS = ("ppgn", "standing_statistics", "style_truncation", "reference_style")
"""The samplers of networks that BiGAN has not got."""


@pytest.mark.parametrize("name", [name for name in own("samplers") if name not in OF_NETWORKS])
def test_samplers_ask_the_judge_with_all_that_it_needs(compose, name):
    game, batches = experiment(compose, "probe_bigan", "strategy=[ema]")
    play(game, batches, range(2))
    sampler = registry.build("samplers", compose("experiment=probe_bigan", f"sampler={name}")["sampler"])
    sampler.check(game)
    if sampler.held_out:
        show(sampler, game, [batches()])
    random = seeding.generator(0, "sampler")
    latent = latents.fixed_latent(game, 8, seed=0)
    with as_promised(game):
        sampler.prepare(game, latent, random)
        assert sampler.draw(game, latent, random).shape == (8, 2)


def test_a_probe_asks_the_judge_with_all_that_it_needs(compose):
    game, _ = experiment(compose, "probe_bigan")
    assert game.probe("discriminator").features[-1].shape == (2, 32)
    assert game.network("discriminator").batch_independent is None
    assert game.judge("discriminator").batch_independent  # found out by asking it about (x, z)
    with pytest.raises(LookupError, match="judged together with 0"):
        game.judge("discriminator")(torch.zeros(2, 2))
