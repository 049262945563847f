"""The contract suites say what is wrong with plugins that are broken on purpose, and pass the sound ones."""

import logging
import textwrap

import pytest
import torch

from gan_framework.registry.registry import CONTRACT
from gan_framework.testing import CHECKS, ContractBroken, PluginContract, check_plugin
from gan_framework.testing.distribution import check_distribution

LOSS = """
import random
import torch
from torch import nn
from torch.nn import functional as F
from gan_framework.api import AdversarialLoss

class Plugin(AdversarialLoss):
    "A loss."
    generator_needs_real = False
    def __init__(self, scale):
        super().__init__()
        self.scale = scale
        self.calls = 0
    def discriminator(self, real, fake):
        return self.scale * (F.softplus(-real.logits).mean() + F.softplus(fake.logits).mean())
    def generator(self, fake, real=None):
        return F.softplus(-fake.logits).mean()
"""

GENERATOR = """
import torch
from torch import nn
from gan_framework.api import Generator

class Plugin(Generator):
    "A generator."
    def __init__(self, latent_dim, image_size, channels):
        super().__init__()
        self.shape = (channels, image_size, image_size)
        self.linear = nn.Linear(latent_dim, channels * image_size**2)
        self.seen = 0.0
    def forward(self, z, labels=None):
        x = self.linear(z)
        return torch.tanh(x).unflatten(1, self.shape)
"""

DISCRIMINATOR = """
import torch
from torch import nn
from gan_framework.api import Discriminator, DiscriminatorOutput

class Plugin(Discriminator):
    "A discriminator."
    def __init__(self, image_size, channels):
        super().__init__()
        self.first = nn.Linear(channels * image_size**2, 8)
        self.output = nn.Linear(8, 1)
    def features(self, x, labels=None):
        x = x.flatten(1)
        return (torch.tanh(self.first(x)),)
"""

TERM = """
import torch
from gan_framework.api import Term

class Plugin(Term):
    "A term."
    def forward(self, pair, player):
        return pair.real_output.logits.square().mean()
"""

SCHEDULE = """
from gan_framework.api import Schedule

class Plugin(Schedule):
    "A schedule."
    def __init__(self):
        super().__init__()
        self.steps = 0
    def step(self, game, next_batch):
        self.steps += 1
        measured = {}
        for name in game.players:
            measured |= game.player(name).play(game.meet(next_batch()))
        return measured
"""

STRATEGY = """
import torch
from gan_framework.api import Strategy

class Twos(torch.nn.Module):
    "Halves the weights after every second update, and counts them in Python."
    def __init__(self, network):
        super().__init__()
        self.weights, self.count = [*network.parameters()], 0
    def forward(self):
        self.count += 1
        if self.count % 2 == 0:
            with torch.no_grad():
                for weight in self.weights:
                    weight.mul_(0.5 ** (self.count / 2))

class Plugin(Strategy):
    "A strategy."
    def apply(self, game):
        game.schedule.d_steps = 2
"""

PRIOR = """
import torch
from gan_framework.api import Latent, Prior

class Plugin(Prior):
    "A prior."
    def __init__(self, dim):
        super().__init__()
        self.dim = dim
    def draw(self, n, device, generator=None):
        return Latent(torch.randn(n, self.dim, generator=generator))
"""

DATASET = """
import torch
from gan_framework.api import ConfigError, DataShape, DataSource, InMemory

class Plugin(DataSource):
    "A dataset."
    def __init__(self, image_size, channels, num_classes):
        self.shape = DataShape((channels, image_size, image_size), num_classes)
    def load(self, split):
        if split not in ("train", "test"):
            raise ConfigError("no such split")
        random = torch.Generator().manual_seed(0)
        images = torch.randint(256, (20, *self.shape.sample), generator=random).to(torch.uint8)
        return InMemory(images, torch.arange(20) % self.shape.num_classes)
"""

METRIC = """
import torch
from gan_framework.api import Metric

class Plugin(Metric):
    "A metric."
    higher_is_better = {"mine": False}
    def scores(self, comparison):
        return {"mine": float(comparison.generated.features.mean())}
"""

OPTIMIZER = """
import torch

class Sign(torch.optim.Optimizer):
    def __init__(self, parameters, lr):
        super().__init__(parameters, {"lr": lr})
        self.steps = 0
    @torch.no_grad()
    def step(self, closure=None):
        self.steps += 1
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter -= group["lr"] * parameter.grad.sign()

def Plugin(parameters, lr):
    "An optimizer."
    return Sign(parameters, lr)
"""

