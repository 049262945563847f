"""Several critics: what is asked of the discriminators is asked of each of them."""

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.runs import diagnostics
from gan_zoo.batch_statistic import WithBatchStatistic
from gan_zoo.losses.vanilla import Minimax
from gan_zoo.strategies.unrolled import Unrolled
from gan_zoo.strategies.weight_clipping import WeightClipping
from tests.core.abilities import (
    drawn,
    experiment,
    flat,
    gradient,
    gradient_by_differences,
    make,
    noise,
    play,
    through_a_file,
)
from tests.helpers.independent import double_precision  # noqa: F401 (a fixture)

from gan_probe.gman import GMAN, soft_maximum  # isort: skip
from gan_probe.layers import Dense, DenseJudge  # isort: skip

pytestmark = pytest.mark.usefixtures("probe")

N, SOFTNESS, RATE = 5, 0.7, 0.3
CRITICS = ["discriminator_0", "discriminator_1", "discriminator_2"]


def gman(edit=None, critics=CRITICS, softness=SOFTNESS):
    torch.manual_seed(0)
    networks = {"generator": Dense(2, [2], 3, None)}
    networks |= {name: DenseJudge(2, 0, 2 + number) for number, name in enumerate(critics)}
    return make(
        lambda components: GMAN(components, softness),
        networks,
        (2,),
        players=("generator", *critics),
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=RATE),
        loss=Minimax(),
        edit=edit,
    )


def meet(game, batch, latent):
    game.latent_for = lambda _: latent
    return game.meet(batch)


def parameters(game, name):
    judge = game.network(name)
    return [p.detach().clone() for p in (*judge.inner.parameters(), *judge.output.parameters())]


def score(judge, x):
    return torch.tanh(x @ judge[0].T + judge[1]) @ judge[2][0] + judge[3]


def loss(judge, real, fake):
    softplus = torch.nn.functional.softplus
    return softplus(-score(judge, real)).mean() + softplus(score(judge, fake)).mean()


def generated(game, z):
    first, _, last = game.network("generator").layers
    return torch.tanh(z @ first.weight.T + first.bias) @ last.weight.T + last.bias


def face(judges, fake, softness=SOFTNESS):
    """What the generator minimises: the soft maximum of E log(1 - D_i), the weights written out."""
    values = torch.stack([-torch.nn.functional.softplus(score(judge, fake)).mean() for judge in judges])
    weights = (softness * values).exp()
    return (weights * values).sum() / weights.sum()


@pytest.mark.parametrize("softness, value", [(0, -0.5), (1, -0.339922), (5, -0.043883), (1e4, 0.0)])
def test_the_soft_maximum(softness, value):
    assert soft_maximum(torch.tensor([-1.0, -0.5, 0.0]), softness).item() == pytest.approx(value, abs=1e-6)


def test_the_generator_faces_the_soft_maximum_of_all_critics():
    game, batch, latent = gman(), noise(N, 2), drawn(N, 2)
    judges = [parameters(game, name) for name in CRITICS]
    slope = gradient_by_differences(lambda: face(judges, generated(game, latent.z)), game.generator)
    before = flat(game.generator)
    measured = game.player("generator").play(meet(game, batch, latent))
    assert measured.keys() == {"generator/adversarial"}
    torch.testing.assert_close(flat(game.generator), before - RATE * slope, rtol=1e-6, atol=1e-9)


def test_one_critic_is_the_plain_game():
    game, batch, latent = gman(critics=CRITICS[:1]), noise(N, 2), drawn(N, 2)
    (value,) = game.player("generator").evaluate(meet(game, batch, latent)).values()
    judge = parameters(game, "discriminator_0")
    expected = -torch.nn.functional.softplus(score(judge, generated(game, latent.z))).mean()
    torch.testing.assert_close(value, expected)


