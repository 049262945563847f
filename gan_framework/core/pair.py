"""What a judge compares: a real and a generated batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gan_framework.core.records import EMPTY, Batch, DiscriminatorOutput, Latent

if TYPE_CHECKING:
    from typing_extensions import Self

MAIN = "main"
"""The name of a game's only pair."""

SIDES = ("real", "fake")

Asked = Callable[..., DiscriminatorOutput]
"""Scores samples (N, ...), given their labels or None, and what they are judged together with."""


def nobody(x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
    """Judge of pairs that nobody judges, as an auto-encoder's.

    Raises:
        TypeError: always.
    """
    raise TypeError("nobody judges this pair: its game has no discriminator for it")


class Pair:
    """One judge, and the real and the generated samples that it compares.

    The judge's outputs are computed when first asked for and kept, so any number of losses share one
    forward pass, and a loss that needs only the generated side costs no real pass. A pair is meant for
    one update: after the judge's network has been updated its outputs are stale, and the next player is
    given a pair of its own (`detached` shares the generated batch). Everything that scores samples asks
    `judge` with what is given beside them, so that a judge of (x, z) is never asked about x alone.

    Attributes:
        judge: returns a DiscriminatorOutput; `nobody` where there is no discriminator.
        batch: the real batch.
        latent: what the generated samples were made of.
        real: the real samples (N, ...), in most games those of the batch.
        fake: the generated samples (M, ...).
        real_labels: labels of the real samples, or None.
        fake_labels: labels of the generated samples, or None.
        real_given: what the real samples are judged together with, further arguments of the judge.
        fake_given: what the generated samples are judged together with.
        made: further outputs of the generator by name (a mask, log-probabilities).
        again: makes the pair anew of other latents, for `another`; set by the game.
    """

    def __init__(
        self,
        judge: Asked,
        batch: Batch,
        latent: Latent,
        fake: Tensor,
        *,
        real: Tensor | None = None,
        real_given: tuple[Tensor, ...] = (),
        fake_given: tuple[Tensor, ...] = (),
        made: Mapping[str, Tensor] = EMPTY,
    ) -> None:
        self.judge = judge
        self.batch = batch
        self.latent = latent
        self.fake = fake
        self.real = batch.samples if real is None else real
        self.real_labels = batch.labels
        self.fake_labels = latent.labels
        self.real_given = real_given
        self.fake_given = fake_given
        self.made = made
        self.again: Callable[[Latent | None], Pair] | None = None
        self._differentiated: set[str] = set()
        self._inputs: dict[str, Tensor] = {}
        self._gradients: dict[str, Tensor] = {}

    @property
    def has_judge(self) -> bool:
        """Whether anybody judges the pair."""
        return self.judge is not nobody

    @property
    def judged_by_network(self) -> str | None:
        """The name of the network that judges the pair; None where it is judged in a way of its game's own."""
        return getattr(self.judge, "name", None)

    # -- what the judge says ----------------------------------------------------------------------

    @cached_property
    def real_output(self) -> DiscriminatorOutput:
        """What the judge says of the real samples."""
        return self.judge(self._seen("real"), self.real_labels, *self.real_given)

    @cached_property
    def fake_output(self) -> DiscriminatorOutput:
        """What the judge says of the generated samples."""
        return self.judge(self._seen("fake"), self.fake_labels, *self.fake_given)

    @property
    def outputs(self) -> tuple[DiscriminatorOutput, DiscriminatorOutput]:
        """What the judge says of the real and of the generated samples, in one pass if that is the same and no slower.

        Where a gradient is to reach the generator, there are two passes, because the real samples would
        be carried through its backward pass for nothing; so there are where one side alone is differentiated.
        """
        if self._can_be_joined():
            real, fake = self._seen("real"), self._seen("fake")
            labels = [labels for labels in (self.real_labels, self.fake_labels) if labels is not None]
            given = (torch.cat(both) for both in zip(self.real_given, self.fake_given, strict=True))
            joined = self.judge(torch.cat([real, fake]), torch.cat(labels) if labels else None, *given)
            n = len(real)
            self.real_output, self.fake_output = joined.part(slice(n)), joined.part(slice(n, None))
        with getattr(self.judge, "autocast", nullcontext)():  # converts the weights once for both passes
            return self.real_output, self.fake_output

    def logits(self) -> dict[str, Tensor]:
        """Return the logits that have been computed, flat and detached, by side."""
        computed = {side: self.__dict__.get(f"{side}_output") for side in SIDES}
        return {side: output.logits.detach().flatten() for side, output in computed.items() if output is not None}

    def _can_be_joined(self) -> bool:
        return (
            getattr(self.judge, "batch_independent", False)
            and not self.fake.requires_grad
            and not any(given.requires_grad for given in (self.real, *self.real_given, *self.fake_given))
            and not {"real_output", "fake_output"} & self.__dict__.keys()
            and (self.real_labels is None) == (self.fake_labels is None)
            and len(self._differentiated) != 1
        )

    # -- gradients of scores ----------------------------------------------------------------------

    def differentiate(self, sides: Iterable[str]) -> None:
        """Have the passes that are still to come keep what `input_gradient` of these sides needs.

        Half precision is too coarse for gradients of gradients, which there come from a pass of their own.
        """
        if not getattr(self.judge, "is_half", False):
            computed = {side for side in SIDES if f"{side}_output" in self.__dict__}
            self._differentiated |= {*sides} - computed

    def input_gradient(self, side: str) -> Tensor:
        """Return the gradients of the scores of one side's samples with respect to these, flat (N, D), differentiable.

        They come from the pass that the losses make anyway if `differentiate` has asked for it, else
        from a pass of their own in float32.

        Args:
            side: `real` or `fake`.
        """
        if side not in self._differentiated:
            x, labels, given = (getattr(self, name) for name in (side, f"{side}_labels", f"{side}_given"))
            return self.gradient_at(x, labels, *given)
        if side not in self._gradients:
            if len(self._differentiated) == len(SIDES):
                self.outputs  # noqa: B018 (one pass for both sides where that is possible)
            sides = [side for side in SIDES if side in self._differentiated]
            scores = [getattr(self, f"{side}_output").scores.sum() for side in sides]
            found = torch.autograd.grad(scores, [self._inputs[side] for side in sides], create_graph=True)
            self._gradients = {side: gradient.flatten(1) for side, gradient in zip(sides, found, strict=True)}
        return self._gradients[side]

    def gradient_at(self, x: Tensor, labels: Tensor | None, *given: Tensor) -> Tensor:
        """Return the gradients of the scores of any samples x with respect to x, flat (N, D), differentiable.

        They come from a pass of their own, in float32 whatever the run's precision.

        Args:
            x: the samples.
            labels: their labels, or None.
            given: what they are judged together with.
        """
        judge = self.judge.in_full_precision() if hasattr(self.judge, "in_full_precision") else self.judge
        x = _differentiable(x.to(self.real.dtype))
        (gradient,) = torch.autograd.grad(judge(x, labels, *given).scores.sum(), x, create_graph=True)
        return gradient.flatten(1)

    def _seen(self, side: str) -> Tensor:
        x: Tensor = getattr(self, side)
        if side not in self._differentiated:
            return x
        if side not in self._inputs:
            self._inputs[side] = _differentiable(x)
        return self._inputs[side]

    # -- other pairs of the same samples -----------------------------------------------------------

    def judged_by(self, judge: Asked) -> Self:
        """Return the same samples before another judge."""
        return self._changed(judge=judge)

    def detached(self) -> Self:
        """Return a pair of the same samples through which no gradient reaches what made them."""
        return self._changed(
            fake=self.fake.detach(),
            real=self.real.detach(),
            real_given=tuple(given.detach() for given in self.real_given),
            fake_given=tuple(given.detach() for given in self.fake_given),
            made={name: tensor.detach() for name, tensor in self.made.items()} if self.made else EMPTY,
        )

    def another(self, latent: Latent | None = None) -> Pair:
        """Return a pair with a second generated batch of the same inputs, with a graph if this one has one.

        Args:
            latent: what it is made of; None draws z anew.
        """
        assert self.again is not None, "only a pair that comes from Game.meet can be made again"
        with torch.set_grad_enabled(self.fake.requires_grad):
            return self.again(latent)

    def _changed(self, **changes: Any) -> Self:
        pair = copy.copy(self)
        for name in ("real_output", "fake_output"):
            pair.__dict__.pop(name, None)
        pair.__dict__ |= {"_differentiated": set(), "_inputs": {}, "_gradients": {}, **changes}
        return pair


def _differentiable(x: Tensor) -> Tensor:
    # Points that follow from parameters (a look-ahead's generator) stay so; a view, because the score is to be
    # differentiated at the points and not along what they come from.
    return x.view_as(x) if x.requires_grad else x.detach().requires_grad_()


class Meeting(dict[str, Pair]):
    """The pairs that a game's players face in one update, by name; most games have one, `main`."""

    def detached(self) -> Meeting:
        """Return the same meeting with no gradient to what made its samples."""
        return Meeting({name: pair.detached() for name, pair in self.items()})

    def parts(self) -> Iterator[Meeting]:
        """Yield the meetings of the parts in which the batch goes through the networks: here itself."""
        yield self

    @property
    def count(self) -> int:
        """The number of `parts`."""
        return 1

    def logits(self) -> dict[str, Tensor]:
        """Return the logits that have been computed, flat and detached: `real` and `fake`, `real_<pair>` for others."""
        return {
            side if name == MAIN else f"{side}_{name}": logits
            for name, pair in self.items()
            for side, logits in pair.logits().items()
        }


class DividedMeeting(Meeting):
    """A batch that goes through the networks in parts, one after another, so that one part's activations are held.

    Args:
        meet: makes the meeting of one part, each time anew.
        parts: the real samples and the latents of each part.
        graph: whether a gradient can reach what makes the samples.
    """

    def __init__(
        self, meet: Callable[[Batch, Latent, bool], Meeting], parts: list[tuple[Batch, Latent]], graph: bool
    ) -> None:
        super().__init__()
        self._meet = meet
        self._divided = parts
        self._graph = graph

    def detached(self) -> Meeting:
        """Return the same meeting with no gradient to what makes its samples."""
        return DividedMeeting(self._meet, self._divided, graph=False)

    def parts(self) -> Iterator[Meeting]:
        """Yield the meetings of the parts, each made when its turn comes."""
        for batch, latent in self._divided:
            meeting = self._meet(batch, latent, self._graph)
            yield meeting if self._graph else meeting.detached()

    @property
    def count(self) -> int:
        """The number of `parts`."""
        return len(self._divided)
