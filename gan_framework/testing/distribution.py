"""The contract suites over all plugins of an installed distribution."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS
from gan_framework.registry.listing import config_problems
from gan_framework.registry.packages import canonical
from gan_framework.registry.registry import Plugin
from gan_framework.storage.text import lines, visible
from gan_framework.testing.guards import ContractBroken
from gan_framework.testing.suites import check_plugin, exemptions


def check_distribution(distribution: str, overrides: Sequence[str] = ()) -> bool:
    """Check every plugin of a distribution, print what is found, and return whether all is well.

    Args:
        distribution: the distribution's name.
        overrides: the configuration the plugins are tried in, as on the command line.

    Raises:
        ConfigError: no distribution of that name has plugins.
    """
    plugins = [plugin for kind in KINDS for plugin in registry.installed(kind)]
    own = [plugin for plugin in plugins if canonical(plugin.distribution) == canonical(distribution)]
    if not own:
        others = ", ".join(sorted({plugin.distribution for plugin in plugins}))
        raise ConfigError(f"no distribution {distribution!r} with plugins is installed; there are {others}")
    with _without_warnings():
        return _check(own, distribution, overrides)


@contextmanager
def _without_warnings() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _check(plugins: list[Plugin], distribution: str, overrides: Sequence[str]) -> bool:
    broken = [problem for name, problem in config_problems().items() if canonical(name) == canonical(distribution)]
    for problem in broken:
        print(visible(f"broken  {distribution}: {problem}"))
    for plugin in plugins:
        try:
            name = f"{plugin.distribution}:{plugin.name}"
            check_plugin(plugin.kind, name, overrides)
            without = exemptions(plugin.kind, name)
        except ContractBroken as error:
            broken.append(str(error))
            print(lines(f"broken  {error}"), flush=True)
        else:
            print(visible(f"ok      {plugin.name} ({plugin.kind})"), flush=True)
            for check, reason in without.items():
                print(visible(f"        without {check}: {reason}"), flush=True)
    return not broken
