"""Context-RNN-GAN (Ghosh et al. 2017, arXiv 1609.09444): the image that goes on a sequence, judged beside what was."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import EMPTY, Discriminator, Generator
from gan_zoo.ndims import cut, down, init_dcgan, up
from gan_zoo.translating import SOURCE


class ImageFeatures(nn.Module):
    """DCGAN's convolutions of each image of a sequence.

    Args:
        image_size: of square images.
        width: channels of the first layer.
        size: of what is kept of an image.
    """

    def __init__(self, image_size: int, width: int, size: int) -> None:
        super().__init__()
        blocks, values = down((1, image_size, image_size), width, 4, 2, 4, "none")
        self.layers = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(values, size), nn.LeakyReLU(0.2))

    def forward(self, x: Tensor) -> Tensor:
        """Map sequences (N, T, H, W) to features (N, T, size)."""
        return self.layers(x.flatten(0, 1)[:, None]).unflatten(0, x.shape[:2])  # type: ignore[no-any-return]


class ContextGenerator(Generator):
    """A GRU over the features of the images before, and transposed convolutions of its last state.

    Args:
        image_size: of square images.
        width: channels of the layers next to images.
        hidden: the size of features and of the state.
    """

    def __init__(self, image_size: int, width: int, hidden: int) -> None:
        super().__init__()
        self.size = image_size
        self.images = ImageFeatures(image_size, width, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.image = up(hidden, (1, image_size, image_size), width, 4, 2, 4, "batch", "tanh")
        init_dcgan(self.images)
        init_dcgan(self.image)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the images before (N, T, H, W), `source`, to the next one (N, 1, H, W) in [-1, 1]."""
        state = self.gru(self.images(given[SOURCE]))[0][:, -1]
        return cut(self.image(state), (self.size, self.size))


class ContextDiscriminator(Discriminator):
    """A GRU over the features of the images before and of the one that is judged, linear at the end.

    Args:
        image_size: of square images.
        width: channels of the first layer.
        hidden: the size of features and of the state.
    """

    def __init__(self, image_size: int, width: int, hidden: int) -> None:
        super().__init__()
        self.images = ImageFeatures(image_size, width, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.output = nn.Linear(hidden, 1)
        init_dcgan(self.images)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the features of the image (N, 1, H, W) and the last state, given the images before (N, T, H, W)."""
        seen = self.images(torch.cat([*given, x], 1))
        return seen[:, -1], self.gru(seen)[0][:, -1]
