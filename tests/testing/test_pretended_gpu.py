"""The GPU that tests pretend: what CUDA's documentation says may meet does, and what it says may not does not."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tests.helpers.pretended import CPU, GPU, pretended_gpu


@pytest.fixture
def gpu():
    with pretended_gpu() as device:
        yield device


MIXED = "Expected all tensors to be on the same device"
DRAWN = "device type for generator"
REFUSED = {
    "a sum": (MIXED, lambda here, there: there + here),
    "a sum with one number of the GPU": (MIXED, lambda here, there: here + there[0]),
    "a sum into the CPU": (MIXED, lambda here, there: here[0].clone().add_(there[0])),
    "an operator into the CPU": (MIXED, lambda here, there: here[0].clone().__iadd__(there[0])),
    "a product of matrices": (MIXED, lambda here, there: here[None] @ there[:, None]),
    "joined": (MIXED, lambda here, there: torch.cat([here, there])),
    "stacked": (MIXED, lambda here, there: torch.stack([here, there])),
    "one number stacked": (MIXED, lambda here, there: torch.stack([there[0], torch.tensor(1.0)])),
    "chosen by a mask": (MIXED, lambda here, there: torch.where(here > 0, there, 0.0)),
    "filled by a mask": (MIXED, lambda here, there: there.masked_fill(here > 0, 0.0)),
    "gathered": (MIXED, lambda here, there: there.gather(0, torch.arange(2))),
    "selected": (MIXED, lambda here, there: there.index_select(0, torch.arange(2))),
    "embedded": (MIXED, lambda here, there: F.embedding(torch.arange(2), there[:, None])),
    "a loss": (MIXED, lambda here, there: F.mse_loss(there, here)),
    "a layer": (MIXED, lambda here, there: nn.Linear(3, 2)(there)),
    "compared": (MIXED, lambda here, there: torch.equal(here, there)),
    "clamped": (MIXED, lambda here, there: there.clamp(min=here)),
    "the CPU's at indices of the GPU": ("indices should be", lambda here, there: here[(there > 0)]),
    "set at indices": (MIXED, lambda here, there: there.clone().__setitem__(torch.arange(3), here)),
    "to NumPy": ("can't convert cuda:0", lambda here, there: there.numpy()),
    "drawn by the CPU's": (DRAWN, lambda *_: torch.rand(2, device=GPU, generator=torch.Generator())),
    "drawn by the GPU's": (DRAWN, lambda *_: torch.rand(2, generator=torch.Generator(GPU))),
    "drawn in place": (DRAWN, lambda here, there: there.clone().normal_(generator=torch.Generator())),
    "a gradient": ("assigned grad", lambda here, there: setattr(there.clone(), "grad", here)),
    "lengths": ("'lengths'", lambda here, there: pack_padded_sequence(there.view(1, 3, 1), there[2:].long(), True)),
    "in the backward pass": (MIXED, lambda here, there: _hooked(there, here).backward()),
    "in a gradient's hook": (MIXED, lambda here, there: torch.autograd.grad(_hooked(there, here), _LEAF)),
}  # fmt: skip

_LEAF = []


def _hooked(there, here):
    leaf = there.clone().requires_grad_()
    leaf.register_hook(lambda grad: grad * here)
    _LEAF[:] = [leaf]
    return leaf.square().sum()


@pytest.mark.parametrize("what", REFUSED)
def test_what_cuda_refuses(what, gpu):
    message, call = REFUSED[what]
    here = torch.arange(3.0)
    with pytest.raises((RuntimeError, TypeError), match=message):
        call(here, here.to(gpu))


ALLOWED = {
    "a sum": (lambda here, there: there + there, GPU, [0, 2, 4]),
    "a sum with one number": (lambda here, there: torch.tensor(1.0) + there, GPU, [1, 2, 3]),
    "into the GPU": (lambda here, there: there.clone().add_(torch.tensor(1.0)), GPU, [1, 2, 3]),
    "two single numbers": (lambda here, there: torch.tensor(1.0) * there[2], GPU, 2),
    "chosen with one number": (lambda here, there: torch.where(there > 1, there, torch.tensor(9.0)), GPU, [9, 9, 2]),
    "at indices of the CPU": (lambda here, there: there[torch.tensor([2, 0])], GPU, [2, 0]),
    "at a mask of the CPU": (lambda here, there: there[here > 0], GPU, [1, 2]),
    "at one index of the GPU": (lambda here, there: here[torch.tensor(2, device=GPU)], CPU, 2),
    "copied": (lambda here, there: there.clone().copy_(here + 1), GPU, [1, 2, 3]),
    "a part set": (lambda here, there: _set(there.clone(), slice(0, 2), here[1:]), GPU, [1, 2, 2]),
    "one number set": (lambda here, there: _set(there.clone(), torch.tensor([0]), torch.tensor(7.0)), GPU, [7, 1, 2]),
    "moved back": (lambda here, there: there.cpu() + here, CPU, [0, 2, 4]),
    "moved as another": (lambda here, there: here.to(there) + there, GPU, [0, 2, 4]),
    "moved and converted": (lambda here, there: here.to(GPU, torch.float64, non_blocking=True), GPU, [0, 1, 2]),
    "converted alone": (lambda here, there: there.to(torch.float64), GPU, [0, 1, 2]),
    "to where it is": (lambda here, there: there.to(GPU), GPU, [0, 1, 2]),
    "made like": (lambda here, there: torch.zeros_like(there), GPU, [0, 0, 0]),
    "made like, elsewhere": (lambda here, there: torch.zeros_like(there, device="cpu"), CPU, [0, 0, 0]),
    "new of one": (lambda here, there: there.new_ones(2), GPU, [1, 1]),
    "of numbers of the GPU": (lambda here, there: torch.tensor([there[1], there[2]]), CPU, [1, 2]),
    "a factory": (lambda here, there: torch.arange(3, device=there.device), GPU, [0, 1, 2]),
    "a factory without a device": (lambda here, there: torch.arange(3), CPU, [0, 1, 2]),
    "read by NumPy": (lambda here, there: torch.from_numpy(there.cpu().numpy()), CPU, [0, 1, 2]),
}


def _set(tensor, index, value):
    tensor[index] = value
    return tensor


@pytest.mark.parametrize("what", ALLOWED)
def test_what_cuda_allows(what, gpu):
    call, where, values = ALLOWED[what]
    here = torch.arange(3.0)
    found = call(here, here.to(gpu))
    assert found.device == where
    assert found.is_cuda == (where == gpu)
    assert found.tolist() == values
    assert here.device == CPU  # whatever has been made of it


def test_a_module_goes_with_all_that_it_has_and_so_do_its_copies_and_gradients(gpu):
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).to(gpu)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(4, 3, device=gpu)).square().sum().backward()
    clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    for found in (network, copy.deepcopy(network)):
        assert {one.device for one in [*found.parameters(), *found.buffers()]} == {gpu}
    assert {parameter.grad.device for parameter in network.parameters()} == {gpu}
    assert {one.device for one in network.cpu().parameters()} == {CPU}


def test_a_random_numbers_generator_draws_where_it_is(gpu):
    generator = torch.Generator(device="cuda").manual_seed(1)
    assert generator.device == gpu
    drawn = torch.rand(3, device=gpu, generator=generator)
    assert drawn.device == gpu
    assert drawn.tolist() == torch.rand(3, generator=torch.Generator().manual_seed(1)).tolist()


def test_recurrent_layers_take_the_lengths_of_the_cpu(gpu):
    layer = nn.LSTM(1, 2, batch_first=True).to(gpu)
    packed = pack_padded_sequence(torch.ones(2, 3, 1, device=gpu), torch.tensor([3, 2]), batch_first=True)
    made, lengths = pad_packed_sequence(layer(packed)[0], batch_first=True)
    assert (made.device, lengths.device) == (gpu, CPU)


def test_a_file_holds_nothing_of_it_and_is_read_to_where_it_is_asked_for(gpu, tmp_path):
    torch.save({"x": torch.ones(2, device=gpu)}, tmp_path / "x.pt")
    assert torch.load(tmp_path / "x.pt", map_location=gpu, weights_only=True)["x"].device == gpu
    assert torch.load(tmp_path / "x.pt", map_location="cpu", weights_only=True)["x"].device == CPU


def test_afterwards_everything_is_as_before():
    before = torch.Generator, torch.load, vars(torch.Tensor).get("_make_subclass"), torch.random.fork_rng
    with pretended_gpu() as device:
        assert torch.zeros(1, device=device).device == device
    after = torch.Generator, torch.load, vars(torch.Tensor).get("_make_subclass"), torch.random.fork_rng
    assert after == before
    assert torch.zeros(1).device == CPU
