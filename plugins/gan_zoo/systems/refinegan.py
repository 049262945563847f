"""RefineGAN (Quan et al. 2017, arXiv 1709.00753): images of a part of their spectrum, refined in turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

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
from gan_zoo.generators.unrolled_fourier import UnrolledFourier, consistent
from gan_zoo.ranges import require_not_negative
from gan_zoo.translating import SOURCE, PixelDistance, image_in

MASK, LOOSE = "mask", "loose"
RECONSTRUCTED, REFINED, AGAIN = "reconstructed", "refined", "again"


class RefineGenerator(Generator):
    """Two generators with data consistency in a chain: the second goes on with what the first has made (figure 3).

    Args:
        channels: of the images, made and given alike.
        width: channels of the blocks.
        blocks: residual blocks in a round.
        repeats: rounds of each generator.
    """

    def __init__(self, channels: int, width: int, blocks: int, repeats: int) -> None:
        super().__init__()
        self.chain = nn.ModuleList(UnrolledFourier(channels, width, blocks, repeats) for _ in range(2))

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the `samples`, what the first generator made (`reconstructed`), and both before consistency (`loose`).

        Raises:
            ValueError: there is no mask.
        """
        if MASK not in given:
            raise ValueError("no mask is given, of what was measured: choose data.task=fourier")
        source, mask = image_in(given), given[MASK]
        x, made, loose = source, [], []
        for generator in self.chain:
            for one in cast(UnrolledFourier, generator).rounds:
                before = x + one(x)
                x = consistent(before, source, mask)
            made.append(x)
            loose.append(before)
        return {SAMPLES: made[1], RECONSTRUCTED: made[0], LOOSE: torch.stack(loose, 1)}

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `source` and `mask` to images of the source's shape."""
        return self.everything(z, labels, given)[SAMPLES]


def measured(x: Tensor, mask: Tensor) -> Tensor:
    """Return the image (N, C, H, W) of the measured part of an image's spectrum, zero elsewhere."""
    return consistent(torch.zeros_like(x), x, mask)


class FrequencyCycle(Term):
    """r² |M F g - M F x|₁ of what was made before data consistency, on both steps of the chain, a mean over entries."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        mask, loose = pair.latent.given[MASK], pair.made[LOOSE]
        source = pair.latent.given[SOURCE]
        apart = mask[:, None] * (torch.fft.fft2(loose) - torch.fft.fft2(source)[:, None])
        size = source.shape[-1] * source.shape[-2]
        loss: Tensor = factor(mask).square() * (apart.abs() / size**0.5).mean()
        return loss


class ImageError(Term):
    """r |x - g|₁, a mean over entries."""

    def __init__(self) -> None:
        super().__init__()
        self.distance = PixelDistance("l1")

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        loss: Tensor = factor(pair.latent.given[MASK]) * self.distance(pair, player)
        return loss


class ImageCycle(Term):
    """r |g - G(A g)|₁: what is measured of a made image gives it again."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples, which are made of measured images."""
        return factor(pair.latent.given[MASK]) * (pair.made[REFINED] - pair.fake).abs().mean()


def factor(mask: Tensor) -> Tensor:
    """Return r, 1 divided by the share that is measured."""
    return 1 / mask.mean().clamp(min=1e-6)


class RefineGAN(Game):
    """G reconstructs an image of a part of its spectrum and refines it; one critic sees all that is made (section 3.3).

    G minimises its adversarial losses of the reconstructed image, of the refined one g, and of G(A g), what it makes of
    the measured part of g, and to these image_error r |x - g|₁ of both steps, image_cycle r |g - G(A g)|₁ and
    frequency_cycle r² |M F g - M F x|₁, with r = 1 / rate. The paper's images are complex, these are real. That G(A g)
    is the further crossing is our reading of the program.

    Args:
        components: what the game is made of.
        image_error: 1,000 in the authors' program.
        image_cycle: 10.
        frequency_cycle: 1.
    """

    generates_from = SOURCE

    def __init__(self, components: Components, image_error: float, image_cycle: float, frequency_cycle: float) -> None:
        require_not_negative(image_error=image_error, image_cycle=image_cycle, frequency_cycle=frequency_cycle)
        super().__init__(components)
        for name, term, weight, pairs in (
            ("image_error", ImageError(), image_error, (RECONSTRUCTED, REFINED)),
            ("image_cycle", ImageCycle(), image_cycle, (AGAIN,)),
            ("frequency_cycle", FrequencyCycle(), frequency_cycle, (REFINED,)),
        ):
            if weight:
                self.player("generator").add_term(name, term, plan=TermPlan(weight, pairs=pairs))

    def make_players(self) -> list[Player]:
        """Return the critic, and G; both face all three images."""
        faced = (RECONSTRUCTED, REFINED, AGAIN)
        return [Player(team, (team,), team, dict.fromkeys(faced, team)) for team in ("discriminator", "generator")]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the zero-filled images, and what was measured."""
        return super().latent_for(batch)._replace(given=dict(batch.extra))

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return the images beside each of the three that are made."""
        first = self.make(latent)
        mask, g = latent.given[MASK], first[SAMPLES]
        again = self.generate(latent._replace(given={SOURCE: measured(g, mask), MASK: mask}))
        made = {**first, REFINED: g}
        fakes = {RECONSTRUCTED: first[RECONSTRUCTED], REFINED: g, AGAIN: again}
        judge = self.judge("discriminator")
        return {name: Pair(judge, batch, latent, fake, made=made) for name, fake in fakes.items()}

    def check(self) -> None:
        """See that there is a part of a spectrum.

        Raises:
            ConfigError: there is none.
        """
        missing = [name for name in (SOURCE, MASK) if name not in self.data.extra]
        if missing:
            raise ConfigError(f"refinegan needs the extra {' and '.join(missing)}: choose data.task=fourier")
        super().check()
