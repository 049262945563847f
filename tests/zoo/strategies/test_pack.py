"""A discriminator that judges several samples at once."""

import numpy as np
import pytest
import torch
from torch import nn

from gan_framework.core.records import Batch
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.packs import OnPacks, widened
from tests.helpers.independent import image_game, images


def pack(m=2, batch_size=8):
    return registry.build("strategies", {"name": "pack", "m": m, "batch_size": batch_size})


def game(m=2, start=True):
    made = image_game(start=False)
    pack(m, 4 * m).apply(made)
    if start:
        made.start(torch.device("cpu"))
    return made


def packed(samples, m):
    """The packs of samples (N, ...) in numpy: those beside each other, one after another."""
    return samples.numpy().reshape(len(samples) // m, -1)


@pytest.mark.parametrize("m", [2, 3, 4])
def test_n_samples_get_n_over_m_logits_of_what_the_layers_make_of_packs(m):
    made = game(m)
    x = images(12).samples
    first, output = made.discriminator.hidden[0][0].layer, made.discriminator.output
    assert first.weight.shape == (3, 4 * m)
    hidden = np.tanh(packed(x, m) @ first.weight.detach().numpy().T + first.bias.detach().numpy())
    expected = hidden @ output.weight.detach().numpy()[0] + output.bias.item()
    assert made.discriminator(x).logits.tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    assert len(expected) == 12 // m


def test_only_the_first_layer_has_grown_and_it_has_kept_its_weights():
    before, after = image_game(start=False).discriminator, game(3).discriminator
    grown = {name: p.shape for name, p in after.named_parameters()}
    assert grown == {
        "hidden.0.0.layer.weight": (3, 12),
        "hidden.0.0.layer.bias": (3,),
        "output.weight": (1, 3),
        "output.bias": (1,),
    }
    torch.testing.assert_close(after.hidden[0][0].layer.weight[:, :4], before.hidden[0][0].weight)
    others = after.hidden[0][0].layer.weight[:, 4:]
    assert others.std().item() == pytest.approx(before.hidden[0][0].weight.std().item(), rel=0.6)
    assert not torch.equal(others[:, :4], others[:, 4:])


def test_each_pack_has_different_samples_and_each_sample_is_in_one():
    layer = OnPacks(nn.Identity(), 2)
    x = torch.arange(8.0)[:, None]
    assert layer(x).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    images_of_two_channels = torch.arange(16.0).view(4, 2, 1, 2)
    assert torch.equal(layer(images_of_two_channels), images_of_two_channels.reshape(2, 4, 1, 2))


def test_what_is_too_little_is_filled_and_what_is_left_over_dropped():
    layer = OnPacks(nn.Identity(), 3)
    assert layer(torch.tensor([[1.0], [2.0]])).tolist() == [[1, 2, 1], [2, 1, 2]]
    assert layer(torch.arange(8.0)[:, None]).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_convolutions_take_packs_along_their_channels():
    torch.manual_seed(0)
    network = DCGANDiscriminator(8, 3, 2, "none")
    layer = network.blocks[0][0]
    wide = widened(layer, 2)
    x = torch.randn(4, 3, 8, 8)
    first, second = nn.Conv2d(3, 2, 4, 2, 1, bias=False), nn.Conv2d(3, 2, 4, 2, 1, bias=False)
    first.weight.data, second.weight.data = wide.weight.data[:, :3], wide.weight.data[:, 3:]
    expected = first(x[0::2]) + second(x[1::2]) + layer.bias[:, None, None]
    torch.testing.assert_close(OnPacks(wide, 2)(x), expected)
    torch.testing.assert_close(wide.weight[:, :3], layer.weight)


@pytest.mark.parametrize("order", [("spectral_norm", "pack"), ("pack", "spectral_norm")])
def test_a_spectral_norm_is_that_of_the_whole_layer(order):
    norm = registry.build("strategies", {"name": "spectral_norm", "networks": None, "power_iterations": 50})
    made = image_game(start=False)
    for name in order:
        {"pack": pack(), "spectral_norm": norm}[name].apply(made)
    made.start(torch.device("cpu"))
    made.discriminator(images(8).samples)
    weight = made.discriminator.hidden[0][0].layer.weight
    assert weight.shape == (3, 8)
    assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=1e-3)


