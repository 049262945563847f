"""MGAN (Hoang et al. 2017, arXiv 1708.02556): generators are paid for being told apart."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Batch, Components, Discriminator, Game, Generator, Latent, Pair, Player, Term
from gan_zoo.heads import add_head
from gan_zoo.layers import activations
from gan_zoo.priors.components import component_of, require_components
from gan_zoo.ranges import require_not_negative

HEAD = "generator_id"


class GeneratorIdentity(Term):
    """E CE(C(G_k(z)), k): the classifier C, a head of D, tells which generator made a sample (equation 2).

    At chance it is log K. Minimised by both sides, so that generators go apart.
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the cross entropy of the generators' numbers."""
        scores = pair.fake_output.heads[HEAD].to(pair.fake_output.logits.dtype)
        return F.cross_entropy(scores, component_of(pair.latent))


class MGAN(Game):
    """K generators, a discriminator, and a classifier that shares all its layers but the last.

    D minimises its loss and E CE(C(G_k(z)), k), with weight 1 as in the authors' program (the paper has β there too); G
    its loss and β E CE. In training all generators are given the same noise, as there. The minimax solution raises the
    Jensen-Shannon divergence of the generators, at most log K. With one generator there is no classifier, and it is the
    game of two players, to the bit.

    Args:
        components: what the game is made of.
        diversity: β.
    """

    def __init__(self, components: Components, diversity: float) -> None:
        super().__init__(components)
        self.turns = require_components("mgan", self.prior)
        count = self.turns.components
        require_not_negative(diversity=diversity)
        if count == 1:
            return
        features = self.probe().features[-1].flatten(1).shape[1]
        add_head(self.discriminator, HEAD, nn.Linear(features, count))
        for name, weight in (("discriminator", 1.0), ("generator", diversity)):
            self.player(name).add_term("identity", GeneratorIdentity(), weight)

    def latent_for(self, batch: Batch) -> Latent:
        """Return latents that give all generators the same noise."""
        return self.turns.in_common(super().latent_for(batch))


class MGANGenerator(Generator):
    """The paper's network for 32 pixels: a first layer of its own, the others, `shared`, common to all generators.

    z -> 4x4x512, batch norm, ReLU; transposed convolutions of 5x5 double the side and halve the channels, with batch
    norm without shift and ReLU; tanh. The gains of batch norm in `shared` are learned and weights begin as N(0, 0.02),
    as in the authors' program; the paper has 0.01.

    Args:
        latent_dim: the size of z.
        image_size: of square images, a multiple of 8.
        channels: of the images.
        width: channels of the last map before the image.
    """

    def __init__(self, latent_dim: int, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        if image_size % 8:
            raise ValueError(f"image_size={image_size}: it must be a multiple of 8")
        side = image_size // 8
        self.first = nn.Sequential(
            nn.Linear(latent_dim, 4 * width * side**2),
            nn.BatchNorm1d(4 * width * side**2),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (4 * width, side, side)),
        )
        layers: list[nn.Module] = []
        for wide in (4 * width, 2 * width):
            norm = nn.BatchNorm2d(wide // 2)
            norm.register_parameter("bias", None)
            layers += [nn.ConvTranspose2d(wide, wide // 2, 5, 2, 2, 1), norm, nn.ReLU(inplace=True)]
        self.shared = nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 5, 2, 2, 1), nn.Tanh())
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, 0.0, 0.02)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.shared(self.first(z))
        return images


class MGANDiscriminator(Discriminator):
    """Convolutions of 5x5 that halve the side and double the channels, batch norm and leaky ReLU 0.2 after each.

    Convolutions begin as N(0, 0.02) and the last layer as N(0, 0.01), as in the authors' program.

    Args:
        image_size: of square images, a multiple of 8.
        channels: of the images.
        width: channels of the first map.
    """

    def __init__(self, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width]
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(narrow, wide, 5, 2, 2), nn.BatchNorm2d(wide), nn.LeakyReLU(0.2, inplace=True))
            for narrow, wide in pairwise(widths)
        )
        self.output = nn.Linear(4 * width * (image_size // 8) ** 2, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.normal_(layer.weight, 0.0, 0.01 if layer is self.output else 0.02)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the maps after every block for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)
