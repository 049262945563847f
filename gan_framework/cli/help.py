"""What `--help` prints: Hydra's template, filled in without asking every package for its options."""

from __future__ import annotations

import re
import textwrap
from string import Template
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gan_framework.config.compose import compose
from gan_framework.registry.kinds import kind_of_group
from gan_framework.registry.packages import groups, options, written

SCALARS = ("seed", "train", "evaluate", "sample", "sweep")
"""Settings that the template itself explains, or that few need."""

WIDTH = 110

GROUPS = {
    "data": "dataset",
    "debug": "a run of seconds",
    "discriminator": "network D",
    "experiment": "a paper's or tutorial's whole setting",
    "extractor": "features that scores are computed on",
    "game": "players and what they do in a step",
    "generator": "network G",
    "loss": "adversarial loss",
    "metrics": "scores (a list)",
    "model": "generator, discriminator, game and prior together",
    "network": "further networks",
    "optimizer": "of all players",
    "prior": "distribution of latents",
    "sampler": "another way of drawing samples",
    "schedule": "which player is updated when",
    "search": "a space for hydra/sweeper=optuna",
    "strategy": "training techniques (a list)",
    "term": "regularisers, penalties and further losses (a list)",
    "tracker": "where metrics are logged (a list)",
}
"""What each group chooses."""

FAMILIAR = {
    "data": ("digits", "mnist", "mnist_5k", "cifar10", "celeba", "folder", "npz", "huggingface", "table", "mixture"),
    "experiment": (
        *("dcgan", "wgan_gp", "resnet", "sagan", "biggan", "stylegan2_ada", "r3gan", "acgan", "infogan", "bigan"),
        *("pix2pix", "cyclegan", "srgan", "vae", "mixture_2d"),
    ),
}
"""The options that are shown of groups which have too many for a page."""


def text(overrides: list[str], name: str = "config") -> str:
    """Return the help for a configuration, the default one or that of a run; its template is `hydra.help.template`.

    Hydra's own takes seconds, for it looks through its search path anew for every group.
    """
    config = compose(overrides, with_hydra=True, name=name)
    template = OmegaConf.to_container(config.hydra.help, resolve=False)["template"]  # type: ignore[index, call-overload]
    shown = re.sub(r"\$\{(.*?)\}", lambda found: written(OmegaConf.select(config, found[1])), str(template))
    return Template(shown).substitute(APP_CONFIG_GROUPS=_groups(), CONFIG=_settings(config))


def _groups() -> str:
    lines = []
    for group in groups():
        lead = f"  {group:<15}"
        about = f"{GROUPS[group]}: " if group in GROUPS else ""
        text = f"{lead}{about}{_offered(group)}"
        lines.append(textwrap.fill(text, WIDTH, subsequent_indent=" " * len(lead), break_on_hyphens=False))
    return "\n".join(lines)


def _offered(group: str) -> str:
    there = options(group)
    if group not in FAMILIAR:
        return ", ".join(there)
    kind = kind_of_group(group)
    shown = ", ".join(name for name in FAMILIAR[group] if name in there)
    more = len(set(there) - set(FAMILIAR[group]))
    return f"{shown} and {more} more, which `gan-framework plugins {kind.name if kind else f'{group}s'}` lists"


def _settings(config: DictConfig) -> str:
    """Return each chosen plugin's settings on a line, as they are written on the command line."""
    lines = []
    for key in config:
        if key in SCALARS or key == "hydra":
            continue
        content: dict[str, Any] = OmegaConf.to_container(config[key], resolve=False)  # type: ignore[assignment]
        plugins = (
            {str(key): content} if "name" in content else {f"{key!s}.{name}": part for name, part in content.items()}
        )
        for path, settings in plugins.items():
            lead = f"  {path}: "
            pairs = settings.items() if isinstance(settings, dict) else ()  # or a reference to another part
            values = " ".join(f"{name}={written(value)}" for name, value in pairs) or written(settings)
            lines.append(textwrap.fill(lead + values, WIDTH, subsequent_indent="      ", break_long_words=False))
    return "\n".join(lines)
