"""SSIM of pairs, and the range that it and others measure by."""

import math

import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.metric import Comparison, FeatureSet, PairedSamples
from gan_zoo.metrics.paired_psnr import PSNR
from gan_zoo.metrics.paired_ssim import SSIM, ssim
from gan_zoo.metrics.shapes_in_space import VoxelOverlap


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


@pytest.mark.parametrize("known", [True, False])
def test_floating_point_images_have_the_score_of_8_bits(known):
    generated, target = images(3), images(3, seed=1)
    target[0, 0, 0, :2] = torch.tensor([0, 255], dtype=torch.uint8)
    values = [x.double() / 100 - 1 for x in (generated, target)]
    blank = FeatureSet(torch.zeros(3, 1), None, None, lambda indices: values[0][indices])
    value_range = (-1.0, 1.55) if known else (-float("inf"), float("inf"))
    shape = DataShape((3, 17, 20), value_range=value_range)
    parts = [PairedSamples(values[1], values[0], values[1], {})]
    comparison = Comparison(blank, blank, {}.get, shape, False, pairs=lambda: iter(parts))
    assert SSIM().scores(comparison)["ssim"] == pytest.approx(float(ssim(generated.double(), target.double()).mean()))


@pytest.mark.parametrize(("value_range", "span"), [((-1.0, 1.0), 2.0), ((-float("inf"), float("inf")), 1.0)])
def test_one_range_is_that_of_all_pairs_however_they_are_read(value_range, span):
    target = torch.linspace(-0.5, 0.5, 200).view(50, 1, 2, 2)  # each part of it spans less
    generated = target + 0.1
    blank = FeatureSet(torch.zeros(50, 1), None, None, lambda indices: generated[indices])
    for size in (10, 50):
        parts = [PairedSamples(*part, {}) for part in zip(*(x.split(size) for x in (target, generated, target)))]  # noqa: B905
        shape = DataShape((1, 2, 2), value_range=value_range)
        found = PSNR().scores(Comparison(blank, blank, {}.get, shape, False, pairs=lambda parts=parts: iter(parts)))
        assert found["psnr"] == pytest.approx(20 * math.log10(span / 0.1), abs=1e-4)
        assert found["absolute_error"] == pytest.approx(0.1 / span, abs=1e-6)


@pytest.mark.parametrize("of_floats", [False, True])
def test_cells_are_full_above_the_middle_of_their_range(of_floats):
    true = torch.zeros(2, 1, 2, 2, 2, dtype=torch.uint8)
    true[:, :, 0] = 255
    made, given = true.clone(), torch.zeros_like(true)
    made[0, 0, 0, 0, 0], given[:, :, 0, 0] = 127, 255  # one of 8 full cells is missed, 4 are given
    sides = [x / 255 if of_floats else x for x in (given, made, true)]
    blank = FeatureSet(torch.zeros(2, 1), None, None, lambda indices: made[indices])
    shape = DataShape((1, 2, 2, 2), value_range=(0.0, 1.0) if of_floats else None)
    comparison = Comparison(blank, blank, {}.get, shape, False, pairs=lambda: iter([PairedSamples(*sides, {})]))
    assert VoxelOverlap().scores(comparison) == {"voxel_iou": 7 / 8, "voxel_iou_unseen": 1.0}


def test_images_smaller_than_a_window_are_refused_before_training():
    SSIM().check_samples(DataShape((1, 11, 12)), 9, 9)
    with pytest.raises(ConfigError, match="at least 11x11 pixels, and these are 12x10"):
        SSIM().check_samples(DataShape((1, 12, 10)), 9, 9)
    with pytest.raises(ConfigError, match=r"compares images \(C, H, W\), and samples are \(2, 30\)"):
        SSIM().check_samples(DataShape((2, 30), value_range=(0, 1)), 9, 9)
