"""A discriminator of samples and latents, of fully connected layers."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import ACTIVATIONS, ImageSize, Maxout, activations, choose, init_normal, sample_shape
from gan_zoo.ranges import require_below_one


def beside(given: tuple[Tensor, ...], latent_dim: int) -> Tensor:
    """Return the latents (N, latent_dim) that samples are judged together with.

    Raises:
        LookupError: what is given are no such latents.
    """
    if len(given) != 1 or given[0].shape[1:] != (latent_dim,):
        found = ", ".join(str(tuple(one.shape)) for one in given) or "nothing"
        raise LookupError(f"judges samples together with latents (N, {latent_dim}), and is given {found}")
    return given[0]


class JointMLPDiscriminator(Discriminator):
    """Fully connected layers from a sample and its latent, joined, to one logit (Dumoulin et al. 2017, section 2.1).

    Args:
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        latent_dim: the size of a latent.
        hidden: the sizes of the hidden layers.
        activation: after each hidden layer: relu, leaky_relu, tanh or sigmoid; `maxout` for units of several pieces.
        pieces: linear functions of each unit with `maxout`.
        dropout: the share of hidden activations that are dropped in training.
        init_std: the deviation of the first weights.
    """

    def __init__(
        self,
        image_size: ImageSize | None,
        channels: int,
        latent_dim: int,
        hidden: list[int],
        activation: str,
        pieces: int,
        dropout: float,
        init_std: float,
    ) -> None:
        super().__init__()
        if not hidden:
            raise ValueError("hidden=[]: the discriminator needs at least one hidden layer")
        require_below_one(dropout=dropout)
        self.latent_dim = latent_dim
        sizes = [math.prod(sample_shape(channels, image_size)) + latent_dim, *hidden]
        self.hidden = nn.ModuleList()
        for inputs, outputs in pairwise(sizes):
            layers: list[nn.Module] = [nn.Dropout(dropout)] if dropout and len(self.hidden) else []
            if activation == "maxout":
                layers.append(Maxout(inputs, outputs, pieces))
            else:
                layers += [nn.Linear(inputs, outputs), choose(ACTIVATIONS, "activation", activation)]
            self.hidden.append(nn.Sequential(*layers))
        self.output = nn.Linear(sizes[-1], 1)
        init_normal(self, init_std)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the activations after every hidden layer for samples x (N, ...) and their latents."""
        z = beside(given, self.latent_dim)
        return activations(self.hidden, torch.cat([x.flatten(1), z.to(x.dtype)], dim=1))
