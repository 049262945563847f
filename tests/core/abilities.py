"""What the tests of the core's abilities share: games of the distribution `gan-probe`, and gradients by differences."""

import io

import torch

import tests.probe.installed  # noqa: F401 (the distribution's modules can be imported)
from gan_framework.build import build_game
from gan_framework.build import start as start_game
from gan_framework.core import seeding
from gan_framework.core.game import Components
from gan_framework.core.records import Batch, DataShape, Latent
from gan_framework.data.sources import Sources
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.priors.normal import Normal
from gan_zoo.schedules.alternating import Alternating
from tests.helpers.independent import finite_differences
from tests.helpers.small import sgd

CPU = torch.device("cpu")


def alternating(d_steps=1, g_steps=1):
    return Alternating(d_steps=d_steps, g_steps=g_steps, share_fakes=True)


def make(game, networks, shape, players=("discriminator", "generator"), start=True, optimizer=sgd, edit=None, **parts):
    """Return a game of a class, by hand.

    Args:
        game: the class, or what makes one of components.
        networks: by name.
        shape: a DataShape, or the shape of a sample.
        players: who have optimizers.
        start: whether it is started.
        optimizer: of every player.
        edit: is called with the game before it is started, as a strategy would be.
        parts: further components in the place of the usual ones.
    """
    usual = {"schedule": alternating(), "prior": Normal(2), "loss": NonSaturating()}
    data = shape if isinstance(shape, DataShape) else DataShape(shape)
    optimizers = dict.fromkeys(players, optimizer)
    made = game(Components(data=data, networks=networks, optimizers=optimizers, **(usual | parts)))
    made.check()
    if edit is not None:
        edit(made)
    if start:
        start_game(made, CPU)
    return made


def experiment(compose, name, *overrides):
    """Return the started game of an experiment, and what draws its batches."""
    config = compose(f"experiment={name}", "tracker=[]", *overrides)
    sources = Sources(config["data"], config["sources"])
    game = build_game(config, sources.shape, CPU)
    return game, sources.batches(config["train"]["batch_size"], config["seed"], CPU)


def play(game, batches, steps):
    """Play steps of these numbers; what is random in a step follows from its number."""
    measured = []
    for step in steps:
        seeding.reseed(0, "step", step)
        measured.append(game.step(batches))
    return measured


def through_a_file(state):
    """Return a state saved and loaded as checkpoints are."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def flat(module):
    """Return a module's parameters as one vector."""
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


def same_state(one, two):
    """Whether two games hold the same tensors and numbers, to the bit."""
    return same_plain(dict(one.state_dict()), dict(two.state_dict()))


def same_plain(a, b):
    """Whether two mappings, lists, tensors or numbers are the same, to the bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_plain(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same_plain, a, b))
    return a == b


def gradient_by_differences(value, module):
    """Return the gradient of `value()` with respect to a module's parameters, by central differences, as one vector."""
    start = flat(module)

    def at(vector):
        torch.nn.utils.vector_to_parameters(torch.as_tensor(vector), module.parameters())
        return value().item()

    found = torch.as_tensor(finite_differences(at, start.numpy()))
    torch.nn.utils.vector_to_parameters(start, module.parameters())
    return found


def gradient(value, module):
    """Return the gradient of a scalar tensor with respect to a module's parameters, as one vector."""
    found = torch.autograd.grad(value, list(module.parameters()), allow_unused=True, retain_graph=True)
    pairs = zip(found, module.parameters(), strict=True)
    return torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for g, p in pairs])


def noise(n, *shape, seed=0, **beside):
    """Return a batch of noise in the default type."""
    return Batch(torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed)), **beside)


class Draws:
    """Gives batches of noise (6, 3), each of another seed."""

    def __init__(self):
        self.drawn = 0

    def __call__(self):
        self.drawn += 1
        return noise(6, 3, seed=self.drawn)


def drawn(n, *shape, seed=1):
    """Return latents (n, ...) that follow from a seed."""
    return Latent(torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed)))
