"""Dual motion GAN (Liang et al. 2017, arXiv 1708.00284): the next frame and the flow to it, each from the other."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import (
    EMPTY,
    MAIN,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
)
from gan_zoo.datasets.image_sequences import warped
from gan_zoo.ndims import init_dcgan
from gan_zoo.translating import SOURCE

FLOW = "flow"
"""The pair, and the extra, of flows."""


class FrameAndFlow(Generator):
    """A shared encoder of the two frames before, and two decoders: of the next frame, and of the flow to it.

    Args:
        source_channels: of the frames before, together.
        channels: of a frame.
        width: of the first layer.
    """

    def __init__(self, source_channels: int, channels: int, width: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(source_channels, width, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2),
        )
        self.frame, self.flow = (
            nn.Sequential(
                nn.ConvTranspose2d(2 * width, width, 4, 2, 1),
                nn.LeakyReLU(0.2),
                nn.Conv2d(width, outputs, 3, padding=1),
            )
            for outputs in (channels, 2)
        )
        init_dcgan(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the frames before (N, C, H, W), `source`, to the next ones in [-1, 1]."""
        return self.everything(z, labels, given)[SAMPLES]

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the next frames, and the `flow` (N, 2, H, W) to them."""
        maps = self.encoder(given[SOURCE])
        return {SAMPLES: self.frame(maps).tanh(), FLOW: self.flow(maps)}


class BothWays(Term):
    """Σ of absolute differences: the frame, the last frame moved by the flow, and the two of them, from the next one.

    The paper estimates the flow between frames by a third network; here the true one is known, and is compared too.
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the sum of the means over pixels."""
        frame, flow = pair.fake.float(), pair.made[FLOW].float()
        last = pair.batch.extra[SOURCE][:, -frame.shape[1] :]
        moved = warped(last, flow)
        differences = [frame - pair.real, moved - pair.real, frame - moved, flow - pair.batch.extra[FLOW]]
        return torch.stack([difference.abs().mean() for difference in differences]).sum()


class DualMotionGAN(Game):
    """G makes the next frame and the flow; one D judges frames, another flows, and both are to agree.

    Args:
        components: what the game is made of.
        agreement: the weight of `BothWays`.
    """

    generates_from = SOURCE

    def __init__(self, components: Components, agreement: float) -> None:
        super().__init__(components)
        if not {SOURCE, FLOW} <= self.data.extra.keys():
            raise ConfigError("game=dual_motion_gan needs the extras 'source' and 'flow': choose data=next_frame")
        self.player("generator").add_term("agreement", BothWays(), plan=TermPlan(agreement, pairs=(MAIN,)))

    def make_players(self) -> list[Player]:
        """Return both discriminators as one player, and G."""
        critics = ("discriminator", "discriminator_flow")
        return [
            Player("discriminator", critics, "discriminator", dict.fromkeys((MAIN, FLOW), "discriminator")),
            Player("generator", ("generator",), "generator", dict.fromkeys((MAIN, FLOW), "generator")),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return frames, and flows."""
        made = self.make(latent)
        flows = Pair(self.judge("discriminator_flow"), batch, latent, made[FLOW], real=batch.extra[FLOW])
        return {MAIN: Pair(self.judge("discriminator"), batch, latent, made[SAMPLES], made=made), FLOW: flows}
