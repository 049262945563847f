"""Captured steps: what a replay does on the host is what a step does, and on a GPU the numbers are the same."""

import copy

import pytest
import torch
from torch import nn

from gan_framework.build import build_game
from gan_framework.core import distributed
from gan_framework.core.records import DataShape
from gan_framework.data import Batches, InMemory
from gan_framework.errors import ConfigError
from gan_framework.runs import captured, cuda_graph
from gan_framework.runs.captured import CapturedSteps
from gan_framework.runs.cuda_graph import Graph

SHAPE = DataShape((1, 16, 16), 10)
SMALL = (
    "data.image_size=16",
    "data.channels=1",
    "networks.generator.width=8",
    "networks.discriminator.width=8",
    "train.batch_size=8",
)
STYLES = (
    *SMALL[:2],
    *("prior.dim=8", "train.batch_size=8", "networks.generator.style_size=8"),
    *(f"networks.{name}.base=64" for name in ("generator", "discriminator")),
)
SYSTEMS = {
    "dcgan": ("model=dcgan", *SMALL),
    "ema, falling rate": ("model=dcgan", "strategy=[ema,lr_decay]", "strategy.ema.warmup=4", *SMALL),
    "several updates of D": ("experiment=resnet", *SMALL),
    "penalties": ("experiment=dcgan_r3gan", *SMALL),
    "a penalty now and then": (
        "experiment=dcgan_r3gan",
        "terms.r1.every=3",
        "networks.discriminator.norm=none",
        *SMALL,
    ),
    "schedules": ("experiment=r3gan", "networks.generator.blocks=1", "networks.discriminator.blocks=1", *SMALL),
    "styles": ("experiment=stylegan2", "terms.r1.every=3", "terms.path_length.every=3", *STYLES),
    "growth": (
        "experiment=pggan",
        *(change for change in STYLES if "style_size" not in change),
    ),
    "conditional": ("experiment=dcgan_conditional", *SMALL),
    "clipped": ("model=dcgan", "optimizer.discriminator.clip=0.5", "strategy=[weight_clipping]", *SMALL),
    "momentum": ("model=dcgan", "optimizer=sgd", *SMALL),
}


