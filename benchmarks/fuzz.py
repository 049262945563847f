"""Thousands of requests and data sets that nobody should make, given to the real program.

    python benchmarks/fuzz.py [--overrides 2200] [--data 600] [--checkpoints 200] [--seed 0] [--jobs 1]
    python benchmarks/fuzz.py --only 'train.steps=nan'          (one command line, shown whole)

Each case is run in a process of its own, forked from one that has imported everything. It must end with
code 0 or 2 (1 only for the reasons in `tests/fuzzing/runner.py`, 3 if it went on for too long and was told
to stop), give its reason in one line, show no traceback, and write nothing outside of its folder.
What a case came to is kept in `--out`; with `--again`, cases that are there without a fault are not repeated.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.fuzzing import checkpoints, datasets, overrides, runner
from tests.fuzzing.case import Case


def main() -> int:
    """Play all cases; return 0 if nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--overrides", type=int, default=2200)
    parser.add_argument("--data", type=int, default=600)
    parser.add_argument("--checkpoints", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", nargs="+", help="one command line")
    parser.add_argument("--again", action="store_true", help="go on from, or repeat what went wrong in, --out")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "fuzz.jsonl")
    given = parser.parse_args()
    runner.preload()
    gc.collect()
    gc.freeze()  # else every fork would look through all that has been imported
    root = Path(tempfile.mkdtemp(prefix="fuzz-"))
    if given.only:
        case = Case("only", (*overrides.FAST, *overrides.SMALL, *given.only), overrides.places)
        verdict = runner.play(case, root / "only", root / "cache")
        print(verdict.outcome.output, f"exit code {verdict.outcome.code}", *verdict.faults, sep="\n")
        return 1 if verdict.faults else 0
    kept = [json.loads(line) for line in given.out.read_text().splitlines()] if given.again else []
    rows = {row["number"]: row for row in kept if not row["faults"]}
    wanted = [(number, case) for number, case in enumerate(cases(given, root)) if number not in rows]
    print(f"{len(wanted)} cases, seed {given.seed}, in {root}", flush=True)
    began = time.monotonic()
    given.out.write_text("".join(json.dumps(row) + "\n" for row in rows.values()))
    for child in [in_child(wanted[job :: given.jobs], root, given.out) for job in range(given.jobs)]:
        os.waitpid(child, 0)
    shutil.rmtree(root, ignore_errors=True)
    return report([json.loads(line) for line in given.out.read_text().splitlines()], time.monotonic() - began)


def cases(given: argparse.Namespace, root: Path) -> Iterator[Case]:
    """Yield the cases that are asked for."""
    choice = random.Random(given.seed)
    share = given.overrides // 10
    yield from overrides.of_settings(choice, given.overrides - 3 * share)
    yield from overrides.malformed(choice, int(1.5 * share))
    yield from overrides.yaml_files(choice, int(1.5 * share))
    yield from datasets.cases(choice, given.data)
    if given.checkpoints:
        made = runner.play(Case("checkpoint", checkpoints.RUN), root / "base", root / "cache", keep=True)
        assert made.outcome.code == 0, made.outcome.output
        yield from checkpoints.cases(choice, given.checkpoints, root / "base" / "run")


def in_child(cases: list[tuple[int, Case]], root: Path, out: Path) -> int:
    """Play cases in a fork of this process, so that several can go on at once; return its id."""
    pid = os.fork()
    if pid:
        return pid
    with open(out, "a", buffering=1) as file:
        for number, case in cases:
            verdict = runner.play(case, root / str(number), root / "cache")
            row = {
                "number": number,
                "kind": case.kind,
                "arguments": case.arguments,
                "code": verdict.outcome.code,
                "told": verdict.outcome.told,
                "seconds": round(verdict.outcome.seconds, 2),
                "reason": verdict.outcome.reason,
                "faults": verdict.faults,
            }
            if verdict.faults:
                row["output"] = verdict.outcome.output[-4000:]
            file.write(json.dumps(row) + "\n")
    os._exit(0)


def report(rows: list[dict[str, object]], seconds: float) -> int:
    """Print how the cases ended; return 0 if nothing was wrong."""
    for kind in dict.fromkeys(str(row["kind"]) for row in rows):
        codes = Counter(row["code"] for row in rows if row["kind"] == kind)
        counts = ", ".join(f"{count} with {code}" for code, count in sorted(codes.items(), key=str))
        print(f"{kind}: {sum(codes.values())} cases ended, {counts}")
    failed = Counter(reason_of(row) for row in rows if row["code"] == 1 and not row["faults"])
    print("rightly ended with 1:", dict(failed))
    bad = [row for row in rows if row["faults"]]
    for row in bad:
        print(f"\n{row['faults']}\n  {row['kind']}: {row['arguments']}\n  {str(row['reason'])[:300]}")
    print(f"\n{len(rows)} cases in {seconds:.0f} s, {len(bad)} with faults")
    return 1 if bad else 0


def reason_of(row: dict[str, object]) -> str:
    """Return which of the reasons to fail a case gave."""
    return next(part for part in runner.RIGHTLY_FAILS if part in str(row["reason"]))


if __name__ == "__main__":
    sys.exit(main())
