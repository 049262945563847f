"""What an attack leaves of a classifier's accuracy, and what a generator that cleans images gives back."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import SAMPLES, Comparison, ConfigError, Game, Latent, Metric, evaluation_mode
from gan_zoo.metrics.encoding import BATCH, samples_at
from gan_zoo.systems.ape_gan import APEGAN, attack


class AttackAccuracy(Metric):
    """The accuracy of APE-GAN's classifier on test images: as they are, attacked, and attacked and restored by G.

    The attack is the game's own, with the gradients of the classifier alone (Shen et al. 2017, arXiv 1707.05474,
    section 4).
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"accuracy_restored": True}
    legend: ClassVar[dict[str, str]] = {
        "accuracy_restored": "accuracy of the game's classifier on attacked images that the generator restored, 0 to 1",
        "accuracy_attacked": "the same on attacked images",
        "accuracy_clean": "the same on images as they are",
    }
    needs_labels: ClassVar[bool] = True
    needs_game: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("test",)

    def check(self, game: Game) -> None:
        """Raise ConfigError if nothing is attacked."""
        if not isinstance(game, APEGAN):
            raise ConfigError(f"metrics.attack_accuracy goes with game=ape_gan, and this is {type(game).__name__}")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return the three accuracies."""
        game, of = comparison.game, comparison.split("test")
        assert isinstance(game, APEGAN) and of.labels is not None
        right = torch.zeros(3)
        with evaluation_mode(game):
            for part in torch.arange(len(of.labels)).split(BATCH):
                x, labels = samples_at(of, part, game.device), of.labels[part].to(game.device)
                right += torch.stack([found.eq(labels).sum().cpu() for found in told(game, x, labels)])
        clean, attacked, restored = (right / len(of.labels)).tolist()
        return {"accuracy_restored": restored, "accuracy_attacked": attacked, "accuracy_clean": clean}


def told(game: APEGAN, x: Tensor, labels: Tensor) -> list[Tensor]:
    """Return the classes (N,) that the classifier finds in images, in attacked ones, and in restored ones.

    Args:
        game: in evaluation mode.
        x: images (N, C, H, W) in [-1, 1].
        labels: their classes (N,).
    """
    classifier = game.network("classifier")
    attacked = attack(classifier, x, labels, game.epsilon)
    with torch.no_grad():
        restored = game.sample(Latent(x.new_zeros(len(x), 0), labels, given={SAMPLES: attacked}))
        return [classifier(images).argmax(1) for images in (x, attacked, restored)]
