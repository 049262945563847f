"""AlignGAN (Mao, Li & Li 2017, arXiv 1707.01400), in outline: one z makes an image in either of two domains."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import EMPTY, Batch, Components, ConfigError, Game, Generator, Latent, Pair, Player
from gan_zoo.games.cycle import A
from gan_zoo.generators.dcgan import DCGANGenerator
from gan_zoo.layers import ImageSize, init_normal
from gan_zoo.ranges import require_not_negative
from gan_zoo.translating import WeighedPlayer

DOMAIN = "domain"
TOLD, UNTOLD = "told", "untold"


class AlignedGenerator(Generator):
    """DCGAN's layers to maps, the same for both domains; the last two convolutions alone are told the domain.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images of both domains.
        width: channels of the maps.
    """

    def __init__(self, latent_dim: int, image_size: ImageSize, channels: int, width: int) -> None:
        super().__init__()
        shared = DCGANGenerator(latent_dim, image_size, width, width)
        shared.layers[-1] = nn.ReLU()
        self.shared = shared
        self.last = nn.Sequential(
            nn.Conv2d(width + 1, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, channels, 3, padding=1), nn.Tanh()
        )
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim) and the `domain` (N,), -1 for A, 1 for B, 0 for neither, to images; B if not given."""
        maps = self.shared(z)
        domain = given[DOMAIN] if DOMAIN in given else torch.ones(z.shape[0], device=z.device)
        told = domain.to(maps.dtype)[:, None, None, None].expand(-1, 1, *maps.shape[2:])
        made: Tensor = self.last(torch.cat([maps, told], 1))
        return made


class AlignGAN(Game):
    """A conditional GAN whose condition is the domain; in a second pair nobody is told it.

    The pair `told` has images of both domains beside a map of their domain, and what the same z makes in either; in
    `untold` the domain is 0 for G and for D, so that layers have to be shared. The paper alternates two steps, whose
    details are not known to us; that the second leaves out the domain is our reading. B are the data, A the further
    source `a`; images of one z in both domains are a pair. Pictures show both, A before B.

    Args:
        components: what the game is made of.
        untold: the weight of the second pair's losses; 0 for an ordinary conditional GAN.
    """

    def __init__(self, components: Components, untold: float) -> None:
        require_not_negative(untold=untold)
        self.untold = untold
        super().__init__(components)

    def make_players(self) -> list[Player]:
        """Return D and G."""
        faced = (TOLD, UNTOLD) if self.untold else (TOLD,)
        return [
            PairWeighed(team, (team,), team, dict.fromkeys(faced, team)).weighed({UNTOLD: self.untold})
            for team in ("discriminator", "generator")
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return images of both domains, with it and without."""
        real = torch.cat([batch.others[A].samples, batch.samples])
        signs = torch.cat([-torch.ones(len(batch.others[A].samples)), torch.ones(len(batch.samples))]).to(real.device)
        z = torch.cat([latent.z, latent.z])
        found = {}
        for name, domain in ((TOLD, signs), (UNTOLD, torch.zeros_like(signs))):
            if name == UNTOLD and not self.untold:
                continue
            fake = self.generate(Latent(z, given={DOMAIN: domain}))
            told = (domain[:, None, None, None].expand(-1, 1, *real.shape[2:]),)
            pair = Pair(self.judge("discriminator"), batch, latent, fake, real=real, real_given=told, fake_given=told)
            pair.real_labels = pair.fake_labels = None
            found[name] = pair
        return found

    def check(self) -> None:
        """See that there are two domains of one shape.

        Raises:
            ConfigError: there are not.
        """
        found = self.data.others.get(A)
        if found is None or found.sample != self.data.sample:
            raise ConfigError(
                "aligngan makes images of two domains of one shape, and the other source, `sources.a`, has "
                f"{'none' if found is None else found.sample}, the data {self.data.sample}: choose data=digit_domains"
            )
        super().check()


class PairWeighed(WeighedPlayer):
    """A player whose adversarial losses of some pairs have weights."""

    def weighed(self, weights: Mapping[str, float]) -> PairWeighed:
        """Set the weights, by the pairs' names, and return the player."""
        self.weights = {f"adversarial_{name}": weight for name, weight in weights.items()}
        return self

    def adversarial(self, faced: Mapping[str, Pair]) -> dict[str, Tensor]:
        """Return its parts of the adversarial loss, weighed."""
        return {name: self.weights.get(name, 1.0) * loss for name, loss in super().adversarial(faced).items()}
