"""Models that are exported, published and loaded again."""

import json
import os
import re
from importlib.util import find_spec

import pytest
import torch
import yaml

from gan_framework.cli.evaluate import evaluate
from gan_framework.errors import ConfigError
from gan_framework.library.inline import newest_samples
from gan_framework.library.model import load
from gan_framework.library.publish import export, pull, push, without_places
from gan_framework.runs import checkpoint
from gan_framework.runs.restore import load_game
from gan_framework.runs.trained import warm_start
from gan_framework.storage.images import save_png
from gan_framework.storage.layout import RunFolder

for package in ("safetensors", "huggingface_hub"):
    pytest.importorskip(package, reason=f"{package} is not installed: pip install 'gan-framework[publish]'")

CONDITIONAL = ("model=dcgan_conditional",)
MODELS = [
    (),
    ("strategy=[ema]",),
    ("strategy=[ema,spectral_norm]", "strategy.spectral_norm.networks=[generator,discriminator]"),
    CONDITIONAL,
    ("experiment=infogan", "networks.generator.width=8", "networks.discriminator.width=8"),
]


def described(folder):
    return json.loads((folder / "export.json").read_text())


@pytest.mark.parametrize("overrides", MODELS[:4], ids=lambda overrides: "-".join(overrides) or "default")
def test_an_exported_model_makes_the_samples_of_the_run(runs, overrides, tmp_path):
    run = runs(*overrides)
    out = export(run, tmp_path / "out")
    one, other = load(run), load(out)
    assert torch.equal(one.sample(20, seed=3), other.sample(20, seed=3))
    assert other.step == 3 and other.classes == one.classes == [str(number) for number in range(10)]
    assert load(out / "generator.safetensors").step == 3
    with pytest.raises(ConfigError, match="was exported without its discriminator: export it with --discriminator"):
        _ = other.discriminator


@pytest.mark.slow
def test_a_sampler_draws_of_the_exported_model_what_it_draws_of_the_run(runs, tmp_path):
    run = runs("sampler=rejection", "sampler.burn_in=20")
    out = export(run, tmp_path / "out")
    assert set(described(out)["networks"]) == {"generator", "discriminator"}
    one, other = load(run), load(out)
    assert torch.equal(one.sample(8, seed=3), other.sample(8, seed=3))
    plain = load(out)
    plain.sampler = None
    assert not torch.equal(other.sample(8, seed=3), plain.sample(8, seed=3))


def test_the_discriminator_is_written_where_it_is_asked_for(runs, tmp_path):
    run = runs("strategy=[ema]")
    out = export(run, tmp_path / "out", discriminator=True)
    images = load(run).sample(4)
    plain = images.as_subclass(torch.Tensor)
    logits = [model.discriminator.eval()(plain).logits for model in (load(run), load(out))]
    assert torch.equal(*logits)
    assert described(out)["networks"] == {
        "generator_ema": "generator.safetensors",
        "discriminator": "discriminator.safetensors",
    }


def test_what_is_written_beside_the_weights(runs, tmp_path):
    run = runs(*CONDITIONAL)
    out = export(run, tmp_path / "model")
    assert {path.name for path in out.iterdir()} == {
        "README.md",
        "config.yaml",
        "export.json",
        "generator.safetensors",
        "samples.png",
    }
    card = (out / "README.md").read_text()
    metadata = yaml.safe_load(card.split("---")[1])
    assert metadata["library_name"] == "gan-framework" and "dcgan_conditional" in metadata["tags"]
    assert "model = load('model')" in card and "classes=['0']" in card and "| steps | 3 |" in card
    assert described(out)["conditional"] is True and described(out)["shape"][0] == [1, 16, 16]
    code = re.search(r"```python\n(.*?)```", card, re.DOTALL)[1].replace("'model'", repr(str(out)))
    names = {}
    exec(code, names)
    assert names["images"].shape == (16, 1, 16, 16)


def test_scores_stand_in_the_card_with_their_protocol(runs, tmp_path, cache):
    run = runs("evaluate.samples=64", "extractor.epochs=1")
    out = export(run, tmp_path / "out")
    card = (out / "README.md").read_text()
    summary = json.loads(RunFolder(run).summary.read_text())
    metadata = yaml.safe_load(card.split("---")[1])
    written = {one["name"]: one["value"] for one in metadata["model-index"][0]["results"][0]["metrics"]}
    assert written["fid_classifier"] == summary["metrics"]["eval/fid_classifier"]
    assert f"| reference_hash | {summary['protocol']['reference_hash']} |" in card
    assert load(out).protocol == summary["protocol"] and load(out).scores == written


