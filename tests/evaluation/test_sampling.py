import copy

import pytest
import torch

from gan_framework.config.schema import EvaluateConfig
from gan_framework.core.records import Latent
from gan_framework.errors import ConfigError
from gan_framework.evaluation.sampling import check, draw_latents, samples, sampling_as


def drawn(game, settings, seed=0, labels=None):
    latents = draw_latents(game, settings, seed, labels)
    return latents, torch.cat(list(samples(game, latents, settings.batch_size)))


def test_truncated_latents_are_those_drawn_with_the_large_entries_drawn_again(game):
    plain = draw_latents(game, EvaluateConfig(samples=500), 0, None).z
    cut = draw_latents(game, EvaluateConfig(samples=500, truncation=0.5), 0, None).z
    assert cut.abs().max() <= 0.5
    small = plain.abs() <= 0.5
    assert torch.equal(cut[small], plain[small])
    # The standard deviation of a standard normal cut at 1/2 is 0.2839.
    assert cut.std().item() == pytest.approx(0.2839, abs=0.01)


def test_latents_with_codes_cannot_be_truncated(game):
    game.latent = lambda n, labels, generator: Latent(torch.zeros(n, 4), labels, {"category": torch.zeros(n, 2)})
    with pytest.raises(ConfigError, match="codes"):
        draw_latents(game, EvaluateConfig(truncation=1.0), 0, None)


def test_an_impossible_truncation_is_an_error(game):
    with pytest.raises(ConfigError, match="truncation=1e-09"):
        draw_latents(game, EvaluateConfig(samples=10, truncation=1e-9), 0, None)


def test_ema_on_and_off(game):
    average = copy.deepcopy(game.networks["generator"])
    torch.nn.init.zeros_(average.layers[-2].weight)
    game.networks["generator_ema"] = average
    game.sampling_network = "generator_ema"
    latents = draw_latents(game, EvaluateConfig(samples=8), 0, None)
    for ema, name in ((None, "generator_ema"), (True, "generator_ema"), (False, "generator")):
        with sampling_as(game, EvaluateConfig(ema=ema), None) as protocol:
            found = game.sample(latents)
        assert protocol["ema"] == (name == "generator_ema")
        with torch.no_grad():
            assert torch.equal(found, game.networks[name].eval()(latents.z))
        assert game.sampling_network == "generator_ema"


def test_ema_of_a_model_without_averages_is_an_error(game):
    with pytest.raises(ConfigError, match="evaluate.ema"), sampling_as(game, EvaluateConfig(ema=True), None):
        pass


def test_batch_statistics_are_those_of_each_batch(game):
    settings = EvaluateConfig(samples=24, batch_size=8, batch_norm="batch")
    latents = draw_latents(game, settings, 0, None)
    with sampling_as(game, settings, None) as protocol:
        found = torch.cat(list(samples(game, latents, 8)))
    network = game.networks["generator"].layers
    inner = network[0](latents.z[8:16])
    inner = (inner - inner.mean(0)) / (inner.var(0, unbiased=False) + network[1].eps).sqrt()
    by_hand = network[5](network[4](inner.relu())).detach().view(-1, 1, 8, 8)
    assert (found[8:16] - ((by_hand + 1) * 127.5)).abs().max() <= 0.51
    assert protocol["batch_norm"] == "batch of 8"


def test_standing_statistics_are_the_average_over_fresh_batches(game):
    settings = EvaluateConfig(batch_size=500, batch_norm="standing")
    norm = game.networks["generator"].layers[1]
    with sampling_as(game, settings, None) as protocol:
        standing = copy.deepcopy(game.networks["generator"].layers)
    inner = standing[0](torch.randn(100_000, 4))
    assert torch.allclose(standing[1].running_mean, inner.mean(0), atol=0.05)
    assert torch.allclose(standing[1].running_var, inner.var(0), rtol=0.1)
    assert not torch.allclose(norm.running_var, standing[1].running_var, rtol=0.1)
    assert protocol["batch_norm"] == "standing, 16 batches of 500"


@pytest.mark.parametrize("mode", ["running", "batch", "standing"])
def test_the_game_is_left_as_it_was(game, mode):
    before = copy.deepcopy(game.networks.state_dict())
    network = game.networks["generator"]
    settings = EvaluateConfig(samples=20, batch_norm=mode)
    with sampling_as(game, settings, None):
        drawn(game, settings)
    assert game.networks["generator"] is network
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in game.networks.state_dict().items())


def test_batch_norm_of_a_network_without_any_is_an_error(game):
    game.networks["generator"].layers[1] = torch.nn.Identity()
    with (
        pytest.raises(ConfigError, match="batch_norm=batch"),
        sampling_as(game, EvaluateConfig(batch_norm="batch"), None),
    ):
        pass


def test_batches_without_statistics_of_their_own_are_an_error(game):
    for settings, said in (
        (EvaluateConfig(samples=21, batch_size=20, batch_norm="batch"), "evaluate.samples=21.*evaluate.batch_size=20"),
        (EvaluateConfig(samples=20, batch_size=1, batch_norm="batch"), "evaluate.batch_size=1.*batch_norm=batch"),
        (EvaluateConfig(samples=20, batch_size=1, batch_norm="standing"), "evaluate.batch_size=1.*batch_norm=standing"),
    ):
        with pytest.raises(ConfigError, match=said):
            check(game, settings)
    check(game, EvaluateConfig(samples=40, batch_size=20, batch_norm="batch"))
    check(game, EvaluateConfig(samples=21, batch_size=20, batch_norm="standing"))
    check(game, EvaluateConfig(samples=21, batch_size=1))


def test_a_batch_is_no_larger_than_the_samples(game):
    with sampling_as(game, EvaluateConfig(samples=7, batch_size=20, batch_norm="batch"), None) as protocol:
        assert protocol["batch_norm"] == "batch of 7"


@pytest.mark.parametrize(
    ("setting", "value"), [("seeds", 0), ("reference", 1), ("truncation", -1.0), ("batch_norm", "none"), ("samples", 1)]
)
def test_wrong_settings_name_the_setting(setting, value):
    with pytest.raises(ConfigError, match=f"evaluate.{setting}={value}"):
        EvaluateConfig(**{setting: value})