SAMPLER = """
import torch
from gan_framework.api import Sampler

class Plugin(Sampler):
    "A sampler."
    name = "mine"
    def __init__(self, tries):
        self.tries = tries
        self._calls = 0
    def draw(self, game, latent, random):
        for _ in range(self.tries):
            latent = latent._replace(z=latent.z + torch.rand(latent.z.shape, generator=random))
        self._calls += 1
        return game.sample(latent)
"""

TRACKER = """
from gan_framework.api import Tracker

class Plugin(Tracker):
    "A tracker."
    def start(self, run):
        self.config = run.config
    def log(self, record):
        self.last = record["step"]
"""

KINDS = {
    "losses": (LOSS, "loss", "name: mine\nscale: 2.0"),
    "generators": (
        GENERATOR,
        "generator",
        "# @package networks.generator\nname: mine\nlatent_dim: ${prior.dim}\nimage_size: ${data.image_size}\n"
        "channels: ${data.channels}",
    ),
    "discriminators": (
        DISCRIMINATOR,
        "discriminator",
        "# @package networks.discriminator\nname: mine\nimage_size: ${data.image_size}\nchannels: ${data.channels}",
    ),
    "terms": (TERM, "term", "# @package terms.mine\nname: mine\nplayer: discriminator\nweight: 0.1"),
    "schedules": (SCHEDULE, "schedule", "name: mine"),
    "strategies": (STRATEGY, "strategy", "# @package strategy.mine\nname: mine"),
    "priors": (PRIOR, "prior", "name: mine\ndim: 10"),
    "datasets": (DATASET, "data", "name: mine\nimage_size: 8\nchannels: 1\nnum_classes: 4\nflip: false\nworkers: 0"),
    "metrics": (METRIC, "metrics", "# @package metrics.mine\nname: mine"),
    "samplers": (SAMPLER, "sampler", "name: mine\ntries: 2"),
    "optimizers": (OPTIMIZER, "optimizer", "generator: &a\n  name: mine\n  lr: 0.01\ndiscriminator: *a"),
    "trackers": (TRACKER, "tracker", "# @package tracker.mine\nname: mine"),
}

SMALL = ("data.image_size=8",)


@pytest.fixture
def check(install):
    """Install a plugin of a kind, with parts of its source or its YAML replaced, and run its suite."""

    def checked(kind, old="", new="", yaml=None, contract=CONTRACT, exempt=None):
        source, group, default = KINDS[kind]
        assert old in source
        files = {
            "mine/__init__.py": "",
            "mine/plugin.py": source.replace(old, textwrap.dedent(new)) if old else source,
            f"mine/conf/{group}/mine.yaml": yaml or default,
        }
        points = {kind: {"mine": "mine.plugin:Plugin"}, "configs": {"mine": "mine.conf"}}
        install("mine", points, files, contract=contract)
        check_plugin(kind, "mine", () if kind == "datasets" else SMALL, exempt)

    return checked


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_plugin_passes(check, kind):
    check(kind)


