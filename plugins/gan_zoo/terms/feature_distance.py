"""The distance of samples from what they should be, as a network sees both."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Game, Pair, Player, Term
from gan_zoo.layers import as_weights
from gan_zoo.perceiving import FeatureClassifier, OfVGG16, Photographs, TrainOnClasses, style_distance
from gan_zoo.ranges import require_positive
from gan_zoo.terms.sides import name_of
from gan_zoo.translating import known_distance

log = logging.getLogger(__name__)

NETWORKS = ("classifier", "efficientnet_lite0", "discriminator", "vgg16")
COMPARED = ("features", "gram")
COLOURS = (1, 3)


class FeatureDistance(Term):
    """Σ λⱼ |fⱼ(x) - fⱼ(g)| over layers f of a network, or Σ λⱼ (Gram fⱼ(x) - Gram fⱼ(g))², means over entries.

    The first is the perceptual loss of Johnson et al. 2016, arXiv 1603.08155, section 3.2, the second their style loss,
    Gram being F Fᵀ over channels and places, of layers that are maps alone. The papers' network is VGG; here a setting
    chooses it. x is the real sample that belongs to g: pairs must be such of a game whose samples have targets.

    Args:
        network: `classifier`, trained on the classes of the real images before the first step and then frozen;
            `efficientnet_lite0` or `vgg16`, frozen with their ImageNet weights, of which a package ships the one and
            the other is a download or the file `weights`; `discriminator`, the layers of the pair's judge.
        compare: `features` or `gram`.
        distance: of features: `l1`, `l2` or `charbonnier`.
        layers: λ of each layer, first layer first; null for 1 divided by their number. The classifier has three maps
            and, which has no `gram`, a hidden layer, EfficientNet four maps, VGG-16 five.
        steps: batches on which the classifier is trained.
        lr: its learning rate.
        width: channels of its first map.
        weights: a file of torchvision's weights of VGG-16; None downloads them.
    """

    def __init__(
        self,
        network: str,
        compare: str,
        distance: str,
        layers: list[float] | None,
        steps: int,
        lr: float,
        width: int,
        weights: Path | None = None,
    ) -> None:
        super().__init__()
        for name, value, known in (("network", network, NETWORKS), ("compare", compare, COMPARED)):
            if value not in known:
                raise ValueError(f"{name}={value!r}: choose one of {', '.join(known)}")
        require_positive(steps=steps, width=width)
        if layers is not None and (not layers or min(layers) < 0 or not any(layers)):
            raise ValueError(f"layers={layers}: a weight of at least 0 for each layer, one above it, or null")
        self.named, self.compare, self.weights = network, compare, layers
        self.distance = known_distance(distance)
        self.steps, self.lr, self.width, self.file = steps, lr, width, weights
        self.network: FeatureClassifier | Photographs | OfVGG16 | None = None

    def attach(self, game: Game) -> None:
        """Take up the game, and make the network."""
        super().attach(game)
        if self.network is not None or not game.data.is_image:
            return
        if self.named == "efficientnet_lite0":
            self.network = Photographs().to(game.device)
        elif self.named == "vgg16" and game.data.sample[0] in COLOURS:
            self.network = OfVGG16(self.file, "terms.feature_distance.weights").to(game.device)
        elif self.named == "classifier" and game.data.num_classes:
            self.network = FeatureClassifier(game.data.sample[0], game.data.num_classes, self.width).to(game.device)
            game.openings.append(TrainOnClasses(self.network, self.steps, self.lr))

    def check(self, game: Game, player: Player) -> None:
        """See that there are images, and a network that sees them.

        Raises:
            ConfigError: there are none, or the discriminator's side has the term.
        """
        name = name_of(self, player)
        if player.team == "discriminator":
            raise ConfigError(f"{name} draws samples near to what they should be: set terms.{name}.player=generator")
        if not game.data.is_image:
            raise ConfigError(f"{name} compares images (C, H, W), and samples are {game.data.sample}")
        if self.named == "classifier" and not game.data.num_classes:
            raise ConfigError(
                f"terms.{name}.network=classifier is trained on classes, and the data have none: choose labelled data, "
                "efficientnet_lite0, vgg16 or discriminator"
            )
        if self.named in ("efficientnet_lite0", "vgg16") and game.data.sample[0] not in COLOURS:
            raise ConfigError(
                f"terms.{name}.network={self.named} sees images of 1 or 3 channels, not {game.data.sample[0]}"
            )
        if self.named == "discriminator":
            judges = game.judges_of(player, name)
            silent = [judge for judge in judges if not self._compared(game.probe(judge).features)]
            if not judges or silent:
                what = "maps" if self.compare == "gram" else "layers"
                who = (
                    f"{', '.join(silent)} reports none" if silent else f"no judge of {type(game).__name__} reports any"
                )
                raise ConfigError(
                    f"terms.{name}.network=discriminator compares {what}, and {who}: choose classifier, "
                    "efficientnet_lite0 or vgg16"
                )
        log.info("terms.%s: images are compared as %s sees them", name, self._said(game))

    def _said(self, game: Game) -> str:
        if self.named == "classifier":
            return (
                f"a classifier of the data's {game.data.num_classes} classes, trained on {self.steps:,} batches first,"
            )
        if self.named == "discriminator":
            return "the discriminator"
        return {"vgg16": "VGG-16", "efficientnet_lite0": "EfficientNet-Lite0"}[self.named] + ", with ImageNet weights,"

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance for the pair's samples.

        Raises:
            ConfigError: there are other numbers of samples than of targets, or of weights than of layers.
        """
        if len(pair.real) != len(pair.fake):
            raise ConfigError("feature_distance compares each sample with its target, and there are not as many")
        real, fake = self._layers(pair)
        weights = self.weights if self.weights is not None else [1 / len(real)] * len(real)
        if len(weights) != len(real):
            raise ConfigError(f"feature_distance.layers={weights}: there are {len(real)} layers")
        total = [weight * self.apart(x.detach(), g) for weight, x, g in zip(weights, real, fake, strict=True) if weight]
        return torch.stack(total).sum()

    def apart(self, x: Tensor, g: Tensor) -> Tensor:
        """Return the distance of one layer's activations (N, ...)."""
        return style_distance(x, g) if self.compare == "gram" else self.distance(x - g).mean()

    def _layers(self, pair: Pair) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        if self.network is None:
            return self._compared(pair.real_output.features), self._compared(pair.fake_output.features)
        with torch.no_grad():
            real = self.network.layers(as_weights(pair.real, self.network))
        return self._compared(real), self._compared(self.network.layers(as_weights(pair.fake, self.network)))

    def _compared(self, layers: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the layers that are compared: those with places, where it is without them."""
        return tuple(layer for layer in layers if layer.ndim > 2) if self.compare == "gram" else layers
