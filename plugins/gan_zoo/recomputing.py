"""Activations that are computed once more for the gradient in place of being kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList
from torch.utils.checkpoint import checkpoint


def recomputed(block: nn.Module, *inputs: Tensor | None) -> Tensor:
    """Return what a block without random numbers makes of inputs, keeping nothing inside it for the gradient.

    The second pass sees the buffers that the first one left (vectors of a power iteration) and changes none, so that
    running statistics and power iterations go on as if there had been one pass (Chen et al. 2016, arXiv 1604.06174).
    Where there is no gradient, and where a look-ahead lends the block other parameters for a while, it is called
    plainly.
    """
    lent = any(not isinstance(parameter, nn.Parameter) for parameter in block.parameters())
    if lent or not block.training or not torch.is_grad_enabled():
        return cast(Tensor, block(*inputs))
    return cast(
        Tensor,
        checkpoint(
            block, *inputs, use_reentrant=False, preserve_rng_state=False, context_fn=partial(_both_passes, block)
        ),
    )


def _both_passes(block: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    left: dict[str, Tensor] = {}
    return _first_pass(block, left), SecondPass(block, left)


@contextmanager
def _first_pass(block: nn.Module, left: dict[str, Tensor]) -> Iterator[None]:
    yield
    left |= {name: buffer.clone() for name, buffer in block.named_buffers()}


class SecondPass(AbstractContextManager[None]):
    """Lends a block the buffers of its first pass, whose power iterations rest meanwhile; can be entered repeatedly.

    Args:
        block: in training mode.
        left: the buffers that the first pass left, by name.
    """

    def __init__(self, block: nn.Module, left: dict[str, Tensor]) -> None:
        self.block = block
        self.left = left
        self.now: dict[str, Tensor] = {}

    def __enter__(self) -> None:
        """Take up the buffers of the first pass."""
        self.now = {name: buffer.clone() for name, buffer in self.block.named_buffers()}
        self._take_up(self.left)
        self._iterate(False)

    def __exit__(self, *_: object) -> None:
        """Give back those of now."""
        self._iterate(True)
        self._take_up(self.now)

    @torch.no_grad()
    def _take_up(self, buffers: dict[str, Tensor]) -> None:
        for name, buffer in self.block.named_buffers():
            buffer.copy_(buffers[name])

    def _iterate(self, whether: bool) -> None:
        for module in self.block.modules():
            if isinstance(module, ParametrizationList):
                module.train(whether)
