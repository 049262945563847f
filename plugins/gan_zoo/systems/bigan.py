"""BiGAN: Donahue, Krähenbühl & Darrell 2017, arXiv 1605.09782; the game is ALI's too (Dumoulin et al. 2017)."""

from __future__ import annotations

import math

from torch import Tensor, nn

from gan_framework.api import Batch, Components, Discriminator, Generator, Latent, Pair, Player
from gan_zoo.discriminators.joint_mlp import beside
from gan_zoo.encoding import EncodingGame
from gan_zoo.judged_together import TogetherPair
from gan_zoo.layers import ImageSize, SigmoidImage, UnitPixels, init_normal, sample_shape

STD = 0.02
"""The deviation of the first weights, DCGAN's (our reading)."""


class BiGAN(EncodingGame):
    """D tells (x, E(x)) from (G(z), z), and E and G together are to exchange the two (section 3, equation 3).

        min over G, E  max over D   E log D(x, E(x)) + E log(1 - D(G(z), z))

    E and G minimise D's loss with both sides exchanged, in one optimizer step. At the optimum they invert each other,
    and the value is -log 4. With an encoder of means and variances it is ALI (arXiv 1606.00704, section 2.1).

    Args:
        components: what the game is made of.
        together: whether D's batch norm takes both sides for one batch, as in ALI's program; BiGAN's keeps them apart.
    """

    def __init__(self, components: Components, together: bool = False) -> None:
        self.together = together
        super().__init__(components)

    def make_players(self) -> list[Player]:
        """Return D, and G with E."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", "discriminator"),
            Player("generator", ("generator", "encoder"), "generator", "swapped"),
        ]

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return samples with their codes, and latents with what is generated of them."""
        code = self.encode(batch.samples)
        return (TogetherPair if self.together else Pair)(
            self.judge("discriminator"),
            batch,
            latent._replace(code=code.code),
            self.generate(latent),
            real_given=(code.z,),
            fake_given=(latent.z,),
        )


def _dense(inputs: int, outputs: int) -> nn.Linear:
    return nn.Linear(inputs, outputs, bias=False)


class _Normed(nn.BatchNorm1d):
    """Batch norm without gains and biases, as the whole system has none."""

    def __init__(self, size: int) -> None:
        super().__init__(size, affine=False)


class BiGANEncoder(nn.Module):
    """E of permutation-invariant MNIST (appendix, table): D → hidden → hidden → latent_dim; no biases, no gains.

    Args:
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        latent_dim: the size of z.
        hidden: the size of the two hidden layers.
    """

    def __init__(self, image_size: ImageSize | None, channels: int, latent_dim: int, hidden: int) -> None:
        super().__init__()
        inputs = math.prod(sample_shape(channels, image_size))
        self.layers = nn.Sequential(
            UnitPixels(),
            nn.Flatten(),
            _dense(inputs, hidden),
            nn.LeakyReLU(0.2),
            _dense(hidden, hidden),
            _Normed(hidden),
            nn.LeakyReLU(0.2),
            _dense(hidden, latent_dim),
        )
        init_normal(self, STD)

    def forward(self, x: Tensor) -> Tensor:
        """Map samples (N, ...) in [-1, 1] to codes (N, latent_dim)."""
        code: Tensor = self.layers(x)
        return code


class BiGANGenerator(Generator):
    """G of permutation-invariant MNIST: latent_dim → hidden → hidden → D; no biases, no gains.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the size of the two hidden layers.
        second_entry: whether a linear map of z is added before the second batch norm too, as in the authors' program.
    """

    def __init__(
        self, latent_dim: int, image_size: ImageSize | None, channels: int, hidden: int, second_entry: bool
    ) -> None:
        super().__init__()
        self.shape = sample_shape(channels, image_size)
        self.first, self.second = _dense(latent_dim, hidden), _dense(hidden, hidden)
        self.entry = _dense(latent_dim, hidden) if second_entry else None
        self.norm_first, self.norm_second = _Normed(hidden), _Normed(hidden)
        self.last = nn.Sequential(_dense(hidden, math.prod(self.shape)), SigmoidImage())
        init_normal(self, STD)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to samples (N, ...) in [-1, 1]."""
        h = self.norm_first(self.first(z)).relu()
        h = self.second(h) if self.entry is None else self.second(h) + self.entry(z)
        made: Tensor = self.last(self.norm_second(h).relu()).unflatten(1, self.shape)
        return made


class BiGANDiscriminator(Discriminator):
    """D of permutation-invariant MNIST: D → hidden → hidden → 1, where z enters before the batch norm.

    A linear map of z is added before the second layer's batch norm, as in the authors' program; no biases, no gains.

    Args:
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        latent_dim: the size of z.
        hidden: the size of the two hidden layers.
    """

    def __init__(self, image_size: ImageSize | None, channels: int, latent_dim: int, hidden: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        inputs = math.prod(sample_shape(channels, image_size))
        self.first = nn.Sequential(UnitPixels(), nn.Flatten(), _dense(inputs, hidden), nn.LeakyReLU(0.2))
        self.second, self.entry = _dense(hidden, hidden), _dense(latent_dim, hidden)
        self.last = nn.Sequential(_Normed(hidden), nn.LeakyReLU(0.2))
        self.output = _dense(hidden, 1)
        init_normal(self, STD)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return both hidden layers for samples (N, ...) in [-1, 1] and their latents (N, latent_dim)."""
        z = beside(given, self.latent_dim)
        first = self.first(x)
        second: Tensor = self.last(self.second(first) + self.entry(z.to(first.dtype)))
        return first, second
