"""PixelGAN autoencoders: Makhzani & Frey 2017, arXiv 1706.00531."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Batch, Components, ConfigError, Generator, Latent, Pair, Player, Term, TermPlan, nobody
from gan_zoo.encoding import RECONSTRUCTION
from gan_zoo.layers import ImageSize, sides
from gan_zoo.ranges import require_positive
from gan_zoo.systems.aae import AAE, CODES

LIKELIHOOD = "log_likelihood"
"""The log-likelihood of real images under the decoder, among what it makes of their codes."""


def levels_of(x: Tensor, levels: int) -> Tensor:
    """Return which of so many equal intervals of [-1, 1] values x lie in, int64."""
    return ((x + 1) / 2 * levels).long().clamp(0, levels - 1)


def values_of(numbers: Tensor, levels: int) -> Tensor:
    """Return the values of levels, evenly from -1 to 1, float."""
    return numbers * (2 / (levels - 1)) - 1


class MaskedConv2d(nn.Conv2d):
    """A convolution whose output at a pixel sees only the pixels above it, and those left of it in its row.

    van den Oord et al. 2016, arXiv 1601.06759, section 3.4.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        kernel: the side of the kernel, odd.
        sees_itself: whether it sees the pixel itself too (mask B).
    """

    mask: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int, sees_itself: bool) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2)
        seen = torch.arange(kernel * kernel) < kernel * kernel // 2 + sees_itself
        self.register_buffer("mask", seen.view(kernel, kernel).float(), persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        """Map images (N, inputs, H, W) to maps (N, outputs, H, W)."""
        mapped: Tensor = self._conv_forward(input, self.weight * self.mask, self.bias)
        return mapped


DRAWS = "it draws pixels, so that the same latents make other images each time"


class PixelCNN(Generator):
    """A decoder that draws an image pixel by pixel, each given those before it and z.

    A masked convolution 7x7, then masked ones 3x3, and two 1x1; z enters each as a bias. What goes into z depends on
    where the bias is the same: with `everywhere` z says what a pixel's neighbours do not. A drawn image has the
    gradient of the mean that is expected of its pixels. An image of H x W pixels takes H · W passes.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width.
        channels: of the images; 1.
        levels: into how many values a pixel is quantised: 2 for black and white.
        width: channels of the maps.
        layers: the number of convolutions 3x3.
        location: whether z's bias is the same `everywhere`, or another one at each `pixel` (section 2).
    """

    exempt: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("samples_alone", "generator_is_conditional", "keeps_generator_state"), DRAWS
    )

    def __init__(
        self,
        latent_dim: int,
        image_size: ImageSize,
        channels: int,
        levels: int,
        width: int,
        layers: int,
        location: Literal["everywhere", "pixel"],
    ) -> None:
        super().__init__()
        require_positive(latent_dim=latent_dim, width=width, layers=layers)
        if channels != 1:
            raise ValueError(
                f"channels={channels}: a pixel's channels would have to see each other; it draws grey images"
            )
        if not 2 <= levels <= 256:
            raise ValueError(f"levels={levels}: a pixel of 8 bits has from 2 to 256")
        if location not in ("everywhere", "pixel"):
            raise ValueError(f"location={location!r}: it must be everywhere or pixel")
        self.size, self.levels, self.width, self.location = sides(image_size), levels, width, location
        self.first = MaskedConv2d(1, width, 7, sees_itself=False)
        self.layers = nn.ModuleList(MaskedConv2d(width, width, 3, sees_itself=True) for _ in range(layers))
        self.last = nn.Sequential(nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, levels, 1))
        places = 1 if location == "everywhere" else self.size[0] * self.size[1]
        self.biases = nn.ModuleList(nn.Linear(latent_dim, width * places, bias=False) for _ in range(layers + 1))

    def logits(self, x: Tensor, z: Tensor) -> Tensor:
        """Return the logits (N, levels, H, W) of each pixel's level, given those before it in x (N, 1, H, W) and z."""
        size = (1, 1) if self.location == "everywhere" else self.size
        shifts = [bias(z).view(-1, self.width, *size) for bias in self.biases]
        h = self.first(x) + shifts[0]
        for layer, shift in zip(self.layers, shifts[1:], strict=True):
            h = h + layer(F.relu(h)) + shift
        logits: Tensor = self.last(h)
        return logits

    def expected(self, logits: Tensor) -> Tensor:
        """Return the mean of each pixel, (N, 1, H, W) in [-1, 1]."""
        values = values_of(torch.arange(self.levels, device=logits.device), self.levels)
        return (logits.softmax(1) * values.view(-1, 1, 1).to(logits.dtype)).sum(1, keepdim=True)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Draw images (N, 1, H, W) in [-1, 1] of z (N, latent_dim)."""
        height, width = self.size
        with torch.no_grad():
            x = z.new_zeros(len(z), 1, height, width)
            noise = torch.rand(height, width, len(z), device=z.device, dtype=torch.float32)
            for row in range(height):
                for column in range(width):
                    shares = self.logits(x, z)[:, :, row, column].float().softmax(1).cumsum(1)
                    drawn = (noise[row, column, :, None] > shares[:, :-1]).sum(1)
                    x[:, 0, row, column] = values_of(drawn, self.levels).to(x.dtype)
        mean = self.expected(self.logits(x, z))
        return x + mean - mean.detach()


class NegativeLikelihood(Term):
    """-E log p(x | E(x)), in nats of a whole image."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch."""
        return -pair.made[LIKELIHOOD].mean()


