"""What losses compare that look at vectors and not at scores."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import ConfigError, DiscriminatorOutput


def vectors(loss: str, said: DiscriminatorOutput) -> Tensor:
    """Return a vector (N, K) for each sample: the discriminator's head `vector`, or else its last inner features.

    Raises:
        ConfigError: it has neither; names the loss.
    """
    if "vector" not in said.heads and not said.features:
        raise ConfigError(f"loss={loss} compares a discriminator's inner features, and this one reports none")
    found = said.heads["vector"] if "vector" in said.heads else said.features[-1]
    return found.flatten(1).to(said.logits.dtype)  # which is never half precision
