"""The parts of the measurements in their order, what is most wanted first, each with its limit in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gpu.penalties import NETWORKS
from gpu.runs import RUNS
from gpu.sizes import sizes
from gpu.systems import SYSTEMS, exists


@dataclass(frozen=True)
class Planned:
    """A part to be measured.

    Attributes:
        name: under which its results are found.
        module: which measures it.
        arguments: what it is about.
        limit: seconds after which it is stopped.
    """

    name: str
    module: str
    arguments: tuple[str, ...]
    limit: float


def plan(data: Path | None, out: Path, work: Path) -> list[list[Planned]]:
    """Return groups of parts; those of a group measure no times and can be had at once.

    Args:
        data: an `.npz` file of images, or an archive of them; None for no runs on images.
        out: the folder of the results.
        work: a folder for what is needed in between.
    """
    systems = [name for name, system in SYSTEMS.items() if exists(system)]
    archived = data is not None and data.suffix != ".npz"
    images = work / "images.npz" if archived else data

    untimed = [Planned("smoke", "program", ("smoke",), 60)]
    untimed += [Planned(f"footprint {name}", "footprint", (name,), 75) for name in systems]
    untimed += [Planned(f"penalties {networks}", "penalties", (networks,), 90) for networks in NETWORKS]
    untimed += [Planned("tests", "program", ("tests",), 120)]
    untimed += [Planned("images", "archive", (str(data), str(images)), 60)] if archived else []
    timed = [Planned(f"steps {name}", "step_times", (name,), 65) for name in systems]
    timed += [Planned(f"run {name}", "runs", (name, str(images), str(out)), 75) for name in RUNS if data is not None]
    # Whatever time is left: compilers take long, and each further precision is one more to have.
    timed += [Planned(f"compiled {name}", "compiled", (name,), 90) for name in systems[: sizes().compiled_systems]]
    return [untimed, *([part] for part in timed)]
