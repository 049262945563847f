"""A game small enough to be built hundreds of times, in which every strategy has an effect."""

import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_framework.registry import registry

ELSEWHERE = (
    *("burn_in", "heads", "latent_optimisation", "margin_adaptation", "marginal_bias", "progressive_growing"),
    *("cutmix", "rbm_pretraining", "style_mixing", "transport_cost", "vector_head"),
)
"""Strategies of auto-encoders, of networks with styles, that grow or end linearly, of optimizers with two betas, and of
losses and terms that read more than scores: without effect in this game; their own tests try them."""

NAMES = [
    plugin.name
    for plugin in registry.installed("strategies")
    if plugin.distribution == "gan-framework" and plugin.name not in ELSEWHERE
]

OVERRIDES = (
    f"strategy=[{','.join(NAMES)}]",
    "data.image_size=16",
    "generator=dcgan",
    "networks.generator.width=1",
    "discriminator=mlp",
    "networks.discriminator.hidden=[6]",
    "prior=codes",
    "prior.dim=4",
    "prior.codes={categorical: [3], continuous: 1}",
    "optimizer=sgd",
    "optimizer.generator.momentum=0.5",
    "optimizer.discriminator.momentum=0.5",
    "train.batch_size=4",
    "strategy.minibatch_discrimination.kernels=3",
    "strategy.pretrain_discriminator.steps=2",
    "strategy.k_step.k=2",
    "strategy.stored_discriminators.every=1",
    "strategy.unrolled.k=1",
    "strategy.unrolled.lr=0.1",
    "strategy.q_head.hidden=4",
)


def draw():
    return Batch(torch.rand(4, 1, 16, 16) * 2 - 1, torch.arange(4) % 10)


def build(base, *names, **changes):
    """Build the game of a configuration with some of its strategies."""
    config = base | changes | {"strategy": {name: base["strategy"][name] for name in names}}
    return build_game(config, DataShape((1, 16, 16), num_classes=10, size=100), torch.device("cpu"))
