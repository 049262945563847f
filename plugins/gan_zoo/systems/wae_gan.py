"""WAE: Tolstikhin, Bousquet, Gelly & Schölkopf 2018, arXiv 1711.01558."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    Batch,
    BeforeFirstStep,
    Components,
    ConfigError,
    DiscriminatorOutput,
    Game,
    Generator,
    Latent,
    NextBatch,
    Pair,
    Player,
    Term,
    TermPlan,
    distributed,
    nobody,
)
from gan_zoo.encoding import Fools
from gan_zoo.generators.dcgan import DOUBLING, check_kernel
from gan_zoo.kernels import Kernel, squared_distances, squared_mmd
from gan_zoo.layers import OUTPUTS, PIXELS, ImageSize, choose, cropped, sides
from gan_zoo.priors.normal import Normal
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.systems.aae import AAE, CODES

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
PENALTIES = ("gan", "mmd")
STD = 0.01
"""The deviation of the first weights."""


def inverse_multiquadratics(dim: int) -> Kernel:
    """Return k(a, b) = Σ over s of C / (C + ‖a - b‖²), C = 2 dim s, for latents of deviation 1 (section 4)."""

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        squares = squared_distances(a, b)
        return torch.stack([2 * dim * scale / (2 * dim * scale + squares) for scale in SCALES]).sum(0)

    return kernel


class CodesMMD(Term):
    """The squared maximum mean discrepancy of codes and latents under inverse multiquadratics (algorithm 2).

    Args:
        unbiased: leave the products of a sample with itself out, as the paper does; it can then be negative.
    """

    def __init__(self, unbiased: bool = True) -> None:
        super().__init__()
        self.unbiased = unbiased

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the discrepancy of both sides of a pair."""
        if self.unbiased and min(len(pair.real), len(pair.fake)) < 2:
            raise ConfigError("game.penalty=mmd needs at least two samples in a batch")
        return squared_mmd(inverse_multiquadratics(pair.fake.shape[1]), pair.real, pair.fake, self.unbiased)


class MatchMoments(BeforeFirstStep):
    """Trains the encoder until mean and covariance of its codes are near those of the latents (appendix, `pretrain`).

    Args:
        steps: of Adam, each on a batch of its own.
        lr: the learning rate.
    """

    def __init__(self, steps: int, lr: float = 1e-3) -> None:
        super().__init__()
        self.steps = steps
        self.lr = lr

    def play(self, game: Game, next_batch: NextBatch) -> None:
        """Train it."""
        parameters = game.trainable(("encoder",))
        optimizer = torch.optim.Adam(parameters, self.lr)
        for _ in range(self.steps):
            pair = game.meet(next_batch())[CODES]
            optimizer.zero_grad()
            loss = moments_apart(pair.real, pair.fake)
            loss.backward(inputs=parameters)
            distributed.average_gradients(parameters, loss.detach())
            optimizer.step()


def moments_apart(z: Tensor, code: Tensor) -> Tensor:
    """Return the mean square differences of means and of covariances of two batches (N, K), summed."""
    (mean_z, cov_z), (mean_code, cov_code) = (_moments(batch) for batch in (z, code))
    return (mean_z - mean_code).square().mean() + (cov_z - cov_code).square().mean()


def _moments(batch: Tensor) -> tuple[Tensor, Tensor]:
    mean = batch.mean(0)
    return mean, (batch - mean).T @ (batch - mean) / max(len(batch) - 1, 1)


class WAE(AAE):
    """An auto-encoder that lowers a cost and λ times how far its codes are from the prior, in one update (equation 4).

        E, G  c(x, G(E(x))) + λ penalty;   gan: -log D(E(x)), D as in an AAE;   mmd: MMD²(codes, latents), without D

    Args:
        components: what the game is made of.
        penalty: `gan` or `mmd`.
        weight: λ.
        known_prior: have D say net(z) + log p(z), of which the best D has the second part anyway; for standard normal
            latents and `gan`.
        pretraining: steps of the encoder before the first, in which it learns the prior's mean and covariance.
    """

    def __init__(
        self, components: Components, penalty: str, weight: float, known_prior: bool, pretraining: int
    ) -> None:
        if penalty not in PENALTIES:
            raise ValueError(f"penalty={penalty!r}: choose {' or '.join(PENALTIES)}")
        require_not_negative(weight=weight, pretraining=pretraining)
        self.penalty = penalty
        super().__init__(components)
        autoencoder = self.player("autoencoder")
        term = Fools() if penalty == "gan" else CodesMMD()
        autoencoder.add_term(CODES, term, plan=TermPlan(weight, pairs=(CODES,)))
        if pretraining:
            self.openings.append(MatchMoments(pretraining))
        if known_prior:
            if penalty == "mmd" or not isinstance(self.prior, Normal):
                raise ConfigError(
                    "game.known_prior=true adds the log density of a standard normal prior to what D says of codes: it "
                    "needs prior=normal and game.penalty=gan"
                )
            self.discriminator.register_forward_hook(with_log_density)

    def make_players(self) -> list[Player]:
        """Return D, if there is one, and the auto-encoder."""
        autoencoder = Player("autoencoder", ("encoder", "generator"), "generator")
        if self.penalty == "mmd":
            return [autoencoder]
        return [Player("discriminator", ("discriminator",), "discriminator", {CODES: "discriminator"}), autoencoder]

    def codes(self, batch: Batch, code: Latent, latent: Latent) -> Pair:
        """Return latents as real and codes as generated samples, before D if there is one."""
        if self.penalty == "gan":
            return super().codes(batch, code, latent)
        return Pair(nobody, batch, code, code.z, real=latent.z.to(code.z.dtype))


