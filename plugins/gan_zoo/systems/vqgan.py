"""VQGAN, its first stage: Esser, Rombach & Ommer 2021, Taming Transformers, arXiv 2012.09841."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    SAMPLES,
    Batch,
    Components,
    Game,
    Generator,
    Latent,
    NextBatch,
    Pair,
    Player,
    Term,
    evaluation_mode,
    grid,
)
from gan_zoo.layers import ImageSize, sides
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.reference import Reference

LARGEST = 1e4
"""The largest factor of the adversarial part."""
KEPT = 32


class Quantised(nn.Module):
    """A codebook: vectors of a map are replaced by the nearest of its entries (section 3.1, equation 2).

    Args:
        entries: how many.
        dim: of each.
    """

    usage: Tensor

    def __init__(self, entries: int, dim: int) -> None:
        super().__init__()
        require_positive(entries=entries, dim=dim)
        self.codes = nn.Parameter(torch.empty(entries, dim).uniform_(-1 / entries, 1 / entries))
        self.register_buffer("usage", torch.zeros(entries))

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the nearest entries of maps z (N, dim, H, W), and their indices (N, H, W)."""
        flat = z.movedim(1, -1)
        distances = self.codes.square().sum(1) - 2 * flat @ self.codes.T
        indices = distances.argmin(-1)
        if self.training:
            self.usage += indices.flatten().bincount(minlength=len(self.codes))
        return self.codes[indices].movedim(-1, 1), indices


def straight_through(z: Tensor, entries: Tensor) -> Tensor:
    """Return entries, with the gradient of z (equation 3: z + sg[entries - z])."""
    return z + (entries - z).detach()


class VQGAN(Game):
    """An auto-encoder whose codes are entries of a codebook, with a discriminator of patches from some step on.

        E, Z, G  |x - x̂| + ‖sg[E(x)] - e‖² + β ‖E(x) - sg[e]‖² + w λ (-D(x̂)),   w = 0 before `start`
        D        the loss's                                                        not updated before `start`
        λ = ‖∇_L |x - x̂|‖ / (‖∇_L -D(x̂)‖ + 1e-4), at most 1e4, L the weights of G's last layer (equation 7)

    All are means over entries. There is no perceptual part. The authors' program halves D's loss, which Adam does not
    see, and by default puts β on the other square. No prior of codes is trained here: samples are reconstructions.

    Args:
        components: what the game is made of.
        commitment: β; 0.25 in the paper.
        weight: w from the start on; 0.8 in the authors' program.
        start: updates of the auto-encoder before the discriminator's first.
    """

    generates = False
    generates_from = SAMPLES

    def __init__(self, components: Components, commitment: float, weight: float, start: int) -> None:
        require_not_negative(commitment=commitment, weight=weight, start=start)
        super().__init__(components)
        self.start_at = start
        self.reference = Reference(KEPT, components.data.sample)
        autoencoder = self.player("autoencoder")
        autoencoder.add_term("absolute_error", AbsoluteError())
        autoencoder.add_term("codebook", Codebook(commitment))
        autoencoder.add_term("adaptive_adversarial", AdaptiveAdversarial(weight, start))

    def make_players(self) -> list[Player]:
        """Return D and the auto-encoder."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", "discriminator"),
            Player("autoencoder", ("encoder", "codebook", "generator"), "generator"),
        ]

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step, before the start of the auto-encoder alone; the share of entries in use is measured."""
        watching, autoencoder = self.reference.watching(next_batch), self.player("autoencoder")
        codebook = self.network("codebook")
        assert isinstance(codebook, Quantised)
        codebook.usage.zero_()
        if autoencoder.updates < self.start_at:
            measured = autoencoder.play(self.meet(watching()))
        else:
            measured = super().step(watching)
        return measured | {"codebook_usage": (codebook.usage > 0).to(codebook.codes.dtype).mean()}

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real samples and their reconstructions before D, with codes and entries."""
        z, entries = self.quantise(batch.samples)
        made = self.generate_from(straight_through(z, entries))
        return Pair(self.judge("discriminator"), batch, latent, made, made={"code": z, "entries": entries})

    def quantise(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the encoder's maps of samples, and the nearest entries."""
        with self.autocast():
            z = self.network("encoder")(x).float() if x.dtype != torch.float64 else self.network("encoder")(x)
        entries, _ = self.network("codebook")(z)
        return z, entries

    def generate_from(self, maps: Tensor) -> Tensor:
        """Return the samples that G makes of maps of entries."""
        with self.autocast():
            made: Tensor = self.network(self.sampling_network)(maps)
        return made

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return the reconstructions of the samples that are given."""
        return {SAMPLES: self.reconstruct(latent.given[SAMPLES])}

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the reconstructions of samples x (N, C, H, W), within [-1, 1]."""
        return self.generate_from(self.quantise(x)[1]).clamp(-1, 1)

    def code_of(self, x: Tensor) -> Tensor:
        """Return the entries for samples, flat (N, K)."""
        return self.quantise(x)[1].flatten(1)

    @torch.no_grad()
    def picture(self, latent: Latent, columns: int) -> Tensor:
        """Draw rows of real images, each followed by a row of their reconstructions."""
        real = self.reference.kept
        with evaluation_mode(self):
            rows = torch.stack([real, self.reconstruct(real).float()])
        whole = len(real) // columns * columns or len(real)
        blocks = rows[:, :whole].unflatten(1, (-1, min(columns, whole)))
        return grid(blocks.transpose(0, 1).flatten(0, 2), min(columns, whole))