class PixelGAN(AAE):
    """An adversarial auto-encoder whose decoder is a PixelCNN given the code.

        E, G  -E log p(x | E(x))                 x quantised to the decoder's levels
        D     -log D(z) - log(1 - D(E(x)))       z ~ p(z)
        E     -log D(E(x))

    What the code holds follows from the prior: a normal one what is global in an image, a categorical one its class
    (sections 2 and 3), which E then tells as a distribution over the categories.

    Args:
        components: what the game is made of; the network `generator` draws pixels given others.
        categorical: whether E's outputs are the logits of one category, which the prior draws one-hot.
    """

    def __init__(self, components: Components, categorical: bool) -> None:
        self.categorical = categorical
        super().__init__(components)
        if not isinstance(self.generator, PixelCNN):
            raise ConfigError(
                f"game=pixelgan asks the generator for the likelihood of images, and {type(self.generator).__name__} "
                "has none: choose generator=pixel_cnn"
            )
        self.player("autoencoder").add_term("likelihood", NegativeLikelihood(), plan=TermPlan(pairs=(RECONSTRUCTION,)))

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Latent:
        """Return the codes of samples x (N, C, H, W); of a categorical prior the probabilities of its categories."""
        latent = super().encode(x, labels)
        return latent._replace(z=latent.z.softmax(1)) if self.categorical else latent

    def classify(self, x: Tensor) -> Tensor:
        """Return the codes (N, K) of samples x: with a categorical prior how probable each category is."""
        return self.code_of(x)

    def autoencoded(self, batch: Batch) -> Pair:
        """Return real images with the means that the decoder expects of their pixels; nobody judges them."""
        generator = self.generator
        assert isinstance(generator, PixelCNN)
        latent = self.encode(batch.samples, batch.labels)
        numbers = levels_of(batch.samples[:, 0], generator.levels)
        seen = values_of(numbers, generator.levels).unsqueeze(1).to(latent.z.dtype)
        with self.autocast():
            logits = generator.logits(seen, latent.z)
        logits = logits if logits.dtype == torch.float64 else logits.float()
        likelihood = -F.cross_entropy(logits, numbers, reduction="none").flatten(1).sum(1)
        mean = generator.expected(logits)
        return Pair(nobody, batch, latent, mean, made={LIKELIHOOD: likelihood})

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return latents and codes before D, and real images with the decoder's likelihood of them."""
        pair = self.autoencoded(batch)
        return {CODES: self.codes(batch, pair.latent, latent), RECONSTRUCTION: pair}
