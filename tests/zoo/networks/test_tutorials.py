"""What the tutorials' and papers' experiments compose to, against the facts that are published."""

import math
from functools import reduce
from operator import getitem

import pytest
import torch
from torch import nn

from gan_framework.build import build_game
from gan_framework.core.records import DataShape

LIBRARY_ADAM = {"lr": 1e-3, "betas": [0.9, 0.999]}
DCGAN_ADAM = {"lr": 2e-4, "betas": [0.5, 0.999]}
SLOW_ADAM = {"lr": 1e-4, "betas": [0.9, 0.999]}
ANNEALED_SGD = {"name": "sgd", "lr": 0.1, "momentum": 0.5}

FACTS = {
    "mlp": {
        "prior": {"name": "uniform", "dim": 100},
        "networks.generator": {"hidden": [128], "activation": "tanh", "init_std": 0.1, "init_bias": 0.1},
        "networks.discriminator": {"hidden": [128], "activation": "tanh", "init_std": 0.1, "init_bias": 0.1},
        "optimizer.generator": LIBRARY_ADAM,
        "optimizer.discriminator": LIBRARY_ADAM,
    },
    "gan_maxout": {
        "prior": {"name": "normal", "dim": 100},
        "networks.generator": {"hidden": [1200, 1200], "activation": "relu", "init": "uniform", "init_std": 0.05},
        "networks.discriminator": {"name": "maxout", "hidden": [[240, 5], [240, 5]], "dropout": 0.5},
        "schedule": {"name": "simultaneous"},
        "optimizer.generator": ANNEALED_SGD,
        "optimizer.discriminator": {**ANNEALED_SGD, "lr": 0.05},  # half of the loss
        "strategy.marginal_bias": {"name": "marginal_bias"},
        "strategy.lr_decay_exponential": {"divisor": 1.000004, "minimum": 1e-6},
        "strategy.momentum_ramp": {"final": 0.7, "steps": 125_000},
        "train": {"batch_size": 100},
    },
    "conv": {
        "prior": {"name": "truncated_normal", "dim": 100},
        "networks.generator": {"drawn_biases": True, "norm_gain": False},
        "strategy.loss_gated": {"fake": 0.6, "generator": 0.5, "real": 0.45},
        "strategy.one_sided_label_smoothing": {"real_target": 0.9},
        "optimizer.generator": SLOW_ADAM,
        "optimizer.discriminator": SLOW_ADAM,
        "train": {"steps": 50_000, "batch_size": 50},
    },
    "conv_pretrained": {
        "prior": {"name": "normal", "dim": 100},
        "networks.generator": {"drawn_biases": True, "norm_gain": False},
        "strategy.pretrain_discriminator": {"steps": 300},
        "optimizer.generator": SLOW_ADAM,
        "optimizer.discriminator": {"lr": 3e-4, "betas": [0.9, 0.999]},
        "train": {"steps": 100_000, "batch_size": 50},
    },
    "cgan_mlp": {
        "prior": {"dim": 100},
        "networks.generator": {"hidden": [128], "activation": "relu", "output": "sigmoid", "init": "he"},
        "networks.discriminator": {"hidden": [128], "activation": "relu"},
    },
    "cgan_mlp_tanh": {
        "networks.generator": {"output": "tanh", "init": "xavier"},
        "networks.discriminator": {"activation": "leaky_relu", "init": "xavier"},
    },
    "cgan_maxout": {
        "prior": {"name": "uniform", "dim": 100},
        "networks.generator": {"dropout": 0.5, "init_range": 0.05},
        "networks.discriminator": {"dropout": 0.5, "input_dropout": 0.2, "init_range": 0.005},
        "schedule": {"name": "simultaneous"},
        "optimizer.generator": ANNEALED_SGD,
        "optimizer.discriminator": {**ANNEALED_SGD, "lr": 0.05},  # half of the loss
        "strategy.marginal_bias": {"name": "marginal_bias"},
        "strategy.lr_decay_exponential": {"divisor": 1.00004, "minimum": 1e-6},
        "strategy.momentum_ramp": {"final": 0.7},
        "train": {"batch_size": 100},
    },
    "cgan_vectors": {
        "prior": {"name": "normal", "dim": 100},
        "networks.generator": {"dropout": 0.5},
        "networks.discriminator": {"dropout": 0.5},
        "strategy.lr_decay_exponential": {"divisor": 1.00004, "minimum": 1e-6},
        "strategy.momentum_ramp": {"final": 0.7},
        "train": {"batch_size": 100},
    },
    "dcgan": {
        "prior": {"name": "uniform", "dim": 100},
        "optimizer.generator": DCGAN_ADAM,
        "optimizer.discriminator": DCGAN_ADAM,
        "train": {"batch_size": 128},
    },
    "infogan": {
        "prior": {"name": "codes", "dim": 62 + 10 + 2, "codes": {"categorical": [10], "continuous": 2}},
        "networks.generator": {"third_norm": True, "norm_position": "before", "init": "normal"},
        "networks.discriminator": {"slope": 0.1, "norm_position": "before", "init": "normal"},
        "strategy.q_head": {"hidden": 128, "slope": 0.1, "categorical": 1.0, "continuous": 1.0, "deviation": "fixed"},
        "optimizer.generator": {"lr": 1e-3, "betas": [0.5, 0.999]},
        "optimizer.discriminator": {"lr": 2e-4, "betas": [0.5, 0.999]},
        "train": {"batch_size": 128},
    },
    "infogan_mlp": {
        "prior": {"name": "codes", "dim": 16 + 10, "codes": {"categorical": [10], "continuous": 0}},
        "networks.generator": {"hidden": [256], "activation": "relu", "init": "he"},
        "networks.discriminator": {"hidden": [128], "activation": "relu", "init": "he"},
        "networks.q": {"hidden": 128, "init": "he"},
    },
    "infogan_tutorial": {
        "prior": {"name": "codes", "dim": 14 + 10 + 2, "codes": {"categorical": [10], "continuous": 2}},
        "networks.generator": {"init": "xavier", "norm_position": "after"},
        "networks.discriminator": {"init": "xavier"},
        "networks.q": {"init": "xavier", "norm_position": "after"},
    },
}

