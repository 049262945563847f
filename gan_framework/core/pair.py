"""One meeting of a discriminator with a real and a generated batch."""

from __future__ import annotations

from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gan_framework.core.records import Batch, DiscriminatorOutput, Latent

if TYPE_CHECKING:
    from gan_framework.core.game import Game


class Round:
    """One meeting of a discriminator with a real and a generated batch.

    The discriminator's outputs are computed when first asked for and kept, so any number of
    losses share one forward pass, and a loss that needs only the fake side costs no real pass.
    A round is meant for one move: after the discriminator has moved, its outputs are stale, and
    the next mover is given a round of its own (`detached` shares the generated batch).
    """

    def __init__(self, game: Game, batch: Batch, latent: Latent, fake: Tensor) -> None:
        self.game = game
        self.batch = batch
        self.latent = latent
        self.fake = fake

    @property
    def real(self) -> Tensor:
        """The real samples (N, ...)."""
        return self.batch.samples

    @cached_property
    def on_real(self) -> DiscriminatorOutput:
        """What the discriminator says of the real samples."""
        return self.discriminate(self.real, self.batch.labels)

    @cached_property
    def on_fake(self) -> DiscriminatorOutput:
        """What the discriminator says of the generated samples."""
        return self.discriminate(self.fake, self.latent.labels)

    @property
    def on_both(self) -> tuple[DiscriminatorOutput, DiscriminatorOutput]:
        """What the discriminator says of the real and of the generated samples.

        It sees them in one pass where it judges each alone. Where a gradient is to reach the generator, there are two,
        because the real samples would be carried through its backward pass for nothing.
        """
        seen = {"on_real", "on_fake"} & self.__dict__.keys()
        if self.game.judges_each_alone and not self.fake.requires_grad and not seen:
            labels = [labels for labels in (self.batch.labels, self.latent.labels) if labels is not None]
            joined = self.discriminate(torch.cat([self.real, self.fake]), torch.cat(labels) if labels else None)
            self.on_real, self.on_fake = joined.part(slice(len(self.real))), joined.part(slice(len(self.real), None))
        with self.game.autocast():  # converts the weights once for both passes
            return self.on_real, self.on_fake

    def discriminate(self, x: Tensor, labels: Tensor | None, full_precision: bool = False) -> DiscriminatorOutput:
        """Score any samples in the game's precision, or in full; the logits are float32 or wider."""
        with nullcontext() if full_precision else self.game.autocast():
            output: DiscriminatorOutput = self.game.discriminator(x, labels)
        if output.logits.dtype in (torch.bfloat16, torch.float16):
            output = output._replace(logits=output.logits.float())
        return output

    def detached(self) -> Round:
        """Return a round over the same samples through which no gradient reaches the generator."""
        return Round(self.game, self.batch, self.latent, self.fake.detach())

    def logits(self) -> dict[str, Tensor]:
        """Return the logits this round has computed, detached, by side."""
        computed = {"real": "on_real", "fake": "on_fake"}
        return {side: getattr(self, name).logits.detach() for side, name in computed.items() if name in self.__dict__}
