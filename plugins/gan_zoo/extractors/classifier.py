"""A classifier of the dataset's own labels: features that suit grey, small or unusual images."""

from __future__ import annotations

import logging
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Cache, ConfigError, Data, DataShape, DataSource, Extractor, Features, seeding, stop_point
from gan_zoo.ranges import require_positive

log = logging.getLogger(__name__)

VERSION = 2
"""Raised when the network or its training changes."""

NOTHING_LEARNT = 1 / 9
"""The share of the way from chance to no errors that a classifier must have come to be used: twice chance, for ten
equally frequent classes."""

LITTLE_LEARNT = 0.5
"""The share below which its features are doubted."""


class Network(nn.Module):
    """Three strided convolutions, a mean over positions and two linear layers."""

    def __init__(self, channels: int, classes: int, width: int, dim: int) -> None:
        super().__init__()
        sizes = (channels, width, 2 * width, 4 * width)
        self.trunk = nn.Sequential()
        for before, after in pairwise(sizes):
            self.trunk.append(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False))
            self.trunk.append(nn.BatchNorm2d(after))
            self.trunk.append(nn.ReLU())
        self.penultimate = nn.Linear(4 * width, dim)
        self.output = nn.Linear(dim, classes)

    def forward(self, images: Tensor) -> Features:
        """Map images (N, C, H, W), uint8, to features and class logits."""
        inner = self.trunk(images.float() / 127.5 - 1).mean((2, 3))
        features = self.penultimate(inner).relu()
        return Features(features, self.output(features))


class Classifier(Extractor):
    """A small convolutional network trained on the training split's labels; features from its penultimate layer.

    It is trained once: the weights are cached by the content of the data and the settings.
    """

    name = "classifier"
    classifies = True
    classifies_labels = True
    learns = True
    perceives = True
    needs_splits = ("train", "test")

    def __init__(self, epochs: int, width: int, dim: int, seed: int, precision: str) -> None:
        super().__init__(precision)
        require_positive(epochs=epochs, width=width, dim=dim)
        self.epochs = epochs
        self.width = width
        self.dim = dim
        self.seed = seed
        self.accuracy = 0.0
        self._doubts: list[str] = []

    def check(self, shape: DataShape) -> None:
        """Raise ConfigError if there are no images or no classes to learn."""
        super().check(shape)
        if shape.num_classes < 2:
            raise ConfigError(
                f"extractor=classifier learns the classes of the dataset, and this one has {shape.num_classes}; "
                "use extractor=inception, inception_torchvision, dinov2 or clip, or extractor=raw with 'metrics=[fid]'"
            )

    def prepare(self, source: DataSource, device: torch.device, cache: Cache) -> None:
        """Load the weights from the cache, or train and keep them.

        Raises:
            ConfigError: on the test split the classifier is hardly better than its most frequent class.
        """
        train, test = source.load("train"), source.load("test")
        key = {
            "version": VERSION,
            "train": train.content_hash(),
            "test": test.content_hash(),
            "classes": source.shape.num_classes,
            "epochs": self.epochs,
            "width": self.width,
            "dim": self.dim,
            "seed": self.seed,
        }
        with torch.random.fork_rng(devices=[]):
            seeding.reseed(self.seed, "classifier")
            self.network = Network(source.shape.sample[0], source.shape.num_classes, self.width, self.dim).to(device)
        weights = dict(cache.get("classifier", key, lambda: self._train(train, test, device), self._is_trained))
        self.accuracy = float(weights.pop("accuracy"))
        self.network.load_state_dict(weights)
        assert test.labels is not None
        self._doubts = judge(self.accuracy, test.labels)

    def extract(self, samples: Tensor) -> Features:
        """Return features (N, dim) and logits over the dataset's classes."""
        features: Features = self.network(samples)
        return features

    def maps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the activations after each of the three convolutions, the first at half the size of the images."""
        found, x = [], images
        for layer in self.network.trunk:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                found.append(x)
        return tuple(found)

    def doubts(self) -> list[str]:
        """Return a warning if it has learnt little."""
        return self._doubts

    def describe(self) -> dict[str, str | float]:
        """Return the share of the test split that it classifies correctly."""
        return {"test_accuracy": self.accuracy}

    def _is_trained(self, found: dict[str, Tensor]) -> bool:
        """Return whether cached tensors are weights of the network, and its accuracy."""
        own = self.network.state_dict()
        weights = {name: tensor for name, tensor in found.items() if name != "accuracy"}
        return (
            weights.keys() == own.keys()
            and all(
                tensor.shape == own[name].shape and bool(tensor.isfinite().all()) for name, tensor in weights.items()
            )
            and 0.0 <= float(found["accuracy"]) <= 1.0
        )

    def _train(self, train: Data, test: Data, device: torch.device) -> dict[str, Tensor]:
        log.info("training extractor=classifier on %s images, once (%d epochs)", f"{len(train):,}", self.epochs)
        with torch.enable_grad():
            fit(self.network.train(), train, self.epochs, self.seed, device)
        self.network.eval()
        return {**self.network.state_dict(), "accuracy": torch.tensor(accuracy(self.network, test, device))}


def judge(accuracy: float, labels: Tensor) -> list[str]:
    """Return what is to be said of a classifier that is right in so many cases.

    Args:
        accuracy: its share of correct answers on the test split.
        labels: of the test split (N,).

    Raises:
        ConfigError: it has learnt nothing: it is no better than twice chance, the share of the most frequent class;
            where that leaves little room, no further than a ninth of the way from chance to 1 (two classes: 0.56).
    """
    chance = float(labels.bincount().max()) / len(labels)
    found = f"its accuracy on the {len(labels):,} images of the test split is {accuracy:.1%}, and chance {chance:.1%}"
    if accuracy < 1 and accuracy <= min(2 * chance, chance + NOTHING_LEARNT * (1 - chance)):
        raise ConfigError(
            f"extractor=classifier has not learnt the classes: {found}. Scores by its features would mean nothing: "
            "use extractor=inception, extractor=raw with 'metrics=[fid]', more images (or right labels) or 'metrics=[]'"
        )
    if accuracy < chance + LITTLE_LEARNT * (1 - chance):
        return [
            f"extractor=classifier has learnt little of the classes, and scores by its features say little: {found}"
        ]
    return []


def fit(network: nn.Module, data: Data, epochs: int, seed: int, device: torch.device, batch_size: int = 128) -> None:
    """Train a network on the labels: AdamW with a one-cycle learning rate (Smith & Topin, arXiv 1708.07120)."""
    assert data.labels is not None
    steps = -(-len(data) // batch_size)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=steps * epochs)
    for epoch in range(epochs):
        order = torch.randperm(len(data), generator=seeding.generator(seed, "classifier", epoch))
        for indices in order.tensor_split(steps):
            logits = network(data.read(indices).to(device)).logits
            loss = F.cross_entropy(logits, data.labels[indices].to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            stop_point()


@torch.no_grad()
def accuracy(network: nn.Module, data: Data, device: torch.device, batch_size: int = 500) -> float:
    """Return the share of samples whose largest logit is the label's."""
    assert data.labels is not None
    correct = 0
    for indices in torch.arange(len(data)).split(batch_size):
        predicted = network(data.read(indices).to(device)).logits.argmax(1).cpu()
        correct += int((predicted == data.labels[indices]).sum())
    return correct / len(data)
