import os

import pytest

from gan_framework.storage.text import brief, few, lines, markdown, visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain text", "plain text"),
        ("Größe 大小 ± ½", "Größe 大小 ± ½"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x00\x07\x7f\x9b", r"\x00\x07\x7f\x9b"),
        ("\u202eab\u2066\ufeff", r"\u202eab\u2066\ufeff"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        (os.fsdecode(b"caf\xe9"), r"caf\xe9"),
    ],
)
def test_everything_can_be_seen_and_encoded(text, seen):
    assert visible(text) == seen
    visible(text).encode()
    assert len(visible(text).splitlines()) == 1


def test_every_character_is_shown_or_escaped():
    shown = "".join(visible(character) for character in map(chr, range(0x110000)) if not character.isspace())
    assert shown.isprintable()
    assert {visible(character) for character in " \u00a0\u3000"} == {" ", "\u00a0", "\u3000"}


def test_long_texts_are_cut():
    assert brief("abc", 3) == "abc"
    assert brief("abcd", 3) == "ab…"
    assert brief("\x1b" * 5, 5) == r"\x1b…"
    assert len(brief("x" * 10**6, 50)) == 50


def test_many_texts_are_counted():
    assert few(["a", "b"], 2) == ["a", "b"]
    assert few(["a", "b", "c", "d"], 2) == ["a", "b", "and 2 more like it"]


def test_lines_stay_lines():
    assert lines("a\n\x1b[2J\n\tb\r\n") == "a\n\\x1b[2J\n\\tb\\r\n"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("plain_name [1, 2] 3*4", "plain_name [1, 2] 3*4"),
        ("![x](https://evil)", r"![x\](https://evil)"),
        ("[x][y]", r"[x\][y]"),
        ("<img src=x>", r"\<img src=x>"),
        (r"\<b>", r"\\\<b>"),
        ("`a", r"\`a"),
        ("a\n# b", r"a\\n# b"),
    ],
)
def test_markdown_shows_a_text_as_it_is(given, written):
    assert markdown(given) == written
