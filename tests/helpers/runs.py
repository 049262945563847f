"""Runs that are built as the program builds them, without being played."""

import torch

from gan_framework.build import assemble
from gan_framework.data import Sources
from gan_framework.runs.progress import Progress
from gan_framework.runs.run import Run
from gan_framework.runs.tracker import RunInfo
from gan_framework.runs.tracking import build_trackers


def make_run(config, folder, device="cpu", scored=False):
    """Build the run of a resolved configuration, with no trackers and, unless it is to be scored, no scores."""
    assembly = assemble(config, Sources(config["data"], config["sources"]), torch.device(device), scored)
    trackers = build_trackers({})
    trackers.start(RunInfo(folder, config))
    return Run(config, folder, assembly, trackers, Progress(config["train"]["steps"]))
