"""StackGAN (Zhang et al. 2016, arXiv 1612.03242): small images of a text, then large ones of the small and the text.

The text is a vector t: of the data, or, where labels are classes, a fixed random vector for each class that stands for
it. Both stages see c = μ(t) + σ(t) ε (conditioning augmentation), the judges μ(t). A judge is also shown real images
with another one's text. The first stage is trained first and stands still while the second is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
    evaluation_mode,
)
from gan_zoo.layers import given as labels_given
from gan_zoo.ranges import require_above_zero, require_positive
from gan_zoo.terms.kl_divergence import kl_to_standard_normal

SMALL = "small"
"""The name of the first stage's image among what the second is given."""

SEED = 1612_03242
"""Of the vectors that stand for classes, the same in both stages."""


class Text(nn.Module):
    """The vector of a label: itself, or a fixed one from N(0, 1) for each class.

    Args:
        num_classes: the number of classes; 0 where labels are vectors.
        size: of the vectors.
    """

    def __init__(self, num_classes: int, size: int) -> None:
        super().__init__()
        drawn = torch.randn(num_classes, size, generator=torch.Generator("cpu").manual_seed(SEED), device="cpu")
        self.register_buffer("vectors", drawn)

    def forward(self, labels: Tensor | None) -> Tensor:
        """Map labels (N,) or (N, size) to vectors (N, size)."""
        labels = labels_given(labels)
        return labels if labels.is_floating_point() else cast(Tensor, self.vectors)[labels]


