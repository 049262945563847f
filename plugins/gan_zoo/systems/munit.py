"""UNIT (Liu et al. 2017, arXiv 1703.00848) and MUNIT (Huang et al. 2018, arXiv 1804.04732): shared codes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    Batch,
    Components,
    ConfigError,
    Game,
    Latent,
    Pair,
    Player,
    Term,
    distributed,
)
from gan_zoo.chained import Chained
from gan_zoo.games.cycle import OTHER, A, B
from gan_zoo.generators.resnet_translator import ResidualBlock
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.translating import WeighedPlayer, constant

STYLE = "style_a"
"""The styles of what is translated into A, among what the generators are given."""

LEAST = 1e-5


def adaptive_norm(x: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """Return x (N, C, H, W) with other moments (N, C) of its channels (Huang & Belongie 2017, equation 8)."""
    normed = F.instance_norm(x, eps=LEAST)
    return normed * deviation[:, :, None, None] + mean[:, :, None, None]


class StyledBlock(nn.Module):
    """x + AdaIN(C3(ReLU(AdaIN(C3(x))))), whose moments are given."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3)) for _ in range(2)
        )

    def forward(self, x: Tensor, moments: Tensor) -> Tensor:
        """Map (N, width, H, W) and means and deviations of both norms (N, 4 width) to the same shape."""
        mean_1, deviation_1, mean_2, deviation_2 = moments.chunk(4, 1)
        first, second = self.convolutions
        y = F.relu(adaptive_norm(first(x), mean_1, 1 + deviation_1))
        made: Tensor = x + adaptive_norm(second(y), mean_2, 1 + deviation_2)
        return made


class ContentAutoencoder(nn.Module):
    """An image's content and, if `style_dim` says so, its style; and images of both (MUNIT, appendix B.1).

    Content: a convolution of 7 pixels, `halvings` of 4, residual blocks, all with instance norm. Style: the same
    without norms and blocks, the mean over places, and a linear layer. Images: residual blocks, doubled by nearest
    pixels and convolutions of 5 with layer norm, one of 7, tanh; the style sets the norms of the blocks through a
    network of two hidden layers. Without style there are instance norms alone, as in UNIT.

    Args:
        channels: of the images.
        width: channels of the first layer; each halving doubles them.
        halvings: how often images are halved; 2 in the paper, of 256 pixels.
        blocks: residual blocks on either way; 4 in the paper.
        style_dim: the size of the style; 0 for none.
        hidden: of the network of styles; 256 in the paper.
    """

    def __init__(self, channels: int, width: int, halvings: int, blocks: int, style_dim: int, hidden: int) -> None:
        super().__init__()
        require_positive(channels=channels, width=width, halvings=halvings, blocks=blocks, hidden=hidden)
        widths = [width * 2**i for i in range(halvings + 1)]
        inner = widths[-1]
        self.style_dim, self.halvings = style_dim, halvings

        def down(normed: bool) -> list[nn.Module]:
            layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(channels, width, 7)]
            for i, wide in enumerate(widths):
                layers += [nn.Conv2d(widths[i - 1], wide, 4, 2, 1)] if i else []
                layers += [nn.InstanceNorm2d(wide), nn.ReLU()] if normed else [nn.ReLU()]
            return layers

        self.to_content = nn.Sequential(*down(True), *(ResidualBlock(inner) for _ in range(blocks)))
        self.to_style = None
        self.to_moments = None
        if style_dim:
            last = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inner, style_dim))
            self.to_style = nn.Sequential(*down(False), *last)
            self.to_moments = nn.Sequential(
                *(nn.Linear(style_dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()),
                nn.Linear(hidden, 4 * inner * blocks),
            )
        self.blocks = nn.ModuleList(StyledBlock(inner) if style_dim else ResidualBlock(inner) for _ in range(blocks))
        up: list[nn.Module] = []
        for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True):
            up += [nn.Upsample(scale_factor=2), nn.ReflectionPad2d(2), nn.Conv2d(wide, narrow, 5)]
            up += [nn.GroupNorm(1, narrow), nn.ReLU()]
        self.up = nn.Sequential(*up, nn.ReflectionPad2d(3), nn.Conv2d(width, channels, 7), nn.Tanh())
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight)
                nn.init.zeros_(cast(Tensor, layer.bias))

    def content(self, x: Tensor) -> Tensor:
        """Return the content (N, C', H', W') of images (N, C, H, W) in [-1, 1].

        Raises:
            ValueError: a side of the images cannot be halved so often.
        """
        if any(side % 2**self.halvings for side in x.shape[2:]):
            raise ValueError(f"halvings={self.halvings}: images have {x.shape[2]}x{x.shape[3]} pixels")
        found: Tensor = self.to_content(x)
        return found

    def style(self, x: Tensor) -> Tensor | None:
        """Return the style (N, style_dim) of images, or None where there is none."""
        return None if self.to_style is None else self.to_style(x)

    def decode(self, content: Tensor, style: Tensor | None) -> Tensor:
        """Return images (N, C, H, W) in [-1, 1] of contents and styles."""
        if self.to_moments is None or style is None:
            for block in self.blocks:
                content = block(content)
        else:
            moments = self.to_moments(style).chunk(len(self.blocks), 1)
            for block, own in zip(self.blocks, moments, strict=True):
                content = block(content, own)
        made: Tensor = self.up(content)
        return made

    def forward(self, x: Tensor) -> Tensor:
        """Return images made of the content and style of images."""
        return self.decode(self.content(x), self.style(x))


