"""A discriminator whose score is a likelihood."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gan_framework.api import DiscriminatorOutput
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.layers import ImageSize, init_normal
from gan_zoo.ranges import require_positive


class MixtureLikelihoodDiscriminator(DCGANDiscriminator):
    """Embeds a sample, and scores it by its likelihood under a mixture of Gaussians, as a share of the greatest one.

    After Eghbal-zadeh & Widmer 2017 (arXiv 1708.01886), in the smallest form of their idea: the mixture's means,
    deviations and shares are learnt with the embedding, by `loss=least_squares`. The logit is p(e) / max_k p(mean_k),
    above 0 and, with one component, at most 1. Heads: `vector`, the embedding (N, size), and its `log_likelihood`
    (N, 1).

    Args:
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the first layer.
        norm: as that of `discriminator=dcgan`.
        size: of the embedding.
        components: of the mixture.
    """

    def __init__(self, image_size: ImageSize, channels: int, width: int, norm: str, size: int, components: int) -> None:
        require_positive(size=size, components=components)
        super().__init__(image_size, channels, width, norm)
        assert isinstance(self.output, nn.Linear)
        self.output = nn.Linear(self.output.in_features, size)
        init_normal(self.output, 0.02)
        # Nearer to each other than their deviations, so that no embedding is out of reach of all.
        self.means = nn.Parameter(0.5 * torch.randn(components, size))
        self.log_std = nn.Parameter(torch.zeros(components, size))
        self.log_shares = nn.Parameter(torch.zeros(components))

    def log_likelihood(self, embedding: Tensor) -> Tensor:
        """Return log p (N,) of embeddings (N, size)."""
        off = (embedding[:, None] - self.means) * (-self.log_std).exp()
        constant = self.log_std.sum(1) + 0.5 * self.means.shape[1] * math.log(2 * math.pi)
        return (self.log_shares.log_softmax(0) - constant - 0.5 * off.square().sum(2)).logsumexp(1)

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Return the likelihoods (N,) of images x (N, C, H, W), as shares of the greatest one at a mean."""
        features = self.features(x)
        last = features[-1].flatten(1)
        embedding = self.output(last).to(self.means.dtype)  # a density in half precision would be 0
        found = self.log_likelihood(embedding)
        greatest = self.log_likelihood(self.means).amax()
        heads = {name: head(last) for name, head in self.heads.items()}
        heads |= {"vector": embedding, "log_likelihood": found[:, None]}
        return DiscriminatorOutput((found - greatest).exp(), features, heads)
