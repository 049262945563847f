"""A run that is killed again and again, at moments nobody chose, and must end as if it had not been.

    python benchmarks/kills.py [--kills 25] [--seed 0] [--work FOLDER]

The real program trains on the digits with strategies whose state a checkpoint must hold: exponential moving
averages, historical averages, a virtual batch norm's reference batch, gates, annealed learning rates. It is
killed by SIGKILL after random times: while it starts, in a step, while it writes a checkpoint or a metric line,
while it scores. Each time the same command continues (`train.resume=auto`). At its end everything it leaves is
compared with what an uninterrupted run leaves: parameters, optimizers, averages, strategies, metric lines, the
best checkpoint.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.helpers.resuming import count, difference, finish, kill, start

STEPS = 180
EVALUATE_EVERY = 6
MOMENTS = ("step", "checkpoint", "evaluation", "metric line", "start")
STRATEGIES = "strategy=[ema,historical_averaging,virtual_batch_norm,lr_decay]"
RUNS = {
    "many strategies": [
        "model=dcgan",
        STRATEGIES,
        "strategy.virtual_batch_norm.networks=[generator,discriminator]",
    ],
    "gated": ["model=dcgan", "strategy=[loss_gated,ema,minibatch_stddev]", "strategy.loss_gated.generator=0.6"],
}
SETTINGS = [
    "data.image_size=16",
    "networks.generator.width=4",
    "networks.discriminator.width=4",
    "train.batch_size=8",
    f"train.steps={STEPS}",
    "train.log_every=1",
    "train.sample_every=10",
    "train.checkpoint_every=4",
    f"evaluate.every={EVALUATE_EVERY}",
    "evaluate.samples=64",
    "extractor.epochs=1",
    "tracker=[]",
]


def main() -> int:
    """Kill, resume and compare; return 0 if nothing differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="keep the runs there")
    given = parser.parse_args()
    folder = given.work or Path(tempfile.mkdtemp(prefix="kills-"))
    os.environ["GAN_FRAMEWORK_CACHE"] = str(folder / "cache")
    choice = random.Random(given.seed)
    shares = [given.kills - given.kills // 2, given.kills // 2]
    wrong = [one(name, folder, kills, choice) for name, kills in zip(RUNS, shares, strict=True)]
    if given.work is None:
        shutil.rmtree(folder)
    return 1 if any(wrong) else 0


def one(name: str, folder: Path, kills: int, choice: random.Random) -> bool:
    """Kill one kind of run so often; return whether it then differs from an uninterrupted one."""
    settings = [*RUNS[name], *SETTINGS]
    began = time.monotonic()
    whole, killed = folder / f"{name} whole", folder / f"{name} killed"
    code, output = finish(whole, *settings)
    assert code == 0, output
    moments: Counter[str] = Counter()
    for number in range(kills):
        moment = MOMENTS[number % len(MOMENTS)]
        at = choice.randint(number * STEPS // (kills + 1), (number + 1) * STEPS // (kills + 1) - EVALUATE_EVERY)
        process = start(killed, *settings)
        assert kill(process, killed, choice, at, moment, EVALUATE_EVERY), f"the run had ended: {moment} at {at}"
        moments[moment] += 1
        print(f"{name}: killed ({moment}) after {count(killed)} lines", flush=True)
    code, output = finish(killed, *settings)
    assert code == 0, output
    found = difference(whole, killed)
    took = time.monotonic() - began
    print(f"{name}: {kills} kills ({dict(moments)}) in {took:.0f} s: {'; '.join(found) or 'no difference'}", flush=True)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
