"""Networks from z to the latents w of styles, and generators that have one."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.equalised import EqualisedLinear, PixelNorm, leaky_with_gain
from gan_zoo.layers import class_vectors

KEPT = 0.995
"""The share of the mean of w that each update keeps."""


class Mapping(nn.Module):
    """Normalises z and maps it to w by equalised layers (StyleGAN, Karras et al. 2019, arXiv 1812.04948, section 2).

    A label is embedded linearly, normalised too, and concatenated (Karras et al. 2020, arXiv 2006.06676, appendix).

    Args:
        latent_dim: the size of z.
        num_classes: the number of classes; None for none.
        size: of w.
        layers: how many.
        rate: the factor on the layers' learning rate.
    """

    def __init__(self, latent_dim: int, num_classes: int | None, size: int, layers: int, rate: float = 0.01) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.norm = PixelNorm()
        if num_classes is not None:
            self.embedding = EqualisedLinear(num_classes, size)
        sizes = [latent_dim + (size if num_classes is not None else 0)] + [size] * layers
        self.layers = nn.ModuleList(
            EqualisedLinear(a, b, rate=rate) for a, b in zip(sizes[:-1], sizes[1:], strict=True)
        )

    def forward(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Map z (N, latent_dim) to w (N, size)."""
        w: Tensor = self.norm(z)
        if self.num_classes is not None:
            embedded = self.embedding(class_vectors(labels, self.num_classes, z.dtype))
            w = torch.cat([w, self.norm(embedded)], dim=1)
        for layer in self.layers:
            w = leaky_with_gain(layer(w))
        return w


class StyleGenerator(Generator):
    """The base of generators that map z to a latent w for each of their layers.

    Attributes:
        layers: how many layers have a w.
        mixing: the probability, in training, that the later layers of a sample have another latent's w; set by the
            strategy `style_mixing`.
        mean: the running mean of w (D,).
    """

    mean: Tensor
    mapping: nn.Module

    def __init__(self, layers: int, size: int) -> None:
        super().__init__()
        self.layers = layers
        self.mixing = 0.0
        self.register_buffer("mean", torch.zeros(size))

    @abstractmethod
    def synthesise(self, w: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map w (N, layers, D) to images (N, C, H, W)."""

    def map(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to w (N, layers, D), the same for all layers."""
        return self.mapping(z, labels)[:, None].expand(-1, self.layers, -1)  # type: ignore[no-any-return]

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W), meant to lie in [-1, 1]."""
        w = self.map(z, labels)
        if self.training:
            with torch.no_grad():
                self.mean.lerp_(w[:, 0].mean(0).to(self.mean.dtype), 1 - KEPT)
            if self.mixing > 0:
                w = self.mixed(w, self.map(torch.randn_like(z), labels))
        return self.synthesise(w, labels)

    def mixed(self, w: Tensor, other: Tensor) -> Tensor:
        """Return w (N, layers, D) whose layers from a random one on are, with the probability `mixing`, the others'."""
        n, device = len(w), w.device
        first = torch.randint(1, max(self.layers, 2), (n, 1), device=device)
        kept = torch.rand(n, 1, device=device) >= self.mixing
        own = (torch.arange(self.layers, device=device) < first) | kept
        return torch.where(own[:, :, None], w, other)

    def truncated(self, w: Tensor, psi: float, layers: int | None = None) -> Tensor:
        """Return w (N, layers, D) with the first so many layers, or all, drawn to the mean: w̄ + ψ (w - w̄)."""
        if layers is None:
            return self.mean + psi * (w - self.mean)
        return torch.cat([self.mean + psi * (w[:, :layers] - self.mean), w[:, layers:]], dim=1)
