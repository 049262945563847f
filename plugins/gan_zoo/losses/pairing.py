"""What losses of pairs of samples share."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import DiscriminatorOutput


def differences(real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
    """Return |x - G(z)| (N, D) of the real and the generated sample of each place, which carries no gradient."""
    assert real.samples is not None and fake.samples is not None
    return (real.samples.detach() - fake.samples.detach()).abs().flatten(1)
