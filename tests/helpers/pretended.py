"""A GPU that there is not: CPU tensors say that they are on it, and meet what is not on it as they would on a GPU."""

import contextlib
import functools

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tests.helpers.crossing import CPU, check, tensors

GPU = torch.device("cuda", 0)
"""The device that is pretended."""

NEW = {"new_tensor", "new_zeros", "new_ones", "new_full", "new_empty"}
OF_NUMBERS = {"full", "arange", "linspace"}
PACKING = {"_pack_padded_sequence", "_pad_packed_sequence"}


def device_of(tensor):
    """Return the device that a tensor says it is on."""
    # What the backward pass hands to hooks was made within it, of what the loss is made of.
    return tensor.__dict__.get("said") or (GPU if torch._C._current_graph_task_id() != -1 else CPU)


def put(tensor, device):
    """Let a tensor say that it is on a device; return it."""
    tensor.__dict__["said"] = device
    return tensor


def named(asked):
    """Return the device that an argument asks for, all GPUs being one; None for none."""
    if asked is None:
        return None
    return GPU if isinstance(asked, int) or torch.device(asked).type == "cuda" else torch.device(asked)


class Generator(torch.Generator):
    """Random numbers that say where they are drawn."""

    said = CPU

    def __new__(cls, device="cpu"):
        made = super().__new__(cls, "cpu")
        made.said = named(device)
        return made

    @property
    def device(self):
        return self.said


class PretendedGPU(TorchFunctionMode):
    """Has tensors say that they are on a GPU, and raises what CUDA raises where they meet the CPU's.

    All is computed on the CPU, so that what numbers decide is decided. A tensor is where it was asked to be, or where
    what it was made of is; what is made of nothing is on the CPU. A call of torch is one thing: what happens within it
    is torch's affair.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Call a function of torch as it would be called where its tensors say that they are."""
        kwargs, name = dict(kwargs or {}), func.__name__
        if name in {"__get__", "__set__"}:
            name = f"{getattr(func.__self__, '__name__', '')}.{name}"
        if name in ANSWERS:
            return ANSWERS[name](device_of(args[0]))
        if name in {"to", "cpu", "cuda"}:
            return _moved(name, func, args, kwargs)
        if name == "pin_memory":
            return put(args[0].clone(), CPU)
        if name == "__reduce_ex__":
            return _reduced(func, args)
        asked = named(kwargs.pop("device", None))
        check(name, args, kwargs, device_of)
        where = asked or _place(name, args, kwargs)
        drawing = kwargs.get("generator")
        if drawing is not None and (said := getattr(drawing, "said", CPU)) != where:
            raise RuntimeError(f"Expected a '{where.type}' device type for generator but found '{said.type}'")
        made = func(*args, **kwargs)
        if name == "data.__set__":
            put(args[0], device_of(args[1]))
        given = [id(one) for one in (*tensors(args), *tensors(kwargs))]
        for one in tensors(made):
            if id(one) not in given:
                put(one, where)
        if name in PACKING:
            put(made[1], CPU)  # how many go on
        return made


ANSWERS = {
    "device.__get__": lambda where: where,
    "is_cuda.__get__": lambda where: where == GPU,
    "is_cpu.__get__": lambda where: where == CPU,
    "get_device": lambda where: 0 if where == GPU else -1,
    "is_pinned": lambda where: False,
}


def _place(name, args, kwargs):
    """Return where something new is."""
    if name in OF_NUMBERS or (name == "tensor" and not isinstance(args[0], Tensor)):
        return CPU
    if name in NEW or name == "__getitem__":
        return device_of(args[0])
    there = {device_of(one) for one in (*tensors(args), *tensors(kwargs))}
    return GPU if GPU in there else CPU


def _moved(name, func, args, kwargs):
    tensor, *rest = args
    here = device_of(tensor)
    kwargs.pop("non_blocking", None)
    if name != "to":
        where, found = CPU if name == "cpu" else GPU, tensor
    else:
        if "other" in kwargs:
            rest.insert(0, kwargs.pop("other"))
        if rest and isinstance(rest[0], Tensor):
            rest[:1] = [device_of(rest[0]), rest[0].dtype]
        asked = kwargs.pop("device", None)
        if rest and (rest[0] is None or isinstance(rest[0], str | int | torch.device)):
            asked = rest.pop(0)
        where = named(asked) or here
        rest = [one for one in rest if isinstance(one, torch.dtype)]  # the others say whether it waits
        found = func(tensor, *rest, **kwargs) if rest or kwargs else tensor
    if where != here and found is tensor:
        found = tensor.clone()
    return found if found is tensor else put(found, where)


def _reduced(func, args):
    """Return what a file is told of a tensor, which is nothing of where it says that it is."""
    said = args[0].__dict__.pop("said", None)
    try:
        return func(*args)
    finally:
        if said is not None:
            put(args[0], said)


@contextlib.contextmanager
def pretended_gpu():
    """Pretend in the context that there is a GPU, and give its device; other threads and processes see none."""
    mode = PretendedGPU()
    run_backward, make_subclass = torch.autograd.graph._engine_run_backward, torch.Tensor._make_subclass
    subclassed = torch.Tensor.as_subclass
    load, fork, group = torch.load, torch.random.fork_rng, torch._C._group_tensors_by_device_and_dtype

    def backward(*args, **kwargs):
        with mode:  # which is not in force while it calls torch, and hooks are to be seen
            return run_backward(*args, **kwargs)

    @functools.wraps(make_subclass)  # torch compares their signatures
    def subclass(cls, data, *args, **kwargs):
        return put(make_subclass(cls, data, *args, **kwargs), device_of(data))

    def as_subclass(tensor, cls):
        return put(subclassed(tensor, cls), device_of(tensor))

    def loaded(file, map_location=None, **kwargs):
        found = load(file, map_location="cpu", **kwargs)
        for tensor in tensors(found):
            put(tensor, named(map_location) or CPU)
        return found

    def grouped(lists, *args):  # so that torch's own Python reads the same devices as everybody
        found = group(lists, *args)
        return {(device_of(next(tensors(of_kind[0]))), kind): of_kind for (_, kind), of_kind in found.items()}

    patches = [
        (torch.autograd, "_engine_run_backward", backward),
        (torch.autograd.graph, "_engine_run_backward", backward),
        (torch.Tensor, "_make_subclass", staticmethod(subclass)),
        (torch.Tensor, "as_subclass", as_subclass),
        (torch, "Generator", Generator),
        (torch, "load", loaded),
        (torch.random, "fork_rng", lambda devices=(), *args, **kwargs: fork((), *args, **kwargs)),
        (torch._C, "_group_tensors_by_device_and_dtype", grouped),
        (torch.backends.cudnn, "is_acceptable", lambda tensor: False),
    ]
    with contextlib.ExitStack() as stack:
        for place, name, new in patches:
            own = name in vars(place)
            stack.callback(*((setattr, place, name, vars(place)[name]) if own else (delattr, place, name)))
            setattr(place, name, new)
        stack.enter_context(mode)
        yield GPU
