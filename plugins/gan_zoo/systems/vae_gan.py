"""VAE-GAN: Larsen, Sønderby, Larochelle & Winther 2016, arXiv 1512.09300."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from gan_framework.api import (
    MAIN,
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
)
from gan_zoo.autoencoding import decode
from gan_zoo.encoding import RECONSTRUCTION, EncodingGame
from gan_zoo.judged_together import TogetherPair
from gan_zoo.layers import ImageSize, activations, cropped, init_normal, sides
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.terms.kl_divergence import KLDivergence


class FeatureReconstruction(Term):
    """½ ‖D_l(x) - D_l(x̃)‖², a mean over samples: -log of a Gaussian in D's layer l, without its constant (equation 7).

    Args:
        layer: the index of the layer among D's features.
    """

    def __init__(self, layer: int) -> None:
        super().__init__()
        self.layer = layer

    def check(self, game: Game, player: Player) -> None:
        """Raise ConfigError if D has no such layer."""
        found = len(game.probe().features)
        if not -found <= self.layer < found:
            raise ConfigError(
                f"game.layer={self.layer}: {type(game.discriminator).__name__} has {found} layers, from 0"
            )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance of reconstructions from what they reconstruct, as D sees both."""
        real, made = (said.features[self.layer] for said in (pair.real_output, pair.fake_output))
        wide = pair.real.dtype
        return 0.5 * (made.to(wide) - real.to(wide)).flatten(1).square().sum(1).mean()