class Translator(Chained):
    """A's content in B's style, without parameters of its own.

    Args:
        a: tells the content.
        b: makes the image.
    """

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map styles z (N, style_dim) and the images `a` to images of B."""
        a, b = (cast(ContentAutoencoder, network) for network in self.links)
        return b.decode(a.content(given[A]), z if z.shape[1] else None)


class Coded(Pair):
    """The images of a domain, and the contents of the other one's made images of this.

    Attributes:
        source: the images whose contents they are.
        domain: of the images.
        content: of the sources, with noise where the game adds it.
        bare: the same without noise.
        style: that the images were made with, or None.
        autoencoders: by domain.
        noisy: adds the noise.
    """

    def __init__(self, *arguments: Any, parts: Mapping[str, Any], **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.__dict__ |= parts

    @cached_property
    def again_content(self) -> Tensor:
        """The content of the images that were made."""
        return self.autoencoders[self.domain].content(self.fake)  # type: ignore[no-any-return, attr-defined]

    @cached_property
    def own_style(self) -> Tensor | None:
        """The style of the sources."""
        return self.autoencoders[OTHER[self.domain]].style(self.source)  # type: ignore[no-any-return, attr-defined]


class OwnReconstruction(Term):
    """|x - G(c(x), s(x))|₁: an image's own codes make it again (MUNIT, equation 1)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's sources."""
        own = pair.autoencoders[OTHER[pair.domain]]  # type: ignore[attr-defined]
        with self.game.autocast():
            again = own.decode(pair.content, pair.own_style)  # type: ignore[attr-defined]
        return (again.float() - pair.source).abs().mean()  # type: ignore[attr-defined,no-any-return]


class SameContent(Term):
    """|c - c(G(c, s))|₁ (MUNIT, equation 2)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for what was made."""
        with self.game.autocast():
            return (pair.again_content - pair.bare).float().abs().mean()  # type: ignore[attr-defined,no-any-return]


class SameStyle(Term):
    """|s - s(G(c, s))|₁ (MUNIT, equation 3)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for what was made."""
        with self.game.autocast():
            found = pair.autoencoders[pair.domain].style(pair.fake)  # type: ignore[attr-defined]
        return (found - pair.style).float().abs().mean()  # type: ignore[attr-defined,no-any-return]


class CodeCycle(Term):
    """|x - G(c(G(c(x), s)), s(x))|₁: there and back with the image's own style (UNIT, equation 10)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's sources."""
        own = pair.autoencoders[OTHER[pair.domain]]  # type: ignore[attr-defined]
        with self.game.autocast():
            again = own.decode(pair.noisy(pair.again_content), pair.own_style)  # type: ignore[attr-defined]
        return (again.float() - pair.source).abs().mean()  # type: ignore[attr-defined,no-any-return]


class ContentSize(Term):
    """E c² + E c(G(c))²: the divergence of N(c, I) from N(0, I), twice, without its constant (UNIT's program)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's sources and what was made of them."""
        return pair.bare.square().mean() + pair.again_content.square().mean()  # type: ignore[attr-defined,no-any-return]


class MUNIT(Game):
    """Two domains whose images have a content, in a code that both share, and a style of the domain's own.

    For each domain the generators minimise, over images x of the other one and styles s from the prior,

        adversarial L_G + reconstruction |x - x̂|₁ + content |c - ĉ|₁ + style |s - ŝ|₁ + cycle |x - x̃|₁ + divergence KL

    With no prior there are no styles, and contents are drawn from N(c, I): that is UNIT. Its authors' later program is
    followed, where no layer is shared between the domains; neither has the perceptual loss here. B are the data, A the
    further source `a`.

    Args:
        components: what the game is made of.
        adversarial: the weight of the generators' adversarial losses; of several sizes their number gives the sum.
        reconstruction: of an image from its own codes.
        content: of the distance of contents.
        style: of the distance of styles; 0 without a prior.
        cycle: of the distance of images from themselves there and back.
        divergence: of the size of contents.
    """

    sampling_network = "translator"
    generates_from = A

    def __init__(
        self,
        components: Components,
        adversarial: float,
        reconstruction: float,
        content: float,
        style: float,
        cycle: float,
        divergence: float,
    ) -> None:
        weights = {"reconstruction": reconstruction, "content": content, "style": style, "cycle": cycle}
        require_not_negative(adversarial=adversarial, divergence=divergence, **weights)
        self.styled = components.prior is not None
        if style and not self.styled:
            raise ConfigError(f"game.style={style}: there are no styles without a prior; set game.style=0")
        super().__init__(components)
        generator = self.player("generator")
        assert isinstance(generator, WeighedPlayer)
        generator.weight_at = partial(constant, adversarial)
        terms: dict[str, Term] = {
            "reconstruction": OwnReconstruction(),
            "content": SameContent(),
            "style": SameStyle(),
            "cycle": CodeCycle(),
            "divergence": ContentSize(),
        }
        for name, weight in {**weights, "divergence": divergence}.items():
            if weight:
                generator.add_term(name, terms[name], weight)

    def make_players(self) -> list[Player]:
        """Return a judge for each domain, and both autoencoders as one player."""
        autoencoders = tuple(f"autoencoder_{domain}" for domain in (A, B))
        self.networks["translator"] = Translator(*(self.network(name) for name in autoencoders))
        judges = [
            Player(f"discriminator_{domain}", (f"discriminator_{domain}",), "discriminator", {domain: "discriminator"})
            for domain in (A, B)
        ]
        return [*judges, WeighedPlayer("generator", autoencoders, "generator", dict.fromkeys((A, B), "generator"))]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the images of A, with styles for what is translated into either domain."""
        images = batch.others[A].samples
        latent = distributed.share_of_latents(self.latent, len(images))._replace(labels=None)
        given = {A: images}
        if self.styled:
            given[STYLE] = distributed.share_of_latents(self.latent, len(images)).z
        return latent._replace(given=given)

    def noisy(self, content: Tensor) -> Tensor:
        """Return contents drawn around contents, where there is no style and the game is in training."""
        if self.styled or not self.network(f"autoencoder_{A}").training:
            return content
        return content + torch.randn_like(content)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return each domain, and the other one's contents in it."""
        autoencoders = {domain: cast(ContentAutoencoder, self.network(f"autoencoder_{domain}")) for domain in (A, B)}
        images = {A: latent.given[A], B: batch.samples}
        styles = {A: latent.given[STYLE], B: latent.z} if self.styled else dict.fromkeys((A, B))
        found = {}
        for domain in (A, B):
            source = images[OTHER[domain]]
            with self.autocast():
                bare = autoencoders[OTHER[domain]].content(source)
                content = self.noisy(bare)
                fake = autoencoders[domain].decode(content, styles[domain])
            parts = {"source": source, "domain": domain, "content": content, "bare": bare, "style": styles[domain]}
            parts |= {"autoencoders": autoencoders, "noisy": self.noisy}
            judge = self.judge(f"discriminator_{domain}")
            found[domain] = Coded(judge, batch, latent, fake, real=images[domain], parts=parts)
            found[domain].real_labels = None
        return found

    def check(self) -> None:
        """See that there are two domains, and styles as large as the prior's.

        Raises:
            ConfigError: there is no further source `a`, or styles have another size.
        """
        if A not in self.data.others:
            raise ConfigError(
                f"munit makes samples of those of another source, `sources.{A}`, and there is none: choose "
                "data=unpaired or data=digit_domains"
            )
        drawn = self.prior.dim if self.prior is not None else 0
        for domain in (A, B):
            found = cast(ContentAutoencoder, self.network(f"autoencoder_{domain}")).style_dim
            if found != drawn:
                raise ConfigError(
                    f"networks.autoencoder_{domain}.style_dim={found}, and the prior draws {drawn} numbers: set "
                    "both alike"
                )
        super().check()
