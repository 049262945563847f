"""One streaming pass of samples through an extractor."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from gan_framework.errors import RunFailed
from gan_framework.evaluation.extractor import Extractor, Features
from gan_framework.evaluation.stopping import stop_point


def extract_all(
    extractor: Extractor, batches: Iterable[Tensor], count: int, device: torch.device, what: str
) -> Features:
    """Return the features of `count` samples on the CPU, holding nothing but these and one batch.

    Args:
        extractor: a prepared extractor.
        batches: images (n, C, H, W) uint8 or vectors (n, D) float32, `count` in all.
        count: the number of samples.
        device: where the extractor is.
        what: names the samples in errors.

    Raises:
        RunFailed: the samples are not finite or all of one value, or their features are not finite.
    """
    features = logits = None
    lowest, highest, start = float("inf"), -float("inf"), 0
    for samples in batches:
        stop_point()
        low, high = (float(bound) for bound in samples.aminmax())
        if samples.is_floating_point() and not samples.isfinite().all():
            raise RunFailed(f"{what} cannot be scored: some samples hold NaN or infinite values")
        lowest, highest = min(lowest, low), max(highest, high)
        output = extractor(samples.to(device))
        if not output.features.isfinite().all():
            raise RunFailed(f"{what} cannot be scored: extractor={extractor.name} gave features that are not finite")
        if features is None:
            features = torch.empty(count, output.features.shape[1])
            logits = torch.empty(count, output.logits.shape[1]) if output.logits is not None else None
        stop = start + len(samples)
        features[start:stop] = output.features
        if logits is not None:
            logits[start:stop] = output.logits
        start = stop
    assert features is not None and start == count
    if lowest == highest:
        raise RunFailed(f"{what} cannot be scored: every value of all {count} samples is {lowest:g}")
    return Features(features, logits)
