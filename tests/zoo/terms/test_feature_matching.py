"""Feature matching against the features written out in numpy."""

import numpy as np
import pytest
import torch
from torch import nn

from gan_framework.core.pair import Meeting
from gan_framework.core.records import DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.discriminators.mlp import MLPDiscriminator
from gan_zoo.strategies.feature_matching import FeatureMatchingTerm
from tests.helpers.independent import Critic, finite_differences, image_game, images


def strategy(**changes):
    return registry.build(
        "strategies", {"name": "feature_matching", "mode": "replace", "weight": 1.0, "layer": -1} | changes
    )


def distance(real_features, fake_features):
    return ((real_features.mean(axis=0) - fake_features.mean(axis=0)) ** 2).sum()


def test_value_and_gradient_through_both_sides():
    game = image_game()
    pair = game.meet(images())["main"]
    real, fake = pair.real.numpy(), pair.fake.detach().numpy()
    value = FeatureMatchingTerm(-1)(pair, game.player("generator"))
    critic = Critic(game)

    def independent(values):
        return distance(critic.features(values, real), critic.features(values, fake))

    assert value.item() == pytest.approx(independent(critic.values), rel=1e-12) and value.item() > 1e-3
    slope = finite_differences(independent, critic.values)
    np.testing.assert_allclose(critic.gradient_of(value), slope, atol=1e-9)


def test_the_generator_step_follows_the_distance_alone():
    """G's step with SGD, by finite differences through the generator written out in numpy."""
    game = image_game(start=False)
    strategy(weight=3.0).apply(game)
    game.start(torch.device("cpu"))
    pair = game.meet(images())["main"]
    critic = Critic(game)
    z, real = pair.latent.z.numpy(), critic.features(critic.values, pair.real.numpy())
    layer = game.generator.layers[2]
    hidden = np.tanh(
        z @ game.generator.layers[0].weight.detach().numpy().T + game.generator.layers[0].bias.detach().numpy()
    )
    before = layer.weight.detach().numpy().copy()

    def independent(weight):
        fake = np.tanh(hidden @ weight.T + layer.bias.detach().numpy())
        return 3.0 * distance(real, critic.features(critic.values, fake))

    slope = finite_differences(independent, before)
    bias = layer.bias.detach().clone()
    reported = game.player("generator").play(Meeting(main=pair))
    assert reported.keys() == {"generator/feature_matching"}
    np.testing.assert_allclose(layer.weight.detach().numpy(), before - 0.1 * slope, atol=1e-9)
    assert not torch.equal(layer.bias, bias)
    np.testing.assert_array_equal(Critic(game).values, critic.values)


def test_added_to_the_adversarial_loss_in_one_step():
    game = image_game(start=False)
    strategy(mode="add", weight=0.5).apply(game)
    game.start(torch.device("cpu"))
    generator = game.player("generator")
    steps = []
    generator.optimizer.register_step_post_hook(lambda *_: steps.append(1))
    reported = game.step(images)
    assert {"generator/adversarial", "generator/feature_matching"} <= reported.keys()
    assert steps == [1] and generator.updates == 1


def test_the_layer_is_the_one_asked_for():
    torch.manual_seed(0)
    game = image_game(start=False)
    game.networks["discriminator"] = MLPDiscriminator(2, 1, [5, 4, 3], "tanh", 0.8, 0.1, "symmetric")
    game.start(torch.device("cpu"))
    pair = game.meet(images())["main"]
    for layer, size in enumerate((5, 4, 3)):
        real, fake = (side.features[layer].detach().numpy() for side in (pair.real_output, pair.fake_output))
        assert real.shape == (5, size)
        for index in (layer, layer - 3):
            value = FeatureMatchingTerm(index)(pair, game.player("generator"))
            assert value.item() == pytest.approx(distance(real, fake), rel=1e-12)


class Featureless(MLPDiscriminator):
    def forward(self, x, labels=None):
        return DiscriminatorOutput(super().forward(x, labels).logits)


def test_a_discriminator_without_features_is_refused():
    game = image_game(start=False)
    game.networks["discriminator"] = Featureless(2, 1, [3], "tanh", 0.8, 0.1, "symmetric")
    with pytest.raises(ConfigError, match="feature_matching has no effect on Featureless"):
        strategy().apply(game)


def test_a_layer_that_is_not_there_is_refused():
    for layer in (1, -2):
        with pytest.raises(ConfigError, match=f"layer={layer}.*MLPDiscriminator reports 1"):
            strategy(layer=layer).apply(image_game(start=False))


@pytest.mark.parametrize("wrong", [{"mode": "both"}, {"weight": 0.0}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        strategy(**wrong)


def test_convolutional_features_are_matched_position_by_position():
    """The mean is over the batch alone: two images that differ by a shift have different features."""
    real, fake = torch.zeros(4, 2, 3, 3), torch.zeros(4, 2, 3, 3)
    real[:, :, 0, 0], fake[:, :, 2, 2] = 1, 1

    class Pixels(nn.Module):
        def __init__(self):
            super().__init__()
            self.real = real
            self.real_output = DiscriminatorOutput(torch.zeros(4), (real,))
            self.fake_output = DiscriminatorOutput(torch.zeros(4), (fake,))

    assert FeatureMatchingTerm(0)(Pixels(), None).item() == 4
