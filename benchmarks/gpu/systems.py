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


PLAIN_EMA = ("strategy.ema.half_life=null", "strategy.ema.ramp=null")

SYSTEMS = {
    "DCGAN-64": System(("experiment=dcgan",), 64),
    "SNGAN-32": System(("experiment=resnet",), 32),
    # Without what the hand-written loop does not do: burn-in, and an average by half-life.
    "R3GAN-32": System(("experiment=r3gan", "strategy=[ema]", *PLAIN_EMA), 32),
    "DCGAN-R3GAN-32": System(("experiment=dcgan_r3gan",), 32),
    "BigGAN-32": System(("experiment=biggan", "strategy.ema.warmup=0"), 32, classes=10),
    # One of the 15 of 16 steps in which no penalty is due, without mixed styles.
    "StyleGAN2-64": System(("experiment=stylegan2", "term=[]", "strategy=[ema]", *PLAIN_EMA), 64),
}
"""By name. Those whose experiment does not exist are reported as not in this version."""


def compose(*overrides: str) -> dict[str, Any]:
    """Return a composed configuration as plain mappings."""
    from gan_framework.config.compose import compose as composed
    from gan_framework.config.compose import plain
    from gan_framework.config.unchosen import without_unchosen

    words = [*overrides, "tracker=[]", "metrics=[]"]
    return plain(without_unchosen(composed(words), words))


def configuration(system: System, *overrides: str) -> dict[str, Any]:
    """Return the configuration of a system."""
    own = (f"data.image_size={system.size}", "data.channels=3")
    return compose(*system.overrides, *own, *overrides)


def exists(system: System) -> bool:
    """Return whether the experiment of a system is in this version."""
    from gan_framework.registry.packages import config_folder

    (experiment,) = (value for key, _, value in (o.partition("=") for o in system.overrides) if key == "experiment")
    return (config_folder() / "experiment" / f"{experiment}.yaml").is_file()
