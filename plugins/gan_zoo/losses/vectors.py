"""What losses compare that look at vectors and not at scores."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from gan_framework.api import AdversarialLoss, ConfigError, DiscriminatorOutput


def vectors(loss: str, said: DiscriminatorOutput) -> Tensor:
    """Return a vector (N, K) for each sample: the discriminator's head `vector`, or else its last inner features.

    Raises:
        ConfigError: it has neither; names the loss.
    """
    if "vector" not in said.heads and not said.features:
        raise ConfigError(f"loss={loss} compares a discriminator's inner features, and this one reports none")
    found = said.heads["vector"] if "vector" in said.heads else said.features[-1]
    return found.flatten(1).to(said.logits.dtype)  # which is never half precision


class VectorDistance(AdversarialLoss):
    """The base of losses that are one distance of the two batches: D makes it great, G small."""

    generator_needs_real = True
    compares_vectors = True

    @abstractmethod
    def distance(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return the distance of what was said of real samples from what was said of generated ones."""

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return the distance, negative."""
        return -self.distance(real, fake)

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return the distance."""
        assert real is not None
        return self.distance(real, fake)
