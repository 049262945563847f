import json
import math

import pytest
import yaml

from gan_framework.storage import plain
from gan_framework.storage.foreign import Damaged


def from_yaml(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    return plain.read_yaml(tmp_path / "a.yaml", tmp_path)


def test_plain_values_are_read_as_yaml_has_them(tmp_path):
    content = {"a": [1, 2.5, "x", None, True], "b": {"c": {}, "d": []}, "e": "=1", "f": math.inf, 3: "three"}
    assert from_yaml(tmp_path, yaml.safe_dump(content)) == content


def test_few_anchors_are_read(tmp_path):
    assert from_yaml(tmp_path, "a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}") == {
        "a": {"x": 1},
        "b": {"x": 1},
        "c": {"x": 1, "y": 2},
    }


def test_the_limit_counts_each_repetition(tmp_path):
    each = plain.REPEATED // 10

    def text(repetitions):
        return f"a: &a [{', '.join(['x'] * each)}]\nb: [{', '.join(['*a'] * repetitions)}]"

    assert len(from_yaml(tmp_path, text(9))["b"]) == 9
    with pytest.raises(Damaged, match="a.yaml: .* more than 5,000 that stand there by anchors"):
        from_yaml(tmp_path, text(25))


def test_the_settings_of_a_wide_table_are_read(tmp_path):
    columns = "".join(f"- {{name: c{i}, kind: number, means: [1.0, 2.0], stds: [1.0, 2.0]}}\n" for i in range(2_000))
    assert len(from_yaml(tmp_path, f"columns:\n{columns}")["columns"]) == 2_000
    with pytest.raises(Damaged, match="a.yaml: it holds more than 30,000 values"):
        from_yaml(tmp_path, f"columns:\n{columns * 4}")


@pytest.mark.parametrize("depth", [plain.DEPTH - 1, plain.DEPTH + 1])
def test_the_limit_of_depth(tmp_path, depth):
    text = '{"a":' * depth + "1" + "}" * depth
    (tmp_path / "a.json").write_text(text)
    for read in (lambda: from_yaml(tmp_path, text), lambda: plain.read_json(tmp_path / "a.json", tmp_path)):
        if depth < plain.DEPTH:
            assert read() == json.loads(text)
        else:
            with pytest.raises(Damaged, match=f"nested more than {plain.DEPTH} deep"):
                read()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 0x" + "f" * 100, "a is a number of more than 256 bits"),
        ("a: [1, 2026-01-01]", r"a\.1 is datetime\.date"),
        ("? [1]\n: 2", "is no YAML"),
        ("a: *b", "stands within itself or for nothing"),
        ("a: \x1b", "is no YAML"),
        ("a: !!set {x}", "tag"),
        ("", "holds no settings by name but null"),
        ("---\na: 1\n---\nb: 2", "is no YAML"),
    ],
)
def test_what_is_no_plain_value_is_named(tmp_path, text, why):
    with pytest.raises(Damaged, match=why) as refused:
        from_yaml(tmp_path, text)
    assert str(refused.value).startswith("a.yaml") and str(refused.value).isprintable()


def objects(tmp_path, content, longest=100):
    (tmp_path / "a.jsonl").write_bytes(content)
    lines = plain.read_lines(tmp_path / "a.jsonl", tmp_path, 10_000, longest)
    return [plain.parse_line(line, number, "a.jsonl") for number, line in lines]


def test_objects_are_read_line_by_line_and_a_cut_off_one_is_passed_over(tmp_path):
    assert objects(tmp_path, b'{"a": 1}\n{"b": 2} \n{"c": ') == [{"a": 1}, {"b": 2}]
    assert objects(tmp_path, b"") == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"a": 1}\n[1]\n', "line 2 is a list"),
        (b'{"a": 1}\n\n', "line 2 is no JSON"),
        (b'{"a": 1}{"b": 1}\n', "line 1 is no JSON: there is more than one value"),
        (b'{"a": NaN}\n', "line 1 is no JSON: NaN is no finite number"),
        (b'\xff{"a": 1}\n', "line 1 is no JSON"),
        (b'{"a": 1}\n' + b" " * 200, "line 2 is longer than 100 bytes"),
        (b"[" * 99 + b"\n", "line 1 is no JSON"),
    ],
)
def test_a_line_that_is_no_object_is_named(tmp_path, content, why):
    with pytest.raises(Damaged, match=f"a.jsonl: {why}"):
        objects(tmp_path, content)
