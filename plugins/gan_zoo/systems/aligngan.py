"""AlignGAN (Mao, Li & Xie 2017, arXiv 1707.01400): one z makes an image in either of two domains.

What holds the two together is that of the authors' program, which they published with the later version of the paper
(RegCGAN, Mao & Li 2018, arXiv 1805.02456).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_framework.api import (
    EMPTY,
    MAIN,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
    try_meeting,
)
from gan_zoo.games.cycle import A
from gan_zoo.layers import ImageSize, cropped, doublings, init_normal
from gan_zoo.ranges import require_not_negative, require_positive

DOMAIN, FIRST = "domain", "first"
"""What the generator is told, and the name of its first layer's activations among what it makes."""


class AlignedGenerator(Generator):
    """DCGAN's layers, each of which is told the domain: z with it, and maps with a map of it.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width.
        channels: of the images of both domains.
        width: channels of the layer before the image.
    """

    def __init__(self, latent_dim: int, image_size: ImageSize, channels: int, width: int) -> None:
        super().__init__()
        require_positive(latent_dim=latent_dim, channels=channels, width=width)
        self.image_size = image_size
        self.base, n = doublings(image_size)
        widths = [width * 2**i for i in reversed(range(n))]
        self.first = nn.Sequential(
            nn.ConvTranspose2d(latent_dim + 1, widths[0], self.base, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )
        blocks = [
            nn.Sequential(nn.ConvTranspose2d(a + 1, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
            for a, b in pairwise(widths)
        ]
        blocks.append(nn.Sequential(nn.ConvTranspose2d(widths[-1] + 1, channels, 4, 2, 1), nn.Tanh()))
        self.blocks = nn.ModuleList(blocks)
        init_normal(self, 0.02)

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the `samples` and what the `first` layer made of z (N, ...)."""
        domain = given[DOMAIN] if DOMAIN in given else torch.ones(z.shape[0], device=z.device)
        told = domain.to(z.dtype)[:, None, None, None]
        maps = first = self.first(torch.cat([z[:, :, None, None], told], 1))
        for block in self.blocks:
            maps = block(torch.cat([maps, told.to(maps.dtype).expand(-1, 1, *maps.shape[2:])], 1))
        return {SAMPLES: cropped(maps, self.image_size), FIRST: first}

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim) and the `domain` (N,), -1 for A and 1 for B, to images; B if it is not given."""
        return self.everything(z, labels, given)[SAMPLES]


def apart(x: Tensor) -> Tensor:
    """Return E ½ Σ (x_A - x_B)² of what is found (2N, ...) of pairs, those of A first: a mean over pairs."""
    of_a, of_b = x.flatten(1).chunk(2)
    return 0.5 * (of_a - of_b).square().sum(1).mean()


class SameBeginning(Term):
    """What G's first layer makes of one z in both domains is to be the same."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return half the squared difference of the pairs' activations, a mean over pairs."""
        return apart(pair.made[FIRST])


class SameEnd(Term):
    """What D's last layer finds in both images of one z is to be the same."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return half the squared difference of the pairs' activations, a mean over pairs."""
        return apart(pair.fake_output.features[-1])


class AlignGAN(Game):
    """A conditional GAN whose condition is the domain, and whose layers farthest from images see what images share.

    Both players see images of both domains beside their domain; generated ones come in pairs of one z. G also minimises
    first_layer · E ½ Σ (g_A - g_B)², of its first layer's activations for a pair, and D last_layer · E ½ Σ (d_A - d_B)²
    of its last ones for generated pairs. B are the data, A the further source `a`. Pictures show both, A before B. The
    paper's second model, which also propagates labels and is trained in two steps, is not here.

    Args:
        components: what the game is made of.
        first_layer: see above; the program's 0.1 is that of sums over 32 pairs.
        last_layer: see above; the program's 1e-5, likewise. 0 and 0 for an ordinary conditional GAN.
    """

    def __init__(self, components: Components, first_layer: float, last_layer: float) -> None:
        require_not_negative(first_layer=first_layer, last_layer=last_layer)
        super().__init__(components)
        self.first_layer, self.last_layer = first_layer, last_layer
        if first_layer:
            self.player("generator").add_term("first_layer", SameBeginning(), first_layer)
        if last_layer:
            self.player("discriminator").add_term("last_layer", SameEnd(), last_layer)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return images of both domains, and what one z makes in both."""
        real = torch.cat([batch.others[A].samples, batch.samples])
        signs = torch.ones(len(real), device=real.device)
        signs[: len(batch.others[A].samples)] = -1
        made = self.make(Latent(torch.cat([latent.z, latent.z]), given={DOMAIN: signs}))
        told = (signs[:, None, None, None].expand(-1, 1, *real.shape[2:]),)
        fake = made[SAMPLES]
        judge = self.judge("discriminator")
        pair = Pair(judge, batch, latent, fake, real=real, real_given=told, fake_given=told, made=made)
        pair.real_labels = pair.fake_labels = None
        return {MAIN: pair}

    def check(self) -> None:
        """See that there are two domains of one shape, and layers of D.

        Raises:
            ConfigError: there are not.
        """
        found = self.data.others.get(A)
        if found is None or found.sample != self.data.sample:
            raise ConfigError(
                "aligngan makes images of two domains of one shape, and the other source, `sources.a`, has "
                f"{'none' if found is None else found.sample}, the data {self.data.sample}: choose data=digit_domains"
            )
        if self.first_layer and FIRST not in try_meeting(self)[MAIN].made:
            kind = type(self.generator).__name__
            raise ConfigError(
                f"game.first_layer compares what the generator's first layer makes, which {kind} does not tell: "
                "choose networks.generator.name=aligned, or set game.first_layer to 0"
            )
        super().check()
        if self.last_layer and not self.probe().features:
            kind = type(self.discriminator).__name__
            raise ConfigError(f"game.last_layer compares D's layers, and {kind} reports none: set it to 0")
