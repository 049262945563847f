"""Data whose numbers mean others than those that a model makes."""

import pytest

from gan_framework.cli.other_data import refuse_other_meaning
from gan_framework.config.compose import compose, plain
from gan_framework.config.scoring import rescored
from gan_framework.errors import ConfigError
from gan_zoo.datasets.table import TableFile
from gan_zoo.datasets.tokens import Tokens


def tokens(folder, text):
    (folder / "lines.txt").write_text(text)
    return Tokens(folder / "lines.txt", None, 0.0, "characters", None, None, False)


def table(folder, factor):
    rows = "".join(f"{factor * row},{'ab'[row % 2]}\n" for row in range(40))
    (folder / "rows.csv").write_text(f"size,kind\n{rows}")
    return TableFile(folder / "rows.csv", None, 0.0, ",", None, "unit", 100, 1, None, None, None)


def test_tokens_of_another_alphabet_are_refused(tmp_path):
    of_training = {"symbols": [*tokens(tmp_path, "ab\nba").symbols]}
    refuse_other_meaning("run", of_training, tokens(tmp_path, "bb\naa"), "tokens")
    refuse_other_meaning("run", {}, tokens(tmp_path, "xy\nyx"), "tokens")
    with pytest.raises(ConfigError, match="run was trained on the symbols '' 'a' 'b', and data=tokens has '' 'x' 'y'"):
        refuse_other_meaning("run", of_training, tokens(tmp_path, "xy\nyx"), "tokens")


def test_rows_that_are_encoded_otherwise_are_refused(tmp_path):
    of_training = {"layout": table(tmp_path, 1).layout.plain()}
    refuse_other_meaning("run", of_training, table(tmp_path, 1), "table")
    other = table(tmp_path, 3)
    assert other.shape == table(tmp_path, 1).shape
    with pytest.raises(ConfigError, match="each entry of a row means another. Name the other table by data.path alone"):
        refuse_other_meaning("run", of_training, table(tmp_path, 3), "table")


def test_another_file_of_data_without_classes_is_read():
    saved = plain(compose(["experiment=seqgan", "data=tokens", "data.path=a.txt", "metrics=[ngrams]"]))
    assert rescored(saved, ["data.path=b.txt"]).data.path == "b.txt"
