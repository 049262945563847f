"""Grouped convolutions that can be differentiated twice without a convolution of its own for each group.

torch's second derivative of a convolution goes through the groups one by one: a filter of 512 channels becomes 512
convolutions in each R1, R2 or path length penalty. A convolution y = B(x, w) is linear in x and in w, so all of its
derivatives are convolutions of the same groups: Bᵀ(ȳ, w) and the weights' gradient W(ȳ, x), whose own derivatives by a
direction w̄ of the weights are B(x, w̄) and Bᵀ(ȳ, w̄).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function


@dataclass(frozen=True)
class Form:
    """How maps are convolved.

    Attributes:
        stride: of the convolution, or of the one that a transposed one is the transpose of.
        padding: zeros around the maps, likewise.
        groups: of channels.
        transposed: whether the convolution is transposed.
        further: rows and columns that a transposed one adds at the end.
    """

    stride: tuple[int, int]
    padding: tuple[int, int]
    groups: int
    transposed: bool = False
    further: tuple[int, int] = (0, 0)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What torch's convolution takes behind the bias, whose dilation is 1."""
        return [*self.stride], [*self.padding], [1, 1], self.transposed, [*self.further], self.groups

    def back(self, x: Tensor, y: Tensor, weight: Tensor) -> Form:
        """Return how gradients of y, of this form's convolution of x, become gradients of x."""
        if self.transposed:
            return replace(self, transposed=False, further=(0, 0))
        sizes = zip(x.shape[2:], y.shape[2:], weight.shape[2:], self.stride, self.padding, strict=True)
        rows, columns = (whole - ((part - 1) * stride - 2 * pad + kernel) for whole, part, kernel, stride, pad in sizes)
        return replace(self, transposed=True, further=(rows, columns))


def convolved(x: Tensor, weight: Tensor, form: Form) -> Tensor:
    """Convolve maps (N, C, H, W) with weights (C', C / groups, K, K), or (C, C' / groups, K, K) if it is transposed."""
    if torch.is_autocast_enabled(x.device.type):
        dtype = torch.get_autocast_dtype(x.device.type)
        x, weight = x.to(dtype), weight.to(dtype)
    # Without gradients, and for compilers and exporters, it is torch's own.
    if torch.compiler.is_compiling() or not (torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)):
        return torch.convolution(x, weight, None, *form.arguments)
    convolution: Tensor = _Convolution.apply(x, weight, form)
    return convolution


class GroupedConv2d(nn.Conv2d):
    """A convolution of undilated kernels in groups, with zeros around the maps."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H', W')."""
        padding: Any = self.padding  # two numbers, as no name is used
        form = Form((self.stride[0], self.stride[1]), padding, self.groups)
        y = convolved(x, self.weight, form)
        return y if self.bias is None else y + self.bias.to(y.dtype)[:, None, None]


class _Convolution(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, form: Form) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.form = form
        return torch.convolution(x, weight, None, *form.arguments)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        by_x, by_weight, _ = ctx.needs_input_grad
        form: Form = ctx.form
        return (
            _Convolution.apply(gradient, weight, form.back(x, gradient, weight)) if by_x else None,
            _WeightGradient.apply(gradient, x, weight, form) if by_weight else None,
            None,
        )


class _WeightGradient(Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, x: Tensor, weight: Tensor, form: Form) -> Tensor:
        ctx.save_for_backward(gradient, x)
        ctx.form = form
        wanted = [False, True, False]
        found: Tensor = torch.ops.aten.convolution_backward(gradient, x, weight, None, *form.arguments, wanted)[1]
        return found

    @staticmethod
    def backward(ctx: Any, direction: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        gradient, x = ctx.saved_tensors
        by_gradient, by_x, *_ = ctx.needs_input_grad
        form: Form = ctx.form
        return (
            _Convolution.apply(x, direction, form) if by_gradient else None,
            _Convolution.apply(gradient, direction, form.back(x, gradient, direction)) if by_x else None,
            None,
            None,
        )
