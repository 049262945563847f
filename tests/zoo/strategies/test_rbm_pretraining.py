"""Contrastive divergence by hand and by enumeration, the unrolled network against the machines, and digits."""

import copy
import itertools
import math

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_framework.data import Sources
from gan_framework.errors import ConfigError
from gan_zoo.strategies.rbm_pretraining import RBM
from tests.helpers.resuming import difference, finish

SHAPE = DataShape((1, 8, 8), 10)
OWN = (
    "experiment=autoencoder",
    "data.image_size=8",
    "strategy=[rbm_pretraining]",
    "networks.autoencoder.activation=tanh",
    "networks.autoencoder.hidden=[32]",
    "networks.autoencoder.code=8",
    "tracker=[]",
)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def machine(weight, visible_bias, hidden_bias, linear=False):
    made = RBM(len(visible_bias), len(hidden_bias), linear)
    made.weight.data, made.visible_bias.data, made.hidden_bias.data = map(
        torch.tensor, (weight, visible_bias, hidden_bias)
    )
    return made


@pytest.mark.parametrize("linear", [False, True])
def test_the_gradient_of_one_sample_is_the_one_computed_by_hand(linear):
    made = machine([[1.0, -2.0, 0.5], [0.0, 1.0, -1.0]], [0.1, 0.0, -0.3], [0.2, -0.4], linear)
    made.draw = lambda means: torch.tensor([[1.0, 0.0]])
    error = made.contrast(torch.tensor([[1.0, 0.0, 0.5]]))

    unit = (lambda x: x) if linear else sigmoid
    h = [unit(1.0 + 0.25 + 0.2), unit(-0.5 - 0.4)]
    v = [sigmoid(1.0 + 0.1), sigmoid(-2.0), sigmoid(0.5 - 0.3)]  # of the first hidden unit alone
    h_made = [unit(v[0] - 2 * v[1] + 0.5 * v[2] + 0.2), unit(v[1] - v[2] - 0.4)]
    data = [1.0, 0.0, 0.5]
    expected = [[h_made[i] * v[j] - h[i] * data[j] for j in range(3)] for i in range(2)]
    torch.testing.assert_close(made.weight.grad, torch.tensor(expected))
    torch.testing.assert_close(made.visible_bias.grad, torch.tensor([v[j] - data[j] for j in range(3)]))
    torch.testing.assert_close(made.hidden_bias.grad, torch.tensor([h_made[i] - h[i] for i in range(2)]))
    assert error.item() == pytest.approx(sum((v[j] - data[j]) ** 2 for j in range(3)))


def test_a_batch_has_the_mean_gradient():
    made = machine([[1.0, -2.0], [0.3, 1.0]], [0.1, 0.0], [0.2, -0.4])
    made.draw = lambda means: means.round()
    v = torch.tensor([[1.0, 0.0], [0.2, 0.9], [0.0, 0.0]])
    each = []
    for sample in v:
        made.contrast(sample[None])
        each.append([parameter.grad for parameter in made.parameters()])
    made.contrast(v)
    for found, of_each in zip((p.grad for p in made.parameters()), zip(*each, strict=True), strict=True):
        torch.testing.assert_close(found, torch.stack(of_each).mean(0))


def test_hidden_states_are_drawn_of_their_means():
    torch.manual_seed(0)
    means = torch.tensor([[0.1, 0.9]]).expand(20_000, 2)
    logistic = RBM(1, 2, linear=False).draw(means)
    assert set(logistic.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(logistic.mean(0), means[0], rtol=0, atol=0.01)
    linear = RBM(1, 2, linear=True).draw(means)
    torch.testing.assert_close(linear.mean(0), means[0], rtol=0, atol=0.03)
    torch.testing.assert_close(linear.std(0), torch.ones(2), rtol=0, atol=0.03)


@torch.no_grad()
def log_likelihood(made, v):
    """Return the mean log-likelihood of binary samples, the partition function summed state by state."""
    states = torch.tensor([*itertools.product([0.0, 1.0], repeat=v.shape[1])])

    def free(x):
        return x @ made.visible_bias + torch.nn.functional.softplus(made.hidden_bias + x @ made.weight.T).sum(1)

    return float((free(v) - free(states).logsumexp(0)).mean())


def test_descending_it_makes_the_data_likely():
    torch.manual_seed(0)
    made, v = RBM(3, 2, linear=False), torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]).repeat(50, 1)
    before = log_likelihood(made, v)
    optimizer = torch.optim.SGD(made.parameters(), 0.1)
    for _ in range(500):
        made.contrast(v)
        optimizer.step()
    # Eight states at random are worth log 1/8; of two patterns of equal share no model makes more than log 1/2.
    assert before < -1.9
    assert -1.1 < log_likelihood(made, v) <= -math.log(2)


@pytest.fixture(scope="module")
def digits():
    return Sources({"name": "digits", "image_size": 8, "channels": 1, "num_classes": 10}, {}).batches(100, 0, "cpu")


