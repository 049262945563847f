"""A discriminator that is an auto-encoder."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import Discriminator, DiscriminatorOutput, Generator
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.generators.dcgan import DCGANGenerator
from gan_zoo.layers import ImageSize, activations, init_normal
from gan_zoo.ranges import require_positive

DISTANCES = ("l1", "l2")


class Reconstructing(Discriminator):
    """Scores a sample by how well it is reconstructed: the logit is the error, negative, a mean over its values.

    Heads: `vector`, the code (N, code), and `reconstruction` (N, C, H, W).

    Args:
        blocks: of the encoder.
        output: from the last of their maps, flat, to the code.
        decoder: from codes to images.
        distance: the error of a value, `l1` (absolute) or `l2` (squared).
    """

    def __init__(self, blocks: nn.ModuleList, output: nn.Linear, decoder: Generator, distance: str) -> None:
        super().__init__()
        if distance not in DISTANCES:
            raise ValueError(f"distance={distance!r}: choose {' or '.join(DISTANCES)}")
        self.squared = distance == "l2"
        self.blocks = blocks
        self.output = output
        self.decoder = decoder

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations of the encoder's blocks for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Return the errors (N,) of images x (N, C, H, W), negative."""
        features = self.features(x)
        last = features[-1].flatten(1)
        code = self.output(last)
        reconstruction = self.decoder(code)
        apart = x - reconstruction
        error = (apart.square() if self.squared else apart.abs()).flatten(1).mean(1)
        heads = {name: head(last) for name, head in self.heads.items()}
        return DiscriminatorOutput(-error, features, heads | {"vector": code, "reconstruction": reconstruction})


class AutoEncoderDiscriminator(Reconstructing):
    """DCGAN's discriminator as the encoder and its generator as the decoder.

    For losses of energies (EBGAN, Zhao et al. 2017, arXiv 1609.03126; MMD-GAN).

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        width: channels of the layers next to the image.
        code: the size of the code.
        norm: of the encoder, as that of `discriminator=dcgan`.
        distance: the error of a value, `l1` (absolute) or `l2` (squared).
    """

    def __init__(self, image_size: ImageSize, channels: int, width: int, code: int, norm: str, distance: str) -> None:
        require_positive(code=code)
        encoder = DCGANDiscriminator(image_size, channels, width, norm)
        assert isinstance(encoder.output, nn.Linear)
        output = nn.Linear(encoder.output.in_features, code)
        init_normal(output, 0.02)
        super().__init__(encoder.blocks, output, DCGANGenerator(code, image_size, channels, width), distance)
