"""Writes the distribution of a new plugin: complete, and passing its own tests from the first minute."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.kinds import Kind, kind_named
from gan_framework.registry.packages import locate


def write(name: str, kind: str, out: Path) -> Path:
    """Write the distribution of a plugin, and return its folder.

    Args:
        name: the plugin's name, which its distribution and its package are called after.
        kind: the plugin's kind, `losses` or `loss`.
        out: the folder in which the distribution's folder is made.

    Raises:
        ConfigError: the name or the kind cannot be used, or the folder exists.
    """
    of = kind_named(kind)
    plugin = name.replace("-", "_")
    _check_name(name, plugin, of.name)
    folder = out / name
    if folder.exists():
        raise ConfigError(f"{folder} exists already: choose another name or another --out")
    for path, text in _files(plugin, name, of).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


def _check_name(name: str, plugin: str, kind: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", name) or keyword.iskeyword(plugin):
        raise ConfigError(f"{name!r} makes no package name: use small letters, digits and - or _, a letter first")
    if locate(plugin) is not None:
        raise ConfigError(f"a package called {plugin} is installed already: choose another name")
    for other in registry.installed(kind):
        if other.name == plugin:
            raise ConfigError(f"{other.distribution} has a plugin {plugin!r} ({kind}) already: choose another name")


def _files(plugin: str, distribution: str, kind: Kind) -> dict[str, str]:
    """Return the text of every file of the distribution by its path."""
    templates = Environment(
        loader=PackageLoader("gan_framework.scaffold"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    words = {
        "name": plugin,
        "distribution": distribution,
        "package": plugin,
        "module": kind.name if kind.name != plugin else "plugin",
        "kind": kind.name,
        "group": kind.group,
        "singular": kind.singular,
        "article": "An" if kind.singular[0] in "aeiou" else "A",
        "object": "build" if kind.contract is None else "".join(part.title() for part in plugin.split("_")),
        "contract": registry.CONTRACT,
        "command": _command(kind, plugin),
    }
    package = f"src/{plugin}"
    chosen = {
        "pyproject.toml": "distribution/pyproject.toml",
        "README.md": "distribution/README.md",
        f"{package}/__init__.py": "distribution/init.py",
        f"{package}/{words['module']}.py": f"plugins/{kind.name}.py",
        f"{package}/conf/{kind.group}/{plugin}.yaml": f"configs/{kind.name}.yaml",
        f"tests/test_{plugin}.py": "distribution/test.py",
    }
    texts = {path: templates.get_template(f"{source}.jinja").render(words) for path, source in chosen.items()}
    return texts | {f"{package}/py.typed": ""}


def _command(kind: Kind, plugin: str) -> str:
    """Return the command that starts a short run with the plugin."""
    if kind.name == "networks":
        return f"gan-framework train debug=smoke +network={plugin}"
    option = f"{kind.group}='[{plugin}]'" if kind.listed else f"{kind.group}={plugin}"
    return f"gan-framework train debug=smoke {option}"
