"""Every experiment, and every plugin that is in none, on a GPU that is pretended: nothing meets what is elsewhere."""

import math

import pytest

from gan_framework.runs import checkpoint
from gan_framework.runs.signals import StopRequest
from gan_framework.runs.trainer import train
from tests.helpers.pretended import pretended_gpu
from tests.helpers.runs import make_run
from tests.zoo.test_experiments import EXPERIMENTS, SCORED_ON_A_GPU, SMALL

QUICK = {"abc_gan", "cgan_mlp", "extragradient", "rgan"}
"""Those in every run of the tests; the others are slow."""

PLAIN = ("experiment=null", "model=mlp", "metrics=[]")
PAIRED = "experiment=pix2pix"

MADE = {
    **{f"term {name}": ["experiment=mlp", f"term=[{name}]"] for name in ("approximate_r1", "approximate_r2", "lecam")},
    "term mode_seeking": ["experiment=mlp", "term=[mode_seeking]"],
    "strategy train_with_labels": [
        "experiment=dcgan_conditional",
        "discriminator=dcgan",
        "strategy=[train_with_labels]",
    ],
    "strategy minibatch_stddev": ["experiment=mlp", "strategy=[minibatch_stddev]"],
    "strategy stored_discriminators": ["experiment=mlp", "strategy=[stored_discriminators]"],
    "strategy rbm_pretraining": [
        *("experiment=autoencoder", "networks.autoencoder.activation=sigmoid", "strategy=[rbm_pretraining]"),
    ],
    "loss maximum_likelihood": ["experiment=mlp", "loss=maximum_likelihood"],
    "loss score_moments": ["experiment=mlp", "loss=score_moments"],
    "schedule consensus": [*PLAIN, "schedule=consensus"],
    "schedule extragradient": ["experiment=extragradient", "schedule.past=true"],
    **{f"optimizer {name}": [*PLAIN, f"optimizer={name}"] for name in ("adamw", "heavy_ball")},
    "optimizer optimistic_sgd": [*PLAIN, "optimizer=optimistic_sgd"],
}
"""By kind and name what a run with a plugin is made of that is in no experiment."""

SCORED = {
    **{
        f"sampler {name}": ["experiment=mlp", "prior=normal", f"sampler={name}"]
        for name in (*("discriminator_transport", "langevin", "latent_optimisation", "rejection"),)
    },
    "sampler metropolis_hastings": ["experiment=mlp", "sampler=metropolis_hastings", "sampler.proposals=5"],
    "sampler reference_style": ["experiment=starganv2", "sampler=reference_style", "metrics=[psnr]"],
    "sampler standing_statistics": ["experiment=dcgan", "sampler=standing_statistics"],
    "sampler style_truncation": ["experiment=stylegan2", "sampler=style_truncation"],
    "metric nll": ["experiment=flow_gan", "metrics=[nll]"],
    "metric embedding_likelihood": [
        *("experiment=cgan_mlp", "metrics=[embedding_likelihood]", "metrics.embedding_likelihood.samples=100"),
    ],
    **{
        f"metric {name}": ["experiment=cgan_mlp", f"metrics=[{name}]"]
        for name in (
            *("clipped", "cmmd", "fid_infinity", "fid_interval", "intra_fid", "kid", "memorisation", "modes"),
            *("ms_ssim", "parzen", "ppl_like", "prc"),
        )
    },
    **{f"metric {name}": [PAIRED, f"metrics=[{name}]"] for name in ("dists_like", "lpips_like", "ssim")},
    **{f"metrics of {name}": [f"experiment={name}"] for name in SCORED_ON_A_GPU},
}
"""The same of what draws samples and scores them."""


def quick(names, those):
    return [name if name in those else pytest.param(name, marks=pytest.mark.slow) for name in names]


def play(config, folder, device, scored=False):
    """Play a step as the program does, go on from its checkpoint for another, and return the scores."""
    folder.mkdir()
    run = make_run(config, folder, device, scored)
    evaluator, run.evaluator = run.evaluator, None
    train(run, StopRequest())
    run.restore(checkpoint.load(run.folder.last), run.folder.last)
    run.counters.steps += 1
    train(run, StopRequest())
    assert {tensor.device for tensor in [*run.game.parameters(), *run.game.buffers()]} == {device}
    return evaluator(run.game).scores if scored else {}


def composed(compose, experiment, *overrides):
    name = experiment.removeprefix("experiment=")
    small = ("debug=smoke", "train.steps=1", "train.batch_size=4", *SMALL.get(name, []), "evaluate.baselines=false")
    return compose(experiment, *small, *overrides)


@pytest.mark.parametrize("name", quick(EXPERIMENTS, QUICK))
def test_experiment_on_a_gpu(name, compose, tmp_path):
    config = composed(compose, f"experiment={name}")
    with pretended_gpu() as device:
        play(config, tmp_path / "run", device)


@pytest.mark.parametrize("name", quick(MADE, {"schedule extragradient"}))
def test_plugin_of_no_experiment_on_a_gpu(name, compose, tmp_path):
    config = composed(compose, *MADE[name])
    with pretended_gpu() as device:
        play(config, tmp_path / "run", device)


@pytest.mark.parametrize("name", quick(SCORED, ()))
def test_scoring_on_a_gpu(name, compose, cache, tmp_path):
    config = composed(compose, *SCORED[name])
    with pretended_gpu() as device:
        scores = play(config, tmp_path / "run", device, scored=True)
    assert scores
    assert not any(math.isnan(score) for score in scores.values())
