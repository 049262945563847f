"""Measures part by part, each in a process and with a limit of its own, and writes gpu.json and gpu.md after each.

    python -m gpu FOLDER [DATA]

The environment sets GPU_DRY=1 for a dry run on the CPU, GPU_SECONDS, the limit of everything (460), and GPU_PARTS, the
parts to measure by kind or name, such as `footprint,run dcgan`; all of them without it.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from gpu.plan import Planned, plan
from gpu.runs import RUNS
from gpu.sizes import DRY, sizes
from gpu.systems import SYSTEMS, exists
from gpu.tables import markdown

LEAST = 8.0
"""Seconds under which no part is worth starting."""


def main() -> None:
    """Measure everything."""
    begun = time.monotonic()
    out = Path(sys.argv[1])
    data = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    end = begun + float(os.environ.get("GPU_SECONDS", 460))
    results: dict[str, Any] = {
        "about": about(),
        "missing": [name for name, system in SYSTEMS.items() if not exists(system)],
        "skipped": [] if data is not None else [f"run {name}" for name in RUNS],
        "parts": {},
    }
    with tempfile.TemporaryDirectory() as work, (out / "gpu.log").open("w") as log:
        for group in filter(None, map(chosen, plan(data, out, Path(work)))):
            # Side by side only where each has cores enough for itself.
            together = len(group) if (os.cpu_count() or 1) >= len(group) else 1
            with ThreadPoolExecutor(together) as pool:
                found = {pool.submit(measured, part, end, Path(work)): part for part in group}
                for future in as_completed(found):
                    name, (result, said) = found[future].name, future.result()
                    results["parts"][name] = result
                    results["about"]["seconds"] = time.monotonic() - begun
                    write(out, results)
                    print(f"\n== {name}\n{said}", file=log, flush=True)
                    print(f"{name}: {result['seconds']:.0f} s, {result['error'] or 'done'}", flush=True)
    print((out / "gpu.md").read_text())


def chosen(group: list[Planned]) -> list[Planned]:
    """Return the parts that are asked for, by their kinds or their names."""
    asked = list(filter(None, os.environ.get("GPU_PARTS", "").split(",")))
    return [part for part in group if not asked or part.name.split()[0] in asked or part.name in asked]


def about() -> dict[str, Any]:
    """Return what is measured on."""
    import torch

    dry = sizes() is DRY
    return {
        "device": "CPU" if dry else torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
        "date": datetime.now(timezone.utc).date().isoformat(),
        "dry": dry,
    }


def measured(part: Planned, end: float, work: Path) -> tuple[dict[str, Any], str]:
    """Measure a part; return what it has found, also when it fails or has to be stopped, and what it has printed."""
    begun, error = time.monotonic(), None
    limit = min(part.limit, end - begun)
    if limit < LEAST:
        return {"seconds": 0.0, "error": "no time left", "rows": []}, ""
    file, log = (work / f"{part.name.replace(' ', '_')}{suffix}" for suffix in (".json", ".log"))
    command = [sys.executable, "-m", "gpu.part", part.module, str(file), str(limit), *part.arguments]
    with log.open("w") as output:
        # In a group of its own, so that what it has started ends with it.
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = process.wait(limit)
            error = f"ended with code {code}; see gpu.log" if code else None
        except subprocess.TimeoutExpired:
            error = f"stopped after its {limit:.0f} s"
        finally:
            _end(process)
    found = json.loads(file.read_text()) if file.exists() else {"error": None, "rows": []}
    result = {"seconds": time.monotonic() - begun, "error": found["error"] or error, "rows": found["rows"]}
    return result, log.read_text(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # the usual case: all of them have ended
    process.wait()


def write(out: Path, results: dict[str, Any]) -> None:
    """Write what is known so far."""
    (out / "gpu.json").write_text(json.dumps(results, indent=1) + "\n")
    (out / "gpu.md").write_text(markdown(results))


if __name__ == "__main__":
    main()
