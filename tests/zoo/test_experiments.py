"""Every file of conf/experiment plays, is saved, goes on from the checkpoint exactly, and keeps players apart."""

import math
import re

import pytest
import torch

from gan_framework.cli.train import config_folder
from gan_framework.core import seeding
from gan_framework.core.player import Player
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.runs import checkpoint, diagnostics
from tests.helpers.runs import make_run
from tests.testing import beyond

EXPERIMENTS = sorted(path.stem for path in (config_folder() / "experiment").glob("*.yaml"))
TOKENS = (
    "schedule.stages=[{players:[likelihood],until:1},{players:[discriminator],until:1},"
    "{players:[generator,discriminator]}]"
)
"""A step of each stage of systems that write tokens."""

SMALL = {
    **beyond.SMALL,
    "resnet": ["networks.generator.width=32", "networks.discriminator.width=32"],
    "resnet_projection": ["networks.generator.width=32", "networks.discriminator.width=32"],
    **{
        name: ["networks.generator.width=2", "networks.discriminator.width=2"]
        for name in ("biggan", "biggan_64", "sagan", "sngan_48", "sngan_64", "sngan_128", "unet_gan")
    },
    "lapgan": [f"networks.{side}_{level}.width=4" for side in ("generator", "discriminator") for level in (1, 2)],
    "stackgan": [
        "schedule.stages=[{players:[discriminator_0,generator_0],until:1},{players:[discriminator_1,generator_1]}]",
        *(f"networks.{side}_{stage}.width=4" for side in ("generator", "discriminator") for stage in (0, 1)),
    ],
    "pix2pixhd": [
        "terms.perceptual.steps=2",
        "schedule.stages=[{players:[discriminator_coarse,generator_coarse],until:1},{players:[discriminator_fine,generator_fine]}]",
    ],
    "esrgan": ["terms.feature_distance.steps=2"],
    "gan_vfs": ["terms.perceptual.steps=2", "terms.identity.steps=2"],
    "vigan_views": [
        "schedule.stages=[{players:[discriminator_a,discriminator_b,generator],until:1},{players:[autoencoder],until:1},"
        "{players:[joint,discriminator_a_joint,discriminator_b_joint]}]"
    ],
    "texturegan": [
        "terms.features.steps=2",
        "schedule.stages=[{players:[discriminator,generator],until:1},{players:[discriminator,discriminator_local,refiner]}]",
    ],
    "gpgan_landmarks": ["terms.feature_distance.steps=2", "game.classifier_steps=2"],
    "dsp_gan": ["game.batches=2"],
    "dtn": ["game.classifier_steps=2"],
    "spade": ["terms.feature_distance.steps=2"],
    "causalgan": [
        "schedule.stages=[{players:[discriminator_labels,generator_labels],until:1},"
        "{players:[discriminator,labeler,anti_labeler,finder,generator]}]"
    ],
    "arigan": ["networks.generator.width=8", "networks.discriminator.width=8"],
    "stacked_gan": ["game.classifier_steps=2", "game.apart=1"],
    "bgan": [f"networks.{name}.widths=[8,8,8]" for name in ("generator", "encoder", "discriminator")],
    "biggan_deep": ["networks.generator.width=4", "networks.discriminator.width=4"],
    "conv_pretrained": ["strategy.pretrain_discriminator.steps=2"],
    "artgan": ["networks.generator.width=4", "networks.discriminator.width=4"],
    "can": ["networks.generator.width=4", "networks.discriminator.width=4"],
    "catgan": ["networks.discriminator.hidden=[32]", "networks.generator.hidden=32"],
    "catgan_semi": ["networks.discriminator.hidden=[32]", "networks.generator.hidden=32"],
    "ccgan": ["networks.generator.width=4", "networks.discriminator.width=4"],
    **{
        name: [f"networks.{network}.width=4" for network in ("generator", "discriminator", "classifier")]
        for name in ("controlgan", "cvae_gan")
    },
    "semi_kplus1": ["networks.discriminator.hidden=[32]", "networks.generator.hidden=32"],
    **{
        name: [f"networks.{network}.width=8" for network in ("generator", "discriminator", "q")]
        + [f"networks.{network}.hidden=32" for network in ("generator", "discriminator", "q")]
        for name in ("ss_infogan", "vigan_info")
    },
    "splitting_gan": ["networks.generator.width=4", "networks.discriminator.width=4", "game.steps=[2]"],
    "triple_gan": ["networks.discriminator.hidden=[32]", "networks.classifier.hidden=[32]"],
    "ali": [f"networks.{name}.width=4" for name in ("generator", "encoder", "discriminator")],
    "abc_gan": ["networks.generator.width=8", "networks.discriminator.width=8"],
    "ape_gan": ["networks.generator.width=8", "networks.discriminator.width=8", "game.classifier_steps=1"],
    "gran": ["networks.generator.width=32", "networks.discriminator.width=32"],
    "lr_gan": ["networks.generator.width=8", "networks.discriminator.width=8"],
    "flow_gan": ["networks.generator.hidden=[16]", "networks.discriminator.width=8"],
    "psgan": ["networks.generator.widths=[8,8,8,8]", "networks.discriminator.widths=[8,8,8,8]"],
    "spatial_gan": ["networks.generator.widths=[8,8,8,8]", "networks.discriminator.widths=[8,8,8,8]"],
    "bayesian_gan": ["networks.generator.of.width=4", "networks.discriminator_0.width=4"],
    "cogan": [f"networks.generator_{domain}.width=32" for domain in "ab"],
    "gman": [f"networks.discriminator_{i}.width=16" for i in range(5)],
    "mgan": ["prior.components=2", "networks.generator.of.width=8", "networks.discriminator.width=8"],
    "bigan_conv": [f"networks.{name}.width=8" for name in ("generator", "encoder", "discriminator")],
    **{
        name: ["networks.generator.width=8", "networks.encoder.width=8", "game.pretraining=0"]
        for name in ("wae_gan", "wae_mmd")
    },
    "vqgan": ["networks.generator.width=8", "networks.encoder.width=8", "game.start=1"],
    "crvae_gan": [
        *("prior.dim=128", "networks.generator.maps=8", "networks.generator.widths=[16,8,8]"),
        *("networks.encoder.widths=[8,8,16]", "networks.discriminator.widths=[8,8,8]", "networks.recovery.inputs=8"),
    ],
    "f_anogan": [
        "networks.generator.width=32",
        "networks.discriminator.width=32",
        "schedule.stages=[{players:[discriminator,generator],until:1},{players:[encoder]}]",
    ],
    "ppgn": [
        *("prior.dim=4", "sampler.steps=2"),
        *(f"networks.{name}.width=8" for name in ("generator", "discriminator", "encoder", "classifier")),
    ],
    "pixelgan": ["networks.generator.width=4", "networks.generator.layers=1", "data.image_size=4"],
    "igan": ["schedule.stages=[{players:[discriminator,generator],until:1},{players:[encoder]}]"],
    "icgan": [
        *(f"networks.{name}.width=8" for name in ("generator", "discriminator", "encoder_z", "encoder_y")),
        "schedule.stages=[{players:[discriminator,generator],until:1},{players:[encoder_z,encoder_y]}]",
    ],
    **dict.fromkeys(("tp_gan", "ff_gan"), ["terms.feature_distance.steps=2"]),
    "age_cgan": [
        *(f"networks.{name}.width=8" for name in ("generator", "discriminator", "encoder_z")),
        "schedule.stages=[{players:[discriminator,generator],until:1},{players:[encoder_z]}]",
        "game.identity_steps=2",
    ],
    "exprgan": [
        "schedule.stages=[{players:[discriminator,controller],until:1},{players:[discriminator_code,generator]}]",
        "game.identity_steps=2",
    ],
    "conditional_cyclegan": ["game.identity_steps=2"],
    "began": ["networks.generator.width=4", "networks.discriminator.width=4"],
    "mmd_gan": ["strategy.k_step.burst=5"],
    "magan": ["strategy.margin_adaptation.epoch_steps=2"],
    "r3gan": ["networks.generator.width=16", "networks.discriminator.width=16"],
    **dict.fromkeys(
        ("stylegan2", "stylegan2_ada"),
        ["networks.generator.base=256", "networks.generator.style_size=32", "networks.discriminator.base=256"],
    ),
    **dict.fromkeys(("pggan", "msg_gan"), ["networks.generator.base=256", "networks.discriminator.base=256"]),
    "transgan": ["data.image_size=8", "networks.generator.width=64", "networks.discriminator.width=16"],
    "fastgan": ["data.image_size=32", "networks.generator.width=4", "networks.discriminator.width=4"],
    **dict.fromkeys(("seqgan", "rankgan", "organ"), ["game.rollouts=2", TOKENS]),
    **dict.fromkeys(("csgan_translation", "leakgan"), ["game.rollouts=2", TOKENS]),
    "c_rnn_gan": ["schedule.stages=[{players:[predictor],until:1},{players:[discriminator,generator]}]"],
    "irgan": ["schedule.stages=[{players:[start],until:1},{players:[discriminator,generator]}]"],
    "maligan": [TOKENS],
    **dict.fromkeys(("musegan", "musegan_accompany"), ["networks.generator.width=8", "networks.discriminator.width=8"]),
    "timegan": [
        "schedule.stages=[{players:[embedding],until:1},{players:[supervisor],until:1},"
        "{players:[generator,autoencoder,discriminator]}]",
    ],
    "passgan": ["networks.generator.width=8", "networks.discriminator.width=8", "data.samples=200"],
    "mgan_texture": ["data.samples=64"],
    "pixelda": ["networks.generator.width=4", "networks.classifier.width=4"],
    "sbada_gan": [f"networks.generator_{way}.width=4" for way in ("ab", "ba")],
    "simgan": [
        *("networks.generator.width=4", "data.samples=64"),
        "schedule.stages=[{players:[generator],until:1},{players:[discriminator,generator],updates:[1,2]}]",
    ],
    "watergan": ["data.samples=64", "networks.discriminator.width=4"],
    "rendergan": ["data.samples=64", "networks.generator.width=4", "networks.discriminator.width=4"],
    **{
        name: [f"schedule.stages=[{{players:[{first}],until:1}},{{players:[discriminator,generator]}}]"]
        for name, first in (("adda", "classifier"), ("perceptual_gan", "classifier"), ("ldan", "lighting"))
    },
    "gan_sep": ["data.samples=64", "networks.generator.width=4", "networks.discriminator_1.width=4"],
    "projected_gan": [
        *("networks.generator.width=4", "networks.discriminator.resolution=32", "networks.discriminator.width=8"),
    ],
}
"""What would take longer than a test may: the architecture and the order of updates stay the same."""

