"""ABC-GAN (Susmelj, Agustsson & Timofte 2017): a blur that fades, and a controller of who is updated."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Components, ConfigError, Game, NextBatch, distributed, evaluation_mode, seeding
from gan_zoo.ranges import require_positive

SIZE = 9
"""The side of the kernel."""

RATES = ("hyperbolic", "linear", "none")

FIXED = 64
"""Latents of which the controller asks what D says."""


def deviation(rate: str, epoch: int, epochs: int) -> float:
    """Return σ of the blur in an epoch, from 0: 5 / (12 (e + 1) / E + 1), or along a line from 5 to 0.5; 0 for none."""
    if rate == "hyperbolic":
        return 5 / (12 * (epoch + 1) / epochs + 1)
    if rate == "linear":
        return 5 - 4.5 * epoch / max(epochs - 1, 1)
    return 0.0


def gaussian(sigma: float) -> Tensor:
    """Return the 9x9 kernel of a Gaussian, which sums to 1; a single pixel for σ = 0."""
    places = torch.arange(SIZE) - SIZE // 2
    if sigma == 0:
        line = (places == 0).double()
    else:
        line = (-(places.double() ** 2) / (2 * sigma**2)).exp()
    line = line / line.sum()
    return line[:, None] * line


class Blur(nn.Module):
    """Blurs images by a Gaussian, each channel alike; what is beyond the border is like the border.

    The published program reshapes its kernel such that it is no Gaussian of a channel any more; this one is.

    Args:
        rate: how σ falls: `hyperbolic`, `linear`, or `none` for no blur.
        epochs: E, in how many steps it falls.
        steps: of the run, in which there are so many epochs.
    """

    def __init__(self, rate: str, epochs: int, steps: int) -> None:
        super().__init__()
        require_positive(epochs=epochs, steps=steps)
        if rate not in RATES:
            raise ValueError(f"blur={rate!r}: choose one of {', '.join(RATES)}")
        self.rate, self.epochs, self.steps = rate, epochs, steps
        self.seen = 0

    @property
    def sigma(self) -> float:
        """The deviation of the kernel now."""
        epoch = min(self.seen * self.epochs // self.steps, self.epochs - 1)
        return deviation(self.rate, epoch, self.epochs)

    def forward(self, x: Tensor) -> Tensor:
        """Blur images (N, C, H, W)."""
        if self.sigma == 0:
            return x
        kernel = gaussian(self.sigma).to(x).expand(x.shape[1], 1, SIZE, SIZE)
        return F.conv2d(F.pad(x, [SIZE // 2] * 4, mode="replicate"), kernel, groups=x.shape[1])

    def figures(self) -> dict[str, Tensor | float]:
        """Return σ."""
        return {"sigma": self.sigma}

    def get_extra_state(self) -> dict[str, int]:
        """Return the steps seen."""
        return {"seen": self.seen}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Take up the steps seen."""
        self.seen = state["seen"]


class ABCGAN(Game):
    """The game of two players, with adaptive blur, and a controller of who is updated.

    Each step has two updates; each is D's with probability r and else G's. After each step r goes up by
    gain (q - q*), within [0, 1], where q is the mean of D(G(z)) of latents that stay the same, so that D is updated
    more often the more it is fooled; r begins at q*.

    Args:
        components: what the game is made of.
        blur: how it falls: `hyperbolic`, `linear`, or `none`.
        epochs: in how many steps the blur falls.
        steps: of the run.
        target: q*, between 0 and 1.
        gain: how fast r follows.
    """

    def __init__(self, components: Components, blur: str, epochs: int, steps: int, target: float, gain: float) -> None:
        super().__init__(components)
        if not 0 < target < 1 or not gain >= 0:
            raise ValueError(f"target={target} gain={gain}: the first must lie between 0 and 1, the second above 0")
        if self.prior is None:
            raise ConfigError("game=abc_gan asks what D says of latents, and there is no prior: set prior=uniform")
        self.blur = Blur(blur, epochs, steps)
        self.transforms.append(self.blur)
        self.claim("number of steps of each player", "game=abc_gan")
        self.target, self.gain = target, gain
        self.ratio = target

    def check(self) -> None:
        """Raise ConfigError unless the samples are images, or nothing is blurred."""
        super().check()
        if self.blur.rate != "none" and not self.data.is_image:
            raise ConfigError(f"game.blur={self.blur.rate} blurs images, and the data are {self.data.sample}")

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step: two updates, of D or of G each."""
        for opening in self.openings:
            opening(self, next_batch)
        for name in self.players:
            self.player(name).gradients = []
        batch, measured = next_batch(), dict[str, Tensor]()
        drawn = torch.rand(2, device=self.device)
        distributed.copy_from_first([drawn])
        for one in drawn.tolist():
            player = self.player("discriminator" if one < self.ratio else "generator")
            meeting = self.meet(batch, graph=player.team == "generator")
            measured |= player.play(meeting if player.team == "generator" else meeting.detached())
        fooled = self.fooled()
        self.ratio = min(max(self.ratio + self.gain * (fooled - self.target), 0.0), 1.0)
        self.blur.seen += 1
        said = torch.tensor([fooled, self.ratio], device=self.device)
        return measured | {"controller/fooled": said[0], "controller/ratio": said[1]}

    @torch.no_grad()
    def fooled(self) -> float:
        """Return the mean of D(G(z)), a probability, of latents that stay the same."""
        assert self.prior is not None
        latent = self.prior.draw(FIXED, self.device, seeding.generator(0, "abc_gan"))
        if self.data.num_classes:
            latent = latent._replace(labels=torch.arange(FIXED, device=self.device) % self.data.num_classes)
        made = self.sample(latent)
        with evaluation_mode(self.discriminator):
            return float(self.judge("discriminator")(self.blur(made), latent.labels).scores.sigmoid().mean())

    def get_extra_state(self) -> dict[str, Any]:
        """Return r."""
        return {"ratio": self.ratio}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take up r."""
        self.ratio = state["ratio"]
