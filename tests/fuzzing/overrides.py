"""Command lines that nobody should type, and YAML files that nobody should write."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

import gan_framework.cli.train  # noqa: F401 (registers the schema and the resolvers)
from gan_framework.config.schema import Config
from gan_framework.registry.packages import config_folder, groups, options
from tests.fuzzing.case import Case

FAST = (
    "debug=smoke",
    "sample.count=4",
    "evaluate.samples=16",
    "evaluate.batch_size=8",
    "metrics=[]",
)
SMALL = ("data.image_size=16", "networks.generator.width=8", "networks.discriminator.width=8")
NARROW = {"resnet", "resnet_projection", "acgan", "dcgan_r3gan", "r3gan"}
"""Models and experiments whose networks are too wide for thousands of cases."""

TYPES = (
    "abc", "true", "null", "[]", "{}", "[1,2]", "{a:1}", "''", "' '", "[null]", "[[]]", "{a:{b:[1]}}", "[-1,0]",
    "[nan]", "[abc,1]", "no", "int(1.5)",
)  # fmt: skip
NUMBERS = (
    "0", "-1", "1", "2", "3", "7", "0.5", "-0.5", "1.5", "nan", "inf", "-inf", "1e38", "-1e38", "1e-38", "1e309",
    "1000000000", "-1000000000", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
    "99999999999999999999999999999999", "0x10", "100000", "0007", "1e5", ".5",
)  # fmt: skip
TEXTS = (
    "ünïcödé", "日本語", "'\u202egnp.exe'", "😀", "'a b'", "'a\\nb'", "'tab\there'", "x" * 5000, "'%s%n%x'",
    "'{0.__class__}'", "'; rm -rf /'", "'$(touch escaped)'", "__import__", "name", "'\"'", "'\\''", "a:b", "0.0.0.0",
    "2024-01-01", "nonsaturating", "adam", "classifier", "digits", "'[bold red]x[/]'", "'[/]'", "\udcff",
)  # fmt: skip
PATHS = (
    "../../../escape", "/etc/passwd", "/dev/null", "/dev/zero", "/dev/urandom", "~root/x", "~nobody_at_all/x",
    "'C:\\windows'", "file:///etc/passwd", "/proc/self/mem", "/proc/self/environ", ".", "/", "{folder}/pipe",
    "{folder}/loop", "{folder}/empty", "{folder}/text.zip", "{folder}", "/nowhere/at/all",
)  # fmt: skip
REFERENCES = (
    "${seed}", "${nothing}", "'${'", "${oc.env:HOME}", "${oc.env:NOT_SET_ANYWHERE}", "${now:%Y}", "${train.steps}",
    "${data}", "${.name}", "${..}", "${....x}", "???", "${oc.decode:abc}", "${hydra:run.dir}", "${oc.create:{a:1}}",
    "$HOME", "${train}", "${no_such_resolver:1}", "${run_name:[a]}", "${train.batch_size}",
)  # fmt: skip
POOLS = ((TYPES, 3), (NUMBERS, 5), (TEXTS, 1), (PATHS, 1), (REFERENCES, 1))

MALFORMED = (
    "train.steps", "=", "=1", "train.steps=", "train..steps=1", ".train=1", "train.=1", "a b=1", "'", '"', "[", "]",
    "{", "}", "train.steps=[1", "train.steps='1", "train.steps==1", "train.steps=1,2", "train.steps=range(1,3)",
    "train.steps=choice(1,2)", "model=mlp,dcgan", "train.steps=int(abc)", "seed=glob(*)", "@x=1", "a@b=c",
    "model@x=mlp", "generator@networks.x=mlp", "+generator@networks.generator_b=mlp",
    "+discriminator@networks.discriminator_b=mlp", "+network@networks.other=mlp_encoder", "~train", "~seed", "~model",
    "~data", "~loss", "~optimizer", "~optimizer.generator", "~networks", "~networks.generator",
    "~networks.generator.name", "~train.steps", "~evaluate.samples", "~train.steps=5", "~nothing", "~", "+", "++",
    "+=1", "++=1", "+new=1", "++new=1", "+new.key=1", "+train.new=1", "++train.new=1", "+data.new=1",
    "++networks.generator.new=1", "+seed=1", "+optimizer.other={name:adam}", "+optimizer.q.name=adam", "train=1",
    "train=null", "evaluate=[]", "sample=x", "sweep=1", "sweep.resume=x", "sweep.trial=1", "networks=1",
    "networks=null", "networks={}", "networks.generator=abc", "networks.generator=null", "networks.generator={}",
    "networks.discriminator=null", "networks.generator={name:mlp}", "networks.generator.name=null",
    "networks.generator.name=[]", "networks.generator.name=no", "optimizer=null", "optimizer=[]",
    "optimizer.generator=null", "optimizer.generator={}", "optimizer.generator=sgd", "optimizer.generator.name=sgd",
    "loss=null", "loss=[]", "loss={}", "loss=[hinge]", "loss=hinge,wasserstein", "prior=null", "data=null",
    "game=null", "schedule=null", "extractor=null", "metrics=null", "metrics=fid", "metrics=[fid,fid]",
    "metrics=[no]", "tracker=null", "tracker=wandb", "tracker=[no]", "strategy=null", "strategy=ema",
    "strategy=[ema,ema]", "strategy=[[ema]]", "strategy=[null]", "strategy={}", "strategy=[ema",
    "strategy=ema,k_step", "strategy.ema.decay=1", "+strategy.ema.decay=1", "+strategy.x.name=ema",
    "+strategy.x={name:k_step,k:2,g_steps:1}", "+strategy.x=1", "+strategy.x=null", "term=null", "term=r1",
    "+terms.x=1", "+terms.x={name:r1}", "+terms.x={name:r1,player:no,weight:1}",
    "+terms.x={name:r1,player:discriminator,weight:abc}", "+metrics.x={name:fid}", "+metrics.x=null", "+tracker.x=1",
    "+tracker.x={name:wandb}", "+tracker.x.name=no", "experiment=no", "experiment=[]", "experiment=[mlp,dcgan]",
    "debug=no", "debug=null", "search=dcgan", "search=no", "hydra.run.dir=", "hydra.run.dir=null",
    "hydra.run.dir=/dev/null/x", "hydra.run.dir=/proc/x", "hydra.run.dir=[]", "hydra.run.dir={folder}/text.zip",
    "hydra.run.dir={folder}/text.zip/x", "hydra.run.dir={folder}/" + "y" * 300, "hydra.run.dir='{folder}/run/a\\nb'",
    "hydra.run.dir={folder}/run/日本語", "hydra.job.name=../../x", "hydra.job.name=''", "hydra.job.name=null",
    "hydra.job.chdir=true", "hydra.job.num=abc", "hydra.verbose=true", "hydra.verbose=[x]", "hydra=1", "hydra.no=1",
    "hydra.mode=no", "hydra/launcher=no", "hydra/sweeper=no", "hydra/sweeper=optuna", "hydra/launcher=joblib",
    "hydra.job_logging=null", "hydra/job_logging=disabled", "hydra/job_logging=no", "hydra.searchpath=[/etc]",
    "hydra.searchpath=[pkg://no_such_package]", "hydra.searchpath=x", "hydra.sweep.dir=x", "hydra.help.template=x",
    "--nope", "--cfg", "--cfg=no", "--cfg=job", "--cfg=hydra", "--cfg=all", "--resolve", "--info", "--info=all",
    "--info=no", "--config-name=no", "--config-name=../config", "--config-dir=/nope",
    "--config-dir={folder}/text.zip", "--config-path=/etc", "--config-path=no", "--version", "--help", "--hydra-help",
    "-h", "-x", "--", "-", "--package=no", "--shell-completion", "--experimental-rerun=no",
)  # fmt: skip
"""Each alone on a command line."""


@dataclass(frozen=True)
class Option:
    """An option of a configuration group.

    Attributes:
        chosen: the overrides that choose it, in a run that is small.
        settings: what can be set once it is chosen.
    """

    chosen: tuple[str, ...]
    settings: tuple[str, ...]


@cache
def every_option() -> tuple[Option, ...]:
    """Return every option of every group, each with the settings of its own file."""
    scalars = tuple(scalar_settings())
    found = [Option(SMALL, scalars), Option(("model=mlp", "data.image_size=8"), scalars)]
    for group in groups():
        if group in ("debug", "search"):
            continue
        for name in options(group):
            found.append(Option(chosen(group, name), tuple(own_settings(group, name)) or tuple(scalar_settings())))
    return tuple(found)


def chosen(group: str, name: str) -> tuple[str, ...]:
    """Return the overrides that choose an option, and others that make its run small."""
    if group in ("model", "experiment"):
        narrow = name in NARROW
        return (f"{group}={name}", *(SMALL[1:] if narrow else ()))
    small = () if group in ("data", "generator", "discriminator", "game") else SMALL
    if group == "network":
        return (*small, f"+network@networks.other={name}")
    if group == "metrics":
        return (*small, f"metrics=[{name}]", "extractor.epochs=1")
    several = group in ("strategy", "term", "tracker")
    return (*small, f"{group}=[{name}]" if several else f"{group}={name}")


def scalar_settings() -> Iterator[str]:
    """Yield the paths of the settings that belong to no plugin."""
    content = OmegaConf.to_container(OmegaConf.structured(Config), enum_to_str=True)
    yield from _paths(content, "")


def own_settings(group: str, name: str) -> Iterator[str]:
    """Yield the paths of the settings in an option's file."""
    file = config_folder() / group / f"{name}.yaml"
    header = re.match(r"# @package ([\w.]+)", file.read_text())
    place = header[1] if header else group
    if group == "network":
        place = "networks.other"
    content = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    assert isinstance(content, dict)
    content.pop("defaults", None)
    yield from _paths(content, "" if place == "_global_" else place)