def with_log_density(network: object, given: tuple[Tensor, ...], said: DiscriminatorOutput) -> DiscriminatorOutput:
    """Return what is said of codes given[0] (N, K) with the standard normal log density added to the logits."""
    z = given[0]
    log_density = -0.5 * z.square().sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)
    return said._replace(logits=said.logits + log_density)


class SameConv2d(nn.Conv2d):
    """A convolution of stride 2 that rounds odd sides up; of the zeros around the maps one more is on the far sides.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        kernel: its size, at least 2.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(inputs, outputs, kernel, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, ⌈H/2⌉, ⌈W/2⌉)."""
        margins: list[int] = []
        for side in (x.shape[3], x.shape[2]):
            zeros = self.kernel_size[0] - 2 + side % 2
            margins += [zeros // 2, zeros - zeros // 2]
        return super().forward(F.pad(x, margins))


class WAEEncoder(nn.Module):
    """Convolutions of stride 2 with batch norm and ReLU, whose channels double, and a linear layer to the code.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        width: channels of the first layer; 128 in the authors' program.
        layers: convolutions; 4 there.
        kernel: of these; 4 for digits, 5 for faces.
        outputs: the sizes of the parts of the output vector: codes.
        pixels: `unit` for [0, 1], as for digits, or `symmetric` for [-1, 1].
    """

    def __init__(
        self,
        image_size: ImageSize,
        channels: int,
        width: int,
        layers: int,
        kernel: int,
        outputs: list[int],
        pixels: str,
    ) -> None:
        super().__init__()
        require_positive(width=width, layers=layers)
        check_kernel(kernel)
        widths = [channels, *(width << i for i in range(layers))]
        blocks: list[nn.Module] = [choose(PIXELS, "pixels", pixels)]
        for inputs, wide in pairwise(widths):
            blocks += [SameConv2d(inputs, wide, kernel), nn.BatchNorm2d(wide), nn.ReLU()]
        places = math.prod(-(-side // 2**layers) for side in sides(image_size))
        self.layers = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(widths[-1] * places, sum(outputs)))
        _init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to vectors (N, sum of outputs)."""
        code: Tensor = self.layers(x)
        return code


class WAEGenerator(Generator):
    """A linear layer to a map, transposed convolutions that double it, and one of stride 1 to the image (`dcgan_mod`).

    Batch norm and ReLU after the doublings, ReLU alone after the linear layer.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width; what is no multiple is cropped from the next larger one.
        channels: of the images.
        width: channels of the last map; 256 for digits and 128 for faces in the authors' program.
        layers: the last one and the doublings; 3 for digits, 4 for faces.
        kernel: of the convolutions; 4 for digits, 5 for faces.
        output: `sigmoid` (rescaled to [-1, 1]), as for digits, or `tanh`.
    """

    def __init__(
        self,
        latent_dim: int,
        image_size: ImageSize,
        channels: int,
        width: int,
        layers: int,
        kernel: int,
        output: str,
    ) -> None:
        super().__init__()
        require_positive(latent_dim=latent_dim, width=width, layers=layers)
        padding, further = DOUBLING[check_kernel(kernel)]
        self.image_size = image_size
        doublings = layers - 1
        self.base = (width << doublings, *(-(-side >> doublings) for side in sides(image_size)))
        self.start = nn.Linear(latent_dim, math.prod(self.base))
        blocks: list[nn.Module] = []
        for i in reversed(range(doublings)):
            wide = width << i
            doubling = nn.ConvTranspose2d(2 * wide, wide, kernel, 2, padding, further)
            blocks += [doubling, nn.BatchNorm2d(wide), nn.ReLU()]
        self.layers = nn.Sequential(*blocks)
        self.last = nn.ConvTranspose2d(width, channels, kernel, 1, padding)
        self.output = choose(OUTPUTS, "output", output)
        _init(self)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        maps = self.layers(self.start(z).relu().unflatten(1, self.base))
        # An even kernel makes a row and a column more than there were.
        image = self.last(maps)[..., : maps.shape[2], : maps.shape[3]]
        images: Tensor = self.output(cropped(image, self.image_size))
        return images


def _init(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(layer.weight, 0.0, STD)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
