"""Settings of experiments that their authors' programs say, and that no other test would miss."""

from functools import reduce

import pytest

SETTINGS = {
    "am_gan": {"strategy.lr_decay.shape": "linear", "strategy.lr_decay.minimum": 0.0},
    "ebgan": {"networks.discriminator.distance": "l2"},
    "f_anogan": {"metrics.anomaly_auc.layer": -2, "metrics.anomaly_auc.squared": True},
    "flow_gan": {"schedule.d_steps": 5, "optimizer.generator.lr": 1e-4, "train.batch_size": 100},
    "geometric_gan": {
        "schedule.d_steps": 1,
        "schedule.g_steps": 10,
        "optimizer.generator.lr": 2e-4,
        "optimizer.discriminator.lr": 2e-4,
        "terms.svm_norm.weight": 1 / 64,
        "prior.name": "normal",
    },
    "gman": {"loss.name": "minimax"},
    "ian": {
        "optimizer.generator.weight_decay": 2e-5,
        "optimizer.discriminator.weight_decay": 2e-5,
        "optimizer.encoder.weight_decay": 0.0,
    },
    "lapgan": {
        "optimizer.generator_0.lr": 0.02,
        "optimizer.discriminator_0.lr": 0.01,  # half of the loss
        "optimizer.generator_1.lr": 0.01,  # dampened
        "optimizer.discriminator_1.lr": 0.005,  # both
    },
    "magan": {"networks.discriminator.distance": "l2"},
    "segan_invisible": {"game.weights": [9.25, 6.85, 1.0]},
    "sngan_64": {"train.steps": 250_000, "strategy.lr_decay.start": 0.8, "strategy.k_step.g_batches": 1},
    "spatial_gan": {"optimizer.generator.weight_decay": 2e-5, "optimizer.discriminator.weight_decay": 2e-5},
    "splitting_gan": {"schedule.g_batches": 2},
    "transgan": {
        "terms.score_size.side": "real",
        "strategy.diff_augment.policy": ["translation", "cutout", "color"],
        "strategy.ema.ramp": 0.4,
    },
    "triangle_gan": {"optimizer.generator.betas": [0.9, 0.999], "optimizer.discriminator.betas": [0.9, 0.999]},
}


@pytest.mark.parametrize("experiment", SETTINGS)
def test_an_experiment_has_the_settings_of_its_authors_program(compose, experiment):
    composed = compose(f"experiment={experiment}")
    found = {name: reduce(lambda at, key: at[key], name.split("."), composed) for name in SETTINGS[experiment]}
    assert found == SETTINGS[experiment]