def make(compose, overrides, device="cpu", shape=SHAPE):
    config = compose(*overrides, "tracker=[]", "metrics=[]")
    images = torch.randint(256, (64, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    batches = Batches(InMemory(images, torch.arange(64) % 10), config["train"]["batch_size"], 0, device)
    return build_game(config, shape, torch.device(device)), batches


def play(step, batches, steps):
    """Play some steps as the trainer does; return what each measured."""
    history = []
    for number in range(steps):
        distributed.reseed(0, "step", number, 0)
        history.append({name: value.float().cpu() for name, value in step(batches).items()})
    return history


def on_host(game):
    extra = {name: value for name, value in game.state_dict().items() if name.endswith("_extra_state")}
    plain = {}
    for name, state in extra.items():
        state = dict(state)
        optimizer = state.pop("optimizer", {"param_groups": []})
        plain[name] = (state, [group.get("lr") for group in optimizer["param_groups"]])
    return copy.deepcopy(plain)


def set_counts(game, counts):
    for module, count in counts:
        for name, value in count.items():
            setattr(module, name, value)


def counts(game):
    return [
        (module, {name: value for name, value in vars(module).items() if type(value) is int})
        for module in game.modules()
    ]


class Rates:
    """Gives the learning rates where a graph reads them, which are there before it is replayed."""

    def __init__(self, record):
        self.record = record

    def __getitem__(self, number):
        return torch.tensor(self.record.values[number])


class OnCPU(Graph):
    """Replays by playing, after it has seen that following a step on the host comes to the same."""

    made = 0

    @classmethod
    def of(cls, game, players, step):
        cls.made += 1
        with cuda_graph.recorded_updates(players, game.device) as record:
            record.rates = Rates(record)
            measured = step()
        graph = cls(step, measured, [], record.updated, record.rates, record.values)
        graph.game, graph.players = game, players
        return graph

    def play(self, host_has_played=False):
        if host_has_played:
            return self.measured
        before = counts(self.game)
        rates = [[group["lr"] for group in player.optimizer.param_groups] for player in self.players]
        values = self._follow()
        followed = on_host(self.game)
        set_counts(self.game, before)
        for player, own in zip(self.players, rates, strict=True):
            for group, rate in zip(player.optimizer.param_groups, own, strict=True):
                group["lr"] = rate
        with cuda_graph.recorded_updates(self.players, self.game.device) as record:
            record.rates = Rates(record)
            measured = self.replay()
        assert record.updated == self.updated
        assert record.values == values
        assert on_host(self.game) == followed
        return measured


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_a_replay_does_on_the_host_is_what_a_step_does(compose, monkeypatch, system):
    monkeypatch.setattr(captured, "Graph", OnCPU)
    monkeypatch.setattr(OnCPU, "made", 0)
    (game, batches), (twin, drawn) = make(compose, SYSTEMS[system]), make(compose, SYSTEMS[system])
    steps = CapturedSteps(game)
    mine, theirs = play(steps, batches, 10), play(twin.step, drawn, 10)
    assert OnCPU.made == (2 if "terms.r1.every=3" in SYSTEMS[system] else 1)
    assert batches.drawn == drawn.drawn
    for measured, expected in zip(mine, theirs, strict=True):
        assert measured.keys() == expected.keys()
        for name, value in measured.items():
            torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-5)
    assert on_host(game) == on_host(twin)


class Repeating(OnCPU):
    """Replays by playing with the counts of updates as they were when it was made: what they decide is decided."""

    @classmethod
    def of(cls, game, players, step):
        counted = [player.updates for player in players]
        graph = super().of(game, players, step)
        graph.counted = counted
        return graph

    def play(self, host_has_played=False):
        if host_has_played:
            return self.measured
        now = [player.updates for player in self.players]
        for player, count in zip(self.players, self.counted, strict=True):
            player.updates = count
        measured = self.replay()
        for player, count in zip(self.players, now, strict=True):
            player.updates = count + self.updated.count(player)
        return measured


@pytest.mark.parametrize(
    ("overrides", "followed"),
    [
        (("term=[lecam]", "terms.lecam.start=6"), "players.discriminator.terms.lecam.real"),
        (
            ("strategy=[ada]", "strategy.ada.every=3", "strategy.ada.images=200", "strategy.ada.target=-0.9"),
            "transforms.0.p",
        ),
    ],
)
def test_what_follows_from_the_count_of_updates_is_captured_for_itself(compose, monkeypatch, overrides, followed):
    monkeypatch.setattr(captured, "Graph", Repeating)
    overrides = ("model=dcgan", *SMALL, *overrides)
    (game, batches), (twin, drawn) = make(compose, overrides), make(compose, overrides)
    steps = CapturedSteps(game)
    mine, theirs = play(steps, batches, 11), play(twin.step, drawn, 11)
    assert len(steps.graphs) == 2
    for measured, expected in zip(mine, theirs, strict=True):
        for name, value in measured.items():
            torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-5)
    assert twin.get_buffer(followed).item() != 0
    torch.testing.assert_close(game.get_buffer(followed), twin.get_buffer(followed))


@pytest.mark.parametrize(
    ("overrides", "place"),
    [
        (("strategy=[top_k]",), r"gan_zoo\.strategies\.top_k, line"),
        (("strategy=[k_step]", "strategy.k_step.burst=5", "strategy.k_step.first=1"), r"gan_zoo\.strategies\.k_step"),
    ],
)
def test_what_decides_by_the_count_of_updates_is_refused_by_its_place(compose, overrides, place):
    game, batches = make(compose, ("model=dcgan", *SMALL, *overrides), shape=SHAPE._replace(size=64))
    kinds = [type(player) for player in game.players.values()]
    with pytest.raises(ConfigError, match=rf"decides by how often a player has been updated.*{place}"):
        play(CapturedSteps(game), batches, 3)
    assert [type(player) for player in game.players.values()] == kinds