def test_the_players_learn_from_packs():
    made = game(2)
    assert not made.judge("discriminator").batch_independent
    before = [parameter.clone() for parameter in made.parameters() if parameter.requires_grad]
    measured = made.step(lambda: images(8))
    assert {side: len(measured[side]) for side in ("real", "fake")} == {"real": 4, "fake": 4}
    after = [parameter for parameter in made.parameters() if parameter.requires_grad]
    assert all(not torch.equal(one, other) for one, other in zip(before, after, strict=True))


def test_the_gradient_of_a_sample_is_that_through_its_pack():
    made = game(2)
    x = images(4).samples.requires_grad_()
    (gradient,) = torch.autograd.grad(made.discriminator(x).logits[0], x)
    assert (gradient[:2] != 0).all() and (gradient[2:] == 0).all()


@pytest.mark.parametrize(("m", "batch_size"), [(3, 8), (4, 4), (2, 9)])
def test_a_batch_that_is_no_number_of_packs_is_refused(m, batch_size):
    with pytest.raises(ConfigError, match=rf"strategy\.pack\.m={m}: train\.batch_size={batch_size}"):
        pack(m, batch_size).apply(image_game(start=False))


@pytest.mark.parametrize("name", ["r1", "gradient_penalty", "dragan"])
def test_penalties_on_the_gradient_of_each_sample_are_refused(name):
    made = game(2, start=False)
    made.player("discriminator").add_term(name, registry.build("terms", {"name": name}))
    with pytest.raises(ConfigError, match=f"{name} asks what is said of each single sample, and pack"):
        made.start(torch.device("cpu"))


@pytest.mark.parametrize("name", ["coulomb", "loss_sensitive", "quadratic_potential"])
def test_losses_of_samples_and_their_scores_are_refused(name):
    made = image_game(registry.build("losses", {"name": name}), start=False)
    with pytest.raises(ConfigError, match=f"pack .* or {type(made.loss).__name__}, needs something of each"):
        pack().apply(made)


@pytest.mark.parametrize("name", ["rejection", "metropolis_hastings", "langevin", "discriminator_transport"])
def test_samplers_that_ask_about_single_samples_are_refused(name):
    with pytest.raises(ConfigError, match=f"sampler={name} asks what is said of each single sample, and pack"):
        registry.build("samplers", {"name": name}).check(game(2))


def test_a_discriminator_that_takes_labels_is_refused():
    made = image_game(start=False)
    made.discriminator.conditional = True
    with pytest.raises(ConfigError, match="pack has no one label for a pack, and MLPDiscriminator"):
        pack().apply(made)


def test_a_first_layer_that_cannot_be_widened_is_named():
    made = image_game(start=False)
    made.discriminator.hidden[0][0].register_parameter("weight", made.discriminator.hidden[0][0].weight)
    nn.utils.parametrizations.weight_norm(made.discriminator.hidden[0][0])
    with pytest.raises(ConfigError, match=r"networks\.discriminator\.hidden\.0\.0: its weights are parametrised"):
        pack().apply(made)


def test_two_packs_are_one_too_many():
    made = game(2, start=False)
    with pytest.raises(ConfigError, match="pack and pack both set"):
        pack().apply(made)


def test_a_loss_that_wants_two_of_each_side_gets_them():
    made = image_game(registry.build("losses", {"name": "mmd", "estimator": "unbiased"}), start=False)
    pack(4, 8).apply(made)
    made.start(torch.device("cpu"))
    made.step(lambda: Batch(images(8).samples))
