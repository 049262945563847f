"""LR-GAN (Yang et al. 2017, arXiv 1703.01560): a background, and objects that are placed on it one after another."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import SAMPLES, Generator
from gan_zoo.generators.dcgan import DCGANGenerator
from gan_zoo.ranges import require_positive


class Reader(nn.Module):
    """E: reads the features of the last layer that was painted: average pools to 2x2, then a linear layer and tanh.

    Args:
        channels: of the features.
        side: of the features.
        outputs: the size of what is read.
    """

    def __init__(self, channels: int, side: int, outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        while side > 2:
            layers += [nn.AvgPool2d(4, 2, 1), nn.BatchNorm2d(channels), nn.LeakyReLU(0.2)]
            side //= 2
        self.layers = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(channels * side**2, outputs), nn.BatchNorm1d(outputs), nn.Tanh()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, channels, side, side) to (N, outputs)."""
        read: Tensor = self.layers(x)
        return read


class LRGANGenerator(Generator):
    """A DCGAN makes the background of z_0; each further z_t one object: its image, its mask and its place (section 3).

    z is T parts of equal size, which go through an LSTM cell; an object is made of its state h_t, and of the features
    of the object before, if there is one. canvas <- m' x' + (1 - m') canvas, where m' and x' are mask and image sampled
    at an affine grid, zero outside. The affine map begins as the scale s, so that objects are smaller than the image.
    With T = 1 it is a DCGAN's generator of z_0, to the bit. That the first object reads no features is our reading.

    Args:
        latent_dim: the size of z, a multiple of T.
        image_size: of square images, 16, 32, 64 or 128.
        channels: of the images.
        width: channels of the background's maps before the image; objects have twice as many.
        layers: T, the background among them.
        scale: s; the grid's scales stay within [s, 2 s].
        shear: r; the grid's shears stay within [-r, r].
    """

    def __init__(
        self, latent_dim: int, image_size: int, channels: int, width: int, layers: int, scale: float, shear: float
    ) -> None:
        super().__init__()
        require_positive(layers=layers)
        if image_size not in (16, 32, 64, 128):
            raise ValueError(f"image_size={image_size}: choose 16, 32, 64 or 128")
        if latent_dim % layers:
            raise ValueError(f"latent_dim={latent_dim}: it must be a multiple of the {layers} layers")
        self.layers, self.scale, self.shear = layers, scale, shear
        size = latent_dim // layers
        self.background = DCGANGenerator(size, image_size, channels, width)
        if layers == 1:
            return
        self.cell = nn.LSTMCell(size, size)
        doublings = image_size.bit_length() - 3
        widths = [width * 2**i for i in reversed(range(1, doublings + 1))]
        trunk: list[nn.Module] = [nn.Unflatten(1, (size, 1, 1)), nn.ConvTranspose2d(size, widths[0], 4, bias=False)]
        for wide, narrow in pairwise(widths):
            trunk += [nn.BatchNorm2d(wide), nn.ReLU(), nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False)]
        self.trunk = nn.Sequential(*trunk, nn.BatchNorm2d(widths[-1]), nn.ReLU())
        self.image = nn.Sequential(nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1), nn.Tanh())
        self.mask = nn.Sequential(nn.ConvTranspose2d(widths[-1], 1, 4, 2, 1), nn.Sigmoid())
        self.place = nn.Linear(size, 6)
        nn.init.zeros_(self.place.weight)
        with torch.no_grad():
            self.place.bias.copy_(torch.tensor([scale, 0, 0, 0, scale, 0]))
        if layers > 2:
            self.reader = Reader(widths[-1], image_size // 2, size)
            self.join = nn.Sequential(nn.Linear(2 * size, size), nn.BatchNorm1d(size), nn.Tanh())

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        return self.painted(z)[SAMPLES]

    def painted(self, z: Tensor) -> Mapping[str, Tensor]:
        """Return the `samples`, and where there are objects the `background`, and each `object_<t>` and `mask_<t>`."""
        first, *others = z.chunk(self.layers, dim=1)
        canvas: Tensor = self.background(first)
        if not others:
            return {SAMPLES: canvas}
        made = {"background": canvas}
        state: tuple[Tensor, Tensor] = self.cell(first)
        features: Tensor | None = None
        for number, noise in enumerate(others, 1):
            state = self.cell(noise, state)
            h = state[0] if features is None else self.join(torch.cat([state[0], self.reader(features)], dim=1))
            features = self.trunk(h)
            grid = F.affine_grid(self.placed(h), list(canvas.shape), align_corners=False)
            both = self.image(features), self.mask(features)
            image, mask = (F.grid_sample(x, grid, align_corners=False) for x in both)
            canvas = mask * image + (1 - mask) * canvas
            made |= {f"object_{number}": image, f"mask_{number}": mask}
        return {SAMPLES: canvas, **made}

    def placed(self, h: Tensor) -> Tensor:
        """Return the affine maps (N, 2, 3) of states (N, D), within their bounds."""
        a, b, x, c, d, y = self.place(h).unbind(1)
        a, d = (one.clamp(self.scale, 2 * self.scale) for one in (a, d))
        b, c = (one.clamp(-self.shear, self.shear) for one in (b, c))
        x, y = (one.clamp(-1, 1) for one in (x, y))
        affine: Tensor = torch.stack([a, b, x, c, d, y], dim=1).unflatten(1, (2, 3))
        return affine