def _paths(content: Any, path: str) -> Iterator[str]:
    if path:
        yield path
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _paths(value, f"{path}.{key}" if path else str(key))


def value(choice: random.Random) -> str:
    """Return a value as it is written on the command line."""
    pools, weights = zip(*POOLS, strict=True)
    return choice.choice(choice.choices(pools, weights)[0])


def places(folder: Path) -> None:
    """Write the files that the paths among the values name."""
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    (folder / "empty").mkdir()
    (folder / "text.zip").write_text("no zip file")


def of_settings(choice: random.Random, count: int) -> Iterator[Case]:
    """Yield command lines that set settings to what they cannot be, going through all settings of all options."""
    scalars = list(scalar_settings())
    everything = [(option, path) for option in every_option() for path in option.settings]
    while True:
        choice.shuffle(everything)
        for option, path in everything:
            if count == 0:
                return
            count -= 1
            others = choice.sample([*option.settings, *scalars], choice.choice((0, 0, 0, 1, 2)))
            given = [f"{name}={value(choice)}" for name in (path, *others)]
            yield Case("override", (*FAST, *option.chosen, *given), places)


def malformed(choice: random.Random, count: int) -> Iterator[Case]:
    """Yield command lines that are wrong in themselves, then wrong choices of options."""
    cases = [(*FAST, *SMALL, one) for one in MALFORMED]
    names = [group for group in groups() if group not in ("debug",)]
    while len(cases) < count:
        group = choice.choice(names)
        prefix = choice.choice(("", "", "", "+", "++", "~"))
        cases.append((*FAST, *SMALL, f"{prefix}{group}={value(choice)}"))
    choice.shuffle(cases)
    return (Case("command line", case, places) for case in cases[:count])


