"""A discriminator of bits, whose energy is their entropy."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import DiscriminatorOutput
from gan_zoo.discriminators.mlp import MLPDiscriminator
from gan_zoo.layers import ImageSize, init_weights
from gan_zoo.losses.variational_energy import bits_from, energy
from gan_zoo.ranges import require_positive


class BinaryEnergyDiscriminator(MLPDiscriminator):
    """Fully connected layers to bits, each a probability; the logit is minus the sum of their entropies.

    For `loss=variational_energy` (Zhai et al. 2016, arXiv 1611.01799): an energy that is bounded, and low wherever the
    bits are decided, which may be many places. Head: `bits` (N, bits).

    Args:
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the sizes of the hidden layers.
        bits: how many there are.
        activation: after each hidden layer.
        init: of the first weights, as in `discriminator=mlp`.
        init_std: their deviation with `truncated_normal` and `normal`.
        init_bias: the value at which biases start with `truncated_normal`.
        pixels: `unit` shows the network pixels in [0, 1]; `symmetric` leaves samples as they are, in [-1, 1].
    """

    def __init__(
        self,
        image_size: ImageSize | None,
        channels: int,
        hidden: list[int],
        bits: int,
        activation: str,
        init: str,
        init_std: float,
        init_bias: float,
        pixels: str,
    ) -> None:
        require_positive(bits=bits)
        super().__init__(image_size, channels, hidden, activation, init_std, init_bias, pixels, init)
        self.output = nn.Linear(hidden[-1], bits)
        init_weights(self.output, init, init_std, init_bias)

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Return the energies (N,) of samples x (N, ...), negative."""
        features = self.features(x)
        last = features[-1]
        bits = bits_from(self.output(last))
        heads = {name: head(last) for name, head in self.heads.items()}
        return DiscriminatorOutput(-energy(bits), features, heads | {"bits": bits})
