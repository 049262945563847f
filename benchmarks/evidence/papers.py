"""The page of papers, which says where each was measured."""

from __future__ import annotations

import subprocess
import sys

from evidence.job import ROOT


def renew() -> None:
    """Write its last column anew, from the records as they are."""
    subprocess.run([sys.executable, str(ROOT / "docs" / "measured.py")], check=True)
