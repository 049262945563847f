"""The losses of boundary-seeking GANs."""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import DiscriminatorOutput, Meeting, Player, distributed
from gan_zoo.losses.said import logits_of
from gan_zoo.losses.vanilla import BinaryCrossEntropy

FORMS = ("square", "cross_entropy", "log_z")
KEPT = 0.995
"""The share that the running average of log Z keeps in an update."""


class BoundarySeeking(BinaryCrossEntropy):
    """G seeks the decision boundary D = ½ (Hjelm et al. 2017, arXiv 1702.08431, version 1).

    Its pull grows with the distance from the boundary, also where D is confident. The form for discrete samples, which
    weighs the samples of one latent, needs a generator of probabilities and is not here.

    Args:
        form: `square`, E D(G(z))² in logits, without the paper's ½, as in the authors' program; `cross_entropy`, the
            mean of both cross entropies; or `log_z`, the distance from a running log Z in the place of 0.
    """

    exempt: ClassVar[Mapping[str, str]] = {"pulls_the_right_way": "G seeks the decision boundary, from both sides"}
    log_z: Tensor
    started: Tensor

    def __init__(self, form: str) -> None:
        super().__init__()
        if form not in FORMS:
            raise ValueError(f"form={form!r}: choose {', '.join(FORMS)}")
        self.form = form
        if form == "log_z":
            self.register_buffer("log_z", torch.tensor(0.0))
            self.register_buffer("started", torch.tensor(0.0))

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return E f², E [-½ log D - ½ log (1 - D)] or E (f - log Z)², f = D's logits of G(z)."""
        f = fake.logits
        if self.form == "cross_entropy":
            return (F.softplus(-f) + f / 2).mean()
        return (f - self._centre(f) if self.form == "log_z" else f).square().mean()

    def after_update(self, meeting: Meeting, player: Player) -> None:
        """Let log Z follow the generated samples of the generator's updates."""
        if self.form != "log_z" or player.team != "generator":
            return
        measured = torch.stack([_log_mean_exp(said) for said in logits_of(meeting, "fake")]).mean()
        kept = KEPT * self.started
        self.log_z.mul_(kept).add_((1 - kept) * distributed.mean(measured))
        self.started.fill_(1.0)

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return log Z where there is one."""
        return {"log_z": self.log_z} if self.form == "log_z" else {}

    def _centre(self, f: Tensor) -> Tensor:
        return torch.where(self.started > 0, self.log_z, _log_mean_exp(f.detach()))


def _log_mean_exp(f: Tensor) -> Tensor:
    return f.flatten().logsumexp(0) - log(f.numel())
