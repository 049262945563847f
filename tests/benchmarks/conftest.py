"""The benchmarks are scripts: what they share lies beside them."""

import sys

from tests.helpers.environment import ROOT

sys.path.append(str(ROOT / "benchmarks"))
