"""crVAE-GAN: what a group of channels depends on, where the LSTMs start, and what each player pays and updates."""

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core.records import Latent
from gan_framework.errors import ConfigError
from gan_zoo.systems.crvae_gan import (
    LINKED,
    BothSigns,
    CRVAEDecoder,
    CRVAEDiscriminator,
    CRVAEEncoder,
    CRVAERecovery,
    Linked,
)
from tests.zoo.encoders.common import changed, count, images, on_meta, reached, small

SMALL = [
    "prior.dim=16",  # 4 maps of 2x2
    "networks.generator.widths=[4,4]",
    "networks.generator.maps=4",
    "networks.generator.groups=2",
    "networks.encoder.widths=[4,4]",
    "networks.discriminator.widths=[4,4]",
    "networks.recovery.inputs=4",
    "networks.recovery.width=4",
    "strategy.minibatch_discrimination.kernels=3",
]
WEIGHTS = ["game.early=0.3", "game.late=0.2", "game.first=1", "game.adversarial=0.7", "game.recovery=0.4"]


@pytest.fixture(scope="module")
def game(compose):
    return small(compose, "crvae_gan", *SMALL, *WEIGHTS, "networks.discriminator.dropout=0.0")


def decoder():
    torch.manual_seed(0)
    return CRVAEDecoder(64, 8, 1, [8, 8], 16, 4).double()


def encoder():
    torch.manual_seed(0)
    return CRVAEEncoder(8, 1, [4, 8], 64, 16, 4).double()


def test_a_group_of_the_decoder_depends_on_those_up_to_it_and_no_other():
    net, z = decoder(), torch.randn(2, 64, dtype=torch.float64, requires_grad=True)
    for t, group in enumerate(net.link(z).unflatten(1, (4, 16)).unbind(1)):
        (gradient,) = torch.autograd.grad(group.sum(), z, retain_graph=True)
        seen = gradient.unflatten(1, (4, 16)).abs().sum((0, 2)) > 0
        assert seen.tolist() == [s <= t for s in range(4)]


def test_the_groups_are_of_channels():
    """A group of u is the same channels, at all places, as the image's layers read."""
    net, z = decoder(), torch.randn(2, 64, dtype=torch.float64)
    made = net.everything(z)
    net.eval()
    torch.testing.assert_close(net(z), net.layers(made[LINKED].view(2, 16, 2, 2)))
    assert torch.equal(made[LINKED][:, :16], made[LINKED].view(2, 16, 2, 2)[:, :4].flatten(1))


@pytest.mark.parametrize("net", [decoder(), encoder()])
def test_forget_gates_start_open(net):
    width = net.linked.lstm.layers.hidden_size
    parameters = dict(net.linked.lstm.layers.named_parameters())
    for layer in range(2):
        bias = parameters[f"bias_ih_l{layer}"] + parameters[f"bias_hh_l{layer}"]
        assert torch.equal(bias[width : 2 * width], torch.ones(width, dtype=torch.float64))
        assert not (bias[:width] == 1).any() and not (bias[2 * width :] == 1).any()


def test_with_all_gates_open_the_lstm_forgets_nothing():
    """Cells of gates that are shut to what comes in keep what they have, by the forget gate of σ(1)."""
    linked = Linked(3, 2, 5).double()
    cells = linked.lstm.layers
    with torch.no_grad():
        for name, parameter in cells.named_parameters():
            parameter.mul_(0 if "weight" in name else 1)
            if "bias" in name:
                parameter[:2] = parameter[4:] = 0  # in, cell and out
    _, (_, kept) = cells(torch.zeros(1, 5, 3).double(), (torch.zeros(2, 1, 2).double(), torch.ones(2, 1, 2).double()))
    torch.testing.assert_close(
        kept, torch.full_like(kept, torch.sigmoid(torch.tensor(1.0)).item() ** 5), rtol=1e-6, atol=0
    )


def test_means_do_not_pass_the_lstm_and_variances_do():
    net = encoder()
    mean, log_variance = net(images(4).samples.double()).chunk(2, 1)
    cells = [*net.linked.parameters(), *net.log_variance.parameters()]
    of_mean = torch.autograd.grad(mean.square().sum(), cells, retain_graph=True)
    of_variance = torch.autograd.grad(log_variance.square().sum(), cells, retain_graph=True)
    assert not any(g.any() for g in of_mean) and all(g.any() for g in of_variance)
    (by_place,) = torch.autograd.grad(mean.sum(), net.mean[1].bias)
    assert torch.equal(by_place, torch.full_like(by_place, 4))


