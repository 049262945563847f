"""Markovian GANs (Li & Wand 2016, arXiv 1604.04382): a decoder paints contents in the style of one texture."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from gan_framework.api import (
    EMPTY,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
)
from gan_zoo.adapting import A
from gan_zoo.layers import activations, init_normal
from gan_zoo.made_alike import MadeAlike
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.translating import TotalVariation

FEATURES = "features"
"""The name of the encoder's maps of the content, among what the decoder is given, and of the encoder."""


class PatchHinge(Term):
    """E max(0, 1 - D) over all patches of what is made: G is paid up to the margin alone."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over patches that see no border."""
        return (1 - pair.fake_output.logits).relu().mean()


class Content(Term):
    """E (φ(G) - φ(content))², a mean over the entries of the encoder's maps."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it; what the pair compares are such maps."""
        return (pair.fake - pair.latent.given[FEATURES]).square().mean()


class Smoothness(TotalVariation):
    """The mean absolute difference of neighbouring pixels of the images that are made."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it."""
        x = pair.made[SAMPLES].float()
        return (x[:, :, 1:] - x[:, :, :-1]).abs().mean() + (x[..., 1:] - x[..., :-1]).abs().mean()


class MGANTexture(MadeAlike):
    """D tells patches of φ(texture) from those of φ(G(φ(content))); G pays for D, for the content and for noise.

    The data are crops of the texture, `sources.a` the contents. φ is the frozen network `features`, here of random
    filters, where the paper has VGG. D minimises E [1 - D]₊ + E [1 + D]₊ (`loss=hinge`), G content · E (φ(G) - φ(c))² +
    adversarial · E [1 - D]₊ + total_variation · TV (section 4, with means for sums).

    Args:
        components: what the game is made of.
        content: see above.
        adversarial: see above.
        total_variation: see above.
    """

    def __init__(self, components: Components, content: float, adversarial: float, total_variation: float) -> None:
        require_not_negative(content=content, adversarial=adversarial, total_variation=total_variation)
        super().__init__(components)
        generator = self.player("generator")
        generator.add_term("hinge", PatchHinge(), adversarial)
        generator.add_term("content", Content(), content)
        generator.add_term("total_variation", Smoothness(), total_variation)
        if any(parameter.requires_grad for parameter in self.network(FEATURES).parameters()):
            raise ConfigError("MGANTexture compares layers of a network that stays as it is: freeze networks.features")

    def make_players(self) -> list[Player]:
        """Return D and G."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", "discriminator"),
            Player("generator", ("generator",), "generator"),
        ]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the contents, with the encoder's maps of them."""
        latent = super().latent_for(batch)
        images = latent.given[A]
        return latent._replace(given={A: images, FEATURES: self.ask(FEATURES, images)})

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the encoder's maps of the texture and of what is made."""
        made = self.make(latent)
        real, fake = self.ask(FEATURES, batch.samples), self.ask(FEATURES, made[SAMPLES])
        found = Pair(self.judge("discriminator"), batch, latent, fake, real=real, made=made)
        found.real_labels = found.fake_labels = None
        return found


class RandomFilters(nn.Module):
    """Two layers of random filters with leaky ReLU, a mean over 2x2 between: φ, never trained, kept with the run.

    Args:
        channels: of the images.
        width: channels of the first layer; the second has twice as many.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        require_positive(channels=channels, width=width)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 5, 1, 2),
            nn.LeakyReLU(0.2),
            nn.AvgPool2d(2),
            nn.Conv2d(width, 2 * width, 3, 1, 1),
            nn.LeakyReLU(0.2),
        )
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.orthogonal_(layer.weight, gain=2.0)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to maps (N, 2 width, H / 2, W / 2)."""
        maps: Tensor = self.layers(x)
        return maps


class TextureDecoder(Generator):
    """Maps of an encoder to an image of twice their size: convolutions with batch norm and leaky ReLU, tanh.

    Args:
        channels: of the images.
        inputs: channels of the encoder's maps.
        width: channels of its own.
    """

    def __init__(self, channels: int, inputs: int, width: int) -> None:
        super().__init__()
        require_positive(channels=channels, inputs=inputs, width=width)
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, width, 3, 1, 1),
            nn.BatchNorm2d(width),
            nn.LeakyReLU(0.2),
            nn.ConvTranspose2d(width, width, 4, 2, 1),
            nn.BatchNorm2d(width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, channels, 3, 1, 1),
            nn.Tanh(),
        )
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `features` (N, inputs, H / 2, W / 2) to images (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.layers(given[FEATURES])
        return images


class FeaturePatches(Discriminator):
    """A logit for each patch of an encoder's maps; patches that would see beyond the border are left out.

    Args:
        inputs: channels of the maps.
        width: channels of its own.
    """

    patches = True

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        require_positive(inputs=inputs, width=width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3), nn.LeakyReLU(0.2)) for a, b in ((inputs, width), (width, width))
        )
        self.output = nn.Conv2d(width, 1, 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after both layers for maps (N, inputs, H, W), H and W at least 5."""
        return activations(self.blocks, x)
