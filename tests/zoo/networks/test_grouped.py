"""Grouped convolutions equal torch's in value and in first and second derivatives, with one convolution for each."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gan_zoo.grouped import Form, GroupedConv2d, convolved

FORMS = {
    "same": Form((1, 1), (1, 1), 2),
    "strided": Form((2, 2), (1, 1), 4),
    "strided with a rest": Form((2, 3), (0, 1), 2),
    "transposed": Form((2, 2), (1, 1), 4, transposed=True),
    "transposed with a rest": Form((2, 2), (1, 1), 2, transposed=True, further=(1, 0)),
}


def tensors(form):
    random = torch.Generator().manual_seed(0)
    shape = (4, 6 // form.groups if form.groups == 2 else 1, 3, 3)
    x = torch.randn(2, 4, 6, 5, generator=random, dtype=torch.float64)
    return x.requires_grad_(), torch.randn(shape, generator=random, dtype=torch.float64).requires_grad_()


def reference(x, weight, form):
    if form.transposed:
        return F.conv_transpose2d(x, weight, None, form.stride, form.padding, form.further, form.groups)
    return F.conv2d(x, weight, None, form.stride, form.padding, 1, form.groups)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_values_and_derivatives_are_those_of_torch(form):
    x, weight = tensors(form)
    if not form.transposed:  # (C', C / groups, K, K)
        weight = torch.randn(8, 4 // form.groups, 3, 3, dtype=torch.float64, requires_grad=True)
    found = []
    for convolution in (convolved, reference):
        y = convolution(x, weight, form)
        first = torch.autograd.grad(y.square().sum(), (x, weight), create_graph=True)
        second = torch.autograd.grad(sum(g.pow(3).sum() for g in first), (x, weight))
        found.append((y, *first, *second))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)
    assert torch.autograd.gradgradcheck(lambda x, w: convolved(x, w, form), (x, weight))


def test_a_penalty_takes_as_many_convolutions_whatever_the_groups():
    def count(groups):
        conv = GroupedConv2d(32, 32, 3, padding=1, groups=groups, bias=False)
        x = torch.randn(1, 32, 4, 4, requires_grad=True)
        with torch.profiler.profile() as profile:
            (gradient,) = torch.autograd.grad(conv(x).square().sum(), x, create_graph=True)
            gradient.square().sum().backward()
        return sum(event.count for event in profile.key_averages() if event.key == "aten::_convolution")

    assert count(1) == count(16)


def test_the_layer_is_torch_s_by_name_and_value():
    ours, theirs = GroupedConv2d(4, 8, 3, 2, 1, groups=2), nn.Conv2d(4, 8, 3, 2, 1, groups=2)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(3, 4, 7, 7)
    torch.testing.assert_close(ours(x), theirs(x))
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ours(x).dtype is theirs(x).dtype is torch.bfloat16
        torch.testing.assert_close(ours(x), theirs(x), rtol=0.02, atol=0.02)