def test_each_critic_moves_along_its_own_loss_alone():
    game, batch, latent = gman(), noise(N, 2), drawn(N, 2)
    meeting = meet(game, batch, latent)
    for name in CRITICS:
        before = {other: flat(game.network(other)) for other in game.networks}
        judge = [p.requires_grad_() for p in parameters(game, name)]
        value = loss(judge, batch.samples, generated(game, latent.z).detach())
        slope = torch.cat([g.flatten() for g in torch.autograd.grad(value, judge)])
        game.player(name).play(meeting.detached())
        torch.testing.assert_close(flat(game.network(name)), before[name] - RATE * slope)
        assert all(torch.equal(flat(game.network(o)), kept) for o, kept in before.items() if o != name)


@pytest.mark.parametrize("steps", [1, 2])
def test_unrolling_looks_ahead_at_every_critic(steps):
    game = gman(edit=Unrolled(k=steps, lr=None).apply)
    batch, latent = noise(N, 2), drawn(N, 2)
    start = [parameters(game, name) for name in CRITICS]

    def ahead():
        fake, judges = generated(game, latent.z), start
        for _ in range(steps):
            judges = [[p.detach().requires_grad_() for p in judge] for judge in judges]
            losses = [loss(judge, batch.samples, fake.detach()) for judge in judges]
            both = zip(judges, map(torch.autograd.grad, losses, judges), strict=True)
            judges = [[(p - RATE * g).detach() for p, g in zip(judge, of, strict=True)] for judge, of in both]
        return face(judges, fake)

    (value,) = game.player("generator").evaluate(meet(game, batch, latent)).values()
    torch.testing.assert_close(value, ahead())
    assert not torch.isclose(value, face(start, generated(game, latent.z)), rtol=1e-3)
    expected = gradient_by_differences(ahead, game.generator)
    torch.testing.assert_close(gradient(value, game.generator), expected, rtol=1e-5, atol=1e-8)


def test_weight_clipping_clips_each_critic_after_its_own_update():
    bound = 0.05
    game = gman(edit=WeightClipping(networks=None, bound=bound).apply)
    plain = gman()
    batch, latent = noise(N, 2), drawn(N, 2)
    for name in CRITICS:
        assert flat(game.network(name)).abs().max() > bound
        for one in (game, plain):
            one.player(name).play(meet(one, batch, latent).detached())
        torch.testing.assert_close(flat(game.network(name)), flat(plain.network(name)).clamp(-bound, bound))
    assert flat(game.generator).abs().max() > bound


def test_weight_clipping_of_one_critic_leaves_the_others():
    game = gman(edit=WeightClipping(networks=["discriminator_1"], bound=0.05).apply)
    for name in CRITICS:
        game.player(name).play(meet(game, noise(N, 2), drawn(N, 2)).detached())
    clipped = [bool(flat(game.network(name)).abs().max() <= 0.05) for name in CRITICS]
    assert clipped == [False, True, False]


def test_a_penalty_of_all_discriminators_is_each_critics_own(compose):
    torch.set_default_dtype(torch.float32)
    game, batches = experiment(
        compose, "probe_gman", "term=[r1]", "terms.r1.player=discriminators", "terms.r1.weight=2.0"
    )
    batch = batches()
    meeting = game.meet(batch)
    for name in CRITICS:
        a, b, v, _ = parameters(game, name)
        slope = ((1 - torch.tanh(batch.samples @ a.T + b) ** 2) * v[0]) @ a
        expected = slope.square().sum(1).mean()  # a half, twice
        torch.testing.assert_close(game.player(name).evaluate(meeting)["r1"], expected)
    assert not game.player("generator").terms


def test_a_term_may_name_one_of_the_critics(compose):
    torch.set_default_dtype(torch.float32)
    game, _ = experiment(compose, "probe_gman", "term=[r1]", "terms.r1.player=discriminator_2")
    assert [name for name in game.players if "r1" in game.player(name).terms] == ["discriminator_2"]
    assert game.judges_of(game.player("discriminator_2"), "r1") == ["discriminator_2"]


