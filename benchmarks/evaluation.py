"""How long scoring takes beside torch-fidelity, with the same images and the same Inception network.

    python benchmarks/evaluation.py [--images 200] [--repeats 3] [--weights FILE] [--threads 2] [--bf16]

Scores `--images` generated against as many real 32x32 images with FID, inception score and KID:

* `torch-fidelity`: `calculate_metrics`, in batches of 50 on the CPU;
* `first`: the framework, with nothing cached;
* `second`: again, with the real images' features cached;
* `bf16` (with `--bf16`): `first` in another number format, which changes the features.

The three take turns, `--repeats` times; the medians of wall and of processor time count. The scores
are compared as well. Without `--weights` the network's weights are random: the work is the same.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch_fidelity import calculate_metrics
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from gan_framework.config.schema import EvaluateConfig
from gan_framework.core.records import DataShape
from gan_framework.data import DataSource, InMemory
from gan_framework.evaluation.evaluator import Evaluator
from gan_zoo.extractors.inception import Inception
from gan_zoo.metrics.fid import FID
from gan_zoo.metrics.inception_score import InceptionScore
from gan_zoo.metrics.kid import KID

BATCH = 50


class Images(DataSource):
    """Given images as a dataset."""

    shape = DataShape((3, 32, 32))

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def load(self, split: str) -> InMemory:
        """Return the images."""
        return InMemory(self.images)


class AsDataset(torch.utils.data.Dataset[Tensor]):
    """Given images as torch-fidelity wants them."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index]


def random_weights(path: Path) -> str:
    """Write random weights under which activations keep their scale."""

    class Unloaded(FeatureExtractorInceptionV3):
        def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
            return None

    torch.save({}, path)
    network = Unloaded("inception-v3-compat", ["2048"], str(path))
    random = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, generator=random)
    for block in (network.Mixed_7c.branch1x1, network.Mixed_7c.branch_pool):
        block.bn.weight.mul_(10)
    nn.init.normal_(network.fc.weight, std=0.02, generator=random)
    torch.save(network.state_dict(), path)
    return str(path)


def images(count: int, seed: int, brightness: float) -> Tensor:
    """Return smooth random images (N, 3, 32, 32), uint8."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 4, 4, generator=random) * torch.rand(count, 3, 1, 1, generator=random)
    smooth = nn.functional.interpolate(coarse, size=32, mode="bilinear")
    return (255 * (brightness + (1 - brightness) * smooth)).to(torch.uint8)


def timed(work: Callable[[], dict[str, float]]) -> tuple[dict[str, float], float, float]:
    """Return what the work returns, its wall time and its processor time in seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - processor


Scores = dict[str, float]


def by_torch_fidelity(real: Tensor, fake: Tensor, subset: int, weights: str) -> Scores:
    """Return FID, Inception Score and KID of torch-fidelity."""
    found = calculate_metrics(
        input1=AsDataset(fake),
        input2=AsDataset(real),
        cuda=False,
        batch_size=BATCH,
        fid=True,
        isc=True,
        kid=True,
        kid_subset_size=subset,
        feature_extractor_weights_path=weights,
        cache=False,
        verbose=False,
    )
    return {
        "fid_inception": found["frechet_inception_distance"],
        "is_inception": found["inception_score_mean"],
        "kid_inception": found["kernel_inception_distance_mean"],
    }


def by_framework(real: Tensor, fake: Tensor, subset: int, weights: str, cache: str, precision: str = "fp32") -> Scores:
    """Return the same scores of this framework, which keeps the features of real images in a cache."""
    evaluator = Evaluator(
        Inception(Path(weights), precision),
        {"fid": FID(), "inception_score": InceptionScore(10), "kid": KID(100, subset)},
        Images(real),
        "benchmark",
        EvaluateConfig(batch_size=BATCH),
        torch.device("cpu"),
        Path(cache),
    )
    return evaluator.score_images(fake.split(BATCH), len(fake)).scores


def summary(times: dict[str, list[tuple[float, float]]], scores: dict[str, Scores]) -> dict[str, Any]:
    """Return median times, their ratios to torch-fidelity's, and the scores beside torch-fidelity's."""
    medians = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in times.items()}
    reference, expected = medians["torch-fidelity"], scores["torch-fidelity"]
    return {
        name: {
            "seconds": round(wall, 2),
            "ratio": round(wall / reference[0], 3),
            "processor_seconds": round(processor, 2),
            "processor_ratio": round(processor / reference[1], 3),
            "scores": {
                score: {"value": value, "relative": abs(value / expected[score] - 1)}
                for score, value in scores[name].items()
                if score in expected
            },
        }
        for name, (wall, processor) in medians.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--weights")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bf16", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    count, subset = arguments.images, arguments.images // 2

    times: dict[str, list[tuple[float, float]]] = {}
    scores: dict[str, Scores] = {}
    with tempfile.TemporaryDirectory() as folder:
        weights = arguments.weights or random_weights(Path(folder) / "weights.pth")
        data = (images(count, 0, 0.0), images(count, 1, 0.3), subset, weights)
        for repeat in range(arguments.repeats):
            ours = partial(by_framework, *data, f"{folder}/{repeat}")
            works = {"torch-fidelity": partial(by_torch_fidelity, *data), "first": ours, "second": ours}
            if arguments.bf16:
                works["bf16"] = partial(ours, precision="bf16")
            for name, work in works.items():
                scores[name], wall, processor = timed(work)
                times.setdefault(name, []).append((wall, processor))

    about = {"images": count, "threads": arguments.threads, "torch": torch.__version__}
    print(json.dumps({**about, **summary(times, scores)}, indent=2))


if __name__ == "__main__":
    main()
