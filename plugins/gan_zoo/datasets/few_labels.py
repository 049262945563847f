"""A few labelled samples of each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, build_source, seeding
from gan_zoo.ranges import require_positive


class FewLabels(DataSource):
    """As many labelled samples of each class of other data, chosen at random; the split `test` is whole.

    It is the further source `labelled` of games that learn classes from few samples beside many without labels.

    Args:
        of: the settings of the data that they are chosen from, with their `name`.
        per_class: how many of each class.
        seed: what the choice follows from.
    """

    def __init__(self, of: Mapping[str, Any], per_class: int, seed: int) -> None:
        require_positive(per_class=per_class)
        source = build_source(of)
        if not source.shape.num_classes:
            raise ConfigError(f"of.name={of['name']}: these data have no classes; choose labelled data")
        self._of = source
        self.shape: DataShape = source.shape
        self.classes = source.classes
        self.mirrors = source.mirrors
        self.per_class = per_class
        self.seed = seed

    def load(self, split: str) -> InMemory:
        """Return a split; of `train` the chosen samples alone.

        Raises:
            ConfigError: a class has fewer.
        """
        data = self._of.load(split)
        if data.labels is None:
            raise ConfigError(f"the split {split!r} has no labels: a few of them are to be chosen")
        chosen = self._chosen(data.labels) if split == "train" else torch.arange(len(data))
        extra = dict(data.read_extra(chosen))
        return InMemory(data.read(chosen), data.labels[chosen], extra, vocabulary=data.vocabulary)

    def _chosen(self, labels: Tensor) -> Tensor:
        random = seeding.generator(self.seed, "few labels")
        order = torch.randperm(len(labels), generator=random)
        found = []
        for number in range(self.shape.num_classes):
            own = order[labels[order] == number]
            if len(own) < self.per_class:
                name = self.classes[number] if self.classes else number
                raise ConfigError(f"per_class={self.per_class}: the class {name} has {len(own)} samples")
            found.append(own[: self.per_class])
        return torch.cat(found)
