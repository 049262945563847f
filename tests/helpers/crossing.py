"""Which tensors may meet across devices, as CUDA has it: what tests with a pretended GPU hold the program to."""

import torch
from torch import Tensor

CPU = torch.device("cpu")

_OPERATORS = "add sub mul div truediv floordiv mod pow and or xor".split()
_BINARY = (
    "add sub subtract mul multiply div divide true_divide floor_divide remainder fmod pow float_power atan2 arctan2"
    " maximum minimum fmax fmin eq ne lt le gt ge not_equal less less_equal greater greater_equal rsub hypot copysign"
    " xlogy logaddexp logaddexp2 logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor"
).split()

IN_PLACE = {*(f"__i{name}__" for name in _OPERATORS), *(f"{name}_" for name in [*_BINARY, "masked_fill"])}

TAKES_NUMBERS = {
    *IN_PLACE,
    *_BINARY,
    *(f"__{way}{name}__" for way in ("", "r") for name in _OPERATORS),
    *(f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge")),
    *("where", "masked_fill"),
}
"""What takes a tensor of no dimensions from the CPU beside tensors on the GPU."""

ANYWHERE = {
    *("copy_", "fill_", "type", "__deepcopy__", "__repr__", "__format__"),
    *("new_tensor", "new_zeros", "new_ones", "new_full", "new_empty", "tensor", "as_tensor", "full", "arange"),
    *("linspace", "_has_compatible_shallow_copy_type", "backward", "grad"),
}
"""What looks at, copies or fills tensors wherever they are, or makes one of numbers."""

INDEXING = {"__getitem__", "__setitem__", "index_put", "index_put_"}
RECURRENT = {"lstm", "gru", "rnn_tanh", "rnn_relu"}


def tensors(found):
    """Yield the tensors in nested lists, tuples and mappings."""
    if isinstance(found, Tensor):
        yield found
    elif isinstance(found, list | tuple):
        for one in found:
            yield from tensors(one)
    elif isinstance(found, dict):
        yield from tensors([*found.values()])


def check(name, args, kwargs, device_of):
    """Raise what CUDA raises if a function may not be given these.

    Args:
        name: of the function.
        args: what it is given by place.
        kwargs: what it is given by name.
        device_of: says where a tensor is.
    """
    given = [*tensors(args), *tensors(kwargs)]
    if name in {"numpy", "__array__"} and device_of(args[0]) != CPU:
        raise TypeError(f"can't convert {device_of(args[0])} device type tensor to numpy. Use Tensor.cpu() first")
    if name == "_pack_padded_sequence":
        if device_of(args[1]) != CPU:
            raise RuntimeError("'lengths' argument should be a 1D CPU int64 tensor")
    elif name == "grad.__set__":
        if isinstance(args[1], Tensor) and device_of(args[1]) != device_of(args[0]):
            raise RuntimeError("assigned grad has data located on a different device")
    elif name in INDEXING:
        _check_indices(*args[:3], device_of=device_of)
    elif name in ANYWHERE or name.endswith(("__get__", "__set__")) or len({device_of(one) for one in given}) < 2:
        return
    else:
        if name in TAKES_NUMBERS and not (name in IN_PLACE and device_of(args[0]) == CPU):
            given = [one for one in given if device_of(one) != CPU or one.ndim]
        elif name == "_pad_packed_sequence" or (name in RECURRENT and not isinstance(args[3], bool)):
            given = [one for one in given if one is not args[1]]  # the sizes of the batches, which are on the CPU
        _require_one(name, given, device_of)


def _require_one(name, given, device_of):
    devices = sorted({str(device_of(one)) for one in given}, reverse=True)
    if len(devices) > 1:
        found = " and ".join(devices)
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, {found}! ({name})"
        )


def _check_indices(tensor, index, value=None, *, device_of):
    # A whole number of no dimensions is read, wherever it is, as Python's are.
    indices = [one for one in tensors([index]) if one.ndim or one.dtype == torch.bool]
    if device_of(tensor) == CPU and any(device_of(one) != CPU for one in indices):
        raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
    if indices and isinstance(value, Tensor) and value.ndim:
        _require_one("index_put_", [tensor, value], device_of)
