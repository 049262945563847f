"""Terms that keep a generator from drawing the same sample for different latents."""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Game, Latent, Pair, Player, Term, try_meeting
from gan_zoo.terms.sides import name_of, require_generator

FORMS = ("ratio", "bounded")
LEAST = 1e-5
"""What keeps the inverse of the ratio finite, as in the authors' program."""


class ModeSeeking(Term):
    """Samples of two latents shall lie as far apart as the latents do.

    `ratio` is MSGAN's (Mao et al. 2019, arXiv 1903.05628): 1 / (E|G(z₁) - G(z₂)| / E|z₁ - z₂|), means taken first, as
    in the authors' program. `bounded` is DSGAN's (Yang et al. 2019, arXiv 1901.09024): -E min(‖G(z₁) - G(z₂)‖ /
    ‖z₁ - z₂‖, bound). Both latents have the same labels. It spreads what the generator draws for one condition; it adds
    no modes that D rejects.

    Args:
        form: `ratio` or `bounded`.
        bound: τ of the second form; null for none.
    """

    def __init__(self, form: str, bound: float | None) -> None:
        super().__init__()
        if form not in FORMS:
            raise ValueError(f"form={form!r}: choose {' or '.join(FORMS)}")
        if bound is not None and not bound > 0:
            raise ValueError(f"bound={bound}: it must be positive, or null for none")
        if bound is not None and form == "ratio":
            raise ValueError(f"bound={bound}: form=ratio has none; set null")
        self.form = form
        self.bound = inf if bound is None else bound

    def check(self, game: Game, player: Player) -> None:
        """See that the term reaches a generator.

        Raises:
            ConfigError: the player is not on the generator's side, or there are no latents.
        """
        require_generator(self, game, player)
        if any(pair.latent.z.numel() == 0 for pair in try_meeting(game).values()):
            raise ConfigError(f"{name_of(self, player)} compares latents, and {type(game).__name__} draws none")

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the term for this pair's samples and a second batch of the same labels."""
        other = pair.another()
        apart = (pair.fake - other.fake).flatten(1)
        latents = _flat(pair.latent) - _flat(other.latent)
        if self.form == "ratio":
            inverse: Tensor = 1 / (apart.abs().mean() / latents.abs().mean() + LEAST)
            return inverse
        ratios: Tensor = torch.linalg.vector_norm(apart, dim=1) / torch.linalg.vector_norm(latents, dim=1)
        return -ratios.clamp(max=self.bound).mean()


def _flat(latent: Latent) -> Tensor:
    return latent.z.flatten(1)
