import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_framework.data.joining import joined
from gan_framework.errors import ConfigError
from gan_zoo.schedules.simultaneous import Simultaneous
from gan_zoo.strategies.k_step import KStep
from tests.helpers.small import Draws, small_game


def meetings_of(game):
    """Return a list that the game's meetings come into as it is played."""
    seen = []
    meet = game.meet
    game.meet = lambda batch, graph=True: seen.append(meet(batch, graph)) or seen[-1]
    return seen


def test_k_steps_use_k_fresh_batches_real_and_generated():
    game = small_game(start=False)
    KStep(k=4, g_steps=2).apply(game)
    game.start(torch.device("cpu"))
    seen = meetings_of(game)
    draws = Draws()
    game.step(draws)

    assert {name: game.player(name).updates for name in game.players} == {"discriminator": 4, "generator": 2}
    assert len(draws.batches) == 4
    # The generator's first update shares the last generated batch; its second has one of its own.
    assert len(seen) == 5
    assert [meeting["main"].real is draws.batches[i].samples for i, meeting in enumerate(seen[:4])] == [True] * 4
    latents = torch.stack([meeting["main"].latent.z for meeting in seen])
    assert len(torch.unique(latents, dim=0)) == 5


@pytest.mark.parametrize(("k", "drawn"), [(3, 3), (1, 2)])
def test_a_generator_update_may_have_the_samples_of_several_batches(k, drawn):
    game = small_game(start=False)
    KStep(k=k, g_steps=1, g_batches=2).apply(game)
    game.start(torch.device("cpu"))
    seen = meetings_of(game)
    draws = Draws()
    game.step(draws)

    assert len(draws.batches) == drawn
    *of_discriminator, last = [meeting["main"] for meeting in seen]
    assert len(of_discriminator) == k
    assert torch.equal(last.real, torch.cat([batch.samples for batch in draws.batches[-2:]]))
    assert len(last.fake) == 2 * len(of_discriminator[0].fake)
    assert not any(torch.equal(last.latent.z[: len(pair.latent.z)], pair.latent.z) for pair in of_discriminator)


def test_all_that_belongs_to_samples_is_joined():
    one = Batch(torch.zeros(2, 3), torch.arange(2), {"mask": torch.ones(2, 1)}, None, {"b": Batch(torch.ones(2, 4))})
    both = joined([one, one])
    assert both.samples.shape == (4, 3) and both.index is None
    assert both.labels.tolist() == [0, 1, 0, 1]
    assert both.extra["mask"].shape == (4, 1)
    assert both.others["b"].samples.shape == (4, 4) and both.others["b"].labels is None
    assert joined([one]) is one


def test_sngan_has_its_generator_see_twice_as_many(compose):
    small = ["networks.generator.width=2", "networks.discriminator.width=2", "data.image_size=16"]
    game = build_game(compose("experiment=resnet", *small), DataShape((1, 16, 16)), torch.device("cpu"))
    assert (game.schedule.d_steps, game.schedule.g_batches) == (5, 2)


def test_a_game_without_a_discriminator_is_refused(compose):
    settings = compose("model=vae", "data.image_size=8", "strategy=[k_step]")
    with pytest.raises(ConfigError, match="k_step has no effect on VAE"):
        build_game(settings, DataShape((1, 8, 8)), torch.device("cpu"))


def test_a_schedule_without_step_counts_is_refused():
    game = small_game(schedule=Simultaneous(), start=False)
    with pytest.raises(ConfigError, match="k_step .* Simultaneous"):
        KStep(k=5, g_steps=1).apply(game)


def test_two_settings_of_one_thing_are_refused(compose):
    asked = ["model=mlp", "data.image_size=8", "strategy=[k_step]", "schedule.d_steps=3"]
    with pytest.raises(ConfigError, match=r"schedule\.d_steps=3 and strategy\.k_step\.k=2 .*: set schedule\.d_steps=1"):
        build_game(compose(*asked, "strategy.k_step.k=2"), DataShape((1, 8, 8)), torch.device("cpu"))
    assert (
        build_game(compose(*asked, "strategy.k_step.k=3"), DataShape((1, 8, 8)), torch.device("cpu")).schedule.d_steps
        == 3
    )
    with pytest.raises(ConfigError, match=r"schedule\.g_steps=4 and strategy\.k_step\.g_steps=1"):
        build_game(compose(*asked[:3], "schedule.g_steps=4"), DataShape((1, 8, 8)), torch.device("cpu"))
