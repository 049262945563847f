"""The model card: what a published model is, how it was made and how good it is, as its README."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import yaml

from gan_framework.evaluation.sampler import AVERAGED
from gan_framework.library.model import Model
from gan_framework.storage.numbers import score
from gan_framework.storage.text import markdown

GRID = "samples.png"

SHOWN = 20
"""So many classes are named."""

WHAT = {
    "safetensors": "weights",
    "onnx": "the generator for ONNX Runtime: `z`, and `labels` where it is conditional, to `samples`",
    "torchscript": "the generator for `torch.jit.load`",
}


def write(model: Model, files: Iterable[str], repository: str, has_grid: bool, versions: Mapping[str, Any]) -> str:
    """Return the text of a model card.

    Args:
        model: the model.
        files: the names of the files that hold weights.
        repository: how the model is loaded: a folder, `hf:OWNER/NAME`.
        has_grid: whether a grid of samples lies beside.
        versions: what the run was made with.
    """
    name = _title(model)
    parts = [
        f"---\n{yaml.safe_dump(_metadata(model, name), sort_keys=False, allow_unicode=True)}---",
        f"# {name}",
        f"A generative adversarial network, trained with gan-framework on {_data(model)}.",
    ]
    if has_grid:
        parts.append(f"![Samples]({GRID})")
    classes = f", classes=[{model.classes[0]!r}]" if model.game.conditional and model.classes else ""
    parts += [
        "## Use it",
        "```python\nfrom gan_framework import load\n\n"
        f"model = load({repository!r})\nimages = model.sample(16, seed=0{classes})  # in [-1, 1]\n```",
        "```console\n$ pip install 'gan-framework[publish]'\n```",
        "## Training",
        _table(("", ""), _training(model)),
        "## Networks",
        _table(("network", "plugin", "parameters"), _networks(model)),
    ]
    if model.scores:
        parts += [
            "## Scores",
            _table(("score", "value"), [(key, score(value)) for key, value in model.scores.items()]),
            "Scores are comparable only with those of the same protocol:",
            _table(("protocol", ""), [(key, value) for key, value in model.protocol.items() if key != "metrics"]),
        ]
    parts += [
        "## Files",
        _table(("file", "what it holds"), _files(files, has_grid), str),
        "## Made with",
        _table(("package", "version"), versions.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _title(model: Model) -> str:
    return f"{_plugin(model, model.game.sampling_network)} on {model.config['data']['name']}"


def _plugin(model: Model, network: str) -> str:
    settings = model.config["networks"].get(network.removesuffix(AVERAGED)) or {}
    return str(settings.get("name", network))


def _metadata(model: Model, name: str) -> dict[str, Any]:
    config, is_image = model.config, model.game.data.is_image
    loss = (config.get("loss") or {}).get("name")
    tags = ["gan", "generative-adversarial-network", _plugin(model, model.game.sampling_network), loss]
    found: dict[str, Any] = {
        "library_name": "gan-framework",
        "tags": [tag for tag in dict.fromkeys(tags) if tag],
    }
    task = "unconditional-image-generation" if is_image else "other"
    if is_image:
        found["pipeline_tag"] = task
    if model.scores:
        data = {"type": str(config["data"]["name"]), "name": str(config["data"]["name"])}
        metrics = [{"type": key, "name": key, "value": value} for key, value in model.scores.items()]
        results = [{"task": {"type": task}, "dataset": data, "metrics": metrics}]
        found["model-index"] = [{"name": name, "results": results}]
    return found


def _data(model: Model) -> str:
    shape = "×".join(map(str, model.game.data.sample))
    size = f"{model.game.data.size:,} samples of " if model.game.data.size else ""
    said = f"{size}`{model.config['data']['name']}`, {shape}"
    if model.classes:
        more = ", …" if len(model.classes) > SHOWN else ""
        said += f", with the classes {', '.join(map(markdown, model.classes[:SHOWN]))}{more}"
    return said


def _training(model: Model) -> Iterable[tuple[str, Any]]:
    config = model.config
    yield "steps", f"{model.step:,}"
    yield "batch size", config["train"].get("batch_size")
    yield "precision", config["train"].get("precision")
    yield "seed", config["seed"]
    yield "loss", _setting(config.get("loss"))
    for kind in ("terms", "strategy", "optimizer"):
        for name, settings in (config.get(kind) or {}).items():
            yield f"{kind} {name}", _setting(settings)
    yield "prior", _setting(config.get("prior"))
    yield "sampler", _setting(config.get("sampler")) or "none: what the generator makes"


def _setting(settings: Any) -> str:
    if not isinstance(settings, Mapping):
        return ""
    rest = " ".join(f"{key}={shlex.quote(str(value))}" for key, value in settings.items() if key != "name")
    return f"{settings.get('name', '')} {rest}".strip()


def _networks(model: Model) -> Iterable[tuple[str, str, str]]:
    for name, network in model.game.networks.items():
        yield name, _plugin(model, name), f"{sum(parameter.numel() for parameter in network.parameters()):,}"


def _files(names: Iterable[str], has_grid: bool) -> Iterable[tuple[str, str]]:
    for name in names:
        yield f"`{name}`", f"{WHAT[name.rpartition('.')[2]]}"
    yield "`config.yaml`", "the configuration, resolved: `gan-framework train config.yaml` trains it again"
    yield "`export.json`", "shape, classes, sampler, protocol, scores, hashes"
    if has_grid:
        yield f"`{GRID}`", "samples of fixed latents"


def _table(head: tuple[str, ...], rows: Iterable[Iterable[Any]], cell: Callable[[Any], str] | None = None) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(cell or _cell, line))} |" for line in lines)


def _cell(value: Any) -> str:
    return markdown(str(value)).replace("|", "\\|")
