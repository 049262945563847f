"""Where Hydra finds configuration: in installed plugin packages too, and our launchers before their packages' own."""

from __future__ import annotations

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.plugins.search_path_plugin import SearchPathPlugin

from gan_framework.registry.packages import config_folder, config_packages


class PluginConfigs(SearchPathPlugin):
    """Adds the folder of every package that an entry point of the group `gan_framework.configs` names.

    Folders, and not `pkg://`, for which Hydra would import every package. A package that does not
    exist is left out: it must not break a run that does not use it. `gan-framework plugins` and the
    error of an option that is not found name it.
    """

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append the folders, after the framework's own."""
        _replace_entries()
        for package in config_packages():
            for folder in package.folders:
                search_path.append(provider=package.distribution, path=str(folder))


def _replace_entries() -> None:
    """Drop the stored entries of launchers and sweepers for which the framework has a file with other defaults."""
    stored = ConfigStore.instance().repo.get("hydra", {})
    for file in (config_folder() / "hydra").glob("*/*.yaml"):
        stored.get(file.parent.name, {}).pop(file.name, None)
