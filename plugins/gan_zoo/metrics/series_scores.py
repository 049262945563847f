"""What a small recurrent network that is trained on series says of generated ones."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Comparison, DataShape, Metric, seeding
from gan_zoo.lengths import are_padded, mean_inside
from gan_zoo.metrics.series_statistics import own_steps, require_series, series_of
from gan_zoo.ranges import require_positive

LEARNING_RATE = 5e-3
BATCH = 128


class SmallGRU(nn.Module):
    """One layer, and a linear map of what it remembers at each step."""

    def __init__(self, channels: int, width: int, outputs: int) -> None:
        super().__init__()
        self.gru = nn.GRU(channels, width, batch_first=True)
        self.output = nn.Linear(width, outputs)

    def forward(self, series: Tensor) -> Tensor:
        """Map series (N, F, T) to outputs (N, T, K)."""
        found: Tensor = self.output(self.gru(series.movedim(1, 2))[0])
        return found

    def at_end(self, series: Tensor, padded: bool) -> Tensor:
        """Map series (N, F, T) to outputs (N, K) at their last steps of their own."""
        last = own_steps(series, padded).sum(1).clamp(min=1) - 1
        return self(series)[torch.arange(len(series)), last]  # type: ignore[no-any-return]


def _fitted(network: SmallGRU, steps: int, inputs: Tensor, targets: Tensor, padded: bool) -> SmallGRU:
    """Train a network on inputs (N, F, T) and classes (N,), or what their steps should say (N, T, K), by Adam."""
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    random = seeding.generator(0, "series scores")
    for _ in range(steps):
        chosen = torch.randint(len(inputs), (min(BATCH, len(inputs)),), generator=random)
        if targets.ndim == 1:
            error = F.cross_entropy(network.at_end(inputs[chosen], padded), targets[chosen])
        else:
            error = _next_step_error(network, inputs[chosen], targets[chosen], padded)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    return network.eval()


def _next_step_error(network: SmallGRU, inputs: Tensor, targets: Tensor, padded: bool) -> Tensor:
    """Return the mean absolute error of what is said of the next step, up to the last one that series have."""
    apart = (network(inputs) - targets).abs().mean(2)
    # The step after the last one is padding, which nobody is to foresee: a target must be the series' own.
    own = own_steps(torch.cat([inputs[..., :1], targets.movedim(1, 2)], 2), padded)[:, 1:]
    return mean_inside(apart, own)


def discriminative_score(real: Tensor, made: Tensor, steps: int, width: int, padded: bool = False) -> float:
    """Return |accuracy - ½| on held-out series (N, F, T) of a network told to tell real from generated ones, 0 to ½."""
    n = min(len(real), len(made))
    order = torch.randperm(n, generator=seeding.generator(0, "discriminative"))
    train, test = order[: max(n * 4 // 5, 1)], order[max(n * 4 // 5, 1) :]
    if not len(test):
        return 0.0
    classes = torch.arange(2).repeat_interleave(len(train))
    network = _network(real.shape[1], width, 2)
    network = _fitted(network, steps, torch.cat([made[train], real[train]]), classes, padded)
    with torch.no_grad():
        said = network.at_end(torch.cat([made[test], real[test]]), padded).argmax(1)
    right = (said == torch.arange(2).repeat_interleave(len(test))).float().mean()
    return abs(float(right) - 0.5)


def predictive_score(real: Tensor, made: Tensor, steps: int, width: int, padded: bool = False) -> float:
    """Return the mean absolute error on real series of a network told by generated ones to say the next step."""
    network = _network(real.shape[1], width, real.shape[1])
    network = _fitted(network, steps, made[..., :-1], made[..., 1:].movedim(1, 2), padded)
    with torch.no_grad():
        return float(_next_step_error(network, real[..., :-1], real[..., 1:].movedim(1, 2), padded))


def train_on_generated(
    made: Tensor,
    asked: Tensor,
    real: Tensor,
    labels: Tensor,
    classes: int,
    steps: int,
    width: int,
    padded: bool = False,
) -> float:
    """Return the accuracy on real series of a classifier trained on generated ones with the classes asked for."""
    network = _fitted(_network(real.shape[1], width, classes), steps, made, asked, padded)
    with torch.no_grad():
        return float((network.at_end(real, padded).argmax(1) == labels).float().mean())


def _network(channels: int, width: int, outputs: int) -> SmallGRU:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return SmallGRU(channels, width, outputs)


class _OfTrainedNetworks(Metric):
    """What scores by networks that are trained on series share."""

    name: ClassVar[str]
    samples_kept: ClassVar[int] = 2_000

    def __init__(self, steps: int, width: int) -> None:
        require_positive(steps=steps, width=width)
        self.steps, self.width = steps, width

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the samples are no series."""
        require_series(self.name, shape)


class SeriesScores(_OfTrainedNetworks):
    """The discriminative and the predictive score (Yoon et al. 2019, Time-series generative adversarial networks).

    Args:
        steps: of training, for each of the two networks.
        width: of the networks.
    """

    name = "series_scores"
    higher_is_better: ClassVar[dict[str, bool]] = {"discriminative_score": False, "predictive_score": False}
    legend: ClassVar[dict[str, str]] = {
        "discriminative_score": "|accuracy - ½| of a network told to tell real from generated series, 0 to ½",
        "predictive_score": "mean error on real series of a network told by generated ones to say the next step",
    }

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return both scores."""
        made = series_of(comparison.generated, self.samples_kept).float()
        real = series_of(comparison.real, self.samples_kept).float()
        settings = (self.steps, self.width, are_padded(comparison.shape))
        return {
            "discriminative_score": discriminative_score(real, made, *settings),
            "predictive_score": predictive_score(real, made, *settings),
        }


class SeriesClasses(_OfTrainedNetworks):
    """Train on generated, test on real (Esteban et al. 2017, arXiv 1706.02633, section 4.2).

    Args:
        steps: of training.
        width: of the classifier.
    """

    name = "series_classes"
    higher_is_better: ClassVar[dict[str, bool]] = {"tstr_accuracy": True}
    legend: ClassVar[dict[str, str]] = {
        "tstr_accuracy": "accuracy on real series of a classifier trained on generated ones, 0 to 1",
    }
    needs_labels: ClassVar[bool] = True
    needs_game: ClassVar[bool] = True
    labels_suffice: ClassVar[bool] = True

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `tstr_accuracy`."""
        generated, real = comparison.generated, comparison.real
        assert generated.labels is not None and real.labels is not None
        made, test = (series_of(side, self.samples_kept).float() for side in (generated, real))
        found = train_on_generated(
            made,
            generated.labels[generated.some(self.samples_kept)],
            test,
            real.labels[real.some(self.samples_kept)],
            comparison.shape.num_classes,
            self.steps,
            self.width,
            are_padded(comparison.shape),
        )
        return {"tstr_accuracy": found}
