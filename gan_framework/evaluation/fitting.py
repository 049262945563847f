"""Whether metrics fit the game whose samples they score, the extractor and the data."""

from __future__ import annotations

from collections.abc import Mapping

from gan_framework.core.game import Game
from gan_framework.data.source import DataSource
from gan_framework.errors import ConfigError
from gan_framework.evaluation.extractor import Extractor
from gan_framework.evaluation.metric import Metric


def check_generates(game: Game, metrics: Mapping[str, Metric]) -> None:
    """Raise ConfigError, naming both parts, if a game makes no samples, and metrics by name score such."""
    scoring = [name for name, metric in metrics.items() if metric.needs_samples]
    if game.generates or not scoring:
        return
    left = [name for name in metrics if name not in scoring]
    raise ConfigError(
        f"{' and '.join(f'metrics.{name}' for name in scoring)} {'score' if scoring[1:] else 'scores'} generated "
        f"samples, and {type(game).__name__} makes none: set metrics=[{','.join(left)}]"
        + ("" if left else " or scores of what it finds in real ones (label_accuracy, latent_probe, ...)")
    )


def check_metric(name: str, metric: Metric, extractor: Extractor, source: DataSource) -> None:
    """Raise ConfigError, naming both parts, if a metric fits not the extractor or not the data."""
    if metric.needs_logits and not extractor.classifies:
        raise ConfigError(
            f"metrics.{name} needs class logits, and extractor={extractor.name} gives none; "
            "use extractor=classifier or extractor=inception, or other metrics: metrics=[fid]"
        )
    metric.check_extractor(extractor)
    if metric.needs_labels and not source.shape.num_classes:
        raise ConfigError(f"metrics.{name} needs labelled data, and the data have no class labels")
    if metric.needs_images and not source.shape.is_image:
        raise ConfigError(f"metrics.{name} needs images, and the samples have the shape {source.shape.sample}")
    if metric.needs_images and not source.shape.is_8_bit:
        raise ConfigError(f"metrics.{name} needs images of 8 bits, and these have values in {source.shape.value_range}")
