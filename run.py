"""Start a run or a sweep: `python run.py [overrides]`, `python run.py -m [overrides]`."""

import sys

from gan_framework.cli.train import train

if __name__ == "__main__":
    sys.exit(train())
