"""Compiled networks give what plain ones give; what cannot be compiled is refused."""

import pytest
import torch

from gan_framework.build import compile_networks
from gan_framework.errors import ConfigError
from tests.helpers.small import Draws, small_game


def test_compiled_networks_take_the_same_steps(monkeypatch):
    # The graph is captured as for any back end, but run as it is: code generation takes a minute.
    compiled, plain = small_game(), small_game()
    original = torch.compile
    calls = []
    monkeypatch.setattr(torch, "compile", lambda *args, **kwargs: calls.append(1) or original(*args, backend="eager"))
    compile_networks(compiled)
    assert len(calls) == 2
    for game in (compiled, plain):
        torch.manual_seed(0)
        draw = Draws()
        for _ in range(3):
            game.step(draw)
    assert compiled.state_dict().keys() == plain.state_dict().keys()
    for (name, a), b in zip(compiled.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b, msg=name)


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["term=r1"], "terms.r1"),
        (["term=[gradient_penalty,r2]"], "terms.gradient_penalty and terms.r2"),
        (["strategy=[unrolled]"], "unrolled"),
    ],
)
def test_a_gradient_in_an_objective_is_refused(compose, overrides, named):
    from gan_framework.build import build_game
    from gan_framework.core.records import DataShape

    config = compose("model=mlp", "data.image_size=4", "data.channels=1", *overrides)
    game = build_game(config, DataShape((1, 4, 4)), torch.device("cpu"))
    with pytest.raises(ConfigError, match=f"train.compile=true cannot go with .*{named}.*twice"):
        compile_networks(game)


def test_networks_of_images_are_refused_for_other_data_by_name(compose):
    from gan_framework.build import build_game
    from gan_framework.core.records import DataShape

    with pytest.raises(
        ConfigError, match=r"dcgan is a network for images, .* data=cross_2d has the shape \(2,\): .*mlp"
    ):
        build_game(compose("model=dcgan", "data=cross_2d"), DataShape((2,)), torch.device("cpu"))


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["prior.dim=0"], r"prior.dim=0: it must be at least 1$"),  # of the prior, not of what follows from it
        (["prior.dim=-3"], r"prior.dim=-3: it must be at least 1$"),
        (
            ["networks.generator.hidden=[0]"],
            r"mlp \(generators\): a layer would have no weights: one of the sizes is 0",
        ),
        (["prior=codes", "strategy=[q_head]", "strategy.q_head.hidden=0"], "strategy.q_head .*one of the sizes is 0"),
    ],
)
def test_a_size_of_nothing_is_refused_where_torch_warns_of_it(compose, overrides, said):
    from gan_framework.build import build_game
    from gan_framework.core.records import DataShape

    config = compose("model=mlp", "data.image_size=4", "data.channels=1", *overrides)
    with pytest.raises(ConfigError, match=said):
        build_game(config, DataShape((1, 4, 4)), torch.device("cpu"))
