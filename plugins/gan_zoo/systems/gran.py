"""GRAN (Im et al. 2016, arXiv 1602.05110): an image is drawn in several steps on a canvas."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_framework.api import Discriminator, Generator
from gan_zoo.layers import SigmoidImage, activations, init_normal
from gan_zoo.ranges import require_positive

NOISES = ("once", "each")


class GRANGenerator(Generator):
    """Step t paints ΔC_t from h_z and from what an encoder reads of ΔC_t-1; the image is sigmoid(Σ_t ΔC_t), to [-1, 1].

    h_z = tanh(BN(L z)); [h_z, h_c] goes through a linear layer, batch norm and ReLU to maps of an eighth of the side,
    and three transposed convolutions of 5x5 (batch norm and ReLU between); h_c = tanh(BN(L E(ΔC))), 0 at first, with E
    three convolutions of 5x5 with batch norm. All steps have the same weights.

    Args:
        latent_dim: the size of z.
        image_size: of square images, a multiple of 8.
        channels: of the images.
        width: channels of the smallest maps, a multiple of 4; 1024 in the authors' program.
        hidden: d, the size of h_z and h_c.
        steps: T.
        noise: whether z serves all steps, `once`, as in the authors' program, or `each` step has a part of its own.
    """

    def __init__(
        self, latent_dim: int, image_size: int, channels: int, width: int, hidden: int, steps: int, noise: str
    ) -> None:
        super().__init__()
        require_positive(width=width, hidden=hidden, steps=steps)
        if image_size % 8 or width % 4:
            raise ValueError(f"image_size={image_size} width={width}: they must be multiples of 8 and of 4")
        if noise not in NOISES:
            raise ValueError(f"noise={noise!r}: choose one of {', '.join(NOISES)}")
        if noise == "each" and latent_dim % steps:
            raise ValueError(f"latent_dim={latent_dim}: {steps} steps have a part of z each, so it must be a multiple")
        self.steps, self.noise, self.hidden = steps, noise, hidden
        side = image_size // 8
        inputs = latent_dim // steps if noise == "each" else latent_dim
        widths = [width, width // 2, width // 4, channels]
        self.of_noise = nn.Sequential(nn.Linear(inputs, hidden), nn.BatchNorm1d(hidden), nn.Tanh())
        decoder: list[nn.Module] = [
            nn.Linear(2 * hidden, width * side**2),
            nn.Unflatten(1, (width, side, side)),
        ]
        encoder: list[nn.Module] = []
        for wide, narrow in pairwise(widths):
            decoder += [nn.BatchNorm2d(wide), nn.ReLU(), nn.ConvTranspose2d(wide, narrow, 5, 2, 2, 1)]
            encoder = [nn.Conv2d(narrow, wide, 5, 2, 2), nn.BatchNorm2d(wide), nn.ReLU(), *encoder]
        self.decoder = nn.Sequential(*decoder)
        self.encoder = nn.Sequential(
            *encoder, nn.Flatten(), nn.Linear(width * side**2, hidden), nn.BatchNorm1d(hidden), nn.Tanh()
        )
        self.output = SigmoidImage()
        init_normal(self, 0.02)
        if steps == 1:
            self.encoder.requires_grad_(False)  # nothing is read of the only stroke

    def strokes(self, z: Tensor) -> list[Tensor]:
        """Return ΔC_t (N, C, H, W) of every step."""
        noises = z.chunk(self.steps, dim=1) if self.noise == "each" else [z] * self.steps
        read, painted = z.new_zeros(z.shape[0], self.hidden), []
        for number, noise in enumerate(noises):
            stroke: Tensor = self.decoder(torch.cat([self.of_noise(noise), read], dim=1))
            painted.append(stroke)
            if number + 1 < self.steps:
                read = self.encoder(stroke)
        return painted

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.output(torch.stack(self.strokes(z)).sum(0))
        return images

    def canvas(self, z: Tensor) -> Tensor:
        """Return the canvas after every step (N, T, C, H, W) in [-1, 1]; the last one is the image."""
        after: Tensor = self.output(torch.stack(self.strokes(z), dim=1).cumsum(1))
        return after


class GRANDiscriminator(Discriminator):
    """Three convolutions of 5x5 that halve the side and, as in the authors' program, the channels.

    Batch norm and leaky ReLU 0.2 after each, then a linear layer with tanh.

    Args:
        image_size: of square images, a multiple of 8.
        channels: of the images.
        width: channels of the first map, a multiple of 4.
        hidden: the size of the last layer.
    """

    def __init__(self, image_size: int, channels: int, width: int, hidden: int) -> None:
        super().__init__()
        widths = [channels, width, width // 2, width // 4]
        blocks: list[nn.Module] = [
            nn.Sequential(nn.Conv2d(before, after, 5, 2, 2), nn.BatchNorm2d(after), nn.LeakyReLU(0.2))
            for before, after in pairwise(widths)
        ]
        last = nn.Sequential(nn.Flatten(), nn.Linear(width // 4 * (image_size // 8) ** 2, hidden), nn.Tanh())
        self.blocks = nn.ModuleList([*blocks, last])
        self.output = nn.Linear(hidden, 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every block for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)