@pytest.fixture
def build(compose):
    return lambda *overrides: build_game(compose(*OWN, *overrides), SHAPE, torch.device("cpu"))


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
def test_the_network_begins_as_the_machines(build, digits, activation, output):
    game = build(
        "strategy.rbm_pretraining.steps=20",
        f"networks.autoencoder.activation={activation}",
        f"networks.autoencoder.output={output}",
        "networks.autoencoder.hidden=[32,16]",
    )
    (opening,) = game.openings
    machines = copy.copy(opening._machines)
    assert [(*each.weight.shape, each.linear) for each in machines] == [(32, 64, False), (16, 32, False), (8, 16, True)]
    opening(game, digits)
    x = digits().samples
    up = (x.flatten(1) + 1) / 2
    for each in machines:
        up = each.up(up)
    network = game.network("autoencoder")
    torch.testing.assert_close(network.encoder(x), up, rtol=1e-4, atol=1e-4)
    down = up
    for each in reversed(machines):
        down = each.down(down)
    torch.testing.assert_close(network(x).flatten(1), 2 * down - 1, rtol=1e-4, atol=1e-4)
    assert opening._machines == ()


def test_a_network_of_a_code_alone_begins_as_one_machine(build, digits):
    game = build("strategy.rbm_pretraining.steps=2", "networks.autoencoder.hidden=[]")
    assert [each.linear for each in game.openings[0]._machines] == [True]
    game.step(digits)


def error(game, x):
    with torch.no_grad():
        return (game.reconstruct(x) - x).square().mean().item()


def test_reconstructions_of_digits_are_better_than_those_of_random_weights_before_any_tuning(build, digits):
    game, x = build("strategy.rbm_pretraining.lr_code=0.01"), digits().samples
    mean_image = (x - x.mean(0)).square().mean().item()
    random = error(game, x)
    torch.manual_seed(0)
    game.openings[0](game, digits)
    pretrained = error(game, x)
    assert pretrained < 0.5 * random
    assert pretrained < 0.8 * mean_image  # so that the codes tell images apart


def test_an_average_of_the_weights_begins_there_too(build, digits):
    game = build("strategy=[ema,rbm_pretraining]", "strategy.rbm_pretraining.steps=2", "optimizer.autoencoder.lr=0")
    game.step(digits)
    trained, average = game.network("autoencoder").state_dict(), game.network("autoencoder_ema").state_dict()
    for name, value in trained.items():
        torch.testing.assert_close(value, average[name])


def test_a_reloaded_game_goes_on_exactly_and_does_not_pretrain_again(build, compose):
    batch = Batch(torch.rand(6, 1, 8, 8) * 2 - 1)
    drawn = []

    def draw():
        drawn.append(1)
        return batch

    game, resumed = build("strategy.rbm_pretraining.steps=3"), build("strategy.rbm_pretraining.steps=3", "seed=1")
    game.step(draw)
    assert len(drawn) == 2 * 3 + 1
    assert not any("_machines" in name or "visible_bias" in name for name in game.state_dict())
    resumed.load_state_dict(copy.deepcopy(game.state_dict()))
    measured = [each.step(draw) for each in (game, resumed)]
    assert len(drawn) == 2 * 3 + 3
    assert measured[0] == measured[1]
    assert all(torch.equal(a, b) for a, b in zip(game.parameters(), resumed.parameters(), strict=True))


def test_a_resumed_run_ends_as_one_that_was_not_interrupted(tmp_path, cache):
    own = [*OWN, "strategy.rbm_pretraining.steps=5", "train.batch_size=16", "train.log_every=1", "train.sample_every=2"]
    for folder, steps in (("whole", (6,)), ("parts", (2, 4, 6))):
        for until in steps:
            code, output = finish(tmp_path / folder, *own, f"train.steps={until}", "train.checkpoint_every=100")
            assert code == 0, output
            assert ("rbm_pretraining: layer 32 -> 8" in output) == (until == steps[0])
    assert difference_of_last(tmp_path / "whole", tmp_path / "parts") == []


def difference_of_last(one, two):
    """Return what the ends differ in; runs that are not scored have no best checkpoint."""
    for folder in (one, two):
        (folder / "checkpoints" / "best.pt").write_bytes((folder / "checkpoints" / "last.pt").read_bytes())
    return difference(one, two)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["networks.autoencoder.activation=relu"], "with ReLU, which stands for no logistic unit: set networks"),
        (["networks.autoencoder.output=linear"], "set networks.autoencoder.output=sigmoid or tanh"),
        (["strategy.rbm_pretraining.steps=0"], "steps=0: it must be at least 1"),
        (["strategy.rbm_pretraining.lr_code=0"], "lr_code=0"),
        (["strategy.rbm_pretraining.momentum=1"], "momentum=1"),
        (["strategy.rbm_pretraining.weight_decay=-1"], "weight_decay=-1"),
        (
            ["strategy=[spectral_norm,rbm_pretraining]", "strategy.spectral_norm.networks=[autoencoder]"],
            "rbm_pretraining sets the weights of networks.autoencoder, which another strategy normalises",
        ),
    ],
)
def test_what_does_not_fit_is_refused(build, overrides, message):
    with pytest.raises(ConfigError, match=message):
        build(*overrides)


@pytest.mark.parametrize("model", [["model=mlp"], ["model=autoencoder", "network=conv_autoencoder"], ["model=vae"]])
def test_another_game_or_network_is_refused(compose, model):
    config = compose(*model, "data.image_size=8", "strategy=[rbm_pretraining]")
    with pytest.raises(ConfigError, match="rbm_pretraining has no effect on .*network=mlp_autoencoder"):
        build_game(config, SHAPE, torch.device("cpu"))
