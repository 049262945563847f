"""Spatial GAN (Jetchev et al. 2016, arXiv 1611.08207) and PSGAN (Bergmann et al. 2017, arXiv 1705.06566): textures."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_framework.api import Components, ConfigError, Discriminator, Game, Generator, Latent, grid, seeding
from gan_zoo.layers import activations, init_normal
from gan_zoo.ranges import require_positive

LARGER = 3
"""How many times as many positions the fields of pictures have, in either direction."""


class Waves(nn.Module):
    """sin(κ_1 u + κ_2 v + φ) at the positions (u, v), with κ learned functions of what holds for the whole image.

    κ is π (½ i/n + ½) of the wave's number i, from 1 to n, times what a small network makes of the global noise; it
    begins along the axes (PSGAN, section 3.2; the numbers are those of the authors' program).

    Args:
        global_dim: the size of the global noise.
        waves: how many, two for each number i, along either axis.
        hidden: the size of the network's hidden layer.
    """

    def __init__(self, global_dim: int, waves: int, hidden: int) -> None:
        super().__init__()
        if waves % 2:
            raise ValueError(f"waves={waves}: there are two for each frequency, so it must be even")
        self.waves = waves
        self.layers = nn.Sequential(nn.Linear(global_dim, hidden), nn.ReLU(), nn.Linear(hidden, 2 * waves))
        numbers = torch.arange(1, waves // 2 + 1).repeat_interleave(2)
        self.register_buffer("band", math.pi * (0.5 * numbers / (waves // 2) + 0.5), persistent=False)

    def begin(self) -> None:
        """Let waves begin along the axes."""
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            last.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 1.0]).repeat(self.waves // 2))

    def forward(self, of_all: Tensor, phase: Tensor, height: int, width: int) -> Tensor:
        """Map global noise (N, G) and phases (N, waves) on [-1, 1] to fields (N, waves, height, width)."""
        band: Tensor = self.band  # type: ignore[assignment]
        kappa = self.layers(of_all).unflatten(1, (self.waves, 2)) * band[:, None]
        rows = torch.arange(height, device=of_all.device, dtype=of_all.dtype)[:, None]
        columns = torch.arange(width, device=of_all.device, dtype=of_all.dtype)
        down, across = kappa[..., 0, None, None], kappa[..., 1, None, None]
        return torch.sin(down * rows + across * columns + math.pi * phase[..., None, None])


class SpatialGenerator(Generator):
    """Transposed convolutions of a field of z to an image: l positions make (l - 1) 2^n + 1 pixels, for any l.

    Each of the n layers of 5x5 makes m positions 2 m - 1, with batch norm and ReLU, tanh at the end, no biases. z is
    local noise for each position, then noise that is the same at all positions, then a phase of each wave: with the
    local part alone it is the spatial GAN, with all three PSGAN.

    Args:
        latent_dim: the size of z: field² local + global_dim + waves.
        field: l, positions to a side.
        local: the size of the noise of each position.
        global_dim: the size of the noise that all positions have in common.
        waves: the number of periodic fields.
        channels: of the images.
        widths: channels of the maps between.
    """

    def __init__(
        self, latent_dim: int, field: int, local: int, global_dim: int, waves: int, channels: int, widths: list[int]
    ) -> None:
        super().__init__()
        require_positive(field=field, local=local)
        wanted = field**2 * local + global_dim + waves
        if latent_dim != wanted:
            raise ValueError(
                f"latent_dim={latent_dim}: {field}x{field} positions with {local} entries each, {global_dim} for all "
                f"and {waves} phases take {wanted}"
            )
        if waves and not global_dim:
            raise ValueError(f"waves={waves}: their lengths follow from the global noise; set global_dim")
        self.field, self.local, self.global_dim = field, local, global_dim
        self.waves = Waves(global_dim, waves, 50) if waves else None
        sizes = [local + global_dim + waves, *widths, channels]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [
                nn.ConvTranspose2d(inputs, outputs, 5, 2, 2, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
        self.layers = nn.Sequential(*layers[:-2], nn.Tanh())
        init_normal(self, 0.02)
        if self.waves is not None:
            self.waves.begin()

    def parts(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the local noise (N, local, l, l), the global one (N, global_dim) and the phases (N, waves) of z."""
        positions = self.field**2 * self.local
        local, of_all, phase = z.tensor_split([positions, positions + self.global_dim], dim=1)
        return local.unflatten(1, (self.local, self.field, self.field)), of_all, phase

    def paint(self, local: Tensor, of_all: Tensor, phase: Tensor) -> Tensor:
        """Map local noise (N, local, h, w) of any size, global noise and phases to images."""
        height, width = local.shape[2:]
        fields = [local, of_all[:, :, None, None].expand(-1, -1, height, width)]
        if self.waves is not None:
            fields.append(self.waves(of_all, phase, height, width))
        images: Tensor = self.layers(torch.cat(fields, dim=1))
        return images

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, H) in [-1, 1]."""
        return self.paint(*self.parts(z))


class SpatialDiscriminator(Discriminator):
    """Convolutions of 5x5 that halve the side, to a logit for each position, each a sample of the loss's mean.

    Leaky ReLU 0.2, batch norm but in the first and the last layer, no biases.

    Args:
        channels: of the images.
        widths: channels of the maps between.
    """

    patches = True

    def __init__(self, channels: int, widths: list[int]) -> None:
        super().__init__()
        if not widths:
            raise ValueError("widths=[]: the discriminator needs at least one map between")
        sizes = [channels, *widths]
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(inputs, outputs, 5, 2, 2, bias=False),
                nn.BatchNorm2d(outputs) if number else nn.Identity(),
                nn.LeakyReLU(0.2),
            )
            for number, (inputs, outputs) in enumerate(pairwise(sizes))
        )
        self.output = nn.Conv2d(widths[-1], 1, 5, 2, 2, bias=False)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the maps after every block for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)


class SpatialGAN(Game):
    """The game of two players over textures, drawn larger than the images of training."""

    def __init__(self, components: Components) -> None:
        super().__init__(components)
        if not isinstance(self.generator, SpatialGenerator):
            raise ConfigError(
                f"game=spatial_gan draws textures of any size, and {type(self.generator).__name__} makes one size: set "
                "networks.generator.name=spatial"
            )

    def picture(self, latent: Latent, columns: int) -> Tensor:
        """Draw textures of a field three times as large, of the global noise and the phases of latents."""
        generator = self.networks[self.sampling_network]
        shown = max(1, min(len(latent.z), columns // LARGER))
        assert isinstance(generator, nn.Module)
        before, painted = self.generator.training, []
        generator.eval()
        with torch.no_grad(), self.autocast():
            net: SpatialGenerator = generator  # type: ignore[assignment]
            side = LARGER * net.field
            for number in range(shown):
                _, of_all, phase = net.parts(latent.z[number : number + 1])
                random = seeding.generator(0, "texture", number)
                local = (torch.rand(1, net.local, side, side, generator=random) * 2 - 1).to(latent.z)
                painted.append(net.paint(local, of_all, phase).float())
        generator.train(before)
        return grid(torch.cat(painted), shown)
