"""TextureGAN (Xian et al. 2017, arXiv 1706.02823): a sketch and a patch of texture to an image of the object in it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gan_framework.api import Batch, Components, ConfigError, Game, Latent, Pair, Player, Term, TermPlan, nobody
from gan_zoo.colours import to_lab
from gan_zoo.ranges import require_not_negative
from gan_zoo.translating import SOURCE, PixelDistance

PATCH, MASK = "patch", "mask"
LIGHTNESS, WHOLE, LOCAL = "lightness", "whole", "local"


def on_canvas(sketch: Tensor, patch: Tensor, mask: Tensor) -> Tensor:
    """Return sketches (N, 1, H, W), with patches (N, 3, P, P) about the middle of masks, and where: (N, 5, H, W).

    What of a patch lies outside its mask is left out.
    """
    n, _, height, width = sketch.shape
    size = patch.shape[2]
    top, left = (place - size // 2 for place in middle(mask))
    rows, columns = (torch.arange(side, device=sketch.device) for side in (height, width))
    down, across = rows[None] - top[:, None], columns[None] - left[:, None]
    inside = ((down >= 0) & (down < size))[:, :, None] & ((across >= 0) & (across < size))[:, None]
    which = torch.arange(n, device=sketch.device)[:, None, None]
    placed = patch.permute(0, 2, 3, 1)[which, down.clamp(0, size - 1)[:, :, None], across.clamp(0, size - 1)[:, None]]
    shown = inside[:, None] * mask
    return torch.cat([sketch, placed.permute(0, 3, 1, 2) * shown, shown], 1)


def middle(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean row and column (N,) int64 of masks (N, 1, H, W); of an empty one 0."""
    total = mask.sum((1, 2, 3)).clamp(min=1)
    rows, columns = (torch.arange(side, device=mask.device, dtype=mask.dtype) for side in mask.shape[2:])
    row, column = (mask.sum((1, 3)) * rows).sum(1) / total, (mask.sum((1, 2)) * columns).sum(1) / total
    return row.round().long(), column.round().long()


def cut(x: Tensor, top: Tensor, left: Tensor, size: int) -> Tensor:
    """Return squares (N, C, size, size) of images (N, C, H, W), moved inside where they would leave them."""
    line = torch.arange(size, device=x.device)
    rows, columns = (
        start.clamp(0, side - size)[:, None] + line for start, side in ((top, x.shape[2]), (left, x.shape[3]))
    )
    which = torch.arange(len(x), device=x.device)[:, None, None]
    return x.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


class LightnessDistance(Term):
    """mean (L(x) - L(g))²."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        return (to_lab(pair.real)[0] - to_lab(pair.fake.float())[0]).square().mean()


class ColourDistance(Term):
    """mean (ab(x) - ab(g))²."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        return (to_lab(pair.real)[1] - to_lab(pair.fake.float())[1]).square().mean()


class TextureGAN(Game):
    """G fills an outline with a texture of which it sees one patch: first by the image, then by patches of it too.

    Stage 1 (players `discriminator`, `generator`): L_G of the image's lightness, pixel |L(x) - L(g)|² and colour
    |ab(x) - ab(g)|²; features of a frozen network are the term `feature_distance`, pair `whole`. Stage 2 (players
    `discriminator_local`, `refiner`, the generator again) adds, of a square of g inside the object, L_G of a judge that
    tells whether it is of the same texture as one of the given patch, and local_pixel |x - g|²; the local style is
    `feature_distance` with `compare=gram`, pair `local`. The published weights are not known to us.

    Args:
        components: what the game is made of.
        pixel: see above.
        colour: see above.
        local_pixel: see above.
        crop: pixels to a side of squares; less than the patch has.
    """

    generates_from = SOURCE

    def __init__(self, components: Components, pixel: float, colour: float, local_pixel: float, crop: int) -> None:
        require_not_negative(pixel=pixel, colour=colour, local_pixel=local_pixel)
        super().__init__(components)
        self.crop = crop
        for name in ("generator", "refiner"):
            player = self.player(name)
            player.add_term("pixel", LightnessDistance(), plan=TermPlan(pixel, pairs=(WHOLE,)))
            player.add_term("colour", ColourDistance(), plan=TermPlan(colour, pairs=(WHOLE,)))
        if local_pixel:
            plan = TermPlan(local_pixel, pairs=(LOCAL,))
            self.player("refiner").add_term("local_pixel", PixelDistance("l2"), plan=plan)

    def make_players(self) -> list[Player]:
        """Return the judges of lightness and of patches, and the generator in either stage."""
        local = "discriminator_local"
        return [
            Player("discriminator", ("discriminator",), "discriminator", {LIGHTNESS: "discriminator"}),
            Player(local, (local,), "discriminator", {LOCAL: "discriminator"}),
            Player("generator", ("generator",), "generator", {LIGHTNESS: "generator"}),
            Player("refiner", ("generator",), "generator", {LIGHTNESS: "generator", LOCAL: "generator"}),
        ]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the sketches with their patches on them."""
        extra = batch.extra
        canvas = on_canvas(extra[SOURCE], extra[PATCH], extra[MASK])
        return super().latent_for(batch)._replace(given={SOURCE: canvas}, labels=None)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return images, their lightness, and squares of them beside squares of the given patches."""
        fake, patch, mask = self.generate(latent), batch.extra[PATCH], batch.extra[MASK]
        n, size, room = len(fake), self.crop, patch.shape[2] - self.crop
        top, left = (place - size // 2 + self._shift(n, fake.device, 3) for place in middle(mask))
        down, across = (self._shift(n, fake.device, room, 0) for _ in range(2))
        given = (cut(patch, down, across, size),)
        real, made = (cut(x, top, left, size) for x in (batch.samples, fake))
        light = (to_lab(x)[0] for x in (batch.samples, fake.float()))
        judges = {LIGHTNESS: self.judge("discriminator"), LOCAL: self.judge("discriminator_local")}
        return {
            WHOLE: Pair(nobody, batch, latent, fake),
            LIGHTNESS: Pair(judges[LIGHTNESS], batch, latent, real=next(light), fake=next(light)),
            LOCAL: Pair(judges[LOCAL], batch, latent, made, real=real, real_given=given, fake_given=given),
        }

    def _shift(self, n: int, device: torch.device, most: int, least: int | None = None) -> Tensor:
        low = -most if least is None else least
        return torch.randint(low, most + 1, (n,), device=device)

    def check(self) -> None:
        """See that samples have sketches, patches and masks.

        Raises:
            ConfigError: they have not, or squares are no smaller than patches.
        """
        missing = [name for name in (SOURCE, PATCH, MASK) if name not in self.data.extra]
        if missing:
            raise ConfigError(f"texturegan needs the extra {' and '.join(missing)}: choose data=textured_shapes")
        most = self.data.extra[PATCH][1]
        if not 2 <= self.crop < most:
            raise ConfigError(
                f"game.crop={self.crop}: squares are cut from patches of {most} pixels; set it to 2 or more"
            )
        super().check()
