"""CUT and FastCUT (Park et al. 2020, arXiv 2007.15651): one-sided translation, by patches that stay alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Batch, Components, ConfigError, Latent, Pair, Player, Term
from gan_zoo.games.cycle import TO, A, B, Cycle, Translated
from gan_zoo.generators.resnet_translator import ResidualBlock, ResNetTranslator
from gan_zoo.ranges import require_above_zero, require_positive
from gan_zoo.translating import WeighedPlayer

FIRST_BLOCK = 10
"""The place of the first residual block among the translator's layers."""


class CutTranslator(ResNetTranslator):
    """The residual generator of images of images, whose first half is asked for what it sees in an image.

    Five layers are read: the pixels, both convolutions that halve, the first block and the middle one (the first alone
    where there is no other).
    """

    def encoded(self, x: Tensor) -> list[Tensor]:
        """Return the layers' activations for images (N, C, H, W) in [-1, 1]."""
        blocks = sum(isinstance(layer, ResidualBlock) for layer in self.layers)
        read = {4, 7, FIRST_BLOCK, FIRST_BLOCK + blocks // 2 if blocks > 1 else FIRST_BLOCK}
        found = [x]
        for number, layer in enumerate(self.layers[: max(read) + 1]):
            x = layer(x)
            if number in read:
                found.append(x)
        return found


class PatchProjections(nn.Module):
    """For each layer that is read a network of two layers to unit vectors (section 3.1, H).

    Args:
        source_channels: of the pixels.
        width: of the generator's first layer.
        layers: that are read.
        size: of the vectors; 256 in the paper.
    """

    def __init__(self, source_channels: int, width: int, layers: int, size: int) -> None:
        super().__init__()
        require_positive(source_channels=source_channels, width=width, layers=layers, size=size)
        widths = [source_channels, 2 * width, *(4 * width for _ in range(layers - 2))][:layers]
        self.levels = nn.ModuleList(
            nn.Sequential(nn.Linear(wide, size), nn.ReLU(), nn.Linear(size, size)) for wide in widths
        )
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_normal_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, patches: Tensor, level: int = 0) -> Tensor:
        """Map vectors (N, P, C) of one layer's places to unit vectors (N, P, size)."""
        found: Tensor = F.normalize(self.levels[level](patches), dim=-1)
        return found