def test_nothing_tells_where_the_run_lay_or_who_tracked_it(runs, tmp_path):
    source, tracked = runs(), {"wandb": {"name": "wandb", "entity": "somebody"}}
    run = runs(f"networks.generator.from={source}")
    state = checkpoint.load(RunFolder(run).last)
    assert str(source) in str(state["config"])
    data = {**state["config"]["data"], "name": "folder", "path": "/home/somebody/cats"}
    shown = without_places({**state["config"], "tracker": tracked, "data": data})
    assert shown["tracker"] == {} and shown["data"]["path"] == "cats"
    assert shown["networks"]["generator"]["from"] == "run"
    out = export(run, tmp_path / "out")
    for path in out.glob("*.[jmy]*"):
        assert str(source.parent) not in path.read_text(), path.name


@pytest.mark.parametrize("form", ["onnx", "torchscript"])
@pytest.mark.parametrize("overrides", MODELS[:4], ids=lambda overrides: "-".join(overrides) or "default")
def test_a_generator_in_another_form_makes_the_samples_of_the_run(runs, overrides, form, tmp_path):
    if form == "onnx" and not (find_spec("onnx") and find_spec("onnxruntime")):
        pytest.skip("onnx or onnxruntime is not installed: pip install 'gan-framework[onnx]'")
    run = runs(*overrides)
    out = export(run, tmp_path / "out", formats=[form])
    game = load(run).game
    labels = torch.arange(9) % 10 if game.conditional else None
    latent = game.latent(9, labels, torch.Generator().manual_seed(5))
    inputs = {"z": latent.z, **({"labels": labels} if labels is not None else {})}
    if form == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(out / "generator.onnx", providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
        found = torch.from_numpy(found)
    else:
        found = torch.jit.load(out / "generator.torchscript")(*inputs.values())
    assert (found - game.sample(latent)).abs().max() < 1e-5
    assert f"`generator.{form}`" in (out / "README.md").read_text()


def test_a_generator_that_draws_random_numbers_is_no_function(runs, tmp_path, monkeypatch):
    run = runs()
    model = load(run)
    forward = type(model.generator).forward
    monkeypatch.setattr(type(model.generator), "forward", lambda self, z, labels=None: forward(self, z) + torch.rand(1))
    with pytest.raises(ConfigError, match="makes other samples than in torch, by"):
        from gan_framework.library.deployed import torchscript

        torchscript(model, tmp_path / "x.torchscript")
    assert not [*tmp_path.iterdir()]


def test_what_cannot_be_exported_is_refused_in_words(runs, tmp_path):
    run = runs()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("important")
    for typed, says in (
        ((run, tmp_path / "full"), "is not empty and no exported model"),
        ((run, tmp_path / "full" / "thesis.txt"), "is a file: name a folder"),
        ((run, tmp_path / "out", False, ["tflite"]), "--format tflite: choose safetensors, onnx, torchscript"),
        ((tmp_path / "none", tmp_path / "out"), "there is no checkpoint"),
    ):
        with pytest.raises(ConfigError, match=says):
            export(*typed)
    out = export(run, tmp_path / "out")
    assert export(run, out) == out  # again, in its place
    for command in (load_game, lambda path: evaluate(path, [])):
        with pytest.raises(ConfigError, match="out is an exported model, which Python reads: .*import load"):
            command(out)
    with pytest.raises(ConfigError, match="is an exported model already"):
        export(out, tmp_path / "other")


def test_a_damaged_export_is_refused(runs, tmp_path):
    out = export(runs(), tmp_path / "out")
    weights = out / "generator.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ConfigError, match="its hash is not the one in export.json"):
        load(out)
    about = described(out)
    for change, says in (
        ({"format": 99}, "reads formats up to 1: upgrade"),
        ({"networks": {"generator": "../../secrets"}}, "is no file of the folder"),
        ({"networks": 3}, "it names no format, no networks or no hashes"),
        ({"networks": {"generator": [1]}}, "networks is a mapping and not files by the names of networks"),
        ({"shape": "x"}, "it has no shape of samples"),
        ({"shape": []}, "it has no shape of samples"),
        ({"step": "abc"}, 'step is "abc" and not a whole number'),
        ({"plain": [1]}, "plain is a list and not mappings"),
        ({"scores": {"fid": "<b>"}}, "scores is a mapping and not numbers"),
        ({"protocol": True}, "protocol is true and not a mapping"),
    ):
        (out / "export.json").write_text(json.dumps(about | change))
        with pytest.raises(ConfigError, match=says):
            load(out)


def test_a_huge_file_of_weights_is_refused_before_it_is_read(runs, tmp_path):
    weights = export(runs(), tmp_path / "out") / "generator.safetensors"
    os.truncate(weights, 2**40)
    with pytest.raises(ConfigError, match="generator.safetensors is damaged"):
        load(weights)


def test_only_a_picture_of_the_run_itself_becomes_the_grid(tmp_path):
    samples = tmp_path / "samples"
    samples.mkdir()
    (tmp_path / "private").write_text("private")
    (samples / "step_0000003.png").symlink_to(tmp_path / "private")
    os.mkfifo(samples / "step_0000002.png")
    assert newest_samples(RunFolder(tmp_path)) is None
    save_png(samples / "step_0000001.png", torch.zeros(1, 2, 2, dtype=torch.uint8))
    assert newest_samples(RunFolder(tmp_path)) == samples / "step_0000001.png"


@pytest.mark.slow
def test_a_server_that_asks_for_xet_gets_the_weights_through_it(hub, runs, tmp_path):
    pytest.importorskip("hf_xet", reason="hf_xet is not installed: pip install 'gan-framework[publish]'")
    hub.xet = True
    out = export(runs(), tmp_path / "out")
    push(out, "hf:somebody/digits")
    assert set(hub.files("somebody/digits")) == {"README.md", "config.yaml", "export.json", "samples.png"}
    weights = out / "generator.safetensors"
    assert hub.pointers == {weights.name: (described(out)["sha256"][weights.name], weights.stat().st_size)}
    # Blocks may be compressed, which drawn weights hardly are.
    assert sum(map(len, hub.stored.values())) > 0.5 * weights.stat().st_size


def test_a_model_is_published_pulled_loaded_and_trained_on(hub, runs, tmp_path, monkeypatch):
    run = runs("strategy=[ema]")
    address = push(run, "hf:somebody/digits", discriminator=True, private=True)
    assert address.startswith(f"{hub.endpoint}/somebody/digits/commit/")
    repository = hub.repositories["somebody/digits"]
    assert repository["private"] and len(repository["commits"]) == 1
    assert set(hub.files("somebody/digits")) == {
        "README.md",
        "config.yaml",
        "export.json",
        "samples.png",
        "generator.safetensors",
        "discriminator.safetensors",
    }
    assert b"model = load('hf:somebody/digits')" in hub.files("somebody/digits")["README.md"]
    wanted = load(run).sample(5)
    assert torch.equal(load("hf:somebody/digits").sample(5), wanted)
    first = address.rpartition("/")[2]
    assert torch.equal(load(f"hf:somebody/digits@{first}").sample(5), wanted)
    monkeypatch.chdir(tmp_path)
    folder = pull("hf:somebody/digits")
    assert folder.name == "digits" and torch.equal(load(folder).sample(5), wanted)
    config = checkpoint.load(RunFolder(run).last)["config"]
    config["networks"]["generator"]["from"] = "hf:somebody/digits"
    found = warm_start(config).trained["generator"]
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in load(run).generator.state_dict().items())
    push(folder, "hf:somebody/again")
    assert hub.files("somebody/again")["export.json"] == hub.files("somebody/digits")["export.json"]


def test_what_the_hub_does_not_have_or_allow_is_said_in_one_line(hub, runs, tmp_path):
    hub.repositories["somebody/other"] = {"private": False, "commits": []}
    hub.commit("somebody/other", "", {"model.bin": b"x"})
    for work, says in (
        (lambda: load("hf:somebody/none"), "hf:somebody/none cannot be downloaded: "),
        (lambda: load("hf:some body/x"), "a repository is written hf:OWNER/NAME"),
        (lambda: pull("hf:somebody/other", tmp_path / "o"), "is no model that gan-framework has published"),
        (lambda: push(runs(), "somebody/x"), "a repository is written hf:OWNER/NAME"),
    ):
        with pytest.raises(ConfigError, match=says) as refusal:
            work()
        assert "\n" not in str(refusal.value)
    hub.down = True
    with pytest.raises(ConfigError, match="hf:somebody/x cannot be written: .*HF_TOKEN says who you are"):
        push(runs(), "hf:somebody/x")