def test_a_group_of_variances_depends_on_the_channels_up_to_it():
    net = encoder().eval()
    h = torch.randn(2, 8, 2, 2, dtype=torch.float64, requires_grad=True)
    steps = net.linked(h)
    for t in range(4):
        (gradient,) = torch.autograd.grad(steps[:, t].sum(), h, retain_graph=True)
        assert (gradient.abs().sum((0, 2, 3)) > 0).tolist() == [channel // 2 <= t for channel in range(8)]


def test_both_signs_of_a_number_are_kept():
    x = torch.randn(2, 3, 4)
    both = BothSigns()(x)
    assert bool((both >= 0).all()) and torch.equal(both[:, :3] - both[:, 3:], x)


def test_networks_are_as_large_as_the_authors():
    """The layers of the authors' program for 64 pixels, summed by hand; LSTMs have two biases."""
    convolutions = 32 * 6 * 25 + 64 * 64 * 9 + 128 * 128 * 9 + 2 * 256 * 256 * 9 + 256 * 512 * 9
    encoder_convolutions = convolutions + 3 * (32 + 64 + 128 + 3 * 256)
    mean = 64 * 256 * 9 + 64 + 64 * 16
    lstm = 2 * (4 * 512 * (512 + 512 + 2))
    assert count(on_meta(CRVAEEncoder, 64, 3, [32, 64, 128, 256], 1024, 64, 8)) == (
        encoder_convolutions + mean + lstm + 2 * 512 + 512 * 128 + 128
    )
    lstm = 4 * 512 * (128 + 512 + 2) + 4 * 512 * (512 + 512 + 2)
    up = 256 * 256 * 16 + 256 * 128 * 16 + 128 * 64 * 16 + 64 * 64 * 16
    plain = 64 * 256 * 9 + 256 * 256 * 9 + 64 * 64 * 9
    norms = 3 * (3 * 256 + 128 + 3 * 64)
    assert count(on_meta(CRVAEDecoder, 1024, 64, 3, [256, 128, 64, 64], 64, 8)) == (
        lstm + 512 * 128 + 128 + 1024 + up + plain + norms + 64 * 3 * 9 + 3
    )
    convolutions = 64 * 3 * 25 + 128 * 64 * 25 + 256 * 128 * 25 + 256 * 256 * 9 + 64 + 128 + 2 * 256
    judge = on_meta(CRVAEDiscriminator, 64, 3, [64, 128, 256, 256], 0.5)
    assert count(judge) == convolutions + 4096 * 1024 + 1024 + 1024 + 1
    head = 64 * 256 * 9 + 3 * 64 + 64 * 64 + 3 * 64 + 1024 * 1024 + 1024
    assert count(on_meta(CRVAERecovery, 256, 64, 1024, 64)) == head


def test_what_each_player_pays(game):
    game.networks.eval()
    meeting = game.meet(images())
    main, decoded = meeting["main"], meeting["reconstruction"]
    losses = game.player("generator").evaluate(meeting)
    x = decoded.real
    torch.testing.assert_close(losses["squared_error"], (decoded.fake - x).square().mean())
    mean, log_variance = game.network("encoder")(x).chunk(2, 1)
    kl = 0.5 * (log_variance.exp() - 1 - log_variance + mean.square())
    torch.testing.assert_close(losses["kl_divergence"], (0.3 * kl[:, :8].sum(1) + 0.2 * kl[:, 8:].sum(1)).mean())
    for name, pair in meeting.items():
        u = game.generator.link(pair.latent.z)
        torch.testing.assert_close(pair.fake, game.generator.layers(u.view(8, 4, 2, 2)))
        told = game.discriminator(pair.fake)
        error = (game.network("recovery")(told.features[1]) - u).square().mean()
        torch.testing.assert_close(losses[f"recovered_{name}"], 0.4 * error)
        torch.testing.assert_close(losses[f"fooled_{name}"], 0.7 * F.softplus(-told.logits).mean())
        torch.testing.assert_close(game.player("recovery").evaluate(meeting)[f"recovered_{name}"], error)
    said = [game.discriminator(of).logits for of in (x, main.fake, decoded.fake)]
    expected = F.softplus(-said[0]).mean() + (F.softplus(said[1]).mean() + F.softplus(said[2]).mean()) / 2
    told = game.player("discriminator").evaluate(meeting.detached())
    torch.testing.assert_close(sum(told.values()), expected)
    game.networks.train()


def test_who_is_updated(game):
    meeting = game.meet(images())
    losses = game.player("generator").evaluate(meeting)
    assert reached(losses["kl_divergence"], game) == {"encoder"}
    assert reached(losses["recovered_reconstruction"], game) >= {"encoder", "generator", "recovery"}
    for player, networks in {
        "discriminator": {"discriminator"},
        "generator": {"generator", "encoder"},
        "recovery": {"recovery", "discriminator"},
    }.items():
        assert changed(game, lambda: game.player(player).play(game.meet(images()))) == networks  # noqa: B023
    before = {name: p.detach().clone() for name, p in game.discriminator.named_parameters()}
    game.player("recovery").play(game.meet(images()))
    now = dict(game.discriminator.named_parameters())
    assert {name.split(".")[0] for name in before if not torch.equal(before[name], now[name])} == {"blocks"}


def test_u_is_a_constant_and_images_are_not():
    z = torch.randn(2, 64, dtype=torch.float64, requires_grad=True)
    made = decoder().everything(z)
    assert made["samples"].requires_grad and not made[LINKED].requires_grad


def test_samples_codes_and_pictures(game):
    assert game.code_of(images().samples).shape == (8, 16)
    assert game.sample(Latent(torch.randn(3, 16))).shape == (3, 1, 8, 8)
    assert game.reconstruct(images().samples).abs().max() <= 1


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("prior.dim=20", "set prior.dim=16"),
        ("networks.generator.groups=3", "multiples of groups=3 are wanted"),
        ("networks.encoder.widths=[4,4,4,4]", "must be a multiple of 16"),
        ("networks.discriminator.dropout=1.0", "dropout=1.0"),
        ("game.early=-1", "early=-1"),
        ("game.first=3", "first=3"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(compose, setting, reason):
    with pytest.raises(Exception, match=reason):
        small(compose, "crvae_gan", *SMALL, setting)


def test_other_networks_are_refused(compose):
    with pytest.raises(ConfigError, match="needs generator and discriminator of the name crvae_gan"):
        small(compose, "mlp", "game.name=crvae_gan", *(f"+{weight}" for weight in WEIGHTS))
