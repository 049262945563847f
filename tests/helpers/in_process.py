"""Commands in this process, where nothing of them has to be in another one."""

import sys

from gan_framework.cli import commands


def called(*arguments, program=commands.main):
    """Run `gan-framework ARGUMENTS`, or another program of ours, and return its exit code."""
    before, sys.argv = sys.argv, ["gan-framework", *map(str, arguments)]
    try:
        return program()
    except SystemExit as end:
        return end.code or 0
    finally:
        sys.argv = before


def last_line(text):
    """Return the last line of what a program said, which says what is wrong; "" where it said nothing."""
    return (text.strip().splitlines() or [""])[-1]
