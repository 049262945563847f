"""AE-GAN, later APE-GAN (Shen et al. 2017, arXiv 1707.05474): a generator takes adversarial noise out of images."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    Game,
    Generator,
    Latent,
    NextBatch,
    Pair,
    Player,
    Term,
    evaluation_mode,
    grid,
)
from gan_zoo.layers import ImageSize, activations, init_normal, sides
from gan_zoo.ranges import require_not_negative, require_positive, require_probability

ATTACKED = "attacked"


def attack(classifier: nn.Module, x: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """Return x + 2 ε sign ∇_x CE(f(x), y), within [-1, 1]: the fast gradient sign method (Goodfellow et al. 2015).

    ε is in pixels from 0 to 1, so twice as much from -1 to 1.

    Args:
        classifier: f, which returns logits (N, K).
        x: images (N, C, H, W) in [-1, 1].
        labels: y (N,).
        epsilon: ε.
    """
    with evaluation_mode(classifier), torch.enable_grad():
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(classifier(x).float(), labels), x)
    return (x.detach() + 2 * epsilon * gradient.sign()).clamp(-1, 1)


class Classification(Term):
    """The classifier's cross entropy of clean images."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch."""
        assert pair.real_labels is not None
        with self.game.autocast():
            logits = self.game.network("classifier")(pair.real)
        return F.cross_entropy(logits.float(), pair.real_labels)


class Restoration(Term):
    """The mean of (x - G(x_adv))²."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch and all pixels."""
        return (pair.real - pair.fake).square().mean()


class APEGAN(Game):
    """G makes clean images of attacked ones, D tells them from clean ones; what is attacked is a classifier.

    G minimises ξ_1 E (x - G(x_adv))² + ξ_2 CE(D(G(x_adv)), 1), with `restoration` = ξ_1 / ξ_2, which is the same to
    Adam. The network `classifier` is trained alone in the first steps, and stays as it is then. It is no sampler of new
    images: what is sampled are restored ones of those given, and pictures show clean, attacked and restored images in
    rows.

    Args:
        components: what the game is made of.
        epsilon: ε of the attack, in pixels from 0 to 1.
        restoration: ξ_1 / ξ_2; 0.7 / 0.3 in the paper.
        classifier_steps: in how many first steps the classifier is trained.
    """

    generates_from = SAMPLES

    def __init__(self, components: Components, epsilon: float, restoration: float, classifier_steps: int) -> None:
        super().__init__(components)
        require_probability(epsilon=epsilon)
        require_not_negative(restoration=restoration)
        require_positive(classifier_steps=classifier_steps)
        if not self.data.num_classes or not self.data.is_image:
            raise ConfigError("game=ape_gan attacks a classifier of images, and these data have no classes of images")
        self.epsilon, self.classifier_steps, self.done = epsilon, classifier_steps, 0
        self.player("generator").add_term("restoration", Restoration(), restoration)
        self.player("classifier").add_term("classification", Classification())

    def make_players(self) -> list[Player]:
        """Return D, G and the classifier."""
        return [*super().make_players(), Player("classifier", ("classifier",))]

    def teams(self) -> tuple[list[Player], list[Player], list[Player]]:
        """Return the players whom a schedule updates in every step."""
        discriminators, generators, others = super().teams()
        return discriminators, generators, [player for player in others if player.name != "classifier"]

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return clean images, and what is made of the same ones after the attack."""
        assert batch.labels is not None
        attacked = attack(self.network("classifier"), batch.samples, batch.labels, self.epsilon)
        made = self.generate(latent._replace(given={SAMPLES: attacked}))
        return Pair(self.judge("discriminator"), batch, latent, made, made={ATTACKED: attacked})

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step, at first of the classifier alone."""
        self.done += 1
        if self.done <= self.classifier_steps:
            return self.player("classifier").play(self.meet(next_batch(), graph=False))
        return super().step(next_batch)

    def picture(self, latent: Latent, columns: int) -> Tensor | None:
        """Draw given images, what the attack makes of them, and what G makes of that."""
        if latent.labels is None or self.data.sample[0] not in (1, 3):
            return None
        clean = latent.given[SAMPLES]
        attacked = attack(self.network("classifier"), clean, latent.labels, self.epsilon)
        restored = self.sample(latent._replace(given={SAMPLES: attacked}))
        rows = [
            part
            for three in zip(*(x.split(columns) for x in (clean, attacked, restored)), strict=True)
            for part in three
        ]
        return grid(torch.cat(rows), columns)

    def get_extra_state(self) -> dict[str, Any]:
        """Return the steps done."""
        return {"done": self.done}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take up the steps done."""
        self.done = state["done"]


class Eliminator(Generator):
    """Two convolutions of 4x4 that halve the side, two transposed ones; batch norm, leaky ReLU 0.2, tanh.

    Args:
        channels: of the images, whose sides are multiples of 4.
        width: channels of the first map; the second has twice as many.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()

        def normed(layer: nn.Module, outputs: int) -> list[nn.Module]:
            return [layer, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]

        self.layers = nn.Sequential(
            *normed(nn.Conv2d(channels, width, 4, 2, 1), width),
            *normed(nn.Conv2d(width, 2 * width, 4, 2, 1), 2 * width),
            *normed(nn.ConvTranspose2d(2 * width, width, 4, 2, 1), width),
            nn.ConvTranspose2d(width, channels, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `samples` (N, C, H, W) to images of the same shape."""
        images: Tensor = self.layers(given[SAMPLES])
        return images


class APEDiscriminator(Discriminator):
    """Three convolutions of 3x3 that halve the side, batch norm but in the first, leaky ReLU 0.2.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        width: channels of the first map; the others have two and four times as many.
    """

    def __init__(self, image_size: ImageSize, channels: int, width: int) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width]
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, 2, 1),
                nn.BatchNorm2d(outputs) if number else nn.Identity(),
                nn.LeakyReLU(0.2),
            )
            for number, (inputs, outputs) in enumerate(pairwise(widths))
        )
        height, across = (-(-side // 8) for side in sides(image_size))
        self.output = nn.Linear(4 * width * height * across, 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the maps after every block for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)


class SmallClassifier(nn.Module):
    """Two convolutions of 3x3 with a maximum over 2x2, a hidden layer, and a logit for each class.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        num_classes: K.
        width: channels of the first map; the second has twice as many, the hidden layer four times.
    """

    def __init__(self, image_size: ImageSize, channels: int, num_classes: int, width: int) -> None:
        super().__init__()
        height, across = (side // 4 for side in sides(image_size))
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 3, 1, 1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, 1, 1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(2 * width * height * across, 4 * width),
            nn.ReLU(),
            nn.Linear(4 * width, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to logits (N, K)."""
        logits: Tensor = self.layers(x)
        return logits
