"""A gang of GANs, one after another."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from gan_framework.api import Components, Game, NextBatch
from gan_zoo.ranges import require_positive

BEFORE = "_before"
"""Ends the names of the networks as they were at the end of the last stage."""


class GoGAN(Game):
    """Stages of a two-player game, each of which goes on from the last and ranks against it (Juefei-Xu et al. 2017).

    Gang of GANs, arXiv 1704.04865, section 3. At the end of a stage copies of both networks are kept, as
    `generator_before` and `discriminator_before`, for the term `stage_ranking`; the networks, and their optimizers, go
    on. The copies and the stage are in the checkpoint.

    Args:
        components: what the game is made of.
        stage_steps: updates of the generator in a stage.
        stages: how many; the last one has no end.
    """

    stage: Tensor

    def __init__(self, components: Components, stage_steps: int, stages: int) -> None:
        super().__init__(components)
        require_positive(stage_steps=stage_steps, stages=stages)
        self.stage_steps = stage_steps
        self.stages = stages
        self.register_buffer("stage", torch.tensor(1))

    def start(self, device: torch.device, precision: str = "fp32") -> None:
        """Copy the networks, with all that strategies have put into them, and go to the device."""
        for name in ("generator", "discriminator"):
            self.networks[name + BEFORE] = copy.deepcopy(self.network(name)).requires_grad_(False)
        super().start(device, precision)

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step, and end the stage if it is time; `stage` is measured."""
        measured = super().step(next_batch)
        stage = int(self.stage)
        if stage < self.stages and self.player("generator").updates >= stage * self.stage_steps:
            for name in ("generator", "discriminator"):
                self.network(name + BEFORE).load_state_dict(self.network(name).state_dict())
            self.stage += 1
        return measured | {"stage": self.stage.to(torch.get_default_dtype())}