class VAEGAN(EncodingGame):
    """A VAE whose error is measured in a layer of D, which tells both reconstructions and samples from real ones.

        E  KL(q(z|x) ‖ p(z)) + L_l,      L_l = ½ ‖D_l(x) - D_l(x̃)‖²
        G  γ L_l + log(1 - D(x̃)) + log(1 - D(G(z)))
        D  -log D(x) - log(1 - D(x̃)) - log(1 - D(G(z)))                      (algorithm 1)

    G raises what D lowers, `loss=minimax`: the gate of the authors' program keeps D from being too sure for that. No
    gradient of the adversarial part reaches E, and none of L_l reaches D. γ → ∞ is a VAE. The loss must be a sum of a
    real and a generated half. KL and L_l are sums over entries and means over samples. In the program real samples have
    half of the weight in D's loss.

    Args:
        components: what the game is made of.
        gamma: the weight of L_l for G.
        layer: the index of D's layer l among its features.
        judges_reconstructions: whether D and G see reconstructions too; the authors' program for faces shows D samples
            alone.
        together: whether D's batch norm takes real and generated samples for one batch, as in the authors' program.
    """

    def __init__(
        self, components: Components, gamma: float, layer: int, judges_reconstructions: bool, together: bool = False
    ) -> None:
        require_not_negative(gamma=gamma)
        self.together = together
        self.judges_reconstructions = judges_reconstructions
        super().__init__(components)
        for name, weight in (("encoder", 1.0), ("generator", gamma)):
            plan = TermPlan(weight, pairs=(RECONSTRUCTION,))
            self.player(name).add_term("feature_reconstruction", FeatureReconstruction(layer), plan=plan)
        self.player("encoder").add_term("kl_divergence", KLDivergence(), plan=TermPlan(pairs=(RECONSTRUCTION,)))

    def make_players(self) -> list[Player]:
        """Return D, G and E."""
        told, fooled = {MAIN: "discriminator"}, {MAIN: "generator"}
        if self.judges_reconstructions:
            told[RECONSTRUCTION], fooled[RECONSTRUCTION] = "discriminator_fake", "generator"
        return [
            Player("discriminator", ("discriminator",), "discriminator", told),
            Player("generator", ("generator",), "generator", fooled),
            Player("encoder", ("encoder",)),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return x and G(z), and x and its reconstruction, both before D."""
        judge, code = self.judge("discriminator"), self.encode(batch.samples, batch.labels)
        kind = TogetherPair if self.together else Pair
        return {
            MAIN: kind(judge, batch, latent, self.generate(latent)),
            RECONSTRUCTION: kind(judge, batch, code, decode(self, code)),
        }


def _small_map(image_size: ImageSize) -> tuple[int, int]:
    """Return the height and width of the smallest map, an eighth of the image's."""
    height, width = sides(image_size)
    if min(height, width) < 8:
        raise ValueError(f"image_size={image_size}: it must be at least 8 on both sides")
    return -(-height // 8), -(-width // 8)


def _halving(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 5, 2, 2, bias=False)


class VAEGANEncoder(nn.Module):
    """Three convolutions 5x5 of stride 2 with batch norm, a fully connected layer, and one to the code.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        widths: channels of the three convolutions; [64, 128, 256] in the paper.
        hidden: the size of the fully connected layer; 2048 in the paper, 1024 in the authors' program.
        outputs: the sizes of the parts of the output vector: means and logarithms of variances.
    """

    def __init__(
        self, image_size: ImageSize, channels: int, widths: list[int], hidden: int, outputs: list[int]
    ) -> None:
        super().__init__()
        _require_three(widths)
        require_positive(channels=channels, hidden=hidden)
        height, width = _small_map(image_size)
        layers: list[nn.Module] = []
        for inputs, wide in zip([channels, *widths], widths, strict=False):
            layers += [_halving(inputs, wide), nn.BatchNorm2d(wide), nn.ReLU()]
        layers += [nn.Flatten(), nn.Linear(widths[-1] * height * width, hidden, bias=False)]
        self.layers = nn.Sequential(*layers, nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, sum(outputs)))
        init_normal(self, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to vectors (N, sum of outputs)."""
        outputs: Tensor = self.layers(x)
        return outputs


class VAEGANGenerator(Generator):
    """A fully connected layer to a map, three transposed convolutions 5x5 of stride 2, one convolution to the image.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width; what is no multiple of 8 is cropped from the next larger one.
        channels: of the images.
        first: channels of the first map; 256 in the paper.
        widths: channels of the three transposed convolutions; [256, 128, 32] in the paper.
    """

    def __init__(self, latent_dim: int, image_size: ImageSize, channels: int, first: int, widths: list[int]) -> None:
        super().__init__()
        _require_three(widths)
        require_positive(latent_dim=latent_dim, channels=channels, first=first)
        self.image_size = image_size
        self.base = (first, *_small_map(image_size))
        flat = first * self.base[1] * self.base[2]
        self.first = nn.Sequential(nn.Linear(latent_dim, flat, bias=False), nn.BatchNorm1d(flat), nn.ReLU())
        layers: list[nn.Module] = []
        for inputs, wide in zip([first, *widths], widths, strict=False):
            doubling = nn.ConvTranspose2d(inputs, wide, 5, 2, 2, output_padding=1, bias=False)
            layers += [doubling, nn.BatchNorm2d(wide), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], channels, 5, padding=2), nn.Tanh())
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.layers(self.first(z).unflatten(1, self.base))
        return cropped(images, self.image_size)


class VAEGANDiscriminator(Discriminator):
    """A convolution 5x5, three of stride 2 with batch norm, a fully connected layer, a logit.

    Its features are the activations of the first three convolutions, the fourth's output before norm and activation
    (index 3, the paper's layer l), and the fully connected layer's.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        first: channels of the first convolution; 32 in the paper.
        widths: channels of the other three; [128, 256, 256] in the paper.
        hidden: the size of the fully connected layer; 512 in the paper.
    """

    def __init__(self, image_size: ImageSize, channels: int, first: int, widths: list[int], hidden: int) -> None:
        super().__init__()
        _require_three(widths)
        require_positive(channels=channels, first=first, hidden=hidden)
        height, width = _small_map(image_size)
        a, b, c = widths
        self.blocks = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(channels, first, 5, padding=2), nn.ReLU()),
                nn.Sequential(_halving(first, a), nn.BatchNorm2d(a), nn.ReLU()),
                nn.Sequential(_halving(a, b), nn.BatchNorm2d(b), nn.ReLU()),
                _halving(b, c),
                nn.Sequential(
                    nn.BatchNorm2d(c),
                    nn.ReLU(),
                    nn.Flatten(),
                    nn.Linear(c * height * width, hidden, bias=False),
                    nn.BatchNorm1d(hidden),
                    nn.ReLU(),
                ),
            ]
        )
        self.output = nn.Linear(hidden, 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations of images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)


def _require_three(widths: list[int]) -> None:
    if len(widths) != 3 or min(widths) < 1:
        raise ValueError(f"widths={widths}: there are three convolutions, of at least one channel each")
