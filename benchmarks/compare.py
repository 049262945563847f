"""How long `gan-framework compare` takes over many runs, and how much memory: `python benchmarks/compare.py`."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.helpers.comparing import make_run


def main() -> None:
    """Write the runs, compare them in a process of its own, and print its time and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--lines", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for run in range(arguments.runs):
            scores = [100 / (1 + step) + run for step in range(50)]
            make_run(folder / str(run), f"loss{run // 5}", run % 5, scores, steps=arguments.lines, grid=True)
        command = [
            sys.executable,
            "-m",
            "gan_framework.cli.commands",
            "compare",
            str(folder),
            "--html",
            str(folder / "out.html"),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        size = (folder / "out.html").stat().st_size
        print(f"{arguments.runs} runs of {arguments.lines} lines: {used.ru_utime + used.ru_stime:.1f} s of one core, "
              f"{used.ru_maxrss / 1024:.0f} MB, page {size / 1e6:.1f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
