"""Frozen networks that see what is in an image, and how far two images are apart to them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Batch, BeforeFirstStep, Game, NextBatch, distributed, mark_pretrained
from gan_zoo import efficientnet_lite0
from gan_zoo.efficientnet_lite0 import enlarged
from gan_zoo.extractors.layered import VGG16
from gan_zoo.extractors.layered import activations as seen_by
from gan_zoo.extractors.pretrained import known_file
from gan_zoo.layers import activations
from gan_zoo.layers import given as labels_given
from gan_zoo.ranges import require_positive


class FeatureClassifier(nn.Module):
    """Three convolutions of 3x3 that halve the side, means over places, a hidden layer, and a logit for each class.

    Args:
        channels: of the images.
        num_classes: the number of classes.
        width: channels of the first map; each further one has twice as many, and the hidden layer as the last.
    """

    def __init__(self, channels: int, num_classes: int, width: int) -> None:
        super().__init__()
        require_positive(channels=channels, num_classes=num_classes, width=width)
        widths = [channels, width, 2 * width, 4 * width]
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.GroupNorm(1, b), nn.LeakyReLU(0.2)) for a, b in pairwise(widths)
        )
        self.hidden = nn.Sequential(
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16 * width, 4 * width), nn.LeakyReLU(0.2)
        )
        self.output = nn.Linear(4 * width, num_classes)

    def layers(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return three maps, and the hidden layer (N, 4 width), for images (N, C, H, W) in [-1, 1]."""
        maps = activations(self.blocks, x)
        return (*maps, self.hidden(maps[-1]))

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to logits (N, num_classes)."""
        logits: Tensor = self.output(self.layers(x)[-1])
        return logits


class Photographs(nn.Module):
    """EfficientNet-Lite0 with its ImageNet weights, of images of any size and of 1 or 3 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.network = efficientnet_lite0.load()

    def layers(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return its four maps of images (N, 1 or 3, H, W) in [-1, 1]."""
        x = enlarged(x)
        return self.network.maps(x if x.shape[1] == 3 else x.expand(-1, 3, -1, -1))

    def train(self, mode: bool = True) -> Photographs:
        """Stay in evaluation mode: the running statistics are the network's as it was trained."""
        return super().train(False)


class OfVGG16(nn.Module):
    """VGG-16's convolutions with torchvision's ImageNet weights, of images of any size and of 1 or 3 channels.

    Args:
        weights: a file of these weights; None downloads them.
        setting: what messages call the setting that names the file.

    Raises:
        RunFailed: they cannot be downloaded; the message says what to do instead.
        ConfigError: there is no such file, or it holds something else.
    """

    def __init__(self, weights: Path | None, setting: str) -> None:
        super().__init__()
        instead = "the networks classifier, efficientnet_lite0 and discriminator need no download"
        self.network = mark_pretrained(VGG16.convolutions(known_file(weights, setting), setting, instead), "VGG-16")

    def layers(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the maps relu1_2, 2_2, 3_3, 4_3 and 5_3 of images (N, 1 or 3, H, W) in [-1, 1]."""
        return seen_by(self.network, VGG16.taps, enlarged(x))


class TrainOnClasses(BeforeFirstStep):
    """Trains a classifier on the classes of real images by Adam, and freezes it.

    Args:
        classifier: returns logits of images.
        steps: batches.
        lr: the learning rate.
        of: what in a batch it is trained on, with its classes.
    """

    def __init__(
        self, classifier: nn.Module, steps: int, lr: float, of: Callable[[Batch], Batch] = lambda batch: batch
    ) -> None:
        super().__init__()
        require_positive(classifier_steps=steps)
        self._classifier = (classifier,)  # in a tuple: it belongs to another module
        self.steps, self.lr, self.of = steps, lr, of
        classifier.requires_grad_(False).eval()

    def play(self, game: Game, next_batch: NextBatch) -> None:
        """Train it."""
        classifier = self._classifier[0].requires_grad_(True).train()
        optimizer = torch.optim.Adam(classifier.parameters(), self.lr)
        for _ in range(self.steps):
            batch = self.of(next_batch())
            optimizer.zero_grad()
            loss = F.cross_entropy(classifier(batch.samples), labels_given(batch.labels))
            loss.backward()
            distributed.average_gradients([*classifier.parameters()], loss.detach())
            optimizer.step()
        optimizer.zero_grad()
        classifier.requires_grad_(False).eval()


def gram(features: Tensor) -> Tensor:
    """Return F Fᵀ / (C P) of maps (N, C, ...) with P places, (N, C, C) (Gatys et al. 2016)."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat[0].numel()


def style_distance(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean of (Gram(a) - Gram(b))² of maps (N, C, ...)."""
    return (gram(a) - gram(b)).square().mean()
