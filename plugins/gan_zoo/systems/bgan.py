"""BGAN: Song et al. 2017, Binary Generative Adversarial Networks for Image Retrieval, arXiv 1708.04150."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import MAIN, Batch, Components, ConfigError, Latent, Pair, Player, Term, TermPlan
from gan_zoo.encoding import RECONSTRUCTION, EncodingGame
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.systems.vae_gan import FeatureReconstruction


class BGAN(EncodingGame):
    """An encoder of K bits for retrieval, which keeps neighbours alike, with a GAN as its decoder.

        E  content L_l + alike [mean (H Hᵀ / K - S)² + mean (H - sign H)²],      H = tanh(β E(x))
        G  content L_l - log D(G(z)),      L_l = ½ ‖D_l(x) - D_l(G(H))‖²
        D  -log D(x) - log(1 - D(G(z)))

    S is 1 for neighbours (see `neighbourhood`), else -1. β rises in stages towards the sign, which codes are after
    training. Here neighbours are found among a batch's pixels; in the paper among all images, by features of a
    pretrained network. The authors' program never raises β, and does not divide H Hᵀ by K, without which no codes can
    be as S says.

    Args:
        components: what the game is made of.
        betas: β of one stage after another.
        stage_steps: updates of E in a stage; the last one goes on.
        neighbours: how many nearest samples of the batch a sample has; 20 in the paper.
        joined: of how many samples, those with the most neighbours in common, all neighbours are joined; 30 there.
        alike: the weight of what codes are to be; 10.
        content: the weight of the error in D's layer, a sum over the layer.
        layer: the index of D's layer l among its features.
    """

    def __init__(
        self,
        components: Components,
        betas: list[float],
        stage_steps: int,
        neighbours: int,
        joined: int,
        alike: float,
        content: float,
        layer: int,
    ) -> None:
        if not betas or min(betas) <= 0:
            raise ValueError(f"betas={betas}: there is at least one, and all are positive")
        require_positive(stage_steps=stage_steps, neighbours=neighbours, joined=joined)
        require_not_negative(alike=alike, content=content)
        self.betas, self.stage_steps = betas, stage_steps
        super().__init__(components)
        for name in ("generator", "encoder"):
            plan = TermPlan(content, pairs=(RECONSTRUCTION,))
            self.player(name).add_term("feature_reconstruction", FeatureReconstruction(layer), plan=plan)
        plan = TermPlan(alike, pairs=(RECONSTRUCTION,))
        self.player("encoder").add_term("neighbours", Neighbours(neighbours, joined), plan=plan)
        self.player("encoder").add_term("quantisation", Quantisation(), plan=plan)

    def make_players(self) -> list[Player]:
        """Return D, G and E."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", {MAIN: "discriminator"}),
            Player("generator", ("generator",), "generator", {MAIN: "generator"}),
            Player("encoder", ("encoder",)),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return x with G(z), and x with what G makes of its code, both before D."""
        reconstruction = self.decoded(batch).judged_by(self.judge("discriminator"))
        return {MAIN: self.pair(batch, latent), RECONSTRUCTION: reconstruction}

    @property
    def beta(self) -> float:
        """β of the present stage."""
        return self.betas[min(self.player("encoder").updates // self.stage_steps, len(self.betas) - 1)]

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Latent:
        """Return the relaxed codes H of samples x (N, ...), in [-1, 1].

        Raises:
            ConfigError: the encoder makes no numbers but means and variances.
        """
        latent = super().encode(x, labels)
        if latent.code:
            raise ConfigError(
                f"game=bgan draws no codes: networks.encoder is to make {self.latent_dim} numbers of a sample, as "
                'prior.dim says (networks.encoder.outputs=["${prior.dim}"])'
            )
        return latent._replace(z=torch.tanh(self.beta * latent.z))

    def code_of(self, x: Tensor) -> Tensor:
        """Return the codes (N, K) of samples, -1 or 1."""
        return signs(self.encode(x).z)


def signs(h: Tensor) -> Tensor:
    """Return -1 where h is negative, else 1."""
    return torch.where(h < 0, -1.0, 1.0).to(h.dtype)


def alikeness(h: Tensor) -> Tensor:
    """Return H Hᵀ / K (N, N) of codes (N, K): of binary ones 1 less twice the share of bits that differ."""
    return h @ h.T / h.shape[1]


def quantisation(h: Tensor) -> Tensor:
    """Return mean (H - sign H)² of relaxed codes (N, K)."""
    return (h - signs(h)).square().mean()


def neighbourhood(x: Tensor, neighbours: int, joined: int) -> Tensor:
    """Return S (N, N) of samples x (N, ...): 1 for neighbours, -1 for others; symmetric.

    A sample's nearest are those of the greatest cosine, and itself. The nearest of the samples that share the most of
    them with it, itself among these, are joined: they are its neighbours, as it is theirs (section 3.1).

    Args:
        x: the samples.
        neighbours: how many are nearest, without itself.
        joined: of how many samples the nearest are joined.
    """
    directions = F.normalize(x.flatten(1), dim=1)
    cosine = (directions @ directions.T).fill_diagonal_(torch.inf)
    n = len(x)
    nearest = torch.zeros_like(cosine).scatter_(1, cosine.topk(min(neighbours + 1, n)).indices, 1.0)
    # A sample has the most in common with itself; of others with equally much the first are taken.
    common = (nearest @ nearest.T).fill_diagonal_(torch.inf)
    most = common.sort(dim=1, descending=True, stable=True).indices[:, :joined]
    found = torch.zeros_like(cosine).scatter_(1, most, 1.0) @ nearest
    return torch.where(found + found.T > 0, 1.0, -1.0).to(x.dtype)


class Neighbours(Term):
    """mean (H Hᵀ / K - S)² over pairs of a batch: neighbours have equal codes, others opposite ones.

    Args:
        neighbours: how many are nearest.
        joined: of how many samples the nearest are joined.
    """

    def __init__(self, neighbours: int, joined: int) -> None:
        super().__init__()
        self.neighbours, self.joined = neighbours, joined

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the codes of a pair's real samples."""
        h, x = pair.latent.z, pair.real.to(pair.latent.z.dtype)
        # In [-1, 1] what is black everywhere would make all images alike.
        wanted = neighbourhood((x + 1) / 2 if self.game.data.is_8_bit else x, self.neighbours, self.joined)
        return (alikeness(h) - wanted).square().mean()


class Quantisation(Term):
    """mean (H - sign H)²: how far relaxed codes are from bits."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the codes of a pair's real samples."""
        return quantisation(pair.latent.z)
