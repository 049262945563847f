"""Puts the configuration files of installed plugin packages on Hydra's search path."""

from __future__ import annotations

from importlib.metadata import entry_points

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class PluginConfigs(SearchPathPlugin):
    """Adds `pkg://<package>` for every entry point of the group `gan_framework.configs`."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append the packages, after the framework's own folder."""
        for point in entry_points(group="gan_framework.configs"):
            search_path.append(provider=point.name, path=f"pkg://{point.value}")