def test_spectral_norm_gives_every_layer_of_every_critic_norm_one(compose):
    torch.set_default_dtype(torch.float32)
    game, batches = experiment(compose, "probe_gman", "strategy=[spectral_norm]")
    play(game, batches, range(1))
    for name in CRITICS:
        for _ in range(50):  # power iterations of the weights as they are now
            game.network(name)(torch.zeros(2, 2))
        for layer in (game.network(name).inner, game.network(name).output):
            assert torch.linalg.svdvals(layer.weight)[0].item() == pytest.approx(1, abs=1e-3)
    with pytest.raises(AttributeError):
        game.generator.layers[0].parametrizations  # noqa: B018


@pytest.mark.parametrize("strategy", ["minibatch_stddev", "minibatch_discrimination"])
def test_minibatch_layers_let_each_critic_see_its_batch(compose, strategy):
    torch.set_default_dtype(torch.float32)
    game, batches = experiment(compose, "probe_gman", f"strategy=[{strategy}]")
    play(game, batches, range(1))
    for name in CRITICS:
        layer = game.network(name).output
        assert isinstance(layer, WithBatchStatistic)
        torch.nn.init.ones_(layer.on_statistic.weight)
        x = batches().samples[:1] + 1e-3 * torch.randn(16, 2)  # those far apart are not seen
        alone, together = game.judge(name)(x[:2]).logits[0], game.judge(name)(x).logits[0]
        assert not torch.isclose(alone, together)
        assert not game.judge(name).batch_independent
        # Real and generated samples are never in one pass.
        one, two = game.meet(batches(), graph=False)[name].outputs
        assert one.logits.shape == two.logits.shape == (16,)
    # Each has a layer of its own.
    assert len({id(game.network(name).output) for name in CRITICS}) == 3


def test_health_figures_name_each_critic(compose):
    torch.set_default_dtype(torch.float32)
    game, batches = experiment(compose, "probe_gman")
    batch = batches()
    meeting = game.meet(batch, graph=False)
    expected = {name: score(parameters(game, name), batch.samples).sigmoid().mean().item() for name in CRITICS}
    measured = {}
    for name in CRITICS:
        measured |= game.player(name).play(meeting.detached())
    figures = diagnostics.figures(measured)
    for name in CRITICS:
        assert figures[f"health/d_real_{name}"] == pytest.approx(expected[name], rel=1e-5)
        sides = [f"{side}_{name}" for side in ("real", "fake")]
        assert {f"health/{what}_{side}" for what in ("logit", "accuracy") for side in sides} <= set(figures)
        assert f"train/{name}/adversarial" in figures
        assert f"health/gradient_norm_{name}" in diagnostics.gradient_norms(game)
    assert len({figures[f"health/d_real_{name}"] for name in CRITICS}) == 3


def test_the_critics_go_on_exactly(compose):
    torch.set_default_dtype(torch.float32)
    options = ["strategy=[weight_clipping,spectral_norm]", "strategy.weight_clipping.networks=[discriminator_0]"]
    options += ["strategy.spectral_norm.networks=[discriminator_1]", "optimizer=rmsprop"]
    straight, batches = experiment(compose, "probe_gman", *options)
    play(straight, batches, range(2))
    state, drawn_so_far = through_a_file(straight.state_dict()), batches.drawn
    expected = play(straight, batches, range(2, 4))
    resumed, _ = experiment(compose, "probe_gman", *options, "seed=1")
    resumed.load_state_dict(state)
    batches.drawn = drawn_so_far
    found = play(resumed, batches, range(2, 4))
    for a, b in zip(expected, found, strict=True):
        assert a.keys() == b.keys()
        assert all(torch.equal(a[name], b[name]) for name in a)


def test_r1_is_refused_for_a_player_that_updates_no_critic(compose):
    torch.set_default_dtype(torch.float32)
    with pytest.raises(ConfigError, match="discriminator_0 or discriminator_1 or discriminator_2"):
        experiment(compose, "probe_gman", "term=[r1]", "terms.r1.player=generator")