SCORED = {"anogan": ["metrics.anomaly_auc.steps=2"]}
"""What would take longer to score."""

QUICK = {
    "aae",
    "bigan",
    "cgan_mlp",
    "dcgan",
    "gan_3d",
    "gman",
    "infogan",
    "lapgan",
    "mad_gan",
    "mlp",
    "r3gan",
    "rgan",
    "seqgan",
    "vae",
    "wgan_gp",
}
"""Of each family one, in every run of the tests; the others are slow."""


def said(name):
    """Return the text of an experiment."""
    return (config_folder() / "experiment" / f"{name}.yaml").read_text()


def step(run):
    """Play one step as the trainer does."""
    seeding.reseed(run.seed, "step", run.counters.step, run.counters.rollbacks)
    measured = run.game.step(run.batches)
    run.counters.tick()
    return measured


class Watch:
    """Fails the test if a parameter changes outside a player's step, or in the step of one that does not own it.

    What is played before the first step may change any.
    """

    def __init__(self, game, monkeypatch):
        self.game = game
        self.trained = dict.fromkeys(game.players, False)
        self.seen = self.parameters()
        step = Player.step

        def watched(player, total, meeting):
            assert self.changed() == [], f"before the step of {player.name}"
            step(player, total, meeting)
            own = {id(parameter) for parameter in player.trained}
            named = dict(game.named_parameters())
            changed = self.changed()
            assert [name for name in changed if id(named[name]) not in own] == [], f"in the step of {player.name}"
            self.trained[player.name] |= bool(changed)
            self.seen |= {name: named[name].detach().clone() for name in changed}

        monkeypatch.setattr(Player, "step", watched)
        for opening in game.openings:
            opening.register_forward_hook(lambda *_: self.seen.update(self.parameters()))

    def parameters(self):
        return {name: p.detach().clone() for name, p in self.game.named_parameters() if p.requires_grad}

    def changed(self):
        now = dict(self.game.named_parameters())
        return [name for name, value in self.seen.items() if not torch.equal(value, now[name])]


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in EXPERIMENTS]
)
def test_experiment(name, compose, monkeypatch, tmp_path):
    config = compose(f"experiment={name}", "debug=smoke", "train.steps=3", "train.batch_size=4", *SMALL.get(name, []))
    run = make_run(config, tmp_path / "run")
    with monkeypatch.context() as patch:
        watch = Watch(run.game, patch)
        first = [step(run), step(run)]
        run.save()
        expected = step(run)
        assert watch.changed() == []
        assert diagnostics.unreached(run.game) == []
    assert all(torch.isfinite(value).all() for measured in [*first, expected] for value in measured.values())
    assert watch.trained == {player: updates > 0 for player, updates in run.updates.items()}
    assert any(watch.trained.values())

    path = run.folder.last
    resumed = make_run(config, tmp_path / "resumed")
    resumed.restore(checkpoint.load(path), path)
    found = step(resumed)
    assert found.keys() == expected.keys()
    for key in expected:
        assert torch.equal(found[key], expected[key]), key
    assert resumed.updates == run.updates


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_it_trains_in_bf16_unless_it_says_why_not(name, compose, tmp_path):
    config = compose(
        *(f"experiment={name}", "debug=smoke", "train.batch_size=4", "train.precision=bf16", *SMALL.get(name, []))
    )
    try:
        run = make_run(config, tmp_path)
    except ConfigError as error:
        assert "bf16" in str(error)
        return
    assert all(torch.isfinite(value).all() for _ in range(2) for value in step(run).values())


