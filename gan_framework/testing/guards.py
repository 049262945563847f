"""What every suite watches for while it uses a plugin."""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class ContractBroken(AssertionError):
    """A plugin does not do what its kind asks for; the message says what to fix."""


def expect(condition: bool, message: str) -> None:
    """Raise ContractBroken with a message unless the condition holds."""
    __tracebackhide__ = True
    if not condition:
        raise ContractBroken(message)


def expect_finite(what: str, *tensors: Tensor) -> None:
    """Raise ContractBroken if a tensor holds NaN or infinite values."""
    for tensor in tensors:
        expect(bool(torch.isfinite(tensor).all()), f"{what} holds NaN or infinite values")


@contextmanager
def inputs_kept(what: str, **inputs: Tensor | None) -> Iterator[None]:
    """Raise ContractBroken if the code inside changes one of the inputs."""
    before = {name: tensor.detach().clone() for name, tensor in inputs.items() if tensor is not None}
    yield
    for name, kept in before.items():
        now = inputs[name]
        assert now is not None
        expect(
            torch.equal(kept, now.detach()),
            f"{what} changes its input `{name}` in place: others still need it; write x = x + y instead of x += y, "
            "and let no first layer work in place",
        )


@contextmanager
def own_randomness(what: str, torch_too: bool = False) -> Iterator[None]:
    """Raise ContractBroken if the code inside draws from random numbers that do not follow from the run's seed.

    Args:
        what: names the code in the message.
        torch_too: whether torch's, which the framework seeds in every step, are forbidden as well.
    """
    import numpy

    python, other, seeded = random.getstate(), pickle.dumps(numpy.random.get_state()), torch.get_rng_state()
    yield
    expect(
        random.getstate() == python,
        f"{what} draws from Python's global random numbers, which do not follow from the run's seed: use torch's",
    )
    expect(
        pickle.dumps(numpy.random.get_state()) == other,
        f"{what} draws from NumPy's global random numbers, which do not follow from the run's seed: use torch's",
    )
    expect(
        not torch_too or torch.equal(torch.get_rng_state(), seeded),
        f"{what} draws from torch's global random numbers, so what it gives depends on what came before: use the "
        "generator it is given, or one of its own with a fixed seed",
    )


def parameters_without_gradient(module: nn.Module) -> list[str]:
    """Return the names of the trainable parameters that the last backward pass did not reach."""
    return [name for name, value in module.named_parameters() if value.requires_grad and value.grad is None]


def expect_all_reached(what: str, module: nn.Module) -> None:
    """Raise ContractBroken, naming them, if parameters have no gradient, or one that is not finite."""
    missing = parameters_without_gradient(module)
    expect(
        not missing,
        f"{what}: the parameters {', '.join(missing)} never receive a gradient: use them in `forward`, remove them, or "
        "set requires_grad=False",
    )
    for name, value in module.named_parameters():
        if value.grad is not None:
            expect_finite(f"{what}: the gradient of {name}", value.grad)


def same(a: Any, b: Any) -> bool:
    """Whether two nested structures of tensors and plain values are equal, NaN being equal to itself."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.shape == b.shape and a.dtype == b.dtype and bool(torch.equal(a.nan_to_num(), b.nan_to_num()))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b or (a != a and b != b))
