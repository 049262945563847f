"""Whether what a model has not seen is worse reconstructed than what it has."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, Game, Metric, inversion, try_meeting
from gan_zoo.metrics.encoding import through
from gan_zoo.ranges import require_probability

METHODS = ("encode", "optimise")


def area_under_curve(anomalous: Tensor, normal: Tensor) -> float:
    """Return P(an anomalous sample scores higher than a normal one), ties counted half: the area under the ROC."""
    above = (anomalous[:, None] > normal).double() + 0.5 * (anomalous[:, None] == normal).double()
    return float(above.mean())


class AnomalyAUC(Metric):
    """The area under the ROC curve of anomaly scores of test samples, those of other classes being anomalous.

    A sample's score is (1 - λ) E |x - x̂| + λ E |f(x) - f(x̂)|, means over entries, f a layer of D (Schlegl et al. 2017,
    arXiv 1703.05921, section 2.2, where they are sums), or the same of squares, as f-AnoGAN's (Schlegl et al. 2019). x̂
    is what the encoder and the generator make of x (f-AnoGAN), or the nearest sample that an optimisation of the latent
    finds.

    Args:
        normal_classes: the classes that are no anomalies.
        method: `encode` or `optimise`.
        weight: λ.
        layer: the index of D's layer f; read where λ is not 0.
        steps: of the optimisation.
        samples: how many test samples are scored, evenly spread; all, if there are no more.
        squared: whether errors are squared.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"anomaly_auc": True}
    legend: ClassVar[dict[str, str]] = {
        "anomaly_auc": "P(a test sample of another class scores as more anomalous than one of the normal), ½ to 1"
    }
    needs_labels: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("test",)
    needs_game: ClassVar[bool] = True

    def __init__(
        self,
        normal_classes: list[int],
        method: str,
        weight: float,
        layer: int,
        steps: int,
        samples: int,
        squared: bool = False,
    ) -> None:
        name = "metrics.anomaly_auc"
        if method not in METHODS:
            raise ConfigError(f"{name}.method={method!r}: choose {' or '.join(METHODS)}")
        require_probability(weight=weight)
        if steps < 1 or samples < 2:
            raise ConfigError(f"{name}.steps={steps}, samples={samples}: at least 1 and 2")
        if not normal_classes:
            raise ConfigError(f"{name}.normal_classes=[]: name at least one class")
        self.normal_classes = list(normal_classes)
        self.method = method
        self.weight = weight
        self.layer = layer
        self.steps = steps
        self.samples = samples
        self.squared = squared

    def check(self, game: Game) -> None:
        """Raise ConfigError if samples cannot be reconstructed, or D has no such layer."""
        if self.method == "encode" and not inversion.can_encode(game):
            raise ConfigError(
                f"metrics.anomaly_auc.method=encode needs an encoder, and {type(game).__name__} has none: set "
                "method=optimise"
            )
        known = range(game.data.num_classes)
        if not set(self.normal_classes) < set(known):
            raise ConfigError(
                f"metrics.anomaly_auc.normal_classes={self.normal_classes}: some, not all, of the classes 0 to "
                f"{len(known) - 1}"
            )
        if self.weight:
            if any(pair.real_given for pair in try_meeting(game).values()):
                raise ConfigError(
                    f"metrics.anomaly_auc.weight={self.weight} asks D about samples alone, and that of "
                    f"{type(game).__name__} judges them together with something else: set metrics.anomaly_auc.weight=0"
                )
            found = len(game.probe().features)
            if not -found <= self.layer < found:
                raise ConfigError(
                    f"metrics.anomaly_auc.layer={self.layer}: {type(game.discriminator).__name__} has {found} layers"
                )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `anomaly_auc`."""
        game, test = comparison.game, comparison.split("test")
        assert game is not None and test.labels is not None
        count = len(test.labels)
        chosen = torch.linspace(0, count - 1, min(count, self.samples)).long()
        found = through(game, test, chosen, lambda x: self.score(game, x))
        normal = torch.isin(test.labels[chosen], torch.tensor(self.normal_classes))
        if normal.all() or not normal.any():
            raise ConfigError("metrics.anomaly_auc: the test samples that are scored are all normal, or all anomalous")
        return {"anomaly_auc": area_under_curve(found[~normal], found[normal])}

    def score(self, game: Game, x: Tensor) -> Tensor:
        """Return the anomaly scores (N,) of samples x (N, ...)."""
        inner = self._layer(game, x) if self.weight else x

        def distance(made: Tensor) -> Tensor:
            pixels = self._error(made - x)
            if not self.weight:
                return pixels
            return (1 - self.weight) * pixels + self.weight * self._error(self._layer(game, made) - inner)

        if self.method == "encode":
            return distance(inversion.reconstruct(game, x))
        z = inversion.optimised(game, x, distance, self.steps, 0.05, seed=0)
        return distance(game.sample(game.latent(len(x))._replace(z=z)))

    def _error(self, difference: Tensor) -> Tensor:
        return (difference.square() if self.squared else difference.abs()).flatten(1).mean(1)

    def _layer(self, game: Game, x: Tensor) -> Tensor:
        return game.judge("discriminator")(x).features[self.layer].flatten(1).float()
