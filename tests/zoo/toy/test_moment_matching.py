"""A generator without an adversary: what it compares, and what it lowers."""

import pytest
import torch
from torch import nn

from gan_framework.core.game import Components
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.games.moment_matching import MomentMatching
from gan_zoo.kernels import rbf, squared_mmd
from gan_zoo.schedules.alternating import Alternating
from tests.helpers.independent import double_precision, image_game, images  # noqa: F401 (a fixture)


def matching(loss, powers=1, start=True, **networks):
    base = image_game(start=False)
    settings = {"name": loss} if isinstance(loss, str) else loss
    components = Components(
        data=DataShape((1, 2, 2)),
        networks={"generator": base.networks["generator"], **networks},
        schedule=Alternating(d_steps=1, g_steps=1, share_fakes=True),
        prior=base.prior,
        loss=registry.build("losses", settings),
        optimizers=base.optimizers,
    )
    game = MomentMatching(components, powers)
    game.check()
    if start:
        game.start(torch.device("cpu"))
    return game


def test_the_generator_lowers_the_root_of_the_discrepancy_of_samples():
    game = matching({"name": "mmd", "rooted": True})
    meeting = game.meet(images())
    losses = game.player("generator").evaluate(meeting)
    x, g = (side.flatten(1) for side in (meeting["main"].real, meeting["main"].fake))
    squared = squared_mmd(rbf, x, g, unbiased=False)
    assert losses["adversarial"].item() == pytest.approx(squared.sqrt().item())
    expected = torch.autograd.grad(squared.sqrt(), [*game.generator.parameters()], retain_graph=True)
    found = torch.autograd.grad(losses["adversarial"], [*game.generator.parameters()])
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_matching_lowers_the_discrepancy():
    game = matching("mmd")
    losses = [game.step(lambda: images(64))["generator/adversarial"].item() for _ in range(150)]
    assert sum(losses[-10:]) < 0.5 * sum(losses[:10])


def test_powers_follow_the_values():
    game = matching("moment_ipm", powers=3)
    x = images(3).samples
    vector = game.describe(x).heads["vector"]
    flat = x.flatten(1)
    torch.testing.assert_close(vector, torch.cat([flat, flat**2, flat**3], dim=1))
    meeting = game.meet(images())
    real, fake = (game.describe(side).heads["vector"].mean(0) for side in (meeting["main"].real, meeting["main"].fake))
    loss = game.player("generator").evaluate(meeting)["adversarial"]
    assert loss.item() == pytest.approx((real - fake).norm().item())


def test_a_network_of_features_stays_as_it_is():
    torch.manual_seed(3)
    features = nn.Sequential(nn.Flatten(), nn.Linear(4, 6), nn.Tanh())
    game = matching("mmd", features=features)
    before = features[1].weight.clone()
    x = images(3).samples
    torch.testing.assert_close(game.describe(x).heads["vector"], torch.tanh(x.flatten(1) @ before.T + features[1].bias))
    start = next(game.generator.parameters()).clone()
    game.step(images)
    assert torch.equal(features[1].weight, before)
    assert not torch.equal(next(game.generator.parameters()), start)


def test_what_it_cannot_lower_is_refused():
    with pytest.raises(ConfigError, match="game=moment_matching needs a loss that compares vectors, and Hinge"):
        matching("hinge")
    with pytest.raises(ConfigError, match="game=moment_matching trains no discriminator.*discriminator=null"):
        matching("mmd", discriminator=image_game(start=False).networks["discriminator"])
    with pytest.raises(ValueError, match="powers=0"):
        matching("mmd", powers=0)
    with pytest.raises(ConfigError, match="k_step has no effect on MomentMatching"):
        registry.build("strategies", {"name": "k_step"}).apply(matching("mmd", start=False))
