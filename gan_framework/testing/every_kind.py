"""What is asked of plugins of every kind: that they are found, built, and described truly by their YAML."""

from __future__ import annotations

import inspect

from gan_framework.registry import registry
from gan_framework.registry.defaults import defaults, yaml_file
from gan_framework.registry.kinds import KINDS
from gan_framework.testing.guards import expect, own_randomness, same
from gan_framework.testing.subject import Subject


def builds(subject: Subject) -> None:
    """The plugin loads, and is built from its YAML."""
    plugin = registry.find(subject.kind, subject.name)
    plugin.load()
    written_for = registry.contract(plugin.distribution)
    expect(
        written_for is not None,
        f"{plugin.distribution} does not say which version of the plugin contract it was written for: add to its "
        f'pyproject.toml [project.entry-points."gan_framework.contract"] {registry.CONTRACT} = "its_package"',
    )
    _ = subject.own  # composed before, for composing draws too
    with own_randomness("building it"):
        if KINDS[subject.kind].supplied:
            subject.game()
        else:
            subject.build()


def yaml_agrees(subject: Subject) -> None:
    """The YAML names every setting once, with the only default there is; an experiment may have them all instead."""
    plugin = registry.find(subject.kind, subject.name)
    path = yaml_file(plugin.kind, plugin.name, plugin.distribution)
    if path is None:
        expect(
            subject.surroundings.experiment is not None,
            f"{plugin.distribution} ships no YAML for it, and no experiment has its settings, so nobody can choose it",
        )
        return
    written = defaults(path, plugin.name)
    accepted = dict(list(registry.settings(plugin.load()).items())[KINDS[subject.kind].supplied :])
    own = {key: value for key, value in written.items() if key not in KINDS[subject.kind].reserved}
    unknown = own.keys() - accepted.keys()
    expect(not unknown, f"{path} has {', '.join(sorted(unknown))}, which its signature does not accept")
    for name, parameter in accepted.items():
        default = parameter.default
        if default is inspect.Parameter.empty or default is None:
            continue
        expect(
            name not in own or same(own[name], default),
            f"{name} has two defaults: {own.get(name)!r} in {path} and {default!r} in its signature; keep the YAML's",
        )
    required = {name for name, parameter in accepted.items() if parameter.default is inspect.Parameter.empty}
    missing = required - own.keys()
    expect(not missing, f"{path} gives no default for {', '.join(sorted(missing))}")


def is_documented(subject: Subject) -> None:
    """`gan-framework plugins` has a summary to show."""
    factory = registry.find(subject.kind, subject.name).load()
    own = factory.__dict__.get("__doc__") if inspect.isclass(factory) else factory.__doc__
    expect(bool(own and own.strip()), "it has no docstring: its first line is what `gan-framework plugins` shows")


EVERY_KIND = [builds, is_documented, yaml_agrees]
