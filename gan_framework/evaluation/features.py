"""One streaming pass of samples through an extractor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from gan_framework.errors import RunFailed
from gan_framework.evaluation.extractor import Extractor, Features
from gan_framework.evaluation.stopping import stop_point


class Bounds:
    """The least and the greatest value of the samples that have passed by."""

    def __init__(self) -> None:
        self.lowest, self.highest = float("inf"), -float("inf")

    def watching(self, batches: Iterable[Tensor]) -> Iterator[Tensor]:
        """Yield batches of samples as they come."""
        for samples in batches:
            low, high = (float(bound) for bound in samples.aminmax())
            self.lowest, self.highest = min(self.lowest, low), max(self.highest, high)
            yield samples

    @property
    def constant(self) -> bool:
        """Whether all values were the same."""
        return self.lowest == self.highest


def keep(batches: Iterable[Tensor], count: int, kept: list[Tensor]) -> Iterator[Tensor]:
    """Yield batches as they come and keep the first `count` samples, on the CPU."""
    for batch in batches:
        have = sum(map(len, kept))
        if have < count:
            kept.append(batch[: count - have].cpu())
        yield batch


def extract_all(
    extractor: Extractor,
    batches: Iterable[Tensor],
    count: int,
    device: torch.device,
    what: str,
    error: type[RunFailed] = RunFailed,
) -> Features:
    """Return the features of `count` samples on the CPU, holding nothing but these and one batch.

    Args:
        extractor: a prepared extractor.
        batches: images (n, C, H, W) uint8 or vectors (n, D) float32, `count` in all.
        count: the number of samples.
        device: where the extractor is.
        what: names the samples in errors.
        error: what is raised where the samples or their features are not finite.
    """
    features = logits = None
    start = 0
    for samples in batches:
        stop_point()
        if samples.is_floating_point() and not samples.isfinite().all():
            raise error(f"{what} cannot be scored: some samples hold NaN or infinite values")
        output = extractor(samples.to(device))
        if not output.features.isfinite().all():
            raise error(f"{what} cannot be scored: extractor={extractor.name} gave features that are not finite")
        if features is None:
            features = torch.empty(count, output.features.shape[1])
            logits = torch.empty(count, output.logits.shape[1]) if output.logits is not None else None
        stop = start + len(samples)
        features[start:stop] = output.features
        if logits is not None:
            logits[start:stop] = output.logits
        start = stop
    assert features is not None and start == count
    return Features(features, logits)