PAPERS = {
    "fisher_gan": {
        "loss": {"rho": 1e-6},
        "schedule": {"d_steps": 2},
        "optimizer.generator": {"weight_decay": 0.0},
        "optimizer.discriminator": {"weight_decay": 1e-6},
    },
    "semi_kplus1": {
        "prior": {"name": "uniform", "dim": 100, "low": 0.0, "high": 1.0},
        "game": {"labelled_weight": 2.0},
        "networks.generator": {"name": "semi_kplus1", "hidden": 500},
        "networks.discriminator": {"hidden": [1000, 500, 250, 250, 250], "input_noise": 0.3, "noise": 0.5},
        "strategy.feature_matching": {"layer": -2, "mode": "replace"},
        "optimizer.generator": {"lr": 3e-3, "betas": [0.5, 0.999]},
        "optimizer.discriminator": {"lr": 3e-3, "betas": [0.5, 0.999]},
        "train": {"batch_size": 100},
    },
    "transgan": {
        "schedule": {"d_steps": 4, "g_batches": 2},
        "train": {"batch_size": 64, "steps": 500_000},
        "optimizer.discriminator": {"lr": 1e-4, "betas": [0.0, 0.99], "clip": 5.0},
    },
}


@pytest.mark.parametrize("name", [*FACTS, *(pytest.param(name, marks=pytest.mark.slow) for name in PAPERS)])
def test_settings(name, compose):
    settings = compose(f"experiment={name}")
    for where, expected in {**FACTS, **PAPERS}[name].items():
        section = reduce(getitem, where.split("."), settings)
        assert {key: section[key] for key in expected} == expected, where


@pytest.fixture
def built(compose):
    torch.manual_seed(0)
    return lambda name: build_game(compose(f"experiment={name}"), DataShape((1, 28, 28), 10), torch.device("cpu"))


def test_every_layer_of_infogan_mlp_starts_with_the_variance_two_over_its_inputs_and_no_bias(built):
    game = built("infogan_mlp")
    layers = [layer for layer in game.networks.modules() if isinstance(layer, nn.Linear)]
    assert [layer.in_features for layer in layers] == [26, 256, 784, 128, 784, 128]
    for layer in layers:
        allowed = 5 * math.sqrt(2 / layer.weight.numel())  # standard errors of a variance
        assert layer.weight.square().mean().item() == pytest.approx(2 / layer.in_features, rel=allowed)
        assert torch.all(layer.bias == 0)


def test_the_conv_games_players_update_no_gain_and_start_from_drawn_biases_in_g_alone(built):
    game = built("conv_pretrained")
    norms = [layer for layer in game.generator.modules() if isinstance(layer, nn.BatchNorm2d)]
    trained = {id(p) for p in game.player("generator").trained}
    assert [len(norm.weight) for norm in norms] == [1, 50, 25]
    assert all(id(norm.weight) not in trained and id(norm.bias) in trained for norm in norms)
    drawn = [layer.bias for layer in game.generator.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))]
    assert all(0 < bias.abs().max() <= 0.04 for bias in drawn)
    plain = [layer.bias for layer in game.discriminator.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))]
    assert len(plain) == 4
    assert all(torch.all(bias == 0) for bias in plain)
