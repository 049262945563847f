"""The names of a sweep and of its runs' folders."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from gan_framework.storage.secrets import mask

LONGEST = 150
"""Characters of a folder's name, without the hash."""

DIGITS = 3
"""Significant digits of a number in a name."""

ABBREVIATED = {"generator": "G", "discriminator": "D"}

GIVEN = "sweep.folder"
"""The setting by which a sweep gives a job the name of its folder."""


def concerns_sweep(override: str) -> bool:
    """Whether an override says how the sweep goes (`sweep.resume=...`), not what its runs are."""
    return override.lstrip("+~").startswith(("sweep.", "sweep="))


def settings_of(overrides: Iterable[str]) -> dict[str, str]:
    """Return the values that a job's overrides give to settings, as they are written; those of the sweep are left out.

    `~prior`, no option of a group, gives it `none`.
    """
    own = [override for override in overrides if not concerns_sweep(override)]
    parts = [(override.lstrip("+~"), override.startswith("~")) for override in own]
    return {text.partition("=")[0]: "none" if gone else text.partition("=")[2] for text, gone in parts}


def identity(overrides: Iterable[str]) -> str:
    """Return what is the same for jobs that ask for the same run, in whatever order."""
    return hashlib.sha256(",".join(sorted(o for o in overrides if not concerns_sweep(o))).encode()).hexdigest()


def run_name(overrides: Sequence[str]) -> str:
    """Return the name of a job's folder: what its sweep has given it, or one of all its overrides."""
    given = [override.partition("=")[2].strip("'\"") for override in overrides if override.startswith(f"{GIVEN}=")]
    return given[-1] if given else name_of_all(overrides)


def name_of_all(overrides: Sequence[str]) -> str:
    """Return a name that says all that a job's overrides ask for; before version 0.2 folders were named so.

    A hash is added where the overrides do not fit into a name. Secrets among them are masked.
    """
    chosen = sorted(override for override in overrides if not concerns_sweep(override))
    exact = ",".join(chosen)
    plain = re.sub(r"\[([\w,]*)\]", lambda found: found[1].replace(",", "+"), ",".join(mask(chosen)))
    name = re.sub(r"[^A-Za-z0-9_.=,+-]+", "-", plain).lstrip(".-")
    if name == plain and len(name) <= LONGEST and "+" not in exact:
        return name or "defaults"
    if len(name) > LONGEST:
        # The last part of a setting's path says most.
        name = re.sub(r"(^|,)[^=,]*\.([^.=,]+=)", r"\1\2", name)[:LONGEST].rstrip(".-,")
    return f"{name or 'run'}-{hashlib.sha256(exact.encode()).hexdigest()[:8]}"


def short_name(settings: Mapping[str, str], keys: Mapping[str, str], digits: int = DIGITS) -> str:
    """Return a name that says the values of some settings; those that are not given are left out.

    Args:
        settings: values as they are written, by setting.
        keys: what to call the settings, in the order of the name.
        digits: significant digits of numbers.
    """
    said = [f"{_safe(called)}={written(settings[key], digits)}" for key, called in keys.items() if key in settings]
    name = ",".join(said).lstrip(".-") or "defaults"
    return name if len(name) <= LONGEST else name[:LONGEST].rpartition(",")[0] or name[:LONGEST].rstrip(".-+")


def short_keys(keys: Iterable[str]) -> dict[str, str]:
    """Return for each setting the end of its path that no other one has: `lr`, or `G.lr` where there is `D.lr` too."""
    whole = list(dict.fromkeys(keys))
    return {key: _shortest(key, [other for other in whole if other != key]) for key in whole}


def _shortest(key: str, others: Sequence[str]) -> str:
    parts = key.split(".")
    for count in range(1, len(parts) + 1):
        end = ".".join(parts[-count:])
        if not any(f".{other}".endswith(f".{end}") for other in others):
            return ".".join(ABBREVIATED.get(part, part) for part in parts[-count:]) if count > 1 else end
    return key


def written(value: str, digits: int = DIGITS) -> str:
    """Return a value fit for a name: `2.6e-4` for 0.000259817, `ema+k_step` for [ema,k_step], `none` for []."""
    text = mask(value).strip().strip("'\"")
    if text.startswith(("[", "(")) and text.endswith(("]", ")")):
        inner = [part for part in text[1:-1].split(",") if part.strip()]
        return "+".join(written(part, digits) for part in inner) or "none"
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) and not re.fullmatch(r"[+-]?\d+", text):
        return _number(float(text), digits)
    return _safe(text.rstrip("/").rpartition("/")[2]) or "none"


def _number(value: float, digits: int) -> str:
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        text = f"{value:.{digits}g}"
        return text if "e" not in text else f"{float(text):.0f}"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", text).strip("-")


def sweep_name(folder: Path) -> str:
    """Return the name of the sweep in a folder; a time of day alone is no name."""
    *_, day, name = ("", *folder.resolve().parts)
    return f"{day}_{name}" if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else name


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> int:
    """Return how many NVIDIA GPUs this process may use, without touching one."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.split(",") if name.strip()])
    return len([path for path in Path("/dev").glob("nvidia*") if path.name[len("nvidia") :].isdigit()])


def register_resolvers() -> None:
    """Make these available in the configuration: `${run_name:...}`, `${first_set:...}`, `${gpus:}` and its like."""
    resolvers: dict[str, Any] = {
        "run_name": run_name,
        "first_set": lambda *values: next((value for value in values if value is not None), None),
        "gpus": gpus,
        "one_gpu": lambda: min(gpus(), 1),
        "workers": lambda: gpus() or cores(),
    }
    for name, resolver in resolvers.items():
        OmegaConf.register_new_resolver(name, resolver, replace=True)


register_resolvers()