def patch_nce(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """Return -log exp(q·k⁺/τ) / Σ exp(q·k/τ), a mean over places: each is told from all others of its image.

    Args:
        queries: unit vectors (N, P, D).
        keys: those of the same places, through which no gradient flows.
        temperature: τ.
    """
    scores = queries @ keys.detach().transpose(1, 2) / temperature
    own = torch.arange(scores.shape[1], device=scores.device).expand(len(scores), -1)
    return F.cross_entropy(scores.flatten(0, 1), own.flatten())


class MaybeFlipped(Translated):
    """Images of A translated into B, and B's, both flipped left to right or as they are.

    Attributes:
        flipped: whether they are flipped.
    """

    def __init__(self, *arguments: Any, flipped: bool, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.flipped = flipped


class PatchNCE(Term):
    """The mean over layers of `patch_nce` of G(x) and x (equation 3), of x from A and, halved, from B.

    Args:
        temperature: τ; 0.07 in the paper.
        patches: places of a layer that are told apart, chosen anew; 256 in the paper, or as many as there are.
        identity: whether images of B have it too.
    """

    def __init__(self, temperature: float, patches: int, identity: bool) -> None:
        super().__init__()
        require_above_zero(temperature=temperature)
        require_positive(patches=patches)
        self.temperature, self.patches, self.identity = temperature, patches, identity

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        game = self.game
        assert isinstance(game, CUT) and isinstance(pair, MaybeFlipped)
        source = pair.source.flip(3) if pair.flipped else pair.source
        loss = self.between(pair.fake, source, pair.flipped)
        if not self.identity:
            return loss
        same = game.translate(pair.real, B)
        return (loss + self.between(same, pair.real, False)) / 2

    def between(self, made: Tensor, source: Tensor, flipped: bool) -> Tensor:
        """Return it for images made of sources; of flipped ones the layers are turned back."""
        game = self.game
        encode = cast(CutTranslator, game.network(TO[B])).encoded
        projections = cast(PatchProjections, game.network("projections"))
        with game.autocast():
            of_made, of_source = encode(made), encode(source)
            total = []
            for level, (q, k) in enumerate(zip(of_made, of_source, strict=True)):
                q = q.flip(3) if flipped else q
                places = torch.randperm(q.shape[2] * q.shape[3], device=q.device)[: self.patches]
                queries, keys = (projections(one.flatten(2)[..., places].transpose(1, 2), level) for one in (q, k))
                total.append(patch_nce(queries.float(), keys.float(), self.temperature))
        return torch.stack(total).mean()


class CUT(Cycle):
    """A translation into B without a way back: a patch of what is made is to be told from the image's other patches.

    G minimises adversarial · L_G + nce · `PatchNCE`. CUT has nce 1 and `identity`, FastCUT nce 10 and, in the place of
    the identity, images flipped before G and features turned back after it, half of the time. There is no pool.

    Args:
        components: what the game is made of.
        nce: the weight of the patches' loss.
        identity: whether images of B, which G should leave, have it too.
        temperature: τ.
        patches: places of a layer that are told apart.
        flip_equivariant: see above.
        adversarial: the weight of L_G; 2 where squares are halved, as the loss `least_squares` does, and they are not
            in the paper.
    """

    def __init__(
        self,
        components: Components,
        nce: float,
        identity: bool,
        temperature: float,
        patches: int,
        flip_equivariant: bool,
        adversarial: float = 1.0,
    ) -> None:
        if not nce > 0:
            raise ValueError(f"nce={nce}: it must be positive, or nothing binds what is made to its source")
        super().__init__(components, 0.5, adversarial, 0.0, "l1", 0.0, 0, 0.0, 0.0, False, None, 0.5, 1)
        self.flip_equivariant = flip_equivariant
        self.player("generator").add_term("patches", PatchNCE(temperature, patches, identity), nce)

    def make_players(self) -> list[Player]:
        """Return D, and G with the projections, whose optimizer is the same."""
        judge, generator = super().make_players()
        both = (*generator.networks, "projections")
        return [judge, WeighedPlayer("generator", both, "generator", {B: "generator"})]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return B before its judge; images of both sides flipped half of the time where that is asked for."""
        flipped = self.flip_equivariant and self.network(TO[B]).training and bool(torch.rand(()) < 0.5)
        source, real = (x.flip(3) if flipped else x for x in (latent.given[A], batch.samples))
        judge, fake = self.judge("discriminator_b"), self.translate(source, B)
        pair = MaybeFlipped(judge, batch, latent, fake, real=real, source=source, domain=B, flipped=flipped)
        pair.real_labels = None
        return {B: pair}

    def check(self) -> None:
        """See that the generator tells what it sees, as many layers as there are projections.

        Raises:
            ConfigError: it does not.
        """
        super().check()
        generator = self.network(TO[B])
        if not isinstance(generator, CutTranslator):
            raise ConfigError(
                f"networks.{TO[B]}.name: cut reads layers of cut_translator, not {type(generator).__name__}"
            )
        if self.data.others[A].sample[0] != self.data.sample[0]:
            raise ConfigError(
                "cut sees images of both domains through one generator, and these have "
                f"{self.data.others[A].sample[0]} and {self.data.sample[0]} channels"
            )
        levels = len(cast(PatchProjections, self.network("projections")).levels)
        with torch.no_grad():
            found = len(generator.encoded(torch.zeros(1, *self.data.sample)))
        if levels != found:
            raise ConfigError(f"networks.projections.layers={levels}: {found} layers are read; set it to {found}")
