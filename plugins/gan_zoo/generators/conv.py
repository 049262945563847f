"""The generator of the tutorial network with resizing."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Generator
from gan_zoo.layers import ImageSize, SigmoidImage, init_truncated_normal, sides


class ConvGenerator(Generator):
    """One linear layer to a map of twice the image's size, then convolutions that halve it, resized in between.

    For 28x28: z -> 1x56x56 -> 3x3/2 to z/2 channels -> resized to 56x56 -> 3x3/2 to z/4 channels ->
    resized to 56x56 -> 1x1/2 to the image, with batch norm and ReLU before every convolution.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width.
        channels: of the images.
        drawn_biases: whether biases are drawn as the weights are; they are 0 otherwise.
        norm_gain: whether batch norm has a gain to be learned; without it, it has a bias alone.
    """

    def __init__(
        self,
        latent_dim: int,
        image_size: ImageSize,
        channels: int,
        drawn_biases: bool = False,
        norm_gain: bool = True,
    ) -> None:
        super().__init__()
        if latent_dim < 4:
            raise ValueError(f"latent_dim={latent_dim}: it must be at least 4")
        height, width = sides(image_size)
        self.size = 2 * height, 2 * width
        half, quarter = latent_dim // 2, latent_dim // 4
        self.linear = nn.Linear(latent_dim, self.size[0] * self.size[1])
        self.start = nn.Sequential(nn.BatchNorm2d(1), nn.ReLU())
        self.convolutions = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(1, half, 3, 2, 1), nn.BatchNorm2d(half), nn.ReLU()),
                nn.Sequential(nn.Conv2d(half, quarter, 3, 2, 1), nn.BatchNorm2d(quarter), nn.ReLU()),
            ]
        )
        self.output = nn.Sequential(nn.Conv2d(quarter, channels, 1, 2), SigmoidImage())
        init_truncated_normal(self, 0.02, None if drawn_biases else 0.0)
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                # A gain that stays at 1, so that the layer's names in checkpoints are the same.
                layer.weight.requires_grad_(norm_gain)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        x = self.start(self.linear(z).view(-1, 1, *self.size))
        for convolution in self.convolutions:
            x = F.interpolate(convolution(x), size=self.size, mode="bilinear")
        return self.output(x)  # type: ignore[no-any-return]