BROKEN = [
    # every kind
    ("losses", '    "A loss."\n', "", "it has no docstring"),
    (
        "losses",
        "def __init__(self, scale)",
        "def __init__(self, scale=3.0)",
        r"scale has two defaults: 2.0 in .* and 3.0",
    ),
    (
        "losses",
        "def __init__(self, scale)",
        "def __init__(self, scale, shift)",
        "builds: mine .* needs the settings shift",
    ),
    ("losses", "self.calls = 0", "self.calls = random.random()", "building it draws from Python's global random"),
    # losses
    (
        "losses",
        "F.softplus(-fake.logits).mean()",
        "F.softplus(-fake.logits)",
        r"shape \(2,\), not a scalar: take the m",
    ),
    ("losses", "F.softplus(-fake.logits).mean()", "F.softplus(-fake.logits).sum()", "for the same batch twice: take"),
    (
        "losses",
        "F.softplus(-fake.logits).mean()",
        "-torch.log(torch.sigmoid(fake.logits) - 1e-9).mean()",
        r"with logits of ±30 what generator\(\) returns \(compute it from logits",
    ),
    (
        "losses",
        "F.softplus(-fake.logits).mean()",
        "F.softplus(fake.logits).mean()",
        r"generator\(\) falls .*is a sign wrong",
    ),
    ("losses", "F.softplus(-real.logits)", "F.softplus(real.logits)", "falls when real samples are scored wrongly"),
    (
        "losses",
        "F.softplus(-fake.logits).mean()",
        "F.softplus(-fake.logits.detach()).mean()",
        "has no gradient: is somet",
    ),
    (
        "losses",
        "F.softplus(-fake.logits).mean()",
        "F.softplus(-fake.logits.mul_(2)).mean()",
        "the loss changes its input `fake` in place",
    ),
    (
        "losses",
        "return F.softplus(-fake.logits).mean()",
        "return random.random() * F.softplus(-fake.logits).mean()",
        "the loss draws from Python's global random numbers",
    ),
    (
        "losses",
        "return F.softplus(-fake.logits).mean()",
        "self.calls += 1; return self.calls * F.softplus(-fake.logits).mean()",
        "goes another way than one that was never saved: keep all it remembers in buffers",
    ),
    (
        "losses",
        "self.calls = 0\n    def discriminator(self, real, fake):\n",
        """self.register_buffer("calls", torch.zeros(()))
    def discriminator(self, real, fake):
        self.calls += 1
""",
        "loss_adapts_after_updates_alone: computing it changes calls, .* change what it keeps in after_update",
    ),
    # generators
    (
        "generators",
        "x = self.linear(z)",
        "x = self.linear(z)[:, :-1]",
        r"networks do not fit the data \(1, 8, 8\): unflatten",
    ),
    ("generators", "torch.tanh(x)", "x", r"its images lie in \[.*\], not \[-1, 1\]"),
    ("generators", "torch.tanh(x)", "torch.tanh(x / 0 * 0)", "what forward makes holds NaN"),
    ("generators", "x = self.linear(z)", "x = self.linear(z * 0)", "makes the same samples of different latents"),
    ("generators", "x = self.linear(z)", "z *= 2; x = self.linear(z)", "forward changes its input `z` in place"),
    ("generators", "torch.tanh(x)", "torch.tanh(x - x.mean(0))", "depends on the others in its batch"),
    ("generators", "torch.tanh(x)", "torch.tanh(x + torch.rand(1))", "makes different samples of the same latents"),
    (
        "generators",
        '"A generator."',
        '"A generator."\n    conditional = True',
        "marked conditional = True, but labels do not",
    ),
    (
        "generators",
        "torch.tanh(x)",
        "torch.tanh(x + labels[:, None] / 9)",
        "set the class attribute conditional = True",
    ),
    (
        "generators",
        "self.seen = 0.0",
        "self.unused = nn.Linear(2, 2)",
        "unused.weight, unused.bias never receive a gradi",
    ),
    (
        "generators",
        "x = self.linear(z)",
        "self.seen += self.training; x = self.linear(z) + self.seen",
        "loaded from its state_dict it makes other samples: register what it remembers as buffers",
    ),
    # discriminators
    (
        "discriminators",
        "nn.Linear(8, 1)",
        "nn.Linear(8, 2)",
        r"networks.discriminator says \(2, 2\) of 2 samples, not one number of each",
    ),
    (
        "discriminators",
        "x = x.flatten(1)",
        "x = x.detach().flatten(1)",
        "no gradient of the logits reaches the samples",
    ),
    (
        "discriminators",
        "x = x.flatten(1)",
        "x *= 2; x = x.flatten(1)",
        r"in an in-place operation\. \(.*plugin.py, line 13",
    ),
    (
        "discriminators",
        "torch.tanh(self.first(x))",
        "torch.tanh(self.first(x - x.mean(0)))",
        "on the other samples in its",
    ),
    (
        "discriminators",
        "def features(self, x, labels=None):\n",
        """batch_independent = True
    def features(self, x, labels=None):
        x = x - x.mean(0) if self.training else x
""",
        "independence_is_true: it says batch_independent = True, but in training a logit depends on the other",
    ),
    # terms
    ("terms", ".mean()", "", r"it returns the shape \(8,\), not a scalar"),
    (
        "terms",
        "pair.real_output.logits",
        "pair.real_output.logits.detach()",
        "it has no gradient, so the player 'discriminator'",
    ),
    (
        "terms",
        "pair.real_output.logits",
        "pair.fake",
        "its gradient reaches nothing that the player 'discriminator' updates",
    ),
    (
        "terms",
        "def forward(self, pair, player):\n",
        """def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))
    def forward(self, pair, player):
        self.seen += 1
""",
        "adapts_after_updates_alone: forward changes seen, but a loss is also computed where it is only measured",
    ),
    # schedules
    ("schedules", "measured = {}", "measured = {'steps': self.steps}", "returns steps as int, not as a tensor"),
    (
        "schedules",
        "for name in game.players",
        "for name in ['generator']",
        "the player 'discriminator' has not been upd",
    ),
    (
        "schedules",
        "for name in game.players",
        "for name in list(game.players) * self.steps",
        "a game saved and loaded with it goes another way",
    ),
    # strategies
    (
        "strategies",
        "game.schedule.d_steps = 2",
        "game.player('generator').after_step.append(Twos(game.generator))",
        "a game saved and loaded with it goes another way",
    ),
    ("strategies", "game.schedule.d_steps = 2", "pass", "a game with it is the same as one without it"),
    # priors
    ("priors", "self.dim, generator=generator", "self.dim", "draw, given a generator, draws from torch's global"),
    ("priors", "torch.randn(n, self.dim,", "torch.randn(n, self.dim + 1,", r"not float32 \(8, dim=10\)"),
    # datasets
    ("datasets", ", generator=random", "", r"load\('train'\) draws from torch's global random numbers"),
    ("datasets", "torch.arange(20) %", "1 + torch.arange(20) %", "int64 from 0 to num_classes - 1 = 3"),
    (
        "datasets",
        "(20, *self.shape.sample)",
        "(20, 1, 4, 4)",
        r"torch.uint8 \(2, 1, 4, 4\) for two samples of 'train', not",
    ),
    ("datasets", 'raise ConfigError("no such split")', "pass", r"load\('no_such_split'\) raises no ConfigError"),
    # metrics
    ("metrics", '"mine": False', '"other": False', "higher_is_better names other, which `scores` does not return"),
    (
        "metrics",
        "float(comparison.generated.features.mean())",
        "float(torch.rand(()))",
        "other scores for the same sampl",
    ),
    ("metrics", "float(comparison.generated.features.mean())", "float('nan')", "the score mine holds NaN"),
    ("metrics", "return {", "self.last = 1; return {", "scoring changes its public attributes"),
    # samplers
    ("samplers", ", generator=random", "", "drawing draws from torch's global random numbers"),
    (
        "samplers",
        "game.sample(latent)",
        "game.sample(latent)[:1]",
        r"draw gives torch.float32 \(1, 1, 8, 8\) for 4 latents, and the game's own samples are .* \(4, 1, 8, 8\)",
    ),
    ("samplers", "game.sample(latent)", "game.sample(latent) / 0", "what draw gives holds NaN or infinite"),
    ("samplers", 'name = "mine"', 'name = "other"', "its attribute `name` is not its entry point's name"),
    ("samplers", "for _ in range", "latent.z.mul_(2)\n        for _ in range", "draw changes its input `z` in place"),
    (
        "samplers",
        "self._calls += 1",
        "self._kept = latent = getattr(self, '_kept', latent)",
        "follows_from_its_random_numbers: prepared anew and given the same random numbers it draws other samples",
    ),
    (
        "samplers",
        "self._calls += 1",
        "next(game.generator.parameters()).mul_(2)",
        r"leaves_the_game_alone: drawing changes the game \(networks.generator",
    ),
    (
        "samplers",
        "self._calls += 1",
        "self.tries += 1",
        "drawing changes its public attributes, which are its settings",
    ),
    # optimizers
    ("optimizers", "parameter -= ", "parameter += ", "twenty steps down a parabola have not led down"),
    ("optimizers", 'group["lr"] *', 'group["lr"] * self.steps *', "loaded from its state_dict it steps another way"),
    # trackers
    (
        "trackers",
        'self.last = record["step"]',
        'record["metrics"].clear()',
        "it changes the configuration or the record",
    ),
    ("trackers", 'self.last = record["step"]', 'raise OSError("gone")', "raises OSError: gone"),
]


