"""StarGAN v2 (Choi et al. 2020, arXiv 1912.01865): images of every domain, in many styles each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gan_framework.api import (
    EMPTY,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Game,
    Latent,
    NextBatch,
    Pair,
    Player,
    Ramp,
    Sampler,
    Term,
    TermPlan,
    distributed,
    evaluation_mode,
    grid,
)
from gan_zoo.chained import Chained
from gan_zoo.editing import EditingGame
from gan_zoo.layers import given
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.styled_domains import STYLE

LATENT, REFERENCE = "latent", "reference"
"""The pairs: images in styles of noise, and in those of other images."""

OTHER_Z, FIRST, SECOND = "other_z", "reference", "other_reference"
"""What comes with images: further noise, and two images of the domain that is asked for."""

KEPT = 8
"""How many references of each domain a game keeps for pictures and samples."""


class Styled(Pair):
    """Images of batch and images in other domains and styles.

    Attributes:
        style: (N, style_dim), in which images were made.
        encoder: finds styles of images of domains; no gradient reaches its own parameters where styles come from
            references, as in the authors' program, which updates the generator alone there.
        other: makes other styles of the same domains.
    """

    def __init__(self, *arguments: Any, parts: Mapping[str, Any], **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.__dict__ |= parts


class SameStyle(Term):
    """|s - E(G(x, s), y)|, a mean over entries: the style of what was made is that it was made with (equation 2)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's images."""
        with self.game.autocast():
            found = pair.encoder(pair.fake, pair.fake_labels)  # type: ignore[attr-defined]
        return (found - pair.style).float().abs().mean()  # type: ignore[attr-defined,no-any-return]


class Alike(Term):
    """-|G(x, s) - G(x, s')|, a mean over entries, s' of the same domain: images of other styles differ (equation 3).

    No gradient reaches the second image, as in the authors' program.
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's images."""
        game = cast("StarGANv2", self.game)
        with torch.no_grad():
            other = game.styled(pair.batch.samples, pair.other())  # type: ignore[attr-defined]
        return -(pair.fake - other).float().abs().mean()


class CycleBack(Term):
    """|x - G(G(x, s), E(x, y))|, a mean over entries: in its own style an image is what it was (equation 4)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's images."""
        game, x = cast("StarGANv2", self.game), pair.batch.samples
        with game.autocast():
            own = pair.encoder(x, pair.batch.labels)  # type: ignore[attr-defined]
        return (game.styled(pair.fake, own) - x).float().abs().mean()


class Translator(Chained):
    """The generator in styles that the mapping network makes of noise, without parameters of its own.

    Args:
        generator: makes images.
        mapping: makes styles of noise.
        encoder: finds styles of images.
    """

    conditional = True

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map noise (N, latent_dim), domains (N,) and the `samples` to images of these domains."""
        generator, mapping, _ = self.links
        made: Tensor = generator(z, labels, {SAMPLES: given[SAMPLES], STYLE: mapping(z, labels)})
        return made

    def like(self, x: Tensor, references: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, C, H, W) in the styles of references (N, C, H, W) of domains (N,)."""
        generator, _, encoder = self.links
        made: Tensor = generator(x.new_zeros(len(x), 0), labels, {SAMPLES: x, STYLE: encoder(references, labels)})
        return made


