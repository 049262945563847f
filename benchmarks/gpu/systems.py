"""The systems whose steps are measured, and how they are composed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class System:
    """One system.

    Attributes:
        overrides: what follows `python run.py`.
        size: height and width of its images, which are in colour.
        classes: of the data; 0 for unlabelled data.
    """

    overrides: tuple[str, ...]
    size: int
    classes: int = 0


SYSTEMS = {
    "DCGAN-64": System(("experiment=dcgan",), 64),
    "SNGAN-32": System(("experiment=resnet",), 32),
    "R3GAN-32": System(("experiment=r3gan",), 32),
    "BigGAN-32": System(("experiment=biggan",), 32, classes=10),
    "StyleGAN2-64": System(("experiment=stylegan2",), 64),
}
"""By name. Those whose experiment does not exist are reported as not in this version."""


def compose(*overrides: str) -> dict[str, Any]:
    """Return a composed configuration as plain mappings."""
    import hydra
    from hydra import initialize_config_dir

    import gan_framework.config.schema  # noqa: F401 (registers the schema)
    import gan_framework.sweeps.naming  # noqa: F401 (registers the resolvers)
    from gan_framework.config.compose import plain
    from gan_framework.registry.packages import config_folder

    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        return plain(hydra.compose("config", overrides=[*overrides, "tracker=[]", "metrics=[]"]))


def configuration(system: System, *overrides: str) -> dict[str, Any]:
    """Return the configuration of a system."""
    own = (f"data.image_size={system.size}", "data.channels=3")
    return compose(*system.overrides, *own, *overrides)


def exists(system: System) -> bool:
    """Return whether the experiment of a system is in this version."""
    from gan_framework.registry.packages import config_folder

    (experiment,) = (value for key, _, value in (o.partition("=") for o in system.overrides) if key == "experiment")
    return (config_folder() / "experiment" / f"{experiment}.yaml").is_file()
