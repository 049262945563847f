"""CDcGAN (Zhao et al. 2017, arXiv 1708.09105): colours and depth enlarged together, each before a judge of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gan_framework.api import (
    EMPTY,
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
    TermPlan,
)
from gan_zoo.nested import build_nested
from gan_zoo.poisson import differences
from gan_zoo.ranges import require_not_negative
from gan_zoo.translating import SOURCE, PixelDistance, TotalVariation

COLOUR, DEPTH, SMALL_DEPTH = "colour", "depth", "small_depth"


class TwoOutputs(Generator):
    """Another generator's image of small colours and small depth, parted into colours and depth.

    Args:
        of: the settings of the generator, with its `name`: its images have four channels, and its sources too.
    """

    def __init__(self, of: dict[str, Any]) -> None:
        super().__init__()
        self.of = build_nested("generators", of)

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the `samples` (N, 3, H, W), colours, and the `depth` (N, 1, H, W)."""
        made = self.of(z, labels, {SOURCE: torch.cat([given[SOURCE], given[SMALL_DEPTH]], 1)})
        return {SAMPLES: made[:, :-1], DEPTH: made[:, -1:]}

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `source` (N, 3, h, w) and `small_depth` (N, 1, h, w) to colours (N, 3, H, W)."""
        return self.everything(z, labels, given)[SAMPLES]


class EdgeDistance(Term):
    """The mean |∇x - ∇g|₁, down and across: edges are to be where they are."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        steps = zip(differences(pair.real), differences(pair.fake.float()), strict=True)
        return torch.stack([(x - g).abs().mean() for x, g in steps]).sum()


class CDcGAN(Game):
    """One generator enlarges colours and depth; two discriminators judge either beside both small images.

    For each of the two G minimises adversarial L_G + distance |x - g|₁, and of depth edges |∇x - ∇g|₁ and
    total_variation TV. The paper's weights are not known to us, these are ours.

    Args:
        components: what the game is made of.
        distance: see above.
        edges: see above.
        total_variation: see above.
    """

    generates_from = SOURCE

    def __init__(self, components: Components, distance: float, edges: float, total_variation: float) -> None:
        require_not_negative(distance=distance, edges=edges, total_variation=total_variation)
        super().__init__(components)
        for name, term, weight, pairs in (
            ("distance", PixelDistance("l1"), distance, (COLOUR, DEPTH)),
            ("edges", EdgeDistance(), edges, (DEPTH,)),
            ("total_variation", TotalVariation(), total_variation, (DEPTH,)),
        ):
            if weight:
                self.player("generator").add_term(name, term, plan=TermPlan(weight, pairs=pairs))

    def make_players(self) -> list[Player]:
        """Return both discriminators, and the generator."""
        judges = [
            Player(f"discriminator_{of}", (f"discriminator_{of}",), "discriminator", {of: "discriminator"})
            for of in (COLOUR, DEPTH)
        ]
        return [*judges, Player("generator", ("generator",), "generator", dict.fromkeys((COLOUR, DEPTH), "generator"))]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the small images."""
        given = {name: batch.extra[name] for name in (SOURCE, SMALL_DEPTH)}
        return super().latent_for(batch)._replace(given=given, labels=None)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return colours and depth, each beside both small images, enlarged in squares."""
        made = self.make(latent)
        small = torch.cat([latent.given[SOURCE], latent.given[SMALL_DEPTH]], 1)
        times = batch.samples.shape[2] // small.shape[2]
        given = (small.repeat_interleave(times, 2).repeat_interleave(times, 3),)
        found = {}
        for of, real, fake in ((COLOUR, batch.samples, made[SAMPLES]), (DEPTH, batch.extra[DEPTH], made[DEPTH])):
            judge = self.judge(f"discriminator_{of}")
            found[of] = Pair(judge, batch, latent, fake, real=real, real_given=given, fake_given=given, made=made)
        return found

    def check(self) -> None:
        """See that there are colours and depth, small and large.

        Raises:
            ConfigError: there are not.
        """
        missing = [name for name in (SOURCE, SMALL_DEPTH, DEPTH) if name not in self.data.extra]
        if missing:
            raise ConfigError(
                f"cdcgan needs the extra {' and '.join(missing)}: choose data=shape_pairs data.task=depth"
            )
        super().check()
