"""How often a warm step waits for the device, and how much of its memory a system takes."""

from __future__ import annotations

import gc
from typing import Any

import torch

from gan_framework.core.game import Game
from gan_framework.data import Batches
from gan_framework.runs import diagnostics
from gpu.loops import Step, framework, make_data, make_game
from gpu.part import Part
from gpu.systems import SYSTEMS, configuration
from gpu.timing import seconds
from gpu.waiting import waits

MIB = 2**20


def measure(part: Part) -> None:
    """Count waits and measure memory, for every precision of one system; nothing of both is known of a CPU.

    Raises:
        RuntimeError: a wait that is made on purpose was not counted, so no count means anything.
    """
    (name,) = part.arguments
    system, sizes = SYSTEMS[name], part.sizes
    data = make_data(system, sizes)
    if sizes.device == "cuda" and waits(on_purpose, 1).total() != 1:
        raise RuntimeError("torch's debug mode has not counted a wait that was made")
    for precision in sizes.precisions:
        config = configuration(system, f"train.precision={precision}", *sizes.overrides)
        for flip in (False, True) if precision == sizes.precisions[0] else (False,):
            gc.collect()  # games hold themselves in cycles
            if sizes.device == "cuda":
                # cuBLAS keeps its working memory once it has it; so each row has its own.
                torch._C._cuda_clearCublasWorkspaces()
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated() if sizes.device == "cuda" else 0
            game = make_game(config, system, sizes.device)
            batches = Batches(data, config["train"]["batch_size"], config["seed"], sizes.device, flip=flip)
            step = framework(config, game, batches)
            row: dict[str, Any] = {"system": name, "precision": precision, "flip": flip}
            seconds(step, sizes.warm, sizes.device)
            if sizes.device == "cuda":
                row["peak_mib"] = round((torch.cuda.max_memory_allocated() - before) / MIB)
                row["data_mib"] = round(data.samples.numel() * (2 if flip else 1) / MIB)
                batches.drawn = 0  # so that no epoch ends in the steps that are counted
                found = waits(step, sizes.counted)
                row |= {"steps": sizes.counted, "waits": found.total(), "where": dict(found)}
                batches.drawn = len(data) // config["train"]["batch_size"]  # the first batch of the next epoch
                found = waits(step, 1)
                row |= {"epoch_waits": found.total(), "epoch_where": dict(found)}
                found = waits(look(game, batches), 1)
                row |= {"log_waits": found.total(), "log_where": dict(found)}
            part.add(**row)
            del game, batches, step


def on_purpose() -> None:
    """Wait for the device once."""
    torch.ones(2, device="cuda").tolist()


def look(game: Game, batches: Batches) -> Step:
    """Return a step after which a log line is due: its figures are checked and read."""

    def step() -> None:
        measured = game.step(batches)
        diagnostics.require_finite([measured], 1)
        assert {**diagnostics.figures(measured), **diagnostics.gradient_norms(game), **diagnostics.reported(game)}

    return step
