"""The loss of variational training of energies."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import AdversarialLoss, DiscriminatorOutput
from gan_zoo.losses.vectors import vectors

LEAST = 1e-4
"""The least probability of a bit, and of its contrary: in the authors' program they are cut off there."""


def bits_from(scores: Tensor) -> Tensor:
    """Return sigmoid(scores) cut off at both ends, in float32 or wider: half precision does not know 1 - LEAST."""
    wide = scores.to(torch.promote_types(scores.dtype, torch.float32))
    return wide.sigmoid().clamp(LEAST, 1 - LEAST)


def binary_entropy(p: Tensor) -> Tensor:
    """Return -p log p - (1 - p) log(1 - p), in nats, of probabilities inside (0, 1)."""
    return -(p * p.log() + (1 - p) * (1 - p).log())


def energy(bits: Tensor) -> Tensor:
    """Return the sum of the entropies (N,) of samples' bits (N, K)."""
    return binary_entropy(bits).sum(1)


class VariationalEnergy(AdversarialLoss):
    """An energy that is the entropy of D's bits, and a generator that keeps its own entropy up (Zhai et al. 2016).

    VGAN, arXiv 1611.01799, with rho = 1. E(x) is the sum over bits of H(p_k(x)), and H(batch) that of H(mean p_k), high
    where a batch varies: D minimises E E(x) - E E(G(z)) - H(x), and G E E(G(z)) - H(G(z)). Bits are the discriminator's
    head `bits`, as `discriminator=binary_energy` has it, or else the sigmoid of its head `vector` or last features.
    """

    compares_vectors = True

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return E E(x) - E E(G(z)) - H(x)."""
        x, g = _bits(real), _bits(fake)
        return energy(x).mean() - energy(g).mean() - _entropy_of_batch(x)

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return E E(G(z)) - H(G(z))."""
        g = _bits(fake)
        return energy(g).mean() - _entropy_of_batch(g)


def _bits(said: DiscriminatorOutput) -> Tensor:
    return said.heads["bits"] if "bits" in said.heads else bits_from(vectors("variational_energy", said))


def _entropy_of_batch(bits: Tensor) -> Tensor:
    return binary_entropy(bits.mean(0)).sum()
