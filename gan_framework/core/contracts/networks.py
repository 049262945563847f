"""The two contracts a network plugin fulfils."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gan_framework.core.records import EMPTY, DiscriminatorOutput

SAMPLES = "samples"
"""The name of the samples among all that a generator makes."""


class Generator(nn.Module, ABC):
    """Maps latents, and whatever else it is given, to samples.

    Attributes:
        conditional: whether the labels change what is generated.
    """

    conditional: bool = False

    @abstractmethod
    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """Map z (N, latent_dim), labels and what is given to samples, images (N, C, H, W) in [-1, 1].

        To be defined as `forward(self, z, labels=None)`, or `forward(self, z, labels=None, given=EMPTY)` by a
        generator that is given more by name (`Latent.given`).
        """

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the `samples` (N, ...) and all further outputs by name (a mask, log-probabilities): `Pair.made`."""
        return {SAMPLES: self(z, labels, given) if given else self(z, labels)}

    def map(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to the latents (N, ...) that `synthesise` takes; z itself without a mapping network."""
        return z

    def synthesise(self, w: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map what `map` returns to samples (N, ...)."""
        samples: Tensor = self(w, labels)
        return samples


class Discriminator(nn.Module, ABC):
    """Scores samples: inner `features`, then the layer `output` on the last of them.

    The two are kept apart so that a strategy can put something between them (minibatch
    discrimination) and an extra head can read the same features (AC-GAN, InfoGAN).

    Attributes:
        conditional: whether the labels change the score.
        patches: whether `output` maps the penultimate maps (N, A, ...) to a logit for each place (N, 1, ...); else it
            maps the flat penultimate features (N, A) to one logit (N, 1).
        batch_independent: whether its word on a sample in training depends on that sample alone; None to have it tried.
        output: the last layer.
        heads: further outputs by name, each reading the flat penultimate features.
    """

    conditional: bool = False
    patches: bool = False
    batch_independent: bool | None = None
    output: nn.Module
    heads: nn.ModuleDict

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleDict()

    @abstractmethod
    def features(self, *args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        """Return the inner activations of samples x, first layer first, the penultimate one last.

        To be defined as `features(self, x, labels=None)`, or `features(self, x, labels=None, *given)` by a
        discriminator that judges samples together with something else.
        """

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Score samples x, images (N, C, H, W) in [-1, 1], together with what belongs to them."""
        features = self.features(x, labels, *given)
        _keep_layout(features[-1])
        last = features[-1].flatten(1)
        logits = self.output(features[-1]) if self.patches else self.output(last).squeeze(1)
        return DiscriminatorOutput(logits, features, {name: head(last) for name, head in self.heads.items()})


def _keep_layout(maps: Tensor) -> None:
    """Have the gradient of channels-last maps come channels-last.

    Out of a fully connected layer it comes in the other layout, in which the layers before take twenty times as long.
    """
    if maps.requires_grad and maps.ndim == 4 and not maps.is_contiguous():
        # None where a penalty is differentiated through which no gradient reaches the maps.
        maps.register_hook(lambda g: g if g is None else g.contiguous(memory_format=torch.channels_last))
