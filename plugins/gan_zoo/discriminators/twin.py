"""Two discriminators in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from gan_framework.api import Discriminator, DiscriminatorOutput
from gan_zoo.discriminators.conv import ConvDiscriminator
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.discriminators.linear import LinearDiscriminator
from gan_zoo.discriminators.mlp import MLPDiscriminator
from gan_zoo.discriminators.resnet import ResNetDiscriminator

HALVES: dict[str, Callable[..., Discriminator]] = {
    "conv": ConvDiscriminator,
    "dcgan": DCGANDiscriminator,
    "linear": LinearDiscriminator,
    "mlp": MLPDiscriminator,
    "resnet": ResNetDiscriminator,
}


class TwinDiscriminator(Discriminator):
    """Two networks alike that score each sample apart, for `loss=dual_discriminator` (Nguyen et al. 2017).

    D2GAN, arXiv 1709.03831, section 3. The logits and the features are the first one's; the second one's logits are the
    head `second` (N, 1), or as patches are. Strategies that widen a discriminator's last layer widen the first one's.

    Args:
        of: the settings of either network, with its `name`: conv, dcgan, linear, mlp or resnet.
    """

    def __init__(self, of: dict[str, Any]) -> None:
        super().__init__()
        settings = dict(of)
        name = settings.pop("name", None)
        if name not in HALVES:
            raise ValueError(f"of.name={name!r}: choose one of {', '.join(HALVES)}")
        try:
            self.first, self.second = HALVES[name](**settings), HALVES[name](**settings)
        except TypeError as error:
            raise ValueError(f"of={of}: the settings of discriminator={name} do not fit: {error}") from error
        # Here alone, where strategies look for it.
        self.output = self.first.output
        del self.first.output
        self.patches = self.first.patches
        self.batch_independent = self.first.batch_independent

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the first network's activations for samples x (N, ...)."""
        features: tuple[Tensor, ...] = self.first.features(x, labels, *given)
        return features

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Score samples x (N, ...) by both networks."""
        said = super().forward(x, labels, *given)
        second: Tensor = self.second(x, labels, *given).logits
        return said._replace(heads={**said.heads, "second": second[:, None] if second.ndim == 1 else second})
