"""Writes a new plugin, complete and passing its own tests from the first minute: a distribution, or a part of one."""

from __future__ import annotations

import keyword
import os
import re
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.kinds import Kind, kind_named
from gan_framework.registry.packages import locate
from gan_framework.scaffold.pyproject import GROUP, Pyproject
from gan_framework.storage import files

CONTRACT_GROUP = f"{GROUP}contract"
CONFIGS = f"{GROUP}configs"


def write(name: str, kind: str, out: Path) -> Path:
    """Write the distribution of a plugin, and return its folder.

    Args:
        name: the plugin's name, which its distribution and its package are called after.
        kind: the plugin's kind, `losses` or `loss`.
        out: the folder in which the distribution's folder is made.

    Raises:
        ConfigError: the name or the kind cannot be used, or the folder exists.
    """
    of = kind_named(kind, beside=())
    plugin = name.replace("-", "_")
    _check_name(name, of.name)
    if locate(plugin) is not None:
        raise ConfigError(f"a package called {plugin} is installed already: choose another name")
    folder = out / name
    if folder.exists():
        raise ConfigError(f"{folder} exists already: choose another name or another --out")
    module = of.name if of.name != plugin else "plugin"
    package = f"src/{plugin}"
    chosen = {
        "pyproject.toml": "distribution/pyproject.toml",
        "README.md": "distribution/README.md",
        f"{package}/__init__.py": "distribution/init.py",
        **_of_the_plugin(plugin, of, package, module),
    }
    _write(folder, _rendered(chosen, plugin, name, plugin, module, of) | {f"{package}/py.typed": ""})
    return folder


def write_into(name: str, kind: str, folder: Path) -> list[Path]:
    """Add a plugin to a distribution: its module, YAML and test, and its entry point; return what was written.

    Args:
        name: the plugin's name.
        kind: the plugin's kind, `losses` or `loss`.
        folder: the distribution's folder, with its pyproject.toml.

    Raises:
        ConfigError: the name or the kind cannot be used, a file exists, or the distribution is none that can be edited.
    """
    of = kind_named(kind, beside=())
    plugin = name.replace("-", "_")
    pyproject = Pyproject(folder)
    package = _package(pyproject)
    _check_name(name, of.name)
    source = next((place for place in (folder / "src", folder) if (place / package).is_dir()), None)
    if source is None:
        raise ConfigError(f"{pyproject.path} names the package {package}, and neither {folder}/src nor {folder} has it")
    inside = (source / package).relative_to(folder).as_posix()
    pyproject.add(of.name, plugin, f"{package}.{plugin}:{_object(plugin, of)}")
    configs = pyproject.entries.get(CONFIGS, {})
    if not configs:
        pyproject.add("configs", package, f"{package}.conf")
        configs = pyproject.entries[CONFIGS]
    conf = (source / next(iter(configs.values())).replace(".", "/")).relative_to(folder).as_posix()
    chosen = _of_the_plugin(plugin, of, inside, plugin, conf)
    for path in chosen:
        if os.path.lexists(folder / path):
            raise ConfigError(f"{folder / path} exists already: choose another name")
        for parent in [*Path(path).parents][:-1]:
            files.refuse_link(folder / parent)
    _write(folder, _rendered(chosen, plugin, folder.name, package, plugin, of))
    pyproject.write()
    return [folder / path for path in chosen] + [pyproject.path]


def _package(pyproject: Pyproject) -> str:
    """Return the import name of a distribution's package, which must be of plugins for the contract of today."""
    stated = pyproject.entries.get(CONTRACT_GROUP, {})
    if len(stated) != 1:
        raise ConfigError(
            f"{pyproject.path} states no version of the plugin contract: add "
            f'[project.entry-points."{CONTRACT_GROUP}"] with {registry.CONTRACT} = "its_package"'
        )
    ((version, package),) = stated.items()
    if version != str(registry.CONTRACT):
        raise ConfigError(
            f"{pyproject.path} states version {version} of the plugin contract, and what would be written is for "
            f"version {registry.CONTRACT}: {registry.UPGRADE}"
        )
    return package.partition(".")[0]


def _check_name(name: str, kind: str) -> None:
    plugin = name.replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", name) or keyword.iskeyword(plugin):
        raise ConfigError(f"{name!r} makes no package name: use small letters, digits and - or _, a letter first")
    for other in registry.installed(kind):
        if other.name == plugin:
            raise ConfigError(f"{other.distribution} has a plugin {plugin!r} ({kind}) already: choose another name")


def _of_the_plugin(plugin: str, kind: Kind, package: str, module: str, conf: str | None = None) -> dict[str, str]:
    """Return the templates of a plugin's own files by their paths."""
    return {
        f"{package}/{module}.py": f"plugins/{kind.name}.py",
        f"{conf or f'{package}/conf'}/{kind.group}/{plugin}.yaml": f"configs/{kind.name}.yaml",
        f"tests/test_{plugin}.py": "distribution/test.py",
    }


def _object(plugin: str, kind: Kind) -> str:
    return "build" if kind.contract is None else "".join(part.title() for part in plugin.split("_"))


def _rendered(
    chosen: dict[str, str], plugin: str, distribution: str, package: str, module: str, kind: Kind
) -> dict[str, str]:
    """Return the texts of templates by the paths that they are chosen for."""
    templates = Environment(
        loader=PackageLoader("gan_framework.scaffold"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    words = {
        "name": plugin,
        "distribution": distribution,
        "package": package,
        "module": module,
        "kind": kind.name,
        "group": kind.group,
        "singular": kind.singular,
        "article": "An" if kind.singular[0] in "aeiou" else "A",
        "object": _object(plugin, kind),
        "contract": registry.CONTRACT,
        "command": _command(kind, plugin),
    }
    return {path: templates.get_template(f"{source}.jinja").render(words) for path, source in chosen.items()}


def _write(folder: Path, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        files.write_text(folder / path, text)


def _command(kind: Kind, plugin: str) -> str:
    """Return the command that starts a short run with the plugin."""
    if kind.name == "networks":
        return f"gan-framework train debug=smoke +network={plugin}"
    option = f"{kind.group}='[{plugin}]'" if kind.listed else f"{kind.group}={plugin}"
    return f"gan-framework train debug=smoke {option}"
