"""Flow-GAN (Grover, Dhar & Ermon 2018, arXiv 1705.08868): a generator that knows how likely samples are."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Batch, Components, ConfigError, Game, Generator, Latent, Pair, Player, Term
from gan_zoo.layers import ImageSize, sample_shape
from gan_zoo.ranges import require_not_negative, require_positive

LEVELS = 256


def normal(z: Tensor) -> Tensor:
    """Return the log-density (N,) of independent standard normal entries (N, D)."""
    return -0.5 * (z.square() + math.log(2 * math.pi)).sum(1)


def logistic(z: Tensor) -> Tensor:
    """Return the log-density (N,) of independent standard logistic entries (N, D)."""
    return -(F.softplus(z) + F.softplus(-z)).sum(1)


DENSITIES: dict[str, Callable[[Tensor], Tensor]] = {"normal": normal, "logistic": logistic}


class Logit(nn.Module):
    """y = logit(α + (1 - 2α) x̃) of x̃ in [0, 1], in the place of images in [-1, 1] of 256 levels (section 4).

    Args:
        alpha: α.
    """

    def __init__(self, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, y: Tensor) -> Tensor:
        """Map y back to images in [-1, 1]."""
        unit = (torch.sigmoid(y) - self.alpha) / (1 - 2 * self.alpha)
        return (2 * unit - 1).clamp(-1, 1)

    def inverse(self, unit: Tensor) -> tuple[Tensor, Tensor]:
        """Return y of x̃ (N, ...), and log |dy / dx̃| (N,)."""
        p = self.alpha + (1 - 2 * self.alpha) * unit
        y = p.log() - (-p).log1p()
        slope = math.log(1 - 2 * self.alpha) - p.log() - (-p).log1p()
        return y, slope.flatten(1).sum(1)


def dequantised(x: Tensor, noise: Tensor | None = None) -> Tensor:
    """Return x̃ = (255 u + U) / 256 in [0, 1] of images x = 2 u - 1 of 256 levels; U is drawn if `noise` is None."""
    noise = torch.rand_like(x) if noise is None else noise
    return ((LEVELS - 1) * (x + 1) / 2 + noise) / LEVELS


class Flow(Generator):
    """A generator that can be inverted: log p(x) = log p_Z(f(x)) + log |det ∂f/∂x| (equation 2).

    Images are dequantised, x̃ = (255 x + U) / 256 with x in [0, 1] and U uniform, and densities are those of x̃;
    vectors are taken as they are.

    Args:
        latent_dim: the size of z, that of a sample.
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        density: of z, `normal` or `logistic`, which the prior has to be.
        alpha: of the logit before images.
    """

    def __init__(
        self, latent_dim: int, image_size: ImageSize | None, channels: int, density: str, alpha: float
    ) -> None:
        super().__init__()
        self.shape = sample_shape(channels, image_size)
        self.size = math.prod(self.shape)
        if latent_dim != self.size:
            raise ValueError(f"latent_dim={latent_dim}: a flow's latents have the size of a sample, {self.size}")
        if density not in DENSITIES:
            raise ValueError(f"density={density!r}: choose one of {', '.join(DENSITIES)}")
        self.density = density
        self.logit = Logit(alpha) if image_size else None

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """Map latents (N, D) to y (N, D)."""

    @abstractmethod
    def encode(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latents (N, D) of y (N, D), and log |det ∂z/∂y| (N,)."""

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, D) to samples (N, ...)."""
        y = self.decode(z).unflatten(1, self.shape)
        samples: Tensor = y if self.logit is None else self.logit(y)
        return samples

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latents (N, D) of samples, of images those of x̃ in [0, 1], and log |det ∂z/∂x| (N,)."""
        y, log_det = (x, x.new_zeros(len(x))) if self.logit is None else self.logit.inverse(x)
        z, of_flow = self.encode(y.flatten(1))
        return z, log_det + of_flow

    def log_likelihood(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return log p (N,), in nats, of samples; of images in [-1, 1] that of x̃.

        Args:
            x: the samples (N, ...).
            noise: U, for images; drawn if None.
        """
        if self.logit is not None:
            x = dequantised(x, noise)
        z, log_det = self.inverse(x)
        return DENSITIES[self.density](z) + log_det

    def bits(self, nats: Tensor) -> Tensor:
        """Return the bits for each entry of images of 256 levels, of negative log-likelihoods of x̃ in nats."""
        return nats / (self.size * math.log(2)) + math.log2(LEVELS)


def mlp(sizes: list[int]) -> nn.Sequential:
    """Return fully connected layers with ReLU between them, whose last weights begin near zero."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    last = layers[-2]
    assert isinstance(last, nn.Linear)
    nn.init.normal_(last.weight, 0.0, 1e-3)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers[:-1])


