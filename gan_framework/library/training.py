"""A training run from Python, and what came of it."""

from __future__ import annotations

import html
import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf, open_dict

from gan_framework.config.compose import compose
from gan_framework.config.run_folder import claimed
from gan_framework.errors import ConfigError, RunStopped
from gan_framework.library.inline import Inline, embedded, in_notebook, newest_samples
from gan_framework.library.model import Model, load
from gan_framework.library.shown import Picture
from gan_framework.registry.packages import leave_out_malformed
from gan_framework.registry.paths import absolute
from gan_framework.runs.launch import launch
from gan_framework.runs.logs import MaskingFormatter, RunLog
from gan_framework.runs.run import OnLog
from gan_framework.storage import secrets
from gan_framework.storage.layout import RunFolder
from gan_framework.storage.numbers import score

LINE = "[%(asctime)s][%(name)s][%(levelname)s] - %(message)s"
"""A line of the log, as the command line writes it."""


def train(
    overrides: Sequence[str] = (),
    folder: str | Path | None = None,
    on_log: OnLog | None = None,
    show: bool | None = None,
) -> Result:
    """Train as `gan-framework train OVERRIDES` does, and return what came of it.

    A run that a signal, Ctrl-C or the callback stops is saved and returned, with the status `stopped`; called again
    with its folder, it goes on. One that `train.patience` ends has finished.

    Args:
        overrides: as on the command line, `["experiment=wgan_gp", "train.steps=1000"]`.
        folder: the run's folder; None for a new one, `outputs/DATE/TIME`.
        on_log: called with each line of `metrics.jsonl` as it is written; where it returns something true, the run is
            stopped.
        show: whether progress and grids are shown in the notebook; None where there is one.

    Raises:
        ConfigError: the request was wrong.
        RunFailed: the run failed.
    """
    if isinstance(overrides, str):
        raise ConfigError(f"overrides={overrides!r}: a list of them: {overrides.split()}")
    if isinstance(overrides, Mapping):
        raise ConfigError(
            f"overrides={overrides!r}: a list of them: {[f'{key}={one}' for key, one in overrides.items()]}"
        )
    overrides = [*overrides]
    _refuse(overrides)
    leave_out_malformed()
    config = compose(overrides)
    secrets.refuse_settings(OmegaConf.to_container(config, resolve=False))
    with open_dict(config):
        del config["sweep"]
    if folder is None:
        folder = claimed(f"outputs/{datetime.now():%Y-%m-%d/%H-%M-%S}")
    place = absolute(folder)
    shown = Inline(place, config.train.steps) if (in_notebook() if show is None else show) else None

    def listen(record: Mapping[str, Any]) -> object:
        if shown is not None:
            shown(record)
        return on_log(record) if on_log is not None else None

    with _logged(place):
        try:
            launch(config, place, overrides, on_log=listen)
        except RunStopped:
            if not RunFolder(place).last.exists():
                raise
        finally:
            if shown is not None:
                shown.update()
    return Result(place)


class Result:
    """What came of a run.

    Attributes:
        folder: the run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._place = RunFolder(folder)

    @property
    def summary(self) -> dict[str, Any]:
        """What `summary.json` says."""
        found: dict[str, Any] = json.loads(self._place.summary.read_text())
        return found

    @property
    def status(self) -> str:
        """`finished` or `stopped`."""
        return str(self.summary["status"])

    @property
    def best(self) -> dict[str, Any] | None:
        """The best score: its metric, step and value; None if nothing was scored."""
        found: dict[str, Any] | None = self.summary.get("best")
        return found

    @property
    def records(self) -> list[dict[str, Any]]:
        """The lines of `metrics.jsonl`, flat: step, images_seen, seconds, `updates/<player>`, each metric."""
        return [_flat(json.loads(line)) for line in self._place.metrics.read_text().splitlines()]

    @property
    def metrics(self) -> Any:
        """The records as a `pandas.DataFrame`; as they are where pandas is not installed."""
        try:
            import pandas
        except ModuleNotFoundError:
            return self.records
        return pandas.DataFrame(self.records)

    @property
    def grid(self) -> Picture | None:
        """The newest grid of samples; None if none was drawn."""
        newest = newest_samples(self._place)
        return Picture(newest) if newest is not None else None

    def load(self, best: bool = False, device: str = "auto") -> Model:
        """Return the trained model.

        Args:
            best: whether that of the best score, else the newest.
            device: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.

        Raises:
            ConfigError: there is none.
        """
        return load(self._place.best if best else self.folder, device)

    def __repr__(self) -> str:
        summary = self.summary
        best = summary.get("best")
        scored = f", best {best['metric']} {score(best['value'])} at step {best['step']:,}" if best else ""
        return f"Result({str(self.folder)!r}, {summary['status']} at step {summary['step']:,}{scored})"

    def _repr_html_(self) -> str:
        newest = newest_samples(self._place)
        return f"<code>{html.escape(repr(self))}</code>" + (f"<br>{embedded(newest)}" if newest is not None else "")


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    updates = {f"updates/{player}": count for player, count in record["updates"].items()}
    axes = {key: record[key] for key in ("step", "images_seen", "seconds")}
    return {**axes, **updates, **record["metrics"]}


def _refuse(overrides: Sequence[str]) -> None:
    """Raise ConfigError for what is no setting of a single run."""
    for override in overrides:
        if not isinstance(override, str):
            raise ConfigError(
                f"{override!r} is not an override: write them as on the command line, ['train.steps=100']"
            )
        if override.startswith("-"):
            raise ConfigError(f"{override}: flags are for the command line; `gan-framework train -m` runs sweeps")
        if override.lstrip("+~").startswith(("hydra.", "hydra/")):
            raise ConfigError(f"{override}: nothing of Hydra's applies here; folder=... names the run's folder")
    secrets.refuse(overrides)


@contextmanager
def _logged(folder: Path) -> Iterator[None]:
    """Write what is logged meanwhile to the run's log; warnings go to stderr where nobody else shows them."""
    root = logging.getLogger()
    handlers: list[logging.Handler] = []
    with suppress(OSError):  # whether the folder can be used is for the run to say
        folder.mkdir(parents=True, exist_ok=True)
        handlers.append(RunLog(folder / "run.log"))
    if not root.handlers:
        handlers.append(logging.StreamHandler(sys.stderr))
        handlers[-1].setLevel(logging.WARNING)
    for handler in handlers:
        handler.setFormatter(MaskingFormatter(LINE))
        root.addHandler(handler)
    own = logging.getLogger("gan_framework")
    before = own.level
    own.setLevel(logging.INFO)
    try:
        yield
    finally:
        own.setLevel(before)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
