"""VEEGAN: Srivastava, Valkov, Russell, Gutmann & Sutton 2017, arXiv 1705.07761."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Components, Latent, Player
from gan_zoo.encoding import LatentReconstruction, LogRatio
from gan_zoo.systems.bigan import BiGAN


class VEEGAN(BiGAN):
    """A reconstructor F, the encoder, makes noise of data, and of generated samples the noise they were made of.

        D     -log σ(D(x, z_x)) - log(1 - σ(D(G(z), z))),    z_x ~ N(F(x), I)      (algorithm 1)
        G, F  -E D(G(z), z) + E ½ ‖z - F(G(z))‖²                      (equations 5 and 6)

    D's sign is the usual one, high on real samples; the paper's is the other. Its raw logit is minimised, so that
    nothing saturates. The second part is -log N(z; F(G(z)), I) without its constant, dim z / 2 · log 2π.
    """

    def __init__(self, components: Components) -> None:
        super().__init__(components)
        generator = self.player("generator")
        generator.add_term("log_ratio", LogRatio())
        generator.add_term("latent_reconstruction", LatentReconstruction())

    def make_players(self) -> list[Player]:
        """Return D, and G with F."""
        discriminator, generator = super().make_players()
        return [discriminator, Player("generator", generator.networks, "generator")]

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Latent:
        """Draw z of N(F(x), I) for samples x (N, ...), with F(x) as `mean` in `code`.

        F(x) itself has less variance than the prior: without noise D would tell both sides by their lengths alone.
        """
        code = super().encode(x, labels)
        if code.code:  # of an encoder that has variances of its own
            return code
        return Latent(code.z + torch.randn_like(code.z), labels, code={"mean": code.z})