@pytest.mark.parametrize(("kind", "old", "new", "message"), BROKEN, ids=[f"{b[0]}-{b[3][:30]}" for b in BROKEN])
def test_a_broken_plugin_is_told_what_to_fix(check, kind, old, new, message):
    with pytest.raises(ContractBroken, match=message):
        check(kind, old, new)


def test_a_yaml_that_disagrees_with_the_signature_is_told(check):
    with pytest.raises(
        ContractBroken, match=r"mine.yaml has shift, which its signature does not accept|accept 'shift'"
    ):
        check("losses", yaml="name: mine\nscale: 2.0\nshift: 1.0")


def test_a_missing_contract_version_is_told(check):
    with pytest.raises(
        ContractBroken, match=rf'does not say which version .* add to its pyproject.toml .* {CONTRACT} = "its_pack'
    ):
        check("losses", contract=None)


def test_a_missing_yaml_is_told(install):
    install("mine", {"losses": {"mine": "mine:Plugin"}}, {"mine.py": LOSS})
    with pytest.raises(ContractBroken, match="mine has a plugin of that name but no file loss/mine.yaml"):
        check_plugin("losses", "mine", SMALL)


def test_an_exemption_is_by_name(check):
    sign = ("losses", "F.softplus(-real.logits)", "F.softplus(real.logits)")
    check(*sign, exempt={"pulls_the_right_way": "low logits are real here"})
    with pytest.raises(ValueError, match="losses have no check pulls; theirs are builds, "):
        check_plugin("losses", "minimax", exempt={"pulls": "why not"})
    with pytest.raises(ValueError, match="there is no plugin kind 'lossy'"):
        check_plugin("lossy", "minimax")


