"""Tables, texts, waves and textures that are damaged, endless or meant to harm are refused with the reason."""

import csv
import io
import os
import struct
import wave

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from gan_framework.data import build_source
from gan_framework.data.completing import as_settings
from gan_framework.errors import ConfigError
from gan_framework.storage.sequences import lines_of
from gan_zoo.columns import Layout
from gan_zoo.datasets.table import TableFile
from gan_zoo.metrics.frechet import read_statistics
from tests.data.test_hostile import png_of

ROWS = "".join(f"{number},{number % 3},{'ab'[number % 2]}\n" for number in range(40))


def head(channels=1, rate=8000, bits=16, announced=400, content=bytes(400), kind=1):
    """Return a WAV file whose head says what it likes."""
    form = struct.pack("<HHIIHH", kind, channels, rate, 0, channels * ((bits + 7) // 8), bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", announced) + content
    return b"RIFF" + struct.pack("<I", len(body)) + body


def refused(name, path, said, **settings):
    with pytest.raises(ConfigError, match=said) as failure:
        build_source({"name": name, "path": str(path), **settings}).load("train")
    assert "\n" not in str(failure.value) and "invalid settings" not in str(failure.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (head(rate=0), "0 Hz"),
        (head(bits=64), "64 bits"),
        (head(channels=1000), "1000 channels"),
        (head(kind=3, bits=32), "unknown format: 3"),
        (head(announced=2**32 - 1), "cut short"),
        (head(announced=0, content=b""), "empty"),
        (head()[:30], "a.wav"),
        (b"", "a.wav"),
    ],
)
def test_waves_whose_head_lies_are_refused(tmp_path, content, said):
    (tmp_path / "a.wav").write_bytes(content)
    refused("wav", tmp_path, said, length=64)


def test_pipes_and_devices_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    refused("wav", tmp_path, "not a regular file", length=64)
    for name in ("tokens", "table", "texture"):
        refused(name, tmp_path / "pipe.wav", "not a regular file")
        refused(name, "/dev/zero", "not a regular file")
        refused(name, tmp_path, "is a folder, and a file is needed")


def test_waves_of_names_that_are_no_text_are_read(tmp_path):
    with wave.open(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(400))
    assert len(build_source({"name": "wav", "path": str(tmp_path), "length": 64, "test_share": 0.0}).load("train")) == 3


@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        ("x,y,z\n" + ROWS, {"separator": ";;"}, "data.separator"),
        ("x,y,z\n" + ROWS, {"most_modes": 0}, "data.most_modes=0"),
        ("x,y,z\n" + ROWS, {"layout": {"encoding": "modes", "columns": []}}, "no columns"),
        (",".join(map(str, range(6000))) + "\n" + "1," * 5999 + "1\n", {}, "6,000 columns"),
        ("a,b\n" + "x" * 2**24 + "\n", {}, "a line has more than"),
    ],
)
def test_tables_that_cannot_be_right_are_refused(tmp_path, content, settings, said):
    (tmp_path / "a.csv").write_text(content)
    refused("table", tmp_path / "a.csv", said, **settings)


def test_numbers_and_dates_beyond_all_bounds_are_texts(tmp_path):
    rows = "".join(
        f"{['1e308', '-1e308', '3.5'][i % 3]},{['0001-01-01T00:00+23:59', '2000-01-01'][i % 2]}\n" for i in range(60)
    )
    (tmp_path / "a.csv").write_text("a,b\n" + rows)
    source = build_source({"name": "table", "path": str(tmp_path / "a.csv")})
    assert [column.kind for column in source.layout.columns] == ["category", "category"]
    assert source.load("train").samples.isfinite().all()


@pytest.mark.parametrize(
    "changes",
    [{"kind": "weird"}, {"low": "a"}, {"low": 9}, {"stds": [-1]}, {"stds": []}, {"decimals": 10**9}, {"means": [1e400]},
     {"name": 1}, {"kind": "date", "high": 1e30}, {"kind": "category"}, {"counts": ["x"]}, {"unknown": 1}],
)  # fmt: skip
def test_a_layout_of_somebody_else_is_checked(changes):
    column = {"name": "x", "kind": "number", "low": 0, "high": 1, "means": [0], "stds": [1], "weights": [1]}
    assert Layout.of({"encoding": "modes", "columns": [column]}).size == 2
    with pytest.raises(ConfigError, match="layout"):
        Layout.of({"encoding": "modes", "columns": [column | changes]})


