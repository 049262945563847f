"""Draws what the three generator losses of the original game say, and how hard they pull, over D(G(z)).

Run it by hand: `python docs/figures/generator_losses.py` writes generator_losses.png beside itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import torch
from matplotlib import pyplot as plt
from torch import Tensor

from gan_framework.core.contracts.loss import AdversarialLoss
from gan_framework.core.records import DiscriminatorOutput
from gan_zoo.losses.vanilla import MaximumLikelihood, Minimax, NonSaturating

LOSSES: dict[str, tuple[AdversarialLoss, str]] = {
    "minimax": (Minimax(), "#0072b2"),
    "nonsaturating": (NonSaturating(), "#d55e00"),
    "maximum_likelihood": (MaximumLikelihood(), "#009e73"),
}


def curve(loss: AdversarialLoss, d: Tensor) -> tuple[Tensor, Tensor]:
    """Return a generator loss where the discriminator says d (N,), and its slope along the logit."""
    logits = torch.logit(d).requires_grad_()
    values = torch.stack([loss.generator(DiscriminatorOutput(logit[None])) for logit in logits])
    (slopes,) = torch.autograd.grad(values.sum(), logits)
    return values.detach(), slopes


def draw(path: Path) -> None:
    """Write the picture."""
    d = torch.linspace(0.001, 0.985, 200, dtype=torch.float64)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for name, (loss, color) in LOSSES.items():
        values, slopes = curve(loss, d)
        left.plot(d, values, color=color, label=name)
        right.plot(d, slopes.abs(), color=color, label=name)
    left.set(title="what the generator minimises", xlabel="D(G(z))", ylabel="loss", ylim=(-10, 7))
    right.set(title="how hard it pulls on the logit of D", xlabel="D(G(z))", ylabel="|slope|", ylim=(0, 3))
    for axes in (left, right):
        axes.set_xlim(0, 1)
        axes.grid(alpha=0.3)
    left.legend(loc="lower left")
    figure.savefig(path, dpi=90, pil_kwargs={"optimize": True})
    plt.close(figure)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".png"))