class AbsoluteError(Term):
    """|x - x̂|, a mean over entries."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean absolute error of a pair's reconstructions."""
        return (pair.fake - pair.real).abs().mean()


class Codebook(Term):
    """‖sg[E(x)] - e‖² + β ‖E(x) - sg[e]‖², means over entries (van den Oord et al. 2017, arXiv 1711.00937, equation 3).

    Args:
        commitment: β.
    """

    def __init__(self, commitment: float) -> None:
        super().__init__()
        self.commitment = commitment

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the sum of both squares."""
        code, entries = pair.made["code"], pair.made["entries"]
        return (code.detach() - entries).square().mean() + self.commitment * (code - entries.detach()).square().mean()


class AdaptiveAdversarial(Term):
    """w λ (-E D(x̂)), λ from the gradients of both parts at G's last layer (equation 7).

    Args:
        weight: w.
        start: updates of the player before which the term is 0.
    """

    last: Tensor

    def __init__(self, weight: float, start: int) -> None:
        super().__init__()
        self.weight = weight
        self.start = start
        self.register_buffer("last", torch.tensor(0.0))

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the part, 0 before its time."""
        if player.updates < self.start:
            return pair.fake.new_zeros(())
        loss = -pair.fake_output.logits.mean()
        generator = self.game.network("generator")
        factor = adaptive_factor((pair.fake - pair.real).abs().mean(), loss, generator.last.weight)  # type: ignore[union-attr, arg-type]
        self.last.copy_(factor)
        return self.weight * factor * loss

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return λ."""
        return {"factor": self.last}


def adaptive_factor(reconstruction: Tensor, adversarial: Tensor, weight: Tensor) -> Tensor:
    """Return ‖∇ reconstruction‖ / (‖∇ adversarial‖ + 1e-4) at a layer's weight, at most 1e4, without a graph."""
    norms = [torch.autograd.grad(loss, weight, retain_graph=True)[0].norm() for loss in (reconstruction, adversarial)]
    factor: Tensor = (norms[0] / (norms[1] + 1e-4)).clamp(0, LARGEST)
    return factor.detach()


# -- networks --------------------------------------------------------------------------------------


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(32, channels), channels, eps=1e-6)


class _Block(nn.Module):
    """Norm, swish, convolution, twice, beside a shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _norm(inputs),
            nn.SiLU(),
            nn.Conv2d(inputs, outputs, 3, padding=1),
            _norm(outputs),
            nn.SiLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1),
        )
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.shortcut(x) + self.layers(x)
        return made


class _Attention(nn.Module):
    """Attention of one head over all positions of a map, added to it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _norm(channels)
        self.query, self.key, self.value, self.project = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        q, k, v = (layer(h).flatten(2).transpose(1, 2) for layer in (self.query, self.key, self.value))
        seen = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).unflatten(2, x.shape[2:])
        made: Tensor = x + self.project(seen)
        return made


