"""Covers for hidden messages: SGAN (Volkhonskiy et al. 2017, arXiv 1703.05502), SSGAN (Shi et al. 2017, 1707.01613).

A generator makes images that look real, and in which a steganalyser does not notice a message.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Batch, Components, ConfigError, Discriminator, Game, Latent, Pair, Player, Term, TermPlan
from gan_zoo.layers import activations, init_normal
from gan_zoo.lsb import embed
from gan_zoo.made_alike import Constant
from gan_zoo.ranges import require_positive, require_probability, require_share
from gan_zoo.translating import WeighedPlayer

MAIN, STEGO = "main", "stego"
AGAINST = ("cover", "both")

HIGH_PASS = (
    (-1, 2, -2, 2, -1),
    (2, -6, 8, -6, 2),
    (-2, 8, -12, 8, -2),
    (2, -6, 8, -6, 2),
    (-1, 2, -2, 2, -1),
)
"""Twelve times the filter KV, by which steganalysers look at images: smooth contents vanish in it."""


class Steganalysis(Term):
    """sp(-S(stego(g))) + sp(S(g)): a logit above 0 says that there is a message."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the sum of both means; the pair's real side has the message."""
        stego, cover = pair.outputs
        return F.softplus(-stego.logits).mean() + F.softplus(cover.logits).mean()


class Evasion(Term):
    """What hurts the steganalyser: sp(-S(g)), images without a message taken for ones that have it.

    Args:
        against: `cover` for this alone, as in SGAN's program; `both` adds sp(S(stego(g))).
    """

    def __init__(self, against: str) -> None:
        super().__init__()
        self.against = against

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch."""
        found = F.softplus(-pair.fake_output.logits).mean()
        return found if self.against == "cover" else found + F.softplus(pair.real_output.logits).mean()


class SteganoGAN(Game):
    """D tells real images from g = G(z), S tells g with a message from g without, G minimises α L_G + (1 - α) V.

    V is what hurts S. Messages are random bits, hidden by plus or minus one; both images that S sees are of 256 levels,
    and gradients go through the rounding as if it were not there. What a steganalyser finds that is trained anew on
    what is made, is `metrics=[detection_accuracy]`.

    Args:
        components: what the game is made of; S is `discriminator_stego`.
        rate: bits for each pixel.
        alpha: α; between 0 and 1.
        against: `cover`, or `both` (SSGAN).
    """

    def __init__(self, components: Components, rate: float, alpha: float, against: str) -> None:
        require_share(rate=rate)
        require_probability(alpha=alpha)
        if against not in AGAINST:
            raise ValueError(f"against={against!r}: choose one of {', '.join(AGAINST)}")
        super().__init__(components)
        if not self.data.is_image or not self.data.is_8_bit:
            raise ConfigError(f"SteganoGAN hides bits in images of 256 levels, and the data are {self.data.sample}")
        self.rate = rate
        only = TermPlan(pairs=(STEGO,))
        self.player("steganalyser").add_term("steganalysis", Steganalysis(), plan=only)
        if alpha < 1:
            self.player("generator").add_term("evasion", Evasion(against), plan=TermPlan(1 - alpha, pairs=(STEGO,)))
        generator = self.player("generator")
        assert isinstance(generator, WeighedPlayer)
        generator.weight_at = Constant(alpha)

    def make_players(self) -> list[Player]:
        """Return D, S and G."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", {MAIN: "discriminator"}),
            Player("steganalyser", ("discriminator_stego",), "discriminator"),
            WeighedPlayer("generator", ("generator",), "generator", {MAIN: "generator"}),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return real images with made ones, and made ones with a message beside the same without."""
        main = self.pair(batch, latent)
        stego = embed(main.fake, self.rate)
        found = Pair(self.judge("discriminator_stego"), batch, latent, stego.cover, real=stego.image)
        found.real_labels = found.fake_labels = None
        return {MAIN: main, STEGO: found}


class Steganalyser(Discriminator):
    """Convolutions over what a fixed high-pass filter leaves of an image, a mean over all places, and a logit.

    In levels: a filter of sum 0 and of whole numbers / 12 sees a change of one level among smooth contents.

    Args:
        channels: of the images.
        width: channels of the first map; the second has twice as many.
    """

    kernel: Tensor

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        require_positive(channels=channels, width=width)
        self.channels = channels
        kernel = torch.tensor(HIGH_PASS, dtype=torch.float32) / 12
        self.register_buffer("kernel", kernel.expand(channels, 1, 5, 5).clone())
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(inputs, outputs, 5, 1, 2), nn.LeakyReLU(0.2), nn.AvgPool2d(2, ceil_mode=True))
            for inputs, outputs in ((channels, width), (width, 2 * width))
        )
        self.output = nn.Linear(2 * width, 1)
        init_normal(self, 0.05)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the maps of both blocks and their mean, for images (N, C, H, W) in [-1, 1]."""
        residual = F.conv2d(x * 127.5, self.kernel.to(x.dtype), padding=2, groups=self.channels).clamp(-8, 8)
        maps = activations(self.blocks, residual)
        return (*maps, maps[-1].mean((2, 3)))
