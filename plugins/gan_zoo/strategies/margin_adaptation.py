"""A margin of energies that falls with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import (
    BeforeFirstStep,
    ConfigError,
    DiscriminatorOutput,
    Game,
    Meeting,
    NextBatch,
    Player,
    Strategy,
    distributed,
)
from gan_zoo.losses.energy_margin import EnergyMargin
from gan_zoo.losses.said import logits_of
from gan_zoo.ranges import require_not_negative


def adapted(margin: Tensor, real: Tensor, fake: Tensor, fake_before: Tensor) -> Tensor:
    """Return the margin after an epoch.

    It becomes the mean energy of real samples, if that is below it and below that of generated samples, which has not
    fallen since the epoch before (Wang et al. 2017, arXiv 1704.03817, Algorithm 1).

    Args:
        margin: in the epoch.
        real: the mean energy of real samples.
        fake: that of generated samples.
        fake_before: that of generated samples in the epoch before.
    """
    return torch.where((real < margin) & (real < fake) & (fake_before <= fake), real, margin)


class AdaptiveMargin(EnergyMargin):
    """The loss of EBGAN with a margin that is adapted after each epoch.

    Args:
        epoch_steps: updates of the discriminator in an epoch.
    """

    level: Tensor
    real_sum: Tensor
    fake_sum: Tensor
    fake_before: Tensor
    real_energy: Tensor
    fake_energy: Tensor

    def __init__(self, epoch_steps: int) -> None:
        super().__init__(None)
        self.epoch_steps = epoch_steps
        for name in ("level", "real_sum", "fake_sum", "fake_before", "real_energy", "fake_energy"):
            self.register_buffer(name, torch.tensor(0.0))
        self.counts = {"real": 0, "fake": 0}
        self.begun = False

    def begin(self, margin: Tensor | float) -> None:
        """Start with a margin; before that nothing is counted."""
        self.level.fill_(margin)
        self.begun = True

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return E max(0, m - energy of G(z)), by sample."""
        return F.relu(self.level + fake.logits).mean()

    def after_update(self, meeting: Meeting, player: Player) -> None:
        """Count the energies, real ones of D's updates and generated ones of G's, and adapt after an epoch's last."""
        if not self.begun or player.objective == "discriminator_fake":
            return
        side = "real" if player.team == "discriminator" else "fake"
        energy = -distributed.mean(torch.stack([said.mean() for said in logits_of(meeting, side)]).mean())
        self.get_buffer(f"{side}_energy").copy_(energy)
        self.get_buffer(f"{side}_sum").add_(energy)
        self.counts[side] += 1
        if side == "fake" and self.counts["real"] >= self.epoch_steps:
            real, fake = (self.get_buffer(f"{name}_sum") / count for name, count in self.counts.items())
            self.level.copy_(adapted(self.level, real, fake, self.fake_before))
            self.fake_before.copy_(fake)
            self.real_sum.zero_()
            self.fake_sum.zero_()
            self.counts = {"real": 0, "fake": 0}

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return the margin, and the paper's measure of convergence E(x) + |E(x) - E(G(z))|, of the last updates."""
        return {"margin": self.level, "convergence": self.real_energy + (self.real_energy - self.fake_energy).abs()}

    def get_extra_state(self) -> dict[str, Any]:
        """Return what is counted of the epoch, and whether there is a margin."""
        return {"counts": dict(self.counts), "begun": self.begun}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take up what is counted."""
        self.counts, self.begun = dict(state["counts"]), state["begun"]


class LearnEnergies(BeforeFirstStep):
    """The discriminator learns to give real samples a low energy, alone; their mean energy is the first margin.

    Args:
        loss: that takes the margin.
        epochs: in which the discriminator is updated on real samples.
        margin: the first margin; None to measure it, in an epoch without updates.
    """

    def __init__(self, loss: AdaptiveMargin, epochs: int, margin: float | None) -> None:
        super().__init__()
        # Kept in a tuple: the loss belongs to the game, and must not be registered twice.
        self._loss = (loss,)
        self.epochs = epochs
        self.margin = margin

    def play(self, game: Game, next_batch: NextBatch) -> None:
        """Update the discriminator's players by the real half of the loss, then measure."""
        (loss,) = self._loss
        for _ in range(self.epochs * loss.epoch_steps):
            meeting = game.meet(next_batch(), graph=False).detached()
            for player in game.teams()[0]:
                _play_real_half(player, meeting)
        if self.margin is not None:
            loss.begin(self.margin)
            return
        energies = []
        with torch.no_grad():
            for _ in range(loss.epoch_steps):
                for part in game.meet(next_batch(), graph=False).parts():
                    energies.append(-torch.stack([said.mean() for said in logits_of(part, "real")]).mean())
        loss.begin(distributed.mean(torch.stack(energies).mean()))


def _play_real_half(player: Player, meeting: Meeting) -> None:
    objective = player.objective
    if objective is None or objective == "discriminator_fake":
        return
    faced = isinstance(objective, Mapping)
    player.objective = dict.fromkeys(objective, "discriminator_real") if faced else "discriminator_real"
    try:
        player.play(meeting)
    finally:
        player.objective = objective


class MarginAdaptation(Strategy):
    """The margin of `loss=energy_margin` follows the energy of real samples down (MAGAN, Wang et al. 2017).

    arXiv 1704.03817, Algorithm 1. First the discriminator learns to reconstruct, alone; then its mean energy of real
    samples is the first margin (a `loss.margin` that is a number is taken in its place). After each epoch the margin
    falls to that mean, if it has fallen below the margin and below the energy of generated samples, and this has not
    fallen. The authors' program leaves the last condition out.

    Args:
        epochs: in which the discriminator learns alone, before the first step.
        epoch_steps: updates of the discriminator in an epoch; null for as many as the data have batches.
        batch_size: samples in a batch.
    """

    def __init__(self, epochs: int, epoch_steps: int | None, batch_size: int) -> None:
        require_not_negative(epochs=epochs)
        if epoch_steps is not None and epoch_steps < 1:
            raise ValueError(f"epoch_steps={epoch_steps}: it must be at least 1, or null")
        self.epochs = epochs
        self.epoch_steps = epoch_steps
        self.batch_size = batch_size

    def apply(self, game: Game) -> None:
        """Put a loss with an adaptive margin in the loss's place, and the opening before the first step."""
        if not isinstance(game.loss, EnergyMargin):
            raise ConfigError(
                f"margin_adaptation has no effect on {type(game.loss).__name__}, which has no margin of energies: "
                "choose loss=energy_margin"
            )
        game.claim("margin of the loss", "margin_adaptation")
        steps = self.epoch_steps
        if steps is None:
            if not game.data.size:
                raise ConfigError(
                    "strategy.margin_adaptation.epoch_steps=null is as many updates as the data have batches, and it "
                    "is not known how many samples these have: set a number"
                )
            steps = max(1, game.data.size // self.batch_size)
        margin, game.loss = game.loss.margin, AdaptiveMargin(steps)
        game.openings.append(LearnEnergies(game.loss, self.epochs, margin))
