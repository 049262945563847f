"""ExprGAN (Ding et al. 2018, arXiv 1709.03842): codes of expressions whose size is the intensity."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    MAIN,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Latent,
    Pair,
    Player,
    Ramp,
    Term,
    TermPlan,
    grid,
)
from gan_zoo.editing import EncodingEditor, SameIdentity, learn_identity
from gan_zoo.layers import as_weights, given, one_hot
from gan_zoo.ranges import require_not_negative, require_positive, require_probability
from gan_zoo.running_statistics import running_statistics_kept
from gan_zoo.translating import TotalVariation, WeighedPlayer

CODE, DRAWN = "code", "drawn"
"""The pairs of codes before their judge, and of images of drawn codes before that of images."""

EXPRESSION = "expression"
"""The code c of an image that is made."""

SHOWN = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The intensities in pictures."""


def expression(labels: Tensor, count: int, size: Tensor) -> Tensor:
    """Return codes c (N, K d): |u| in the block of the label, -|u| in all others (section 3.2).

    Args:
        labels: classes (N,).
        count: K.
        size: |u| (N, K, d).
    """
    signs = 2 * one_hot(labels, count).to(size.dtype) - 1
    return (signs[:, :, None] * size).flatten(1)


class PixelsAgain(Term):
    """|x - G(E(x), c)|, a mean over entries (equation 3)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's reconstructions."""
        return (pair.real - pair.fake).abs().mean()


class CodeFound(Term):
    """|c - Q(g)|², a mean over entries: -log of a Gaussian of fixed variance, without its constant (equation 2)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's generated images."""
        q = self.game.network("q")
        found: Tensor = q(as_weights(pair.fake, q))
        return F.mse_loss(found, pair.made[EXPRESSION])


