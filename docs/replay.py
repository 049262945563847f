"""Types every command of a page again and writes what it prints into the page.

    python docs/replay.py docs/tutorial.md                # in this repository, with its environment active
    python docs/replay.py docs/tutorial.md --from 5       # from its fifth heading on; what is before has been done

Blocks of `console` hold commands after `$`, each before what it printed. A block that begins with `# path` is a file.
Of long outputs the beginning and the end are kept. Nothing that is made is deleted again: see `git status --ignored`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOME = "/home/me/gan-framework"
"""What the repository's own folder is called on the page."""

FIRST, LAST = 8, 14
"""Lines of an output that are kept at its beginning and at its end."""

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)$", re.MULTILINE)
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def main() -> None:
    """Replay a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--from", dest="start", type=int, default=1, help="the number of the heading to begin with")
    asked = parser.parse_args()
    page = asked.page.read_text()
    headings = [found.start() for found in re.finditer(r"^## ", page, re.MULTILINE)]
    skipped = headings[asked.start - 1] if asked.start > 1 else 0
    begin, rest = page[:skipped], page[skipped:]
    while found := BLOCK.search(rest):
        begin += rest[: found.start()]
        rest = rest[found.end() :]
        begin += done(found[1], found[2])
        asked.page.write_text(begin + rest)


def done(kind: str, text: str) -> str:
    """Do what a block says, and return it with its new output."""
    path = re.match(r"# (\S+\.\w+)\n", text)
    if kind == "console":
        text = "".join(map(replayed, COMMAND.findall(text)))
    elif path:
        (ROOT / path[1]).write_text(text[path.end() :])
    return f"```{kind}\n{text}```"


def replayed(command: str) -> str:
    """Run a command; return it and what it printed."""
    print(f"$ {command}", flush=True)
    ran = subprocess.run(
        command,
        shell=True,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        executable="/bin/bash",
    )
    lines = CONTROL.sub("", ran.stdout).replace(str(ROOT), HOME).splitlines()
    if len(lines) > FIRST + LAST + 1:
        lines[FIRST:-LAST] = ["..."]
    print("\n".join(lines), flush=True)
    return "".join(f"{line.rstrip()}\n" for line in (f"$ {command}", *lines))


if __name__ == "__main__":
    main()