class NICE(Flow):
    """Additive couplings of the even and the odd entries in turn, then a scale of each (Dinh et al. 2015, 1410.8516).

    A coupling leaves one half as it is and adds a function of it to the other, so its determinant is 1; the scales
    exp(s) have log det Σ s.

    Args:
        latent_dim: the size of z, that of a sample.
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        density: of z, `normal` or `logistic`.
        alpha: of the logit before images.
        couplings: how many.
        hidden: the sizes of the hidden layers of each coupling's function.
    """

    def __init__(
        self,
        latent_dim: int,
        image_size: ImageSize | None,
        channels: int,
        density: str,
        alpha: float,
        couplings: int,
        hidden: list[int],
    ) -> None:
        super().__init__(latent_dim, image_size, channels, density, alpha)
        require_positive(couplings=couplings)
        halves = [(self.size + 1) // 2, self.size // 2]
        self.functions = nn.ModuleList(mlp([halves[i % 2], *hidden, halves[1 - i % 2]]) for i in range(couplings))
        self.scales = nn.Parameter(torch.zeros(self.size))

    def decode(self, z: Tensor) -> Tensor:
        """Map latents (N, D) to y (N, D)."""
        y = z * (-self.scales).exp()
        halves = [y[:, 0::2], y[:, 1::2]]
        for i, function in reversed([*enumerate(self.functions)]):
            halves[1 - i % 2] = halves[1 - i % 2] - function(halves[i % 2])
        return _interleaved(halves)

    def encode(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latents (N, D) of y (N, D), and log |det ∂z/∂y| (N,), the same for all."""
        halves = [y[:, 0::2], y[:, 1::2]]
        for i, function in enumerate(self.functions):
            halves[1 - i % 2] = halves[1 - i % 2] + function(halves[i % 2])
        return _interleaved(halves) * self.scales.exp(), self.scales.sum().expand(len(y))


def _interleaved(halves: list[Tensor]) -> Tensor:
    even, odd = halves
    if even.shape[1] == odd.shape[1]:
        return torch.stack([even, odd], dim=2).flatten(1)
    return torch.cat([torch.stack([even[:, :-1], odd], dim=2).flatten(1), even[:, -1:]], dim=1)


class Residual(nn.Module):
    """Convolutions whose sum with their input goes on; the last one's weights begin near zero.

    Args:
        channels: of the input.
        outputs: of the output.
        width: channels between.
        blocks: how many residual blocks.
    """

    def __init__(self, channels: int, outputs: int, width: int, blocks: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 1))
            for _ in range(blocks)
        )
        self.last = nn.Conv2d(width, outputs, 1)
        nn.init.normal_(self.last.weight, 0.0, 1e-3)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to (N, outputs, H, W)."""
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        made: Tensor = self.last(F.relu(x))
        return made


class AffineCoupling(nn.Module):
    """z = x where a mask is 1, else x exp(s) + t, with s and t functions of what is left as it is.

    s is bounded: a learned scale of each channel times a tanh.

    Args:
        channels: of the maps.
        checkered: whether the mask is a checkerboard; else it is the first half of the channels.
        turned: whether the other half is left as it is.
        width: channels of the function.
        blocks: its residual blocks.
    """

    def __init__(self, channels: int, checkered: bool, turned: bool, width: int, blocks: int) -> None:
        super().__init__()
        self.checkered, self.turned = checkered, turned
        self.function = Residual(channels, 2 * channels, width, blocks)
        self.bound = nn.Parameter(torch.ones(channels, 1, 1))

    def _functions(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        _, channels, height, width = x.shape
        if self.checkered:
            rows, columns = torch.arange(height, device=x.device)[:, None], torch.arange(width, device=x.device)
            mask = ((rows + columns + self.turned) % 2).to(x.dtype)[None]
        else:
            mask = ((torch.arange(channels, device=x.device) < channels // 2) != self.turned).to(x.dtype)[:, None, None]
        s, t = self.function(x * mask).chunk(2, dim=1)
        return mask, (1 - mask) * self.bound * s.tanh(), (1 - mask) * t

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return z of x (N, C, H, W), and log |det ∂z/∂x| (N,)."""
        _, s, t = self._functions(x)
        return x * s.exp() + t, s.flatten(1).sum(1)

    def inverse(self, z: Tensor) -> Tensor:
        """Return x of z (N, C, H, W)."""
        _, s, t = self._functions(z)  # of what is the same in both
        return (z - t) * (-s).exp()


class RealNVP(Flow):
    """Affine couplings at two scales (Dinh et al. 2017, arXiv 1605.08803, section 3.6), as Flow-GAN has them.

    Three couplings with checkerboards, then 2x2 pixels become channels, three couplings of channels; half of the
    channels are latents now, the others go through four more couplings with checkerboards.

    Args:
        latent_dim: the size of z, that of a sample.
        image_size: of square images, or height and width, even.
        channels: of the images.
        density: of z, `normal` or `logistic`.
        alpha: of the logit before images.
        width: channels of the couplings' functions.
        blocks: residual blocks of each.
    """

    def __init__(
        self,
        latent_dim: int,
        image_size: ImageSize,
        channels: int,
        density: str,
        alpha: float,
        width: int,
        blocks: int,
    ) -> None:
        super().__init__(latent_dim, image_size, channels, density, alpha)
        require_positive(width=width, blocks=blocks)
        if any(side % 2 for side in self.shape[1:]):
            raise ValueError(f"image_size={image_size}: each side must be even")

        def couplings(channels: int, checkered: bool, count: int) -> nn.ModuleList:
            return nn.ModuleList(AffineCoupling(channels, checkered, bool(i % 2), width, blocks) for i in range(count))

        self.fine = couplings(channels, True, 3)
        self.across = couplings(4 * channels, False, 3)
        self.coarse = couplings(2 * channels, True, 4)

    def encode(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latents (N, D) of y (N, D), and log |det ∂z/∂y| (N,)."""
        x, total = y.unflatten(1, self.shape), y.new_zeros(len(y))
        for group, change in ((self.fine, _squeezed), (self.across, None)):
            for coupling in group:
                x, log_det = coupling(x)
                total = total + log_det
            x = change(x) if change else x
        out, x = x.chunk(2, dim=1)
        for coupling in self.coarse:
            x, log_det = coupling(x)
            total = total + log_det
        return torch.cat([out.flatten(1), x.flatten(1)], dim=1), total

    def decode(self, z: Tensor) -> Tensor:
        """Map latents (N, D) to y (N, D)."""
        channels, height, width = self.shape
        out, x = (part.unflatten(1, (2 * channels, height // 2, width // 2)) for part in z.chunk(2, dim=1))
        for coupling in reversed([*self.coarse]):
            x = coupling.inverse(x)
        x = torch.cat([out, x], dim=1)
        for coupling in reversed([*self.across]):
            x = coupling.inverse(x)
        x = F.pixel_shuffle(x, 2)
        for coupling in reversed([*self.fine]):
            x = coupling.inverse(x)
        y: Tensor = x.flatten(1)
        return y


def _squeezed(x: Tensor) -> Tensor:
    return F.pixel_unshuffle(x, 2)


class NegativeLogLikelihood(Term):
    """-E log p(x) of real samples, in nats."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch."""
        generator = self.game.generator
        assert isinstance(generator, Flow)
        return -generator.log_likelihood(pair.batch.samples).mean()


class FlowGAN(Game):
    """The game of two players with a flow for G, which may pay for the likelihood of real samples too (section 3.2).

    G minimises its loss - λ E log p(x): with λ = 0 it is a GAN whose likelihood is known, with a great λ maximum
    likelihood. D sees real images with the uniform noise that makes their 256 levels a density. The published gradient
    penalty is a norm of each column of an image; ours is that of the image.

    Args:
        components: what the game is made of.
        likelihood: λ.
    """

    def __init__(self, components: Components, likelihood: float) -> None:
        super().__init__(components)
        if not isinstance(self.generator, Flow):
            raise ConfigError(
                f"game=flow_gan needs a generator that can be inverted, and {type(self.generator).__name__} cannot: "
                "set generator=nice or real_nvp"
            )
        require_not_negative(likelihood=likelihood)
        kind = type(self.prior).__name__.lower()
        if kind != self.generator.density:
            raise ConfigError(
                f"networks.generator.density={self.generator.density} is not that of prior={kind}: set both alike"
            )
        self.dense = self.generator.logit is not None
        if likelihood:
            self.player("generator").add_term("likelihood", NegativeLogLikelihood(), likelihood)

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return generated samples with real ones, images among these with noise."""
        pair = super().pair(batch, latent)
        if self.dense:
            pair.real = 2 * dequantised(batch.samples) - 1
        return pair
