"""Environments with distributions installed, and distributions made by hand."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from gan_framework.registry.registry import CONTRACT

ROOT = Path(__file__).parents[2]


class Environment:
    """A virtual environment that borrows the packages of this one, torch among them."""

    def __init__(self, folder):
        self.folder = folder
        venv.create(folder, with_pip=False, symlinks=True)
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / "python"
        own = Path(self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
        borrowed = sysconfig.get_path("purelib")
        # addsitedir, and not the path alone, so that editable installs are borrowed too.
        (own / "borrowed.pth").write_text(f"import site; site.addsitedir({borrowed!r})\n")

    def install(self, *distributions):
        """Build the distributions as wheels and install them; nothing is downloaded."""
        done = subprocess.run(
            [sys.executable, "-m", "pip", "--python", str(self.python), "install", "-q", "--no-index", "--no-deps"]
            + ["--no-build-isolation", "--disable-pip-version-check", *map(str, distributions)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    def run(self, *arguments, cwd=None, check=0, **variables):
        """Run Python, and expect an exit code."""
        done = subprocess.run(
            [self.python, *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "OMP_NUM_THREADS": "1", "WANDB_MODE": "disabled", **variables},
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == check, done.stdout + done.stderr
        return done

    def command(self, *arguments, **options):
        """Run `gan-framework`."""
        return self.run("-m", "gan_framework.cli.commands", *arguments, **options)


def distribution(folder, name, points, files=(), version="1.0", contract=CONTRACT):
    """Put an installed distribution into a folder: its metadata, its entry points by group, its files by path."""
    groups = {group: dict(entries) for group, entries in points.items()}
    if contract is not None:
        groups["contract"] = {str(contract): name.replace("-", "_")}
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    text = "".join(
        f"[gan_framework.{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
        for group, entries in groups.items()
    )
    (info / "entry_points.txt").write_text(text)
    for path, content in dict(files).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return folder
