"""SSIM of pairs."""

import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.metric import Comparison, FeatureSet, PairedSamples
from gan_zoo.metrics.paired_ssim import SSIM, ssim


def images(n, size=(17, 20), seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, *size), dtype=torch.uint8, generator=random)


def test_it_is_torchmetrics_inside_the_image():
    """torchmetrics mirrors images over their borders and counts the windows there too, which these do not."""
    from torchmetrics.functional.image import structural_similarity_index_measure

    a = images(4).double()
    b = (a + 40 * torch.randn(a.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)).clamp(0, 255)
    _, whole = structural_similarity_index_measure(a, b, data_range=255.0, reduction="none", return_full_image=True)
    theirs = whole[..., 5:-5, 5:-5].flatten(1).mean(1)
    assert torch.allclose(ssim(a, b), theirs, atol=1e-9)
    assert 0.1 < theirs.mean() < 0.99


def test_the_score_is_the_mean_over_all_pairs():
    generated, target = images(5), images(5, seed=1)
    target[:2] = generated[:2]
    blank = FeatureSet(torch.zeros(5, 1), None, None, lambda indices: generated[indices])

    def pairs():
        for part in (slice(0, 2), slice(2, 5)):
            yield PairedSamples(target[part], generated[part], target[part], {})

    comparison = Comparison(blank, blank, {}.get, DataShape((3, 17, 20)), False, pairs=pairs)
    rest = ssim(generated[2:].double(), target[2:].double()).sum().item()
    assert SSIM().scores(comparison)["ssim"] == pytest.approx((2 + rest) / 5)


def test_images_smaller_than_a_window_are_refused_before_training():
    SSIM().check_samples(DataShape((1, 11, 12)), 9, 9)
    with pytest.raises(ConfigError, match="at least 11x11 pixels, and these are 12x10"):
        SSIM().check_samples(DataShape((1, 12, 10)), 9, 9)
