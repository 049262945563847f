"""MV-BiGAN (Chen & Denoyer 2017, arXiv 1611.02019): a BiGAN whose latents follow from any views of an image."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import MAIN, Batch, Components, ConfigError, Game, Latent, Pair, Player, Term, TermPlan
from gan_zoo.layers import ImageSize, sides

VIEWS = "views"
"""The pair, and the network, of views and latents."""

QUADRANTS = 4


def quadrants(x: Tensor, present: Tensor) -> Tensor:
    """Return images (N, C, H, W) with the quadrants that are not present (N, 4) set to 0."""
    height, width = (-(-side // 2) for side in x.shape[2:])
    corners: Tensor = present.unflatten(1, (2, 2)).to(x.dtype)
    mask = corners.repeat_interleave(height, 1).repeat_interleave(width, 2)[:, None, : x.shape[2], : x.shape[3]]
    return x * mask


def drawn(parameters: Tensor) -> Tensor:
    """Return z (N, D) drawn of means and logarithms of variances (N, 2 D)."""
    mean, log_variance = parameters.float().chunk(2, dim=1)
    return mean + (log_variance / 2).exp() * torch.randn_like(mean)


def divergence(narrow: Tensor, wide: Tensor) -> Tensor:
    """Return KL(N(narrow) ‖ N(wide)) (N,) in nats, of means and logarithms of variances (N, 2 D)."""
    (m, log_v), (n, log_w) = (parameters.float().chunk(2, dim=1) for parameters in (narrow, wide))
    return 0.5 * (log_w - log_v + (log_v.exp() + (m - n).square()) / log_w.exp() - 1).sum(1)


class ViewsEncoder(nn.Module):
    """H: means and logarithms of variances of z, of the sum of what each present view says (section 4).

    Without any view the sum is 0, and what H says of it is learned as well.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        latent_dim: the size of z.
        hidden: the size of what a view says.
    """

    def __init__(self, image_size: ImageSize, channels: int, latent_dim: int, hidden: int) -> None:
        super().__init__()
        height, width = (-(-side // 2) for side in sides(image_size))
        self.side = height, width
        size = channels * height * width
        self.of_view = nn.ModuleList(nn.Sequential(nn.Linear(size, hidden), nn.ReLU()) for _ in range(QUADRANTS))
        self.together = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent_dim))

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        """Map images (N, C, H, W) and which quadrants are present (N, 4) to (N, 2 latent_dim)."""
        height, width = self.side
        x = F.pad(x, [0, 2 * width - x.shape[3], 0, 2 * height - x.shape[2]])
        corners = [(0, 0), (0, width), (height, 0), (height, width)]
        views = [x[:, :, top : top + height, left : left + width].flatten(1) for top, left in corners]
        said = torch.stack([of(view) for of, view in zip(self.of_view, views, strict=True)], dim=1)
        parameters: Tensor = self.together((said * present[..., None].to(said.dtype)).sum(1))
        return parameters


class Narrowing(Term):
    """E KL(H(views and one more) ‖ H(views)): a further view makes the latents' distribution no wider (section 4.2)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch."""
        return divergence(pair.made["more"], pair.made["fewer"]).mean()


class MVBiGAN(Game):
    """A BiGAN of images y, and an encoder H of views: the four quadrants of an image, any of which may be missing.

    `discriminator` tells (y, E(y)) from (G(z), z); `discriminator_views` (x, z) with z of E(y) from z of H(x), where x
    has the present quadrants alone. G, E and H minimise both with the sides exchanged, and `narrowing` times the
    divergence of `Narrowing`, whose direction and weight are our reading. Each quadrant is present with probability ½,
    drawn anew.

    Args:
        components: what the game is made of.
        narrowing: the weight of the divergence.
    """

    def __init__(self, components: Components, narrowing: float) -> None:
        super().__init__(components)
        if not self.data.is_image:
            raise ConfigError(f"game=mv_bigan takes views out of images, and the data are {self.data.sample}")
        plan = TermPlan(narrowing, pairs=(VIEWS,))
        self.player("generator").add_term("narrowing", Narrowing(), plan=plan)

    def make_players(self) -> list[Player]:
        """Return both discriminators as one player, and G, E and H."""
        critics, makers = ("discriminator", "discriminator_views"), ("generator", "encoder", VIEWS)
        return [
            Player("discriminator", critics, "discriminator", dict.fromkeys((MAIN, VIEWS), "discriminator")),
            Player("generator", makers, "generator", dict.fromkeys((MAIN, VIEWS), "swapped")),
        ]

    def of_views(self, x: Tensor, present: Tensor) -> Tensor:
        """Return what H says (N, 2 latent_dim) of images' present quadrants (N, 4)."""
        with self.autocast():
            parameters: Tensor = self.network(VIEWS)(quadrants(x, present), present)
        return parameters

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return images with latents, and views with latents."""
        y = batch.samples
        with self.autocast():
            code = drawn(self.network("encoder")(y))
        present = torch.rand(len(y), QUADRANTS, device=y.device) < 0.5
        one = torch.randint(QUADRANTS, (len(y),), device=y.device)
        fewer, more = self.of_views(y, present), self.of_views(y, present | F.one_hot(one, QUADRANTS).bool())
        seen = quadrants(y, present)
        made = self.generate(latent)
        return {
            MAIN: Pair(self.judge("discriminator"), batch, latent, made, real_given=(code,), fake_given=(latent.z,)),
            VIEWS: Pair(
                self.judge("discriminator_views"),
                batch,
                latent,
                seen,
                real=seen,
                real_given=(code,),
                fake_given=(drawn(fewer),),
                made={"fewer": fewer, "more": more},
            ),
        }

    @torch.no_grad()
    def complete(self, x: Tensor, present: Tensor) -> Tensor:
        """Return images (N, C, H, W) drawn of those that have the present quadrants (N, 4) of x."""
        return self.sample(Latent(drawn(self.of_views(x, present))))