class _Halve(nn.Conv2d):
    """A convolution of stride 2, padded at the right and below alone."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, (0, 1, 0, 1)))


def _middle(channels: int) -> list[nn.Module]:
    return [_Block(channels, channels), _Attention(channels), _Block(channels, channels)]


def _check(image_size: ImageSize, width: int, factors: list[int], blocks: int, channels: int, dim: int) -> int:
    require_positive(width=width, blocks=blocks, channels=channels, dim=dim)
    if not factors or min(factors) < 1:
        raise ValueError(f"factors={factors}: one for each level, at least 1")
    shrunk = 2 ** (len(factors) - 1)
    if any(side % shrunk for side in sides(image_size)):
        raise ValueError(f"image_size={image_size}: it is halved {len(factors) - 1} times and must divide by {shrunk}")
    return min(sides(image_size))


class VQGANEncoder(nn.Module):
    """Levels of residual blocks, each half as large as the one before, with attention at some sizes.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        width: channels of the first layer; 128 in the paper.
        factors: of the width, for each level; [1, 1, 2, 2, 4] in the paper.
        blocks: residual blocks of each level; 2 in the paper.
        attention: the sizes at which attention follows each block; [16] in the paper. It is always in the middle.
        dim: of the codes; 256 in the paper.
    """

    def __init__(
        self,
        image_size: ImageSize,
        channels: int,
        width: int,
        factors: list[int],
        blocks: int,
        attention: list[int],
        dim: int,
    ) -> None:
        super().__init__()
        size = _check(image_size, width, factors, blocks, channels, dim)
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1)]
        before = width
        for level, factor in enumerate(factors):
            if level:
                layers.append(_Halve(before))
                size //= 2
            for _ in range(blocks):
                layers.append(_Block(before, factor * width))
                before = factor * width
                if size in attention:
                    layers.append(_Attention(before))
        last = [_norm(before), nn.SiLU(), nn.Conv2d(before, dim, 3, padding=1), nn.Conv2d(dim, dim, 1)]
        self.layers = nn.Sequential(*layers, *_middle(before), *last)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to maps (N, dim, h, w)."""
        maps: Tensor = self.layers(x)
        return maps


class VQGANGenerator(Generator):
    """The encoder mirrored, with one block more in each level; its last layer is `last`, and it has no tanh.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        width: channels of the last level; 128 in the paper.
        factors: of the width, for each level, the largest first in use; [1, 1, 2, 2, 4] in the paper.
        blocks: residual blocks of the encoder's levels; here one more.
        attention: the sizes at which attention follows each block.
        dim: of the codes.
    """

    def __init__(
        self,
        image_size: ImageSize,
        channels: int,
        width: int,
        factors: list[int],
        blocks: int,
        attention: list[int],
        dim: int,
    ) -> None:
        super().__init__()
        size = _check(image_size, width, factors, blocks, channels, dim) // 2 ** (len(factors) - 1)
        before = factors[-1] * width
        layers: list[nn.Module] = [nn.Conv2d(dim, dim, 1), nn.Conv2d(dim, before, 3, padding=1), *_middle(before)]
        for level, factor in enumerate(reversed(factors)):
            if level:
                layers += [nn.Upsample(scale_factor=2), nn.Conv2d(before, before, 3, padding=1)]
                size *= 2
            for _ in range(blocks + 1):
                layers.append(_Block(before, factor * width))
                before = factor * width
                if size in attention:
                    layers.append(_Attention(before))
        self.layers = nn.Sequential(*layers, _norm(before), nn.SiLU())
        self.last = nn.Conv2d(before, channels, 3, padding=1)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map maps of codes (N, dim, h, w) to images (N, C, H, W), which may leave [-1, 1]."""
        images: Tensor = self.last(self.layers(z))
        return images
