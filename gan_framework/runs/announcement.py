"""What a run says of itself: at its start what it is about to do, at its end what came of it and what could follow."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from gan_framework.core.game import Game
from gan_framework.core.records import DataShape
from gan_framework.data import Data
from gan_framework.evaluation.sampler import AVERAGED
from gan_framework.runs.progress import duration
from gan_framework.runs.reach import out_of_reach
from gan_framework.runs.run import Run
from gan_framework.storage.numbers import score

log = logging.getLogger(__name__)

SHOWN = 5
"""So many classes are named."""


def announce(run: Run, config: Mapping[str, Any]) -> None:
    """Say what the data, the networks and the plan are, a line for each.

    Args:
        run: the run, at its start or where it is resumed.
        config: its resolved configuration.
    """
    for name, batches in {"": run.batches, **run.batches.others}.items():
        settings = config["sources"][name] if name else config["data"]
        shape = run.game.data.others[name] if name else run.game.data
        log.info("%s: %s", f"sources.{name}" if name else "data", _data(settings, batches.data, shape))
    unused = [name for name in run.game.data.extra if name not in run.game.data.integers]
    if unused and type(run.game) is Game and run.game.generates_from is None:
        log.warning(
            "samples are drawn from the prior alone: nothing is made of %s, which each sample of data=%s has beside "
            "it; a model that makes images of images does (docs/translation.md)",
            " and ".join(unused),
            config["data"]["name"],
        )
    _warn_of_reach(run, config)
    log.info("networks: %s", ", ".join(_networks(run, config["networks"])))
    log.info("plan: %s", ", ".join(_plan(run, config)))


def conclude(run: Run) -> None:
    """Say what came out, where it is, and what could be typed next."""
    scores = [f"{name[5:]} {score(value)}" for name, value in run.metrics.items() if name.startswith("eval/")]
    best = run.best.found
    said = [f"finished {run.counters.step:,} steps in {duration(run.counters.seconds)}"]
    if run.ended_early is not None:
        said[0] += f", ended early by {run.ended_early}"
    if scores:
        said.append(f"at the end {', '.join(scores)}")
    if best and best["step"] != run.counters.step:
        said.append(f"best {best['metric']} {score(best['value'])} at step {best['step']:,} (checkpoints/best.pt)")
    log.info("%s", "; ".join(said))
    folder = run.folder.path
    sample = f"{folder} --from test" if run.game.generates_from is not None else f"{folder}"
    log.info("run folder: %s; next: gan-framework sample %s, gan-framework evaluate %s", folder, sample, folder)


def _warn_of_reach(run: Run, config: Mapping[str, Any]) -> None:
    found = out_of_reach(run.game, run.batches.data)
    if found is None:
        return
    layer, made, real = found
    name = run.game.sampling_network.removesuffix(AVERAGED)
    linear = f", or set networks.{name}.output=linear" if "output" in (config["networks"].get(name) or {}) else ""
    log.warning(
        "networks.%s ends in %s, which makes values from %g to %g, and those of data=%s go from %.4g to %.4g: it "
        "cannot make samples like them. Scale the data to that range%s",
        *(name, layer, *made, config["data"]["name"], *real, linear),
    )


def _data(settings: Mapping[str, Any], data: Data, shape: DataShape) -> str:
    sizes = "x".join(map(str, shape.sample)) if len(shape.sample) > 1 else f"vectors of {shape.sample[0]}"
    said = [f"{len(data):,} training samples of {settings['name']}, {sizes}"]
    said += [f"each with {name} {'x'.join(map(str, one))}" for name, one in shape.extra.items()]
    if shape.num_classes:
        names = settings.get("classes") or []
        named = f" ({', '.join([*names[:SHOWN], *(['...'] if len(names) > SHOWN else [])])})" if names else ""
        said.append(f"{shape.num_classes} classes{named}")
    return ", ".join([*said, *data.notes])


def _networks(run: Run, settings: Mapping[str, Any]) -> Iterable[str]:
    for name, network in run.game.networks.items():
        kind = settings.get(name, {}).get("name")
        count = sum(parameter.numel() for parameter in network.parameters())
        yield f"{name}{f' {kind}' if kind and kind != name else ''} with {count:,} parameters"


def _plan(run: Run, config: Mapping[str, Any]) -> Iterable[str]:
    train, evaluate = run.settings.train, run.settings.evaluate
    left = max(train.steps - run.counters.step, 0)
    if not left:
        yield (
            f"none of train.steps={train.steps:,} is left; more of them train on, and gan-framework evaluate "
            f"{run.folder.path} scores it anew"
        )
        return
    yield f"{left:,} steps of {train.batch_size} samples on {run.game.device}"
    if run.evaluator is not None:
        often = f"every {evaluate.every:,} steps" if evaluate.every else "at the end"
        metrics = ", ".join(config["metrics"])
        yield f"scored {often} by {metrics} ({config['extractor']['name']}, {evaluate.samples:,} samples)"
    if train.checkpoint_every:
        yield f"saved every {train.checkpoint_every:,}"
