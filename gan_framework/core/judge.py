"""A discriminator as pairs see it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gan_framework.core.precision import Precision
from gan_framework.core.records import DiscriminatorOutput

HALVES = (torch.bfloat16, torch.float16)


class Judge:
    """Scores samples by a network, in the run's precision and behind the game's transforms.

    Attributes:
        name: the network's name in the game.
        network: returns a DiscriminatorOutput of samples, labels and whatever else it is given.
        transforms: what all samples go through before a network in training sees them, in their order.
        batch_independent: whether its word on a sample depends on that sample alone.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        precision: Precision,
        transforms: Iterable[nn.Module] = (),
        batch_independent: bool = False,
    ) -> None:
        self.name = name
        self.network = network
        self.batch_independent = batch_independent
        self._precision: Precision | None = precision
        self.transforms = tuple(transforms)
        self._state: Mapping[str, Tensor] | None = None

    def __call__(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Score samples x (N, ...); the logits are float32 or wider.

        Args:
            x: the samples.
            labels: their labels, or None.
            given: what the network judges them together with (z, a source image), each (N, ...).
        """
        seen = x
        if self._precision is None:  # what a network made in half precision
            width = next(self.network.parameters()).dtype
            seen = seen.to(width)
            given = tuple(one.to(width) if one.is_floating_point() else one for one in given)
        if self.network.training:
            for transform in self.transforms:
                seen = transform(seen)
        with self.autocast():
            output = self._forward(seen, labels, *given)
        logits = output.logits.float() if output.logits.dtype in HALVES else output.logits
        return output._replace(logits=logits, samples=x, labels=labels)

    @property
    def is_half(self) -> bool:
        """Whether the network computes in half precision, too coarse for gradients of gradients."""
        return self._precision is not None and self._precision.dtype is not None

    def in_full_precision(self) -> Judge:
        """Return the same judge in float32."""
        judge = copy.copy(self)
        judge._precision = None
        return judge

    def with_state(self, state: Mapping[str, Tensor]) -> Judge:
        """Return a judge in float32 whose network has other parameters and buffers by name; its own are left alone."""
        judge = self.in_full_precision()
        judge._state = state
        return judge

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context in which the network computes; around several passes it converts the weights once."""
        if self._precision is not None:
            return self._precision.autocast()
        device = next(self.network.parameters()).device.type
        return torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext()

    def _forward(self, x: Tensor, labels: Tensor | None, *given: Tensor) -> DiscriminatorOutput:
        if self._state is None:
            return cast(DiscriminatorOutput, self.network(x, labels, *given))
        return cast(DiscriminatorOutput, functional_call(self.network, dict(self._state), (x, labels, *given)))
