"""A convolutional auto-encoder."""

from __future__ import annotations

from torch import Tensor, nn

from gan_zoo.layers import ImageSize, SigmoidImage, sides

UPS = ("unpool", "upsample")


class ConvAutoEncoder(nn.Module):
    """Two convolutions 3x3 with max pooling and, mirrored, two that enlarge.

    At 28 pixels: 28x28 -> 14x14xwidth -> 7x7xcode -> 14x14xwidth -> 28x28.

    Args:
        image_size: of square images, or height and width; multiples of 4.
        channels: of the images.
        width: channels of the first layer.
        code: channels of the code.
        up: how to enlarge: `unpool` puts each value where the pooling had found its maximum, zeros
            elsewhere (Zeiler & Fergus 2014, arXiv 1311.2901, section 2.1); `upsample` repeats it.
    """

    def __init__(self, image_size: ImageSize, channels: int, width: int, code: int, up: str) -> None:
        super().__init__()
        if any(side < 4 or side % 4 for side in sides(image_size)):
            raise ValueError(f"image_size={image_size}: it must be a multiple of 4, on both sides")
        if up not in UPS:
            raise ValueError(f"up={up!r}: choose one of {', '.join(UPS)}")
        self.up = up
        self.pool = nn.MaxPool2d(2, return_indices=True)
        self.unpool = nn.MaxUnpool2d(2)
        self.upsample = nn.Upsample(scale_factor=2)
        self.encode_first = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU())
        self.encode_second = nn.Sequential(nn.Conv2d(width, code, 3, padding=1), nn.ReLU())
        self.decode_first = nn.Sequential(nn.Conv2d(code, width, 3, padding=1), nn.ReLU())
        self.decode_second = nn.Sequential(nn.Conv2d(width, channels, 3, padding=1), SigmoidImage())

    def encode(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to their codes, flat (N, K)."""
        return self._encode(x)[0].flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to their reconstructions."""
        x, first, second = self._encode(x)
        x = self.decode_first(self._enlarge(x, second))
        return self.decode_second(self._enlarge(x, first))  # type: ignore[no-any-return]

    def _encode(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the code's maps, and where either pooling found its maxima."""
        x, first = self.pool(self.encode_first(x))
        x, second = self.pool(self.encode_second(x))
        return x, first, second

    def _enlarge(self, x: Tensor, maxima: Tensor) -> Tensor:
        enlarged: Tensor = self.unpool(x, maxima) if self.up == "unpool" else self.upsample(x)
        return enlarged
