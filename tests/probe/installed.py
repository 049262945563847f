"""The distribution `gan-probe` beside this file, installed into this process and those it starts, without pip."""

import functools
import importlib
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.environment import distribution

if sys.version_info >= (3, 11):
    import tomllib
else:  # pytest brings it along there
    import tomli as tomllib

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "src"

if str(SOURCE) not in sys.path:  # its modules can be imported; without an entry point it is not installed
    sys.path.append(str(SOURCE))


def forget():
    """Forget what was read of the installed distributions."""
    importlib.invalidate_caches()
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "gan_framework":
            for value in list(vars(module).values()):
                if isinstance(value, functools._lru_cache_wrapper):
                    value.cache_clear()


def project():
    """Return what its pyproject.toml says of it."""
    return tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]


@contextmanager
def installed():
    """Have the distribution's entry points found inside the context."""
    about = project()
    prefix = "gan_framework."
    points = {group.removeprefix(prefix): entries for group, entries in about["entry-points"].items()}
    (contract,) = points.pop("contract")
    with tempfile.TemporaryDirectory() as site:
        distribution(Path(site), about["name"], points, version=about["version"], contract=int(contract))
        before = os.environ.get("PYTHONPATH")
        sys.path.insert(0, site)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [site, str(SOURCE), before]))
        forget()
        try:
            yield
        finally:
            sys.path.remove(site)
            if before is None:
                del os.environ["PYTHONPATH"]
            else:
                os.environ["PYTHONPATH"] = before
            forget()
