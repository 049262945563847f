"""The two contracts a network plugin fulfils."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from gan_framework.core.records import DiscriminatorOutput


class Generator(nn.Module, ABC):
    """Maps latents to samples.

    Attributes:
        conditional: whether the labels change what is generated.
    """

    conditional: bool = False

    @abstractmethod
    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) and labels to samples, images (N, C, H, W) in [-1, 1]."""


class Discriminator(nn.Module, ABC):
    """Scores samples: inner `features`, then the linear layer `output` on the last of them.

    The two stages are kept apart so that a strategy can put something between them (minibatch
    discrimination) and an extra head can read the same features (AC-GAN, InfoGAN).

    Attributes:
        conditional: whether the labels change the score.
        output: maps the flat penultimate features (N, A) to one logit (N, 1).
        heads: further outputs by name, each reading the flat penultimate features.
    """

    conditional: bool = False
    output: nn.Module
    heads: nn.ModuleDict

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleDict()

    @abstractmethod
    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the inner activations of samples x, first layer first, the penultimate one last."""

    def forward(self, x: Tensor, labels: Tensor | None = None) -> DiscriminatorOutput:
        """Score samples x, images (N, C, H, W) in [-1, 1]."""
        features = self.features(x, labels)
        _keep_layout(features[-1])
        last = features[-1].flatten(1)
        logits = self.output(last).squeeze(1)
        return DiscriminatorOutput(logits, features, {name: head(last) for name, head in self.heads.items()})


def _keep_layout(maps: Tensor) -> None:
    """Have the gradient of channels-last maps come channels-last.

    Out of a fully connected layer it comes in the other layout, in which the layers before take twenty times as long.
    """
    if maps.requires_grad and maps.ndim == 4 and not maps.is_contiguous():
        maps.register_hook(lambda gradient: gradient.contiguous(memory_format=torch.channels_last))