class ExprGAN(EncodingEditor):
    """G makes images of a code E(x) of who and a code c of which expression and how strong; Q finds c again.

    c has a block for each label. In training the entries of the image's own block are drawn from U(0, 1), and those of
    the others are minus such numbers. Three players have parts of it, for the stages of a schedule:

        controller   L_G(D(G(z, c), y)) · adversarial + q · |c - Q(G(z, c))|²          z from the prior; G and Q
        autoencoder  |x - x̂| + identity · |F(x) - F(x̂)| + L_G(D_z(E(x))) · adversarial         E and G, x̂ = G(E(x), c)
        generator    both, and L_G(D(x̂, y)) · adversarial + total_variation · TV(x̂)            all

    D judges images beside their label, D_z codes against the prior, which is uniform. F is a classifier of the extra
    `digit`, or of the labels, and stands for a network of faces. What is sampled has the label asked for at
    `intensity`; pictures show that label at intensities from 0 to 1.

    Args:
        components: what the game is made of.
        block: d, the entries of c for each label.
        adversarial: the weight of the adversarial losses of images and codes.
        identity: the weight of the features.
        total_variation: its weight.
        q: the weight of finding c.
        intensity: |u| in what is sampled.
        identity_steps: batches on which F is trained.
        identity_lr: its learning rate.
    """

    def __init__(
        self,
        components: Components,
        block: int,
        adversarial: float,
        identity: float,
        total_variation: float,
        q: float,
        intensity: float,
        identity_steps: int,
        identity_lr: float,
    ) -> None:
        require_positive(block=block, identity_steps=identity_steps)
        require_not_negative(adversarial=adversarial, identity=identity, total_variation=total_variation, q=q)
        require_probability(intensity=intensity)
        super().__init__(components)
        self.block, self.intensity = block, intensity
        learn_identity(self, identity_steps, identity_lr)
        terms = {
            "pixels": (PixelsAgain, 1.0, MAIN, ("autoencoder", "generator")),
            "identity": (SameIdentity, identity, MAIN, ("autoencoder", "generator")),
            "total_variation": (TotalVariation, total_variation, MAIN, ("generator",)),
            "code": (CodeFound, q, DRAWN, ("controller", "generator")),
        }
        for name, (term, weight, pair, players) in terms.items():
            for player in players if weight else ():
                self.player(player).add_term(name, term(), plan=TermPlan(weight, pairs=(pair,)))
        for name in ("controller", "autoencoder", "generator"):
            weighed = self.player(name)
            assert isinstance(weighed, WeighedPlayer)
            weighed.weight_at = Ramp(adversarial, adversarial, 1).at

    def make_players(self) -> list[Player]:
        """Return the judges of images and of codes, and the players of the three stages."""

        def fools(*pairs: str) -> dict[str, str]:
            return dict.fromkeys(pairs, "generator")

        judges = {"discriminator": (MAIN, DRAWN), "discriminator_code": (CODE,)}
        return [
            *(
                Player(name, (name,), "discriminator", dict.fromkeys(pairs, "discriminator"))
                for name, pairs in judges.items()
            ),
            WeighedPlayer("controller", ("generator", "q"), "generator", fools(DRAWN)),
            WeighedPlayer("autoencoder", ("encoder", "generator"), "generator", fools(CODE)),
            WeighedPlayer("generator", ("encoder", "generator", "q"), "generator", fools(MAIN, CODE, DRAWN)),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return images with reconstructions, with images of drawn codes, and codes of both kinds."""
        labels, z = given(batch.labels), latent.z.to(batch.samples.dtype)
        size = torch.rand(len(labels), self.data.num_classes, self.block, device=z.device, dtype=z.dtype)
        c = expression(labels, self.data.num_classes, size)
        own = latent._replace(labels=labels, given=EMPTY)
        code, judge = self.code_of(batch.samples), self.judge("discriminator")
        made, edited = {EXPRESSION: c}, self.rendered(code, c)
        with running_statistics_kept(self.network("generator")):  # what is edited in the end are images, of codes
            drawn = self.rendered(z, c)
        found = {
            MAIN: Pair(judge, batch, own, edited, made=made),
            DRAWN: Pair(judge, batch, own, drawn, made=made),
            CODE: Pair(self.judge("discriminator_code"), batch, own, code, real=z),
        }
        found[CODE].real_labels = found[CODE].fake_labels = None
        return found

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return given `samples` with the labels asked for, or what G makes of whole codes."""
        if SAMPLES not in latent.given:
            return super().make(latent, network)
        x, labels = latent.given[SAMPLES], given(latent.labels)
        size = x.new_full((len(x), self.data.num_classes, self.block), self.intensity)
        whole = torch.cat([self.code_of(x), expression(labels, self.data.num_classes, size)], 1)
        return super().make(Latent(whole), network)

    def rendered(self, code: Tensor, c: Tensor) -> Tensor:
        """Return the images of codes (N, latent_dim) and expressions c (N, K d)."""
        return self.generate(Latent(torch.cat([code, c], 1)))

    def picture(self, latent: Latent, columns: int) -> Tensor | None:
        """Draw each image followed by itself with the label asked for, ever stronger."""
        if not self.data.is_8_bit or self.data.sample[0] not in (1, 3):
            return None
        n, intensity = max(len(latent.z) // (len(SHOWN) + 1), 1), self.intensity
        part = latent.part(slice(n))
        shown = [part.given[SAMPLES]]
        try:
            for self.intensity in SHOWN:
                shown.append(self.sample(part))
        finally:
            self.intensity = intensity
        return grid(torch.stack(shown, 1).flatten(0, 1), max(columns // len(shown), 1) * len(shown))

    def check(self) -> None:
        """See that there are classes, and codes to find.

        Raises:
            ConfigError: there are none, or the networks do not fit.
        """
        if not self.data.num_classes or self.prior is None:
            raise ConfigError("ExprGAN needs images with classes and a prior of codes: set prior=uniform")
        super().check()