class StarGANv2(EditingGame):
    """G makes of an image one of another domain, in a style of noise (F(z, y)) or of a reference (E(x', y)).

        D        L_D + R1
        G, F, E  L_G + style · |s - E(G(x, s), y)| - diversity · |G(x, s) - G(x, s')| + cycle · |x - G(G(x, s), E(x))|

    (equation 5), each for both kinds of styles, of which references teach G alone. The weight of diversity falls along
    a line to 0. Both kinds have a part in one update, where the authors' program makes two; F, whose learning rate is a
    hundredth, is a player of its own. References are drawn from the batch, where the program loads further ones.

    Args:
        components: what the game is made of.
        style: the weight of the distance of styles.
        diversity: that of the distance of two images, at the beginning.
        diversity_steps: updates after which it is 0; 100,000 in the paper.
        cycle: of the way back.
    """

    sampling_network = "translator"

    def __init__(
        self, components: Components, style: float, diversity: float, diversity_steps: int, cycle: float
    ) -> None:
        require_not_negative(style=style, diversity=diversity, cycle=cycle)
        require_positive(diversity_steps=diversity_steps)
        super().__init__(components)
        terms: list[tuple[str, type[Term], float | Ramp]] = [("style", SameStyle, style), ("cycle", CycleBack, cycle)]
        if diversity:
            terms.append(("diversity", Alike, Ramp(diversity, 0.0, diversity_steps)))
        for player in ("generator", "mapping"):
            for name, term, weight in terms:
                if weight:
                    self.player(player).add_term(name, term(), plan=TermPlan(weight))
        self.references = References(components.data.num_classes, KEPT, components.data.sample)

    def make_players(self) -> list[Player]:
        """Return the judge; generator and style encoder; and the mapping network."""
        parts = [self.network(name) for name in ("generator", "mapping", "style_encoder")]
        self.networks["translator"] = Translator(*parts)
        judged = dict.fromkeys((LATENT, REFERENCE), "discriminator")
        made = dict.fromkeys((LATENT, REFERENCE), "generator")
        return [
            Player("discriminator", ("discriminator",), "discriminator", judged),
            Player("generator", ("generator", "style_encoder"), "generator", made),
            Player("mapping", ("mapping",), "generator", {LATENT: "generator"}),
        ]

    def latent_for(self, batch: Batch) -> Latent:
        """Return images, the domains that are asked for, two latents, and two references of the domain in the batch."""
        latent = super().latent_for(batch)
        asked, other = given(latent.labels), distributed.share_of_latents(self.latent, len(batch.samples)).z
        first, second = _two_of(asked, given(batch.labels))
        further = {OTHER_Z: other, FIRST: batch.samples[first], SECOND: batch.samples[second]}
        return latent._replace(given={**latent.given, **further})

    def styled(self, x: Tensor, style: Tensor) -> Tensor:
        """Return images (N, C, H, W) in styles (N, style_dim)."""
        return self.generate(Latent(x.new_zeros(len(x), 0), None, given={SAMPLES: x, STYLE: style}))

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return images in styles of noise, and in those of references, each beside the real ones."""
        mapping, encoder = self.network("mapping"), self.network("style_encoder")
        fixed = {name: parameter.detach() for name, parameter in encoder.named_parameters()}
        x, asked = latent.given[SAMPLES], latent.labels

        def found(images: Tensor, labels: Tensor | None) -> Tensor:
            with self.autocast():
                style: Tensor = functional_call(encoder, fixed, (images, labels))
            return style

        def drawn(z: Tensor) -> Tensor:
            with self.autocast():
                style: Tensor = mapping(z, asked)
            return style

        parts = {
            LATENT: (drawn(latent.z), encoder, lambda: drawn(latent.given[OTHER_Z])),
            REFERENCE: (found(latent.given[FIRST], asked), found, lambda: found(latent.given[SECOND], asked)),
        }
        judge = self.judge("discriminator")
        return {
            name: Styled(
                judge, batch, latent, self.styled(x, style), parts={"style": style, "encoder": encode, "other": other}
            )
            for name, (style, encode, other) in parts.items()
        }

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step, and keep the first images of each domain as references."""
        return super().step(self.references.watching(next_batch))

    def check(self) -> None:
        """See that domains are classes and noise is drawn.

        Raises:
            ConfigError: they are not, or the networks do not fit.
        """
        if not self.data.num_classes:
            raise ConfigError("StarGANv2's domains are classes, and these data have none: choose data=digit_strokes")
        if self.prior is None:
            raise ConfigError("StarGANv2 makes styles of noise, and there is no prior: set prior=normal")
        super().check()

    def picture(self, latent: Latent, columns: int) -> Tensor | None:
        """Draw each image, and what it becomes in every domain: in a style of noise, then like the reference above."""
        if not self.data.is_8_bit or self.data.sample[0] not in (1, 3):
            return None
        count, x = self.data.num_classes, latent.given[SAMPLES]
        rows = min(len(x), max(len(latent.z) // (2 * count + 1), 1))
        latent, x = latent.part(slice(rows)), x[:rows]
        above = self.references.images[:, 0]
        domains = [torch.full((rows,), k, device=x.device) for k in range(count)]
        images = [x, *(self.sample(latent._replace(labels=asked)) for asked in domains)]
        images += [self.like(x, above[k].expand(rows, -1, -1, -1), asked) for k, asked in enumerate(domains)]
        top = torch.cat([x.new_full((count + 1, *x.shape[1:]), -1.0), above.to(x.dtype)])
        return grid(torch.cat([top, torch.stack(images, 1).flatten(0, 1)]), 2 * count + 1)

    @torch.no_grad()
    def like(self, x: Tensor, references: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, C, H, W) in the styles of references of domains (N,), from the sampling network."""
        network = cast(Translator, self.networks[self.sampling_network])
        with evaluation_mode(network), self.autocast():
            return network.like(x, references.to(x.dtype), labels).float()


def _two_of(asked: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each domain that is asked for (N,) two positions among labels (N,), of that domain if there are."""
    same = 2.0 * (asked[:, None] == labels)
    first = (same + torch.rand_like(same)).argmax(1)
    taken = nn.functional.one_hot(first, len(labels))
    return first, (same + torch.rand_like(same) - taken).argmax(1)


class References(nn.Module):
    """The first images of each domain, in buffers, so that they are in the checkpoint.

    Args:
        domains: how many there are.
        each: how many of each are kept.
        shape: of an image.
    """

    images: Tensor
    counts: Tensor

    def __init__(self, domains: int, each: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(domains, each, *shape))
        self.register_buffer("counts", torch.zeros(domains, dtype=torch.int64))
        self.full = False

    def watching(self, next_batch: NextBatch) -> NextBatch:
        """Return a way to draw the same batches that keeps their images until there are enough of each domain."""
        if not self.full:
            self.full = bool((self.counts >= self.images.shape[1]).all())
        return next_batch if self.full else lambda: self._kept(next_batch())

    def _kept(self, batch: Batch) -> Batch:
        for label in given(batch.labels).unique().tolist():
            done = int(self.counts[label])
            new = batch.samples[batch.labels == label][: self.images.shape[1] - done]
            self.images[label, done : done + len(new)] = new
            self.counts[label] += len(new)
        return batch

    def drawn(self, labels: Tensor, random: torch.Generator) -> Tensor:
        """Return a reference of each domain (N,).

        Raises:
            ConfigError: none has been seen of one of them.
        """
        missing = sorted({*labels.tolist()} & {*(self.counts == 0).nonzero().flatten().tolist()})
        if missing:
            raise ConfigError(f"training has met no image of the domains {missing}: there is no reference of them yet")
        share = torch.rand(len(labels), generator=random).to(labels.device)
        return self.images[labels, (share * self.counts[labels]).long()]


class ReferenceStyle(Sampler):
    """Each image in the style of a training image of the domain that is asked for, in place of one of noise."""

    name = "reference_style"

    def check(self, game: Game) -> None:
        """Raise ConfigError unless the game finds styles of images."""
        if not isinstance(game, StarGANv2):
            raise ConfigError(
                f"sampler=reference_style needs experiment=starganv2, which keeps references, not {type(game).__name__}"
            )

    def draw(self, game: Game, latent: Latent, random: torch.Generator) -> Tensor:
        """Return an image of each latent's in the style of a reference."""
        assert isinstance(game, StarGANv2)
        labels = given(latent.labels)
        return game.like(latent.given[SAMPLES], game.references.drawn(labels, random), labels)