class ConditioningAugmentation(nn.Module):
    """(μ, log σ²) of a text: one linear layer and ReLU, as the authors' program has it (section 3.2).

    Args:
        num_classes: the number of classes; 0 where labels are vectors.
        text_dim: the size of a text.
        size: of μ and σ.
    """

    def __init__(self, num_classes: int, text_dim: int, size: int) -> None:
        super().__init__()
        self.text = Text(num_classes, text_dim)
        self.layer = nn.Linear(text_dim, 2 * size)

    def forward(self, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return μ and log σ² (N, size) of labels."""
        mean, log_variance = F.relu(self.layer(self.text(labels))).chunk(2, 1)
        return mean, log_variance


def augmented(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Return μ + σ ε (N, size)."""
    return mean + (0.5 * log_variance).exp() * noise


def _convolution(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def _enlarging(widths: list[int], channels: int) -> nn.Sequential:
    blocks = [nn.Sequential(nn.Upsample(scale_factor=2), *_convolution(a, b)) for a, b in pairwise(widths)]
    return nn.Sequential(*blocks, nn.Conv2d(widths[-1], channels, 3, padding=1, bias=False), nn.Tanh())


def _doublings(setting: str, size: int, start: int) -> int:
    times = int(math.log2(size / start)) if size >= start else 0
    if times < 1 or start * 2**times != size:
        choices = ", ".join(str(start * 2**i) for i in range(1, 5))
        raise ValueError(f"{setting}={size}: maps of {start} pixels are doubled some times; {choices}, ... can be")
    return times


class StageOne(Generator):
    """z and c through a linear layer to 4x4 maps, which are doubled to images (section 3.3).

    Args:
        noise_dim: the size of z without ε.
        num_classes: the number of classes; 0 where labels are vectors.
        text_dim: the size of a text.
        condition_dim: the size of c.
        image_size: of the small images, 4 times a power of two.
        channels: of the images.
        width: an eighth of the channels of the first maps at 64 pixels; each doubling halves them, to half of it.
    """

    conditional = True

    def __init__(
        self,
        noise_dim: int,
        num_classes: int,
        text_dim: int,
        condition_dim: int,
        image_size: int,
        channels: int,
        width: int,
    ) -> None:
        super().__init__()
        times = _doublings("image_size", image_size, 4)
        widths = [width * 2**i // 2 for i in reversed(range(times + 1))]
        require_positive(width=widths[-1])
        self.latent_dim = noise_dim + condition_dim
        self.image_size = image_size
        self.noise_dim = noise_dim
        self.augmentation = ConditioningAugmentation(num_classes, text_dim, condition_dim)
        self.start = nn.Sequential(
            nn.Linear(self.latent_dim, widths[0] * 16, bias=False),
            nn.BatchNorm1d(widths[0] * 16),
            nn.ReLU(),
            nn.Unflatten(1, (widths[0], 4, 4)),
        )
        self.layers = _enlarging(widths, channels)

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the images, and μ and log σ² (N, condition_dim)."""
        mean, log_variance = self.augmentation(labels)
        return {SAMPLES: self(z, labels), "mean": mean, "log_variance": log_variance}

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return images (N, C, H, W) in [-1, 1] of z and ε (N, latent_dim)."""
        noise, own = z.split([self.noise_dim, z.shape[1] - self.noise_dim], 1)
        mean, log_variance = self.augmentation(labels)
        c = augmented(mean, log_variance, own)
        images: Tensor = self.layers(self.start(torch.cat([noise, c], 1)))
        return images


class Residual(nn.Module):
    """Two convolutions with batch norm beside the identity, then ReLU.

    Args:
        width: channels of input and output.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_convolution(width, width), *_convolution(width, width)[:2])

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, H, W) to the same shape."""
        return F.relu(x + self.layers(x))


class StageTwo(Generator):
    """The small image, a quarter of its size, and c, through two residual blocks, doubled to a large one (section 3.4).

    Args:
        num_classes: the number of classes; 0 where labels are vectors.
        text_dim: the size of a text.
        condition_dim: the size of c, and of its part of z, which is ε alone.
        small_size: of the first stage's images.
        image_size: of the images.
        channels: of the images.
        width: channels of the first maps; the residual blocks have four times as many.
    """

    conditional = True

    def __init__(
        self,
        num_classes: int,
        text_dim: int,
        condition_dim: int,
        small_size: int,
        image_size: int,
        channels: int,
        width: int,
    ) -> None:
        super().__init__()
        if small_size % 4:
            raise ValueError(f"small_size={small_size}: the small image is halved twice; it is a multiple of 4")
        times = _doublings("image_size", image_size, small_size // 4)
        widths = [4 * width >> i for i in range(times + 1)]
        require_positive(width=widths[-1])
        self.latent_dim = condition_dim
        self.augmentation = ConditioningAugmentation(num_classes, text_dim, condition_dim)
        self.encoder = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.ReLU())
        for a, b in pairwise((width, 2 * width, 4 * width)):
            self.encoder.extend([nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()])
        self.joint = nn.Sequential(
            *_convolution(4 * width + condition_dim, 4 * width), Residual(4 * width), Residual(4 * width)
        )
        self.layers = _enlarging(widths, channels)

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the images, and μ and log σ² (N, condition_dim)."""
        mean, log_variance = self.augmentation(labels)
        return {SAMPLES: self(z, labels, given), "mean": mean, "log_variance": log_variance}

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Return images (N, C, H, W) in [-1, 1] of ε (N, condition_dim) and the image `small`."""
        mean, log_variance = self.augmentation(labels)
        c = augmented(mean, log_variance, z)
        images: Tensor = self.layers(self.joint(beside(self.encoder(given[SMALL]), c)))
        return images


def beside(maps: Tensor, vector: Tensor) -> Tensor:
    """Return maps (N, C, H, W) with a vector (N, K) at each place: (N, C + K, H, W)."""
    return torch.cat([maps, vector[:, :, None, None].expand(-1, -1, *maps.shape[2:])], 1)


class TextJudge(Discriminator):
    """Strided convolutions down to 4x4 pixels, then a 3x3 one of the maps and μ beside them (sections 3.3 and 3.4).

    Args:
        condition_dim: the size of μ.
        image_size: 4 times a power of two.
        channels: of the images.
        width: of the first layer; it doubles, and from what is above eight times it 3x3 convolutions lead back.
    """

    def __init__(self, condition_dim: int, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        require_positive(width=width)
        times = _doublings("image_size", image_size, 4)
        widths = [width * 2**i for i in range(times)]
        blocks = [nn.Sequential(nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2))]
        blocks += [self._block(nn.Conv2d(a, b, 4, 2, 1, bias=False)) for a, b in pairwise(widths)]
        last = widths[-1]
        while last > 8 * width:
            blocks.append(self._block(nn.Conv2d(last, last // 2, 3, padding=1, bias=False)))
            last //= 2
        self.blocks = nn.ModuleList(blocks)
        inputs = last + condition_dim
        self.joint = self._block(nn.Conv2d(inputs, last, 3, padding=1, bias=False))
        self.output = nn.Linear(last * 16, 1)

    @staticmethod
    def _block(convolution: nn.Conv2d) -> nn.Sequential:
        return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels), nn.LeakyReLU(0.2))

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the activations for images (N, C, H, W) and μ (N, condition_dim)."""
        found = []
        for block in self.blocks:
            x = block(x)
            found.append(x)
        return *found, self.joint(beside(x, given[0]))


class Stacked(Generator):
    """Both stages, one after the other, without parameters of its own.

    Args:
        one: the first stage.
        two: the second.
    """

    conditional = True

    def __init__(self, one: nn.Module, two: nn.Module) -> None:
        super().__init__()
        self._stages = (one, two)  # in a tuple, because the game has registered them already

    def parts(self, z: Tensor) -> tuple[Tensor, ...]:
        """Return the stages' parts of z (N, D)."""
        return z.split([cast(int, stage.latent_dim) for stage in self._stages], 1)  # type: ignore[no-any-return]

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, D) and labels to large images."""
        one, two = self._stages
        first, second = self.parts(z)
        images: Tensor = two(second, labels, {SMALL: one(first, labels)})
        return images


class Divergence(Term):
    """KL(N(μ, σ²) || N(0, I)) of conditioning augmentation (equation 2).

    Args:
        over: `mean` over the dimensions, or their `sum`.
    """

    def __init__(self, over: str) -> None:
        super().__init__()
        if over not in ("mean", "sum"):
            raise ValueError(f"over={over!r}: choose mean or sum")
        self.over = over

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's samples."""
        mean, log_variance = pair.made["mean"], pair.made["log_variance"]
        divergence = kl_to_standard_normal(mean, log_variance).mean()
        return divergence / mean.shape[1] if self.over == "mean" else divergence


def right_made_wrong(losses: Tensor) -> Tensor:
    """Return CE(real, right) + ½ (CE(generated) + CE(real, wrong)) of the three (3,)."""
    return losses[0] + 0.5 * (losses[1] + losses[2])


class StackGAN(Game):
    """Two stages with a judge each (Zhang et al. 2016, arXiv 1612.03242); `schedule=stages` trains one after the other.

    Networks are generator_0, discriminator_0, generator_1 and discriminator_1; z has a part for either generator. Each
    judge faces real images with their own text, generated ones, and real ones with the text of another class, or, where
    labels are vectors, of the one before in the batch.

    Args:
        components: what the configuration's plugins built.
        divergence: the weight of KL(N(μ, σ²) || N(0, I)) in both generators' objectives.
        over: whether the divergence is the `mean` over the dimensions, as in the authors' program, whose weight is 2,
            or their `sum`, as in the paper, whose weight is 1.
    """

    sampling_network = "stacked"

    def __init__(self, components: Components, divergence: float, over: str) -> None:
        super().__init__(components)
        require_above_zero(divergence=divergence)
        for stage in range(2):
            plan = TermPlan(divergence, pairs=(f"made_{stage}",))
            self.player(f"generator_{stage}").add_term("divergence", Divergence(over), plan=plan)

    def make_players(self) -> list[Player]:
        """Return a judge and a generator for each stage."""
        stacked = Stacked(self.network("generator_0"), self.network("generator_1"))
        self.networks["stacked"] = stacked
        needed = sum(cast(int, self.network(f"generator_{stage}").latent_dim) for stage in range(2))
        drawn = getattr(self.prior, "dim", None)
        if drawn != needed:
            raise ConfigError(f"prior.dim={drawn}: the stages take {needed} numbers of z; set prior.dim={needed}")
        players = []
        for stage in range(2):
            facing = {
                f"right_{stage}": "discriminator_real",
                f"made_{stage}": "discriminator_fake",
                f"wrong_{stage}": "discriminator_fake",
            }
            name = f"discriminator_{stage}"
            players.append(Player(name, (name,), "discriminator", facing, right_made_wrong))
        for stage in range(2):
            name = f"generator_{stage}"
            players.append(Player(name, (name,), "generator", {f"made_{stage}": "generator"}))
        return players

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return the three pairs of each stage that is trained, or of both where nothing is."""
        first, second = cast(Stacked, self.network("stacked")).parts(latent.z)
        trained = self._trained()
        found: dict[str, Pair] = {}
        if 0 in trained:
            size = cast(int, self.network("generator_0").image_size)
            found |= self._stage(0, F.adaptive_avg_pool2d(batch.samples, size), batch, latent._replace(z=first))
        if 1 in trained:
            # The first stage stands still, its running statistics too.
            with torch.no_grad(), evaluation_mode(self.network("generator_0")):
                small = self.generate(latent._replace(z=first), "generator_0")
            found |= self._stage(1, batch.samples, batch, latent._replace(z=second, given={SMALL: small}))
        return found

    def _trained(self) -> list[int]:
        stages = getattr(self.schedule, "stages", None)
        if not stages or not self.networks.training:
            return [0, 1]
        players = stages[self.schedule.stage].players
        return [stage for stage in (0, 1) if {f"generator_{stage}", f"discriminator_{stage}"} & {*players}]

    def _stage(self, stage: int, real: Tensor, batch: Batch, latent: Latent) -> dict[str, Pair]:
        made = self.make(latent, f"generator_{stage}")
        judge, fake, mean = self.judge(f"discriminator_{stage}"), made[SAMPLES], made["mean"].detach()
        facing = Pair(judge, batch, latent, fake, real=real, real_given=(mean,), fake_given=(mean,), made=made)
        again = Pair(judge, batch, latent, fake, real=real, real_given=(mean,), fake_given=(mean,), made=made)
        wrong = Pair(
            judge, batch, latent, real, real=real, real_given=(mean,), fake_given=(self._wrong(stage, latent, mean),)
        )
        return {f"right_{stage}": facing, f"made_{stage}": again, f"wrong_{stage}": wrong}

    @torch.no_grad()
    def _wrong(self, stage: int, latent: Latent, mean: Tensor) -> Tensor:
        """Return the means μ (N, condition_dim) of texts that are not the images' own."""
        labels = labels_given(latent.labels)
        if labels.is_floating_point():
            return mean.roll(1, 0)
        classes = self.data.num_classes
        others = (labels + torch.randint(1, max(classes, 2), labels.shape, device=labels.device)) % classes
        with self.autocast():
            found: Tensor = self.network(f"generator_{stage}").augmentation(others)[0]  # type: ignore[operator]
        return found.to(mean.dtype)