def test_written_tables_and_texts_have_no_formulas_and_steer_no_terminal():
    values = [
        "=HYPERLINK(1)",
        " @SUM(1)",
        "+cmd|' /C calc'!A0",
        "-",
        "+50K",
        "\x1b[2J",
        "\u202eabc",
        "na\u00efve \u200c",
    ]
    column = {"name": "=x\x07", "kind": "category", "values": values}
    rows = list(csv.reader(io.StringIO(Layout.of({"encoding": "modes", "columns": [column]}).table(torch.eye(8)))))
    assert [row[0] for row in rows] == [
        "'=x\\x07", "'=HYPERLINK(1)", "' @SUM(1)", "'+cmd|' /C calc'!A0", "-", "+50K", "\\x1b[2J", "\\u202eabc",
        "na\u00efve \u200c",
    ]  # fmt: skip
    assert lines_of(torch.tensor([[1, 2, 0, 2]]), ["", "\x1b", "b"]) == ["\\x1bb"]  # the first padding is the end
    assert lines_of(torch.tensor([[1, 7]]), ["", "b"]) == ["b7"]  # a checkpoint with too few symbols


def test_a_separator_of_somebody_else_is_checked(tmp_path):
    for separator in ("ab", 5, '"', ["x"]):
        with pytest.raises(ConfigError, match="data.separator="):
            TableFile.write(tmp_path / "a.png", torch.zeros(1, 2), {"layout": {}, "separator": separator})


def test_parquet_that_is_damaged_nested_or_a_bomb_is_refused(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra [parquet]")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra [parquet]")

    def saved(name, **columns):
        parquet.write_table(pyarrow.table(columns), tmp_path / name, compression="zstd")
        return tmp_path / name

    good = saved("good.parquet", a=[1, 2, None] * 20, b=["x", "y", None] * 20, c=pyarrow.array([0.1] * 60, "float32"))
    layout = build_source({"name": "table", "path": str(good)}).layout
    assert [(column.kind, column.values) for column in layout.columns] == [
        ("category", ("1", "2")), ("category", ("x", "y")), ("constant", ("0.1",)),
    ]  # fmt: skip
    (tmp_path / "cut.parquet").write_bytes(good.read_bytes()[:-9])
    refused("table", tmp_path / "cut.parquet", "no Parquet file")
    refused("table", saved("nested.parquet", a=[[1], [2]]), "column 'a' holds lists")
    refused("table", saved("long.parquet", a=["x" * 200_000] * 20), "200,000 characters")
    bomb = saved(
        "bomb.parquet", a=pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 12_000, "int32"), ["x" * 100_000])
    )
    assert bomb.stat().st_size < 20_000
    refused("table", bomb, "unpacks to")


def test_a_texture_that_is_no_image_is_refused(tmp_path):
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 200 200\n"
    for content, said in ((script, "it is no JPEG"), (png_of(20_000, 20_000), "pixels"), (b"", "image")):
        (tmp_path / "a.png").write_bytes(content)
        refused("texture", tmp_path / "a.png", said)
    refused("texture", tmp_path / "a.png", "data.image_size=-4", image_size=-4)


def test_a_text_whose_tokens_fit_into_no_memory_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("ab\ncd\n" * 20)
    refused("tokens", tmp_path / "a.txt", "memory", length=10**12)


def test_what_is_found_in_data_is_text_and_refers_to_nothing(monkeypatch):
    monkeypatch.setenv("OF_THE_USER", "private")
    found = {"classes": ("${oc.env:OF_THE_USER}", "a${b", r"\${x}"), "layout": {"columns": [{"name": "${seed}"}]}}
    config = OmegaConf.create({"classes": None, "layout": None})
    config.update(as_settings(found))
    assert OmegaConf.to_container(config, resolve=True) == {**found, "classes": [*found["classes"]]}
    with pytest.raises(ConfigError, match=r"data.layout: the data have the name '\?\?\?'"):
        as_settings({"layout": {"columns": [{"values": ["a", "???"]}]}})


def test_a_table_whose_columns_no_configuration_could_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("gan_zoo.datasets.table.MOST_DESCRIBED", 40)
    (tmp_path / "a.csv").write_text("x,y,z\n" + ROWS)
    refused("table", tmp_path / "a.csv", "values to describe 3 columns")


@pytest.mark.parametrize(
    ("mu", "sigma", "said"),
    [
        (np.zeros(3), -np.eye(3), "no covariance"),
        (np.zeros(3), np.triu(np.ones((3, 3))), "no covariance"),
        (np.zeros(0), np.zeros((0, 0)), r"mu has the shape \(0,\)"),
        (np.zeros(10**6), np.eye(3), r"mu has the shape \(1000000,\)"),
        (np.zeros(3) + 1j, np.eye(3), "complex128"),
        (np.array([{}] * 3, dtype=object), np.eye(3), "must be an .npz file"),
    ],
)
def test_statistics_that_can_be_none_are_refused(tmp_path, mu, sigma, said):
    np.savez_compressed(tmp_path / "a.npz", mu=mu, sigma=sigma)
    with pytest.raises(ConfigError, match=said):
        read_statistics(tmp_path / "a.npz", "metrics.fid.reference")
