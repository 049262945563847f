"""Repositories that somebody else has written, and servers that answer with what was not asked for."""

import hashlib
import json

import pytest

from gan_framework.errors import ConfigError
from gan_framework.library.model import load
from gan_framework.library.publish import export, pull
from tests.helpers import hub as server

for package in ("safetensors", "huggingface_hub"):
    pytest.importorskip(package, reason=f"{package} is not installed: pip install 'gan-framework[publish]'")

WHOLE = ["README.md", "config.yaml", "export.json", "generator.safetensors", "samples.png"]


@pytest.fixture
def exported(runs, tmp_path):
    """The files of an exported model, by name."""
    out = export(runs(), tmp_path / "exported")
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.fixture
def at_work(tmp_path, monkeypatch):
    """The folder that is worked in, with nothing in it."""
    folder = tmp_path / "deep" / "work"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def publish(hub, files, **changes):
    """Make a repository of files whose description says otherwise, and return them."""
    about = json.dumps({**json.loads(files["export.json"]), **changes}).encode()
    hub.repositories["a/m"] = {"private": False, "commits": []}
    hub.commit("a/m", "", {**files, "export.json": about})
    return {**files, "export.json": about}


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_of_a_repository_only_a_model_is_downloaded(hub, exported, at_work):
    more = {".git/config": b"[core]\nfsmonitor=touch owned", ".git/hooks/post-checkout": b"#!/bin/sh\ntouch owned"}
    more |= {
        "sitecustomize.py": b"1/0",
        "${oc.env:HOME}.txt": b"x",
        "../../escaped.txt": b"x",
        "/tmp/escaped.txt": b"x",
    }
    more |= {"a\n\x1b[2Jb.txt": b"x", "long" * 80: b"x", ".cache/x": b"x", "model.bin": b"x"}
    publish(hub, {**exported, **more})
    assert names(pull("hf:a/m")) == WHOLE
    assert names(at_work.parent) == ["work", "work/m", *(f"work/m/{name}" for name in WHOLE)]


def refused(exported):
    pickled = b"\x80\x04cos\nsystem\n(S'touch owned'\ntR."
    return {
        "no_hash": (exported, {"sha256": {}}, "generator.safetensors is not what was exported"),
        "other_place": (exported, {"sha256": {"../../x": "0"}}, "'../../x' is no file of the folder"),
        "missing": (exported, {"networks": {"e": "e.safetensors"}}, "holds no file 'e.safetensors', which export.json"),
        "vast": (exported, {"shape": [[10**9] * 3, 10]}, "export.json is damaged: it has no shape of samples"),
        "pickle": (
            {**exported, "generator.safetensors": pickled},
            {"sha256": {"generator.safetensors": hashlib.sha256(pickled).hexdigest()}},
            "no safetensors file",
        ),
        "tag": ({**exported, "config.yaml": b"!!python/object/apply:os.system [touch owned]"}, {}, "no tags are read"),
        "no_run": ({**exported, "config.yaml": b"a: 1"}, {}, "hf:a/m: config.yaml is not the configuration of a run"),
        "deep": ({**exported, "config.yaml": b"[" * 10**5}, {}, "hf:a/m: config.yaml"),
    }


@pytest.mark.parametrize("case", ["no_hash", "other_place", "missing", "vast", "pickle", "tag", "no_run", "deep"])
def test_a_model_that_is_refused_leaves_nothing_behind(hub, exported, at_work, case):
    files, changes, says = refused(exported)[case]
    publish(hub, files, **changes)
    with pytest.raises(ConfigError, match=says) as refusal:
        pull("hf:a/m")
    assert str(refusal.value).count("hf:a/m") == 1
    assert names(at_work.parent) == ["work"]


