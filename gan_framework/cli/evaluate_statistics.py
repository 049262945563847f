"""Writes mean and covariance of a dataset's features, which other programs that score read, and metrics.fid too."""

from __future__ import annotations

from pathlib import Path

from gan_framework.config.compose import compose, plain
from gan_framework.config.scoring import parse
from gan_framework.data import build_source
from gan_framework.errors import ConfigError, RunFailed, in_words
from gan_framework.evaluation.evaluator import Evaluator
from gan_framework.evaluation.protocol import Protocol
from gan_framework.evaluation.statistics import write_statistics
from gan_framework.runs.device import choose_device
from gan_framework.storage import files


def statistics(out: Path, overrides: list[str]) -> Protocol:
    """Write the statistics of reference features as an .npz file, and return what they are of.

    Args:
        out: the file to write.
        overrides: which `data`, `extractor`, `evaluate.split`, `evaluate.reference` and `train.device`.

    Raises:
        ConfigError: no data are chosen, or they do not fit the extractor.
        RunFailed: weights cannot be downloaded, or the file cannot be written.
    """
    keys = {override.key_or_group for override in parse(overrides, "statistics")}
    if "=" in out.name and out.suffix != ".npz":  # an override
        raise ConfigError(f"{out}: the file to write comes first: gan-framework statistics real.npz {out}")
    if "data" not in keys:
        raise ConfigError("name the dataset whose statistics are wanted by data=NAME")
    useless = sorted(key for key in keys if key.partition(".")[0] in ("metrics", "sampler"))
    if useless:
        raise ConfigError(f"{', '.join(useless)} has no effect on statistics: they are of real samples")
    if out.suffix != ".npz":
        raise ConfigError(f"{out}: name a file that ends in .npz")
    files.require_writable(out)
    config = plain(compose(overrides)) | {"metrics": {}, "sampler": None}
    device = choose_device(config["train"]["device"])
    evaluator = Evaluator.from_config(config, build_source(config["data"]), device)
    split = evaluator.settings.split
    features = evaluator.reference.features(split).features
    if len(features) < 2:
        raise ConfigError(f"a covariance needs two samples, and the split {split} has {len(features)}")
    try:
        write_statistics(out, features)
    except OSError as error:
        raise RunFailed(in_words(error)) from error
    return evaluator.reference.protocol(split)
