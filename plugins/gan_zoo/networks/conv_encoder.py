"""A convolutional encoder."""

from __future__ import annotations

from torch import Tensor, nn

from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.layers import OUTPUTS, ImageSize, choose, init_normal
from gan_zoo.ranges import require_positive


class ConvEncoder(nn.Module):
    """The layers of DCGAN's discriminator, and a linear one to a vector.

    Args:
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the first layer.
        norm: `batch`, `layer`, `instance` or `none`.
        outputs: the sizes of the parts of the output vector: codes, or means and logarithms of variances.
        output: `linear`, or `tanh` for codes in [-1, 1].
    """

    def __init__(
        self, image_size: ImageSize, channels: int, width: int, norm: str, outputs: list[int], output: str
    ) -> None:
        super().__init__()
        require_positive(outputs=sum(outputs))
        trunk = DCGANDiscriminator(image_size, channels, width, norm)
        assert isinstance(trunk.output, nn.Linear)
        last = nn.Linear(trunk.output.in_features, sum(outputs))
        if output not in ("linear", "tanh"):
            raise ValueError(f"output={output!r}: choose linear or tanh")
        self.layers = nn.Sequential(*trunk.blocks, nn.Flatten(), last, choose(OUTPUTS, "output", output))
        init_normal(self, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to vectors (N, sum of outputs)."""
        outputs: Tensor = self.layers(x)
        return outputs