def yaml_files(choice: random.Random, count: int) -> Iterator[Case]:
    """Yield experiments in files of the user's own, made from the framework's with one thing changed."""
    sources = sorted((config_folder() / "experiment").glob("*.yaml"))
    for _ in range(count):
        source = choice.choice(sources)
        content = _mutated(source.read_bytes(), choice)

        def write(folder: Path, content: bytes = content) -> None:
            places(folder)
            (folder / "mine" / "experiment").mkdir(parents=True)
            (folder / "mine" / "experiment" / "mine.yaml").write_bytes(content)

        narrow = SMALL[1:] if source.stem in NARROW else ()
        yield Case("yaml", ("--config-dir={folder}/mine", "experiment=mine", *FAST, *narrow), write)


BROKEN = (
    b"", b"\x00", b"\xff\xfe\x00", b"%YAML 9\n---\n", b"a: [", b"a: b: c", b"\ta: 1", b"- a\n- b\n", b"just text",
    b"42", b"null", b"!!python/object/apply:os.system ['touch escaped']", b"a: &a [*a]", b"a: *nothing",
    b"a: 1\na: 2", b"? [a]\n: 1", b"1: 2", b"# @package no.such.package\na: 1", b"# @package _global_\ntrain: 5",
    b"# @package _global_\ndefaults: 5", b"# @package _global_\ndefaults:\n  - override /model: no",
    b"# @package _global_\ndefaults:\n  - /experiment: mine", b"# @package _global_\ndefaults:\n  - mine",
    b"# @package _global_\n? {a: 1}\n: 2",
    b"# @package _global_\ntrue: 1", b"# @package _global_\ntrain: {true: 1}", b"# @package _global_\n" + b"[" * 2000,
    b"# @package _global_\nx: " + b"{a: " * 500,
    b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
    b"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]",
)  # fmt: skip


def _mutated(content: bytes, choice: random.Random) -> bytes:
    kind = choice.randrange(5)
    if kind == 0:
        return choice.choice(BROKEN)
    if kind == 1:  # cut
        return content[: choice.randrange(len(content))]
    if kind == 2:  # one byte
        at = choice.randrange(len(content))
        return content[:at] + bytes([choice.randrange(256)]) + content[at + 1 :]
    lines = content.decode().splitlines()
    settable = [number for number, line in enumerate(lines) if ":" in line and not line.lstrip().startswith("#")]
    number = choice.choice(settable)
    key, _, _ = lines[number].partition(":")
    if kind == 3:
        lines[number] = f"{key}: {value(choice)}"
    else:
        lines.insert(number, choice.choice((lines[number], f"  {lines[number]}", f"{key}_: 1", f"{key}: 1", "- x")))
    return "\n".join(lines).encode(errors="surrogateescape")
