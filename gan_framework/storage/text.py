"""Text from others, made fit to be shown: on a terminal, in a log line, in a table's cell."""

from __future__ import annotations

import re
import unicodedata

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of what steers a terminal, turns the direction of writing or cannot be seen or encoded."""
STEERING = HIDDEN - {"Cf", "Co", "Cn"}
"""Those of them that no script needs."""
TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
"""Characters that make what follows read in the other direction, whatever it is."""
NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
MARKUP = re.compile(r"[\\<`]|\](?=[(\[])")
"""What HTML, code, links and pictures in Markdown cannot do without, and what takes away its meaning."""
UNDECODED = range(0xDC80, 0xDD00)
"""What Python makes of the bytes of a file's name that are no UTF-8."""


def visible(text: str) -> str:
    r"""Return a text in one line in which every character can be seen: ESC as `\x1b`, the end of a line as `\n`.

    What is returned can be encoded in UTF-8, whatever `text` holds.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_seen, text))


def harmless(text: str) -> str:
    """Return a text of data in one line: what steers a terminal or turns the direction of writing is escaped.

    All else stays, so that words in any script are written as they are, with the joiners between their letters.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_seen(one) if unicodedata.category(one) in STEERING or one in TURNING else one for one in text)


def markdown(text: str) -> str:
    """Return a text in one line that Markdown shows as it is: it holds no picture, link, code or HTML."""
    return MARKUP.sub(lambda found: f"\\{found[0]}", visible(text))


def lines(text: str) -> str:
    """Return a text in which every character can be seen, and that keeps its lines."""
    return "\n".join(map(visible, text.split("\n")))


def brief(text: str, most: int) -> str:
    """Return `visible(text)`, cut to `most` characters, the last one an ellipsis where something was cut off."""
    shown = visible(text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def few(texts: list[str], most: int = 5) -> list[str]:
    """Return at most so many texts, and then how many more there are."""
    return texts if len(texts) <= most else [*texts[:most], f"and {len(texts) - most:,} more like it"]


def _seen(character: str) -> str:
    if unicodedata.category(character) not in HIDDEN:
        return character
    if character in NAMED:
        return NAMED[character]
    code = ord(character)
    if code in UNDECODED:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
