"""InfoGAN with a Q of its own."""

from __future__ import annotations

from gan_framework.api import Game, Player


class InfoGAN(Game):
    """The two-player game and a third player `q`, which updates G and Q (Chen et al. 2016, arXiv 1606.03657).

    Its objective is a term, `mutual_information`; it is updated after the other two, with an optimizer of
    its own. Where Q shares the discriminator's layers, the strategy `q_head` is what is wanted.
    """

    def make_players(self) -> list[Player]:
        """Return D, G and Q."""
        return [*super().make_players(), Player("q", ("generator", "q"))]
