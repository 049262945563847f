"""VAE-GAN (Larsen et al. 2016, arXiv 1512.09300): reconstructions and samples of the prior are judged as generated."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Batch, Game, Latent, Pair, Player, Term


class VAEGAN(Game):
    """N real samples face 2N generated ones: N reconstructions, then N samples of the prior (equation 11)."""

    def make_players(self) -> list[Player]:
        """Return the judge, the decoder and the encoder."""
        judge, decoder = super().make_players()
        return [judge, decoder, Player("encoder", ("encoder",))]

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the batch, and its reconstructions followed by samples of the prior."""
        with self.autocast():
            mean, log_variance = self.network("encoder")(batch.samples).chunk(2, dim=1)
        code = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        both = latent._replace(z=torch.cat([code, latent.z]), code={"mean": mean, "log_variance": log_variance})
        made = self.generate(both)
        return Pair(self.judge("discriminator"), batch, latent._replace(labels=None, code=both.code), made)


class LayerDistance(Term):
    """½ ‖D_l(x̂) - D_l(x)‖² in the judge's last layer, a mean over samples (equation 7)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance of the reconstructions from what they reconstruct, as the judge sees both."""
        real = pair.real_output.features[-1]
        return 0.5 * (pair.fake_output.features[-1][: len(real)] - real).flatten(1).square().sum(1).mean()


class CodeDivergence(Term):
    """KL(q(z|x) ‖ N(0, 1)) in nats, a mean over samples (equation 5)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the divergence of the batch's codes."""
        mean, log_variance = pair.latent.code["mean"], pair.latent.code["log_variance"]
        return 0.5 * (log_variance.exp() - 1 - log_variance + mean.square()).sum(1).mean()
