"""The errors a user can meet, each with the exit code that the command line ends with."""

from __future__ import annotations


class GanFrameworkError(Exception):
    """An error whose message alone tells a user what happened and what would be right."""

    exit_code = 1


class ConfigError(GanFrameworkError, ValueError):
    """The request was wrong (a name, a value or a combination); found before any training."""

    exit_code = 2


class RunFailed(GanFrameworkError, RuntimeError):
    """The run was asked for correctly and failed while it ran."""

    exit_code = 1


class NonFinite(RunFailed):
    """A loss or a gradient was not finite."""


class RunStopped(GanFrameworkError):
    """The run was stopped early on request or by a signal and can be resumed."""

    exit_code = 3
