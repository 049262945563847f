"""The gradient of a scalar with respect to a parameter, by central differences."""

import torch


def by_differences(value, parameter, step=1e-6):
    """The gradient of `value()`; the parameter is moved in place and back, and the random numbers are its own."""
    gradient = torch.zeros_like(parameter)
    flat, entries = parameter.data.view(-1), gradient.view(-1)
    for i in range(len(flat)):
        kept, found = flat[i].item(), []
        for sign in (1, -1):
            flat[i] = kept + sign * step
            found.append(float(value()))
        flat[i] = kept
        entries[i] = (found[0] - found[1]) / (2 * step)
    return gradient