def test_a_plugin_says_itself_what_it_is_exempt_from_and_the_reason_is_printed(install, capsys):
    reason = "low logits are real here"
    source = LOSS.replace("F.softplus(-real.logits)", "F.softplus(real.logits)")
    stating = source.replace('"A loss."', f'"A loss."\n    exempt = {{"pulls_the_right_way": "{reason}"}}')
    points = {"losses": {"mine": "mine.plugin:Plugin"}, "configs": {"mine": "mine.conf"}}
    files = {"mine/__init__.py": "", "mine/plugin.py": stating, "mine/conf/loss/mine.yaml": "name: mine\nscale: 2.0"}
    install("mine", points, files)
    assert check_distribution("mine", SMALL)
    assert logging.root.isEnabledFor(logging.WARNING)
    assert capsys.readouterr().out == f"ok      mine (losses)\n        without pulls_the_right_way: {reason}\n"


def test_a_check_that_there_is_not_is_nothing_to_be_exempt_from(check):
    with pytest.raises(ContractBroken, match="its `exempt` names pulls, and the checks of losses are builds, "):
        check("losses", '"A loss."', '"A loss."\n    exempt = {"pulls": "why not"}')


def test_what_all_checks_say_alike_is_told_once(check):
    with pytest.raises(ContractBroken) as broken:
        check("generators", "x = self.linear(z)", "x = self.linear(z)[:, :-1]")
    assert str(broken.value).count("networks do not fit the data") == 1
    assert "makes_samples, depends_on_latents, samples_alone" in str(broken.value)


def test_every_problem_is_told_at_once(check):
    with pytest.raises(ContractBroken) as broken:
        check("losses", '    "A loss."\n    generator_needs_real', "    generator_needs_real = True; random")
    assert str(broken.value).startswith("mine (losses) breaks its contract:\n- ")


def test_settings_differ_from_the_yaml_where_they_are_given():
    check_plugin("priors", "normal", SMALL, dim=3)
    with pytest.raises(ContractBroken, match="does not accept 'size'"):
        check_plugin("priors", "normal", SMALL, size=3)


def test_the_test_class_runs_one_check_at_a_time():
    class Contract(PluginContract):
        kind = "priors"
        name = "normal"
        overrides = SMALL
        exempt = {"measures_well": "to see that it is left out"}

    class Metafunc:
        fixturenames = ("contract_check",)

        def parametrize(self, name, values):
            self.given = (name, values)

    metafunc = Metafunc()
    Contract().pytest_generate_tests(metafunc)
    assert metafunc.given == ("contract_check", [check for check in CHECKS["priors"] if check != "measures_well"])
    Contract().test_contract("draws_latents")


def test_a_distribution_is_checked_whole(install, capsys):
    source = OPTIMIZER + OPTIMIZER.replace("def Plugin", "def Wrong").replace("parameter -=", "parameter +=")
    yaml = "generator: &a\n  name: {0}\n  lr: 0.01\ndiscriminator: *a"
    files = {f"mine/conf/optimizer/{name}.yaml": yaml.format(name) for name in ("mine", "wrong")}
    points = {"optimizers": {"mine": "mine.plugin:Plugin"}, "configs": {"mine": "mine.conf"}}
    install("mine", points, {"mine/__init__.py": "", "mine/plugin.py": OPTIMIZER, **files})
    assert check_distribution("mine", SMALL)
    assert capsys.readouterr().out == "ok      mine (optimizers)\n"
    points = {"optimizers": {"wrong": "worse:Wrong"}, "configs": {"worse": "worse_conf"}}
    install("worse", points, {"worse.py": source})
    assert not check_distribution("worse", SMALL)
    out = capsys.readouterr().out
    assert "broken  worse: its configuration package worse_conf does not exist\nbroken  worse:wrong (optimizers)" in out
    assert "have not led down" in out


def test_checking_changes_no_random_state():
    state = torch.get_rng_state()
    with torch.random.fork_rng():
        check_plugin("priors", "normal", SMALL)
    assert torch.equal(torch.get_rng_state(), state)
