"""BigBiGAN: Donahue & Simonyan 2019, arXiv 1907.02544, with a small encoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Components, Discriminator, DiscriminatorOutput, Pair, Player, Term
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.discriminators.joint_mlp import beside
from gan_zoo.layers import ImageSize, activations, init_normal
from gan_zoo.ranges import require_positive
from gan_zoo.systems.bigan import BiGAN


class BigBiGAN(BiGAN):
    """BiGAN whose D also scores x alone and z alone, so that a D that is sure of either helps (section 2).

        s = (s_x, s_z, s_xz);  y = 1 for (x, E(x)), -1 for (G(z), z)
        D     Σ max(0, 1 - y s)      here a third of it: `loss=hinge` takes the mean of the three scores
        E, G  Σ y s                  a third of it too

    With D's unary scores off it is BiGAN by the hinge.
    """

    def __init__(self, components: Components) -> None:
        super().__init__(components)
        self.player("generator").add_term("scores", ScoreGap())

    def make_players(self) -> list[Player]:
        """Return D, and G with E."""
        discriminator, generator = super().make_players()
        return [discriminator, Player("generator", generator.networks, "generator")]


class ScoreGap(Term):
    """E D(x, E(x)) - E D(G(z), z), of the means of a sample's scores (equation 3)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the gap of the two sides."""
        return pair.real_output.scores.mean() - pair.fake_output.scores.mean()


class _Residual(nn.Module):
    """A layer, leaky ReLU, a layer, added to the input."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(size, size), nn.LeakyReLU(0.2), nn.Linear(size, size))

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = nn.functional.leaky_relu(x + self.layers(x), 0.2)
        return made


def _residual_mlp(inputs: int, size: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, size), nn.LeakyReLU(0.2), *(_Residual(size) for _ in range(blocks)))


class BigBiGANDiscriminator(Discriminator):
    """F(x) convolutional, H(z) and J(F(x), H(z)) residual and fully connected; a score of each (figure 1).

    Logits are (N, 3): of x, of z and of both, or (N, 1) of both alone.

    Args:
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        latent_dim: the size of z.
        width: channels of F's first layer.
        norm: of F: `batch`, `layer`, `instance` or `none`.
        hidden: the size of H's and J's layers.
        blocks: residual blocks of H and of J, two layers each.
        unary: whether x and z are scored alone too.
    """

    def __init__(
        self,
        image_size: ImageSize,
        channels: int,
        latent_dim: int,
        width: int,
        norm: str,
        hidden: int,
        blocks: int,
        unary: bool,
    ) -> None:
        super().__init__()
        require_positive(latent_dim=latent_dim, hidden=hidden)
        of_image = DCGANDiscriminator(image_size, channels, width, norm)
        assert isinstance(of_image.output, nn.Linear)
        size = of_image.output.in_features
        self.latent_dim, self.unary = latent_dim, unary
        self.image = of_image.blocks
        self.latent = _residual_mlp(latent_dim, hidden, blocks)
        self.both = _residual_mlp(size + hidden, hidden, blocks)
        self.output = nn.Linear(hidden, 1)
        self.image_score = nn.Linear(size, 1) if unary else None
        self.latent_score = nn.Linear(hidden, 1) if unary else None
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return F's activations, H's and J's for images (N, C, H, W) in [-1, 1] and latents (N, latent_dim)."""
        z = beside(given, self.latent_dim)
        of_image = activations(self.image, x)
        of_latent = self.latent(z.to(x.dtype))
        return (*of_image, of_latent, self.both(torch.cat([of_image[-1].flatten(1), of_latent], dim=1)))

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Score images together with their latents."""
        features = self.features(x, labels, *given)
        *_, of_image, of_latent, joint = features
        scores = [self.output(joint)]
        if self.image_score is not None and self.latent_score is not None:
            scores = [self.image_score(of_image.flatten(1)), self.latent_score(of_latent), *scores]
        heads = {name: head(joint) for name, head in self.heads.items()}
        return DiscriminatorOutput(torch.cat(scores, dim=1), features, heads)