def test_a_model_that_is_refused_costs_no_earlier_one(hub, exported, at_work):
    published = publish(hub, exported)
    folder = pull("hf:a/m")
    hub.commit("a/m", "", {"generator.safetensors": exported["generator.safetensors"][:-1] + b"\x01"})
    with pytest.raises(ConfigError, match="its hash is not the one in export.json"):
        pull("hf:a/m")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == published
    hub.commit("a/m", "", {**exported, "README.md": b"newer"})
    assert (pull("hf:a/m") / "README.md").read_bytes() == b"newer" and names(at_work) == [
        "m",
        *(f"m/{n}" for n in WHOLE),
    ]


CHANGED = (
    ({"export.json": b"<html>log in</html>"}, " is not an exported model: export.json is no JSON"),
    ({"config.yaml": b"<html>log in</html>"}, ": config.yaml holds no settings by name"),
    ({"config.yaml": b"a: 1"}, ": config.yaml is not the configuration of a run"),
    ({"generator.safetensors": b"<html>"}, ": generator.safetensors is damaged, or no safetensors file"),
)


def test_what_is_wrong_in_the_cache_is_said_by_the_names_of_the_repository(hub, exported):
    for number, (changed, says) in enumerate(CHANGED):
        hub.repositories[f"a/{number}"] = {"private": False, "commits": []}
        hub.commit(f"a/{number}", "", {**exported, **changed})
        with pytest.raises(ConfigError, match=f"^hf:a/{number}{says}"):
            load(f"hf:a/{number}")
    hub.repositories["a/none"] = {"private": False, "commits": []}
    hub.commit("a/none", "", {"x": b""})
    with pytest.raises(ConfigError, match=r"^hf:a/none is not an exported model: it holds no export\.json$"):
        load("hf:a/none")


ANSWERS = {
    "page": lambda handler: handler._send(200, b"<html>log in</html>"),
    "round": lambda handler: handler._send(302, b"", Location=handler.path),
    "file": lambda handler: handler._send(302, b"", Location="file:///etc/passwd"),
    "packed": lambda handler: handler._send(200, b"x", ETag='"a"', X_Repo_Commit="0" * 40, Content_Encoding="gzip"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_answers_that_are_no_file_are_refused_in_one_line(hub, exported, at_work, answer, monkeypatch):
    publish(hub, exported)
    monkeypatch.setattr(server._Handler, "_resolve", lambda handler, body, **found: ANSWERS[answer](handler))
    with pytest.raises(ConfigError, match="^hf:a/m cannot be downloaded: ") as refusal:
        pull("hf:a/m")
    assert "\n" not in str(refusal.value) and names(at_work) == []


def test_a_port_or_hash_that_looks_like_a_refusal_is_none(hub, monkeypatch):
    import huggingface_hub

    def fail(*_, **__):
        raise OSError("http://127.0.0.1:44011/x/4017c403 is not there")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(ConfigError, match="is not there$"):
        pull("hf:a/m", None)


@pytest.mark.parametrize("header", ["ETag", "X_Repo_Commit"])
@pytest.mark.parametrize("place", ["../../../escaped", "{folder}/escaped", "../" * 12 + "{folder}/escaped"])
def test_what_the_server_says_of_a_file_names_no_place(hub, exported, at_work, tmp_path, header, place, monkeypatch):
    publish(hub, exported)
    said = place.format(folder=str(tmp_path).lstrip("/") if place.startswith("..") else tmp_path)

    def resolve(handler, body, name, revision, file):
        content = handler._found(name, revision)[file]
        headers = {"ETag": '"a"', "X_Repo_Commit": handler._sha(name, revision), header: said}
        return handler._send(200, content, **headers)

    monkeypatch.setattr(server._Handler, "_resolve", resolve)
    for take in (pull, load):
        try:
            take("hf:a/m")
        except ConfigError as error:
            assert "\n" not in str(error)
    kept = [*(tmp_path / "hub").rglob("escaped*"), *tmp_path.glob("escaped*"), *tmp_path.parent.glob("escaped*")]
    assert kept == [] and "escaped" not in " ".join(names(at_work.parent))
