"""Orthogonal regularisation of weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import ConfigError, Game, Pair, Player, Term
from gan_zoo.terms.sides import name_of

FORMS = ("full", "absolute", "off_diagonal")


class Orthogonal(Term):
    """Σ ‖W Wᵀ - I‖² over the weights of a player's networks, as matrices W of (first axis, rest).

    `absolute` is Σ |W Wᵀ - I|, IAN's own form (Brock et al. 2016, arXiv 1609.07093, section 3.2), with a weight of
    1e-3 there; `full` is the square that BigGAN's paper gives for it (Brock et al. 2018, arXiv 1809.11096, equation 2),
    and `off_diagonal` leaves the norms of the rows free, as BigGAN does (equation 3), with a weight of 1e-4 on the
    generator. Biases, gains and embeddings are left out.

    Args:
        form: `full`, `absolute` or `off_diagonal`.
    """

    of_weights = True

    def __init__(self, form: str) -> None:
        super().__init__()
        if form not in FORMS:
            raise ValueError(f"form={form!r}: choose {', '.join(FORMS)}")
        self.form = form

    def check(self, game: Game, player: Player) -> None:
        """See that the player updates weights.

        Raises:
            ConfigError: none of its networks has any.
        """
        if not self._weights(game, player):
            name = name_of(self, player)
            raise ConfigError(
                f"terms.{name}.player={player.name}: {name} has no effect on it, which updates no weights"
            )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the sum over the weights that the player updates."""
        return torch.stack([self._excess(weight) for weight in self._weights(self.game, player)]).sum()

    def _excess(self, weight: Tensor) -> Tensor:
        rows = weight.flatten(1)
        products = rows @ rows.T
        if self.form == "off_diagonal":
            return (products - products.diagonal().diag()).square().sum()
        excess = products - torch.eye(len(rows), device=rows.device, dtype=rows.dtype)
        return excess.abs().sum() if self.form == "absolute" else excess.square().sum()

    def _weights(self, game: Game, player: Player) -> list[Tensor]:
        trained = {id(parameter) for parameter in player.trained}
        embedded = {
            id(parameter)
            for name in player.networks
            for layer in game.network(name).modules()
            if isinstance(layer, nn.Embedding)
            for parameter in layer.parameters()  # a normalised one's `weight` is none of them
        }
        return [p for p in player.trained if p.ndim > 1 and id(p) in trained - embedded]