@pytest.mark.skipif(not torch.cuda.is_available(), reason="only a CUDA device has graphs to capture")
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16", "fp16"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_replayed_step_is_the_step(compose, system, precision):
    overrides = (*SYSTEMS[system], f"train.precision={precision}")
    if system == "momentum" and precision == "fp16":
        with pytest.raises(ConfigError, match="a step waits for the device"):  # torch's SGD asks the scaler
            play(CapturedSteps(make(compose, overrides, "cuda")[0]), make(compose, overrides, "cuda")[1], 4)
        return
    (game, batches), (twin, drawn) = make(compose, overrides, "cuda"), make(compose, overrides, "cuda")
    steps = CapturedSteps(game)
    mine, theirs = play(steps, batches, 8), play(twin.step, drawn, 12)
    torch.cuda.set_sync_debug_mode("error")
    try:
        later = [steps(batches) for _ in (distributed.reseed(0, "step", n, 0) for n in range(8, 12))]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    mine += [{name: value.float().cpu() for name, value in measured.items()} for measured in later]
    assert steps.graphs
    loose = {"fp32": 1e-3, "tf32": 1e-2, "bf16": 5e-2, "fp16": 2e-2}[precision]
    for measured, expected in zip(mine, theirs, strict=True):
        for name, value in measured.items():
            torch.testing.assert_close(value, expected[name], rtol=loose, atol=loose)
    for (name, value), expected in zip(game.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(value, expected, rtol=loose, atol=loose, msg=lambda m, n=name: f"{n}: {m}")
    for player in map(game.player, game.players):
        torch.testing.assert_close(
            player.gradient_norm(), twin.player(player.name).gradient_norm(), rtol=10 * loose, atol=loose
        )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="only a CUDA device has graphs to capture")
def test_what_waits_for_the_device_is_refused_by_its_place(compose):
    game, batches = make(compose, ("model=dcgan", "strategy=[loss_gated]", *SMALL), "cuda")
    with pytest.raises(ConfigError, match="a step waits for the device \\(.*loss_gated"):
        play(CapturedSteps(game), batches, 4)


def test_what_a_step_keeps_on_the_host_is_refused_by_name(compose):
    game, batches = make(compose, ("model=dcgan", "strategy=[historical_averaging]", *SMALL))
    with pytest.raises(ConfigError, match=r"changes what lies on the host.*historical_averaging"):
        play(CapturedSteps(game), batches, 4)


def test_a_buffer_that_is_replaced_is_refused_by_name(compose):
    game, batches = make(compose, ("model=dcgan", *SMALL))

    class Replacing(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("last", torch.zeros(3))

        def forward(self):
            self.last = self.last + 1

    game.player("generator").after_step.append(Replacing())
    with pytest.raises(ConfigError, match=r"players\.generator\.after_step\.0\.last"):
        play(CapturedSteps(game), batches, 4)


def test_a_ramp_is_captured_when_it_is_over(compose, monkeypatch):
    monkeypatch.setattr(captured, "Graph", OnCPU)
    weight = "terms.r1.weight={start: 1, end: 2, steps: 5}"
    game, batches = make(compose, ("experiment=dcgan_r3gan", weight, "networks.discriminator.norm=none", *SMALL))
    steps = CapturedSteps(game)
    play(steps, batches, 6)
    assert not steps.graphs
    play(steps, batches, 4)
    assert len(steps.graphs) == 1


def test_what_no_step_can_be_captured_with_is_refused_before_the_first(compose, monkeypatch):
    game, _ = make(compose, ("model=dcgan", *SMALL))
    with pytest.raises(ConfigError, match="train.cuda_graph=true needs a CUDA device, and this run is on cpu"):
        captured.check(game, skips_nonfinite=False)
    game.precision.device = torch.device("cuda")
    with pytest.raises(ConfigError, match="cannot go with train.on_nonfinite=skip"):
        captured.check(game, skips_nonfinite=True)
    monkeypatch.setattr(distributed, "world", lambda: 2)
    with pytest.raises(ConfigError, match="is for one process, and this run has 2"):
        captured.check(game, skips_nonfinite=False)
