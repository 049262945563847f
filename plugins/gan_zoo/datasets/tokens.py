"""A text file of one's own: a sequence in each line, of characters or of words."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory
from gan_zoo.datasets.array_sizes import check_size
from gan_zoo.datasets.checks import known_file, known_split, warn_of_one_place
from gan_zoo.lengths import LENGTHS, are_padded, with_lengths

UNITS = ("characters", "words")

LARGEST = 2**30
"""The largest file that is read, in bytes."""

MOST_SYMBOLS = 5_000
"""The most symbols: a run's configuration names each of them."""

UNKNOWN = "<unknown>"
"""What words beyond the vocabulary are written as."""


class Tokens(DataSource):
    """The lines of a text file in UTF-8 as tokens, padded at their ends; empty lines are left out.

    The symbols are those of the file in the order of the alphabet, after padding, which is symbol 0 and written as
    nothing. They are kept in the run's configuration, so that its samples can be read without the file. Where lines are
    of different lengths, the extra `lengths` says how many tokens each has.

    Args:
        path: the file.
        test_path: another one, for the split `test`.
        test_share: without `test_path`, the share of lines that is held out as `test`; a line's content decides
            whether it is.
        unit: `characters`, or `words` between spaces.
        length: the number of tokens to which shorter lines are padded; longer lines are left out. None for that of the
            longest line.
        vocabulary: the number of symbols, padding included: of words beyond it the rarest are one, `<unknown>`. None
            for all that there are, of which there may be 5,000.
        lower: whether letters are made small.
    """

    def __init__(
        self,
        path: Path | None,
        test_path: Path | None,
        test_share: float,
        unit: str,
        length: int | None,
        vocabulary: int | None,
        lower: bool,
    ) -> None:
        if not path:
            raise ConfigError("data.path is missing: a text file with a sequence in each line")
        if unit not in UNITS:
            raise ConfigError(f"data.unit={unit} must be characters or words")
        if not 0 <= test_share < 1:
            raise ConfigError(f"data.test_share={test_share} must be at least 0 and less than 1")
        if length is not None and length < 1:
            raise ConfigError(f"data.length={length} must be at least 1, or null for that of the longest line")
        self.path = Path(path).expanduser()
        self.test_path = Path(test_path).expanduser() if test_path else None
        self.test_share, self.unit, self.lower = test_share, unit, lower
        if self.test_path is not None:
            warn_of_one_place(self.path, self.test_path)
        self._lines = self._read(self.path)
        self._test_lines = self._read(self.test_path) if self.test_path is not None else []
        together = self._lines + self._test_lines
        self.length = length or max(map(len, together))
        self.symbols = self._vocabulary(together, vocabulary)
        self._number = {symbol: number for number, symbol in enumerate(self.symbols)}
        padded = any(len(line) < self.length for line in together)
        self.shape = with_lengths(DataShape((self.length, len(self.symbols)), vocabulary=len(self.symbols)), padded)

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`.

        Raises:
            ConfigError: there is no such split, or it has no line.
        """
        known_split("tokens", split, ("train", "test"))
        if self.test_path is not None:
            chosen = self._test_lines if split == "test" else self._lines
        else:
            chosen = [line for line in self._lines if self._held_out(line) == (split == "test")]
        fitting = [line for line in chosen if len(line) <= self.length]
        if not fitting:
            why = f"none of its {len(chosen)} lines has at most data.length={self.length} {self.unit}"
            raise ConfigError(
                f"{self.path} has no sequence for the split {split!r}: "
                + (why if chosen else f"data.test_share={self.test_share} leaves none")
            )
        lengths = {LENGTHS: torch.tensor([*map(len, fitting)])} if are_padded(self.shape) else None
        data = InMemory(self._encoded(fitting), None, lengths, len(self.symbols))
        if len(fitting) < len(chosen):
            data.notes = (f"{len(chosen) - len(fitting):,} lines of more than {self.length} {self.unit} left out",)
        return data

    def _read(self, path: Path) -> list[tuple[str, ...]]:
        try:
            text = known_file(path, LARGEST).read_text(encoding="utf-8-sig")
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path} is no text in UTF-8: {error.reason} at byte {error.start}") from error
        lines = (line.lower() if self.lower else line for line in text.split("\n"))
        found = [tuple(line.strip()) if self.unit == "characters" else tuple(line.split()) for line in lines]
        found = [line for line in found if line]
        if not found:
            raise ConfigError(f"{path} has no line that is not empty")
        return found

    def _vocabulary(self, lines: list[tuple[str, ...]], wanted: int | None) -> tuple[str, ...]:
        counts = Counter(symbol for line in lines if len(line) <= self.length for symbol in line)
        most = len(counts) + 1
        strange = next((symbol for symbol in counts if "${" in symbol), None)
        if strange is not None:
            raise ConfigError(f"{self.path} has the word {strange!r}; '${{' cannot be kept in a run's settings")
        if min(wanted or most, most) > MOST_SYMBOLS:
            raise ConfigError(
                f"{self.path} has {most:,} symbols, and there can be {MOST_SYMBOLS:,}: set data.vocabulary to at most "
                "that, and the rarest words become one"
            )
        if wanted is None or wanted == most:
            return ("", *sorted(counts))
        if self.unit == "characters" or wanted > most or wanted < 3:
            raise ConfigError(
                f"data.vocabulary={wanted}: {self.path} has {most} symbols, padding included; set it to null"
                + (", or to fewer, at least 3" if self.unit == "words" else "")
            )
        kept = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))[: wanted - 2]
        return ("", *sorted([*kept, UNKNOWN]))

    def _encoded(self, lines: list[tuple[str, ...]]) -> Tensor:
        check_size(f"{self.path}: {len(lines):,} lines of data.length={self.length}", 8 * len(lines) * self.length)
        unknown = self._number.get(UNKNOWN, 0)
        found = torch.zeros(len(lines), self.length, dtype=torch.int64)
        for row, line in enumerate(lines):
            found[row, : len(line)] = torch.tensor([self._number.get(symbol, unknown) for symbol in line])
        return found

    def _held_out(self, line: tuple[str, ...]) -> bool:
        digest = hashlib.sha256("\0".join(line).encode()).digest()
        return int.from_bytes(digest[:8], "big") < self.test_share * 2**64