SCORED_ON_A_GPU = (
    *("al_cgan", "arae", "ctgan", "gan_sep", "gap_binary", "irgan", "latent_gan", "leakgan", "marta_gan"),
    *("organ", "ppgn", "rcgan", "rendergan", "rgan", "segan_speech", "vqgan", "wgan_gp"),
)
"""Those whose metrics score them on a pretended GPU (test_devices.py); here they would do so again."""

OWN_METRICS = [
    name
    for name in EXPERIMENTS
    if name not in SCORED_ON_A_GPU and re.search(r"override /metrics:(?! \[\])", said(name))
]
"""Those that choose their metrics, and choose some."""


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN_METRICS)
def test_its_own_metrics_score_it(name, compose, tmp_path):
    own = [f"experiment={name}", "debug=smoke", "evaluate.reference=500", *SMALL.get(name, []), *SCORED.get(name, [])]
    learns = compose(*own)["extractor"]["name"] == "classifier"
    config = compose(*own, *(["extractor.width=8"] if learns else []))
    run = make_run(config, tmp_path, scored=True)
    found = run.evaluator(run.game)
    assert found.scores and not any(math.isnan(score) for score in found.scores.values())


class Meddle(torch.nn.Module):
    """Changes a parameter of the discriminator."""

    def __init__(self, game):
        super().__init__()
        self.parameter = [game.discriminator.output.bias]

    def forward(self, *_):
        with torch.no_grad():
            self.parameter[0] += 1


def test_the_watch_sees_meddling_in_another_players_step(compose, monkeypatch, tmp_path):
    run = make_run(compose("experiment=mlp", "debug=smoke"), tmp_path)
    run.game.player("generator").after_step.append(Meddle(run.game))
    Watch(run.game, monkeypatch)
    with pytest.raises(AssertionError, match="in the step of generator"):
        step(run)


def test_the_watch_sees_meddling_between_steps(compose, monkeypatch, tmp_path):
    run = make_run(compose("experiment=mlp", "debug=smoke"), tmp_path)
    run.game.generator.register_forward_hook(Meddle(run.game))
    Watch(run.game, monkeypatch)
    with pytest.raises(AssertionError, match="before the step of discriminator"):
        step(run)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_composed_of_plugins_that_there_are(name, compose):
    config = compose(f"experiment={name}")
    installed = {plugin.name for plugin in registry.installed("games")}
    assert config["game"]["name"] in installed
    assert {network["name"] for network in config["networks"].values()} <= {
        plugin.name for kind in ("generators", "discriminators", "networks") for plugin in registry.installed(kind)
    }


def test_there_are_experiments():
    assert len(EXPERIMENTS) > 100
    assert {*EXPERIMENTS} >= QUICK
