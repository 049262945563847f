"""Auto-encoders with discriminators of images or of codes: what each player pays, whom it reaches, sizes."""

import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core.pair import Meeting, Pair
from gan_framework.core.records import Batch, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_zoo.discriminators.mlp import MLPDiscriminator
from gan_zoo.encoding import LogRatio, latent_distance
from gan_zoo.generators.mlp import MLPGenerator
from gan_zoo.kernels import squared_mmd
from gan_zoo.networks.mlp_encoder import MLPEncoder
from gan_zoo.schedules.equilibrium_gate import EquilibriumGate
from gan_zoo.systems.vae_gan import VAEGANDiscriminator, VAEGANEncoder, VAEGANGenerator
from gan_zoo.systems.wae_gan import (
    CodesMMD,
    SameConv2d,
    WAEEncoder,
    WAEGenerator,
    inverse_multiquadratics,
    moments_apart,
    with_log_density,
)
from tests.zoo.encoders.common import changed, count, images, on_meta, reached, small

CONV = ["prior.dim=3", "networks.generator.width=2", "networks.encoder.width=2"]
VAE_GAN = [
    "prior.dim=3",
    "game.gamma=0.5",
    "networks.generator.first=4",
    "networks.generator.widths=[4,4,4]",
    "networks.encoder.widths=[4,4,4]",
    "networks.encoder.hidden=8",
    "networks.discriminator.first=4",
    "networks.discriminator.widths=[4,4,4]",
    "networks.discriminator.hidden=8",
]
AAE = ["prior.dim=3", *(f"networks.{name}.hidden=[8]" for name in ("generator", "encoder", "discriminator"))]
WAE = [*CONV, "networks.discriminator.hidden=[8]", "game.pretraining=0"]


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        ((VAEGANEncoder, 64, 3, [64, 128, 256], 1024, [128, 128]), 18_071_360),
        ((VAEGANEncoder, 64, 3, [64, 128, 256], 2048, [128, 128]), 35_112_768),
        ((VAEGANGenerator, 128, 64, 3, 256, [256, 128, 32]), 4_693_155),
        ((VAEGANDiscriminator, 64, 3, 32, [128, 256, 256], 512), 10_953_857),
        ((MLPEncoder, 28, 1, [1000, 1000], "relu", [8], "he"), 1_794_008),
        ((MLPGenerator, 8, 28, 1, [1000, 1000], "relu", "sigmoid", 0.01, 0.0), 1_794_784),
        ((MLPDiscriminator, None, 8, [1000, 1000], "relu", 0.01, 0.0, "symmetric"), 1_011_001),
        ((MLPDiscriminator, None, 8, [512] * 4, "relu", 0.01, 0.0, "symmetric"), 793_089),
        ((MLPDiscriminator, None, 64, [1024] * 4, "relu", 0.01, 0.0, "symmetric"), 3_216_385),
        # Of a convolution inputs · outputs · kernel² + outputs, of batch norm 2 · outputs.
        ((WAEEncoder, 28, 1, 128, 4, 4, [8], "unit"), 16 * 128 * (1 + 2 * 128 * 21) + 3 * 1920 + 4 * 1024 * 8 + 8),
        ((WAEGenerator, 8, 28, 1, 256, 3, 4, "sigmoid"), 9 * 49 * 1024 + 16 * 256 * 2561 + 3 * 768 + 1),
    ],
)
def test_networks_are_as_large_as_the_papers(network, parameters):
    assert count(on_meta(*network)) == parameters


@pytest.mark.parametrize(
    ("experiment", "size"),
    [("vae_gan", 32), ("aae", 28), ("wae_gan", 28), ("alpha_gan", 32), ("veegan", None), ("mdgan", 32)],
)
def test_experiments_name_their_games(compose, experiment, size):
    config = compose(f"experiment={experiment}")
    assert config["game"]["name"] == {"wae_gan": "wae"}.get(experiment, experiment)
    assert config["data"]["image_size"] == size


# -- VAE-GAN ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vae_gan(compose):
    return small(compose, "vae_gan", *VAE_GAN)


def test_what_the_players_of_a_vae_gan_pay(vae_gan):
    meeting = vae_gan.meet(images())
    main, decoded = meeting["main"], meeting["reconstruction"]
    judge, code = vae_gan.discriminator, decoded.latent.code
    # One batch for the batch norm of D, as in the authors' program.
    real, made = (judge(torch.cat([main.real, main.fake])).part(of) for of in (slice(8), slice(8, None)))
    seen, again = (judge(torch.cat([main.real, decoded.fake])).part(of) for of in (slice(8), slice(8, None)))
    told = vae_gan.player("discriminator").evaluate(meeting.detached())
    expected = F.softplus(-real.logits).mean() + F.softplus(made.logits).mean() + F.softplus(again.logits).mean()
    torch.testing.assert_close(sum(told.values()), expected)

    error = 0.5 * (seen.features[3] - again.features[3]).square().flatten(1).sum(1).mean()
    kl = 0.5 * (code["log_variance"].exp() - 1 - code["log_variance"] + code["mean"].square()).sum(1).mean()
    torch.testing.assert_close(sum(vae_gan.player("encoder").evaluate(meeting).values()), error + kl)
    # The decoder's step is along γ L_l - L_GAN (algorithm 1): it raises D's own loss.
    unmasked = F.softplus(made.logits).mean() + F.softplus(again.logits).mean()
    torch.testing.assert_close(sum(vae_gan.player("generator").evaluate(meeting).values()), 0.5 * error - unmasked)


def test_the_layer_is_the_convolution_before_its_norm(vae_gan):
    features = vae_gan.discriminator(images().samples).features
    assert features[3].shape == (8, 4, 1, 1) and bool((features[3] < 0).any())
    assert bool((features[2] >= 0).all())


def test_each_player_of_a_vae_gan_updates_its_own(vae_gan):
    for player in ("discriminator", "generator", "encoder"):
        assert changed(vae_gan, lambda: vae_gan.player(player).play(vae_gan.meet(images()))) == {player}  # noqa: B023


def test_no_gradient_of_the_adversarial_part_reaches_the_encoder(vae_gan):
    """E is given its terms alone, and D's losses do not know it."""
    assert vae_gan.player("encoder").objective is None
    told = sum(vae_gan.player("discriminator").evaluate(vae_gan.meet(images()).detached()).values())
    assert reached(told, vae_gan) == {"discriminator"}


def test_a_discriminator_of_samples_alone(compose):
    game = small(compose, "vae_gan", *VAE_GAN, "game.judges_reconstructions=false")
    assert game.player("discriminator").evaluate(game.meet(images())).keys() == {"adversarial"}


@pytest.mark.parametrize(
    ("real", "fake", "opened"),
    [
        (0.68, 0.68, (True, True)),
        (0.32, 0.68, (False, True)),
        (0.68, 0.32, (False, True)),
        (1.04, 0.68, (True, False)),
        (0.68, 1.04, (True, False)),
        (0.32, 1.04, (True, True)),  # neither would be updated
        (1.04, 0.32, (True, True)),
    ],
)
def test_who_is_updated_at_the_gate(real, fake, opened):
    assert EquilibriumGate(0.68, 0.35).opened(real, fake) == opened


def test_the_gate_looks_at_what_is_said_of_the_batch(vae_gan):
    with torch.no_grad():
        vae_gan.discriminator.output.weight.zero_()
        vae_gan.discriminator.output.bias.fill_(-0.9)  # real samples are taken for generated ones
    changes = changed(vae_gan, lambda: measured.update(vae_gan.schedule.step(vae_gan, images)))
    assert changes == {"discriminator", "encoder"}
    assert measured["real_entropy"].item() == pytest.approx(math.log1p(math.exp(0.9)))
    assert measured["fake_entropy"].item() == pytest.approx(math.log1p(math.exp(-0.9)))


measured = {}


# -- AAE and WAE -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def aae(compose):
    return small(compose, "aae", *AAE)


def test_real_for_an_aae_is_what_the_prior_draws(aae):
    meeting = aae.meet(images())
    codes = meeting["codes"]
    torch.testing.assert_close(codes.fake, aae.network("encoder")(images().samples))
    assert codes.real.shape == (8, 3) and codes.real_labels is None
    told = aae.player("discriminator").evaluate(meeting.detached())["adversarial"]
    real, fake = (aae.discriminator(z).logits for z in (codes.real, codes.fake))
    torch.testing.assert_close(told, F.softplus(-real).mean() + F.softplus(fake).mean())
    fooled = aae.player("encoder").evaluate(meeting)["adversarial"]
    torch.testing.assert_close(fooled, F.softplus(-fake).mean())
    assert reached(fooled, aae) == {"encoder", "discriminator"}


def test_who_is_updated_in_an_aae(aae):
    owners = {"discriminator": {"discriminator"}, "encoder": {"encoder"}, "autoencoder": {"encoder", "generator"}}
    for player, networks in owners.items():
        assert changed(aae, lambda: aae.player(player).play(aae.meet(images()))) == networks  # noqa: B023


def test_a_penalty_of_weight_0_leaves_an_autoencoder(compose):
    """The gradient of the update is that of the cost alone."""
    game = small(compose, "wae_gan", *WAE, "game.weight=0")
    player, batch = game.player("autoencoder"), images()
    game.networks.eval()
    player.backward(player.evaluate(game.meet(batch)))
    decoded = game.generate(Latent(game.network("encoder")(batch.samples)))
    cost = 0.025 * 0.5 * (decoded - batch.samples).square().flatten(1).sum(1).mean()
    for found, expected in zip(player.gradients, torch.autograd.grad(cost, player.trained), strict=True):
        torch.testing.assert_close(found, expected)


def test_the_cost_of_a_wae_is_the_papers(compose):
    """0.05 Σ (x - x̂)² of pixels in [0, 1]."""
    game = small(compose, "wae_gan", *WAE)
    meeting = game.meet(images())
    pair = meeting["reconstruction"]
    expected = 0.05 * (((pair.fake + 1) / 2 - (pair.real + 1) / 2) ** 2).flatten(1).sum(1).mean()
    losses = game.player("autoencoder").evaluate(meeting)
    torch.testing.assert_close(losses["reconstruction"], expected)
    judged = game.discriminator(meeting["codes"].fake).logits
    torch.testing.assert_close(losses["codes"], 10 * F.softplus(-judged).mean())


def test_a_network_that_says_nothing_leaves_the_log_density(compose):
    game = small(compose, "wae_gan", *WAE, "game.known_prior=true")
    with torch.no_grad():
        game.discriminator.output.weight.zero_()
        game.discriminator.output.bias.zero_()
    z = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    torch.testing.assert_close(game.judge("discriminator")(z).logits, expected)
    said = with_log_density(None, (z.double(),), DiscriminatorOutput(torch.zeros(5, dtype=torch.float64)))
    torch.testing.assert_close(said.logits, expected.double())


def test_what_cannot_know_the_prior_is_refused(compose):
    with pytest.raises(ConfigError, match="needs prior=normal and game.penalty=gan"):
        small(compose, "wae_gan", *WAE, "game.known_prior=true", "prior=uniform")
    with pytest.raises(ConfigError, match="penalty='f': choose gan or mmd"):
        small(compose, "wae_gan", *WAE, "game.penalty=f")


def codes(real, fake):
    return Pair(None, Batch(real), Latent(real), fake)


@pytest.mark.parametrize(("side", "kernel", "first"), [(4, 4, -1), (4, 5, -1), (7, 4, -1), (7, 5, -2)])
def test_maps_are_halved_as_tensorflow_does(side, kernel, first):
    """Of zeros that cannot be divided evenly one more is behind."""
    layer = SameConv2d(1, 1, kernel).requires_grad_(False)
    layer.weight.fill_(1.0)
    layer.bias.zero_()
    x = torch.arange(1.0, side + 1).expand(1, 1, 1, side)
    windows = [range(first + 2 * i, first + 2 * i + kernel) for i in range(-(-side // 2))]
    expected = torch.tensor([float(sum(j + 1 for j in window if 0 <= j < side)) for window in windows])
    torch.testing.assert_close(layer(x)[0, 0, 0], expected)


@pytest.mark.parametrize(("size", "kernel"), [(28, 4), (33, 5), ((20, 37), 4)])
def test_networks_of_wae_take_any_size(size, kernel):
    height, width = (size, size) if isinstance(size, int) else size
    made = WAEGenerator(3, size, 2, 2, 3, kernel, "sigmoid")(torch.randn(2, 3))
    assert made.shape == (2, 2, height, width) and made.abs().max() <= 1
    assert WAEEncoder(size, 2, 2, 4, kernel, [3], "unit")(made).shape == (2, 3)


def test_the_discrepancy_of_codes():
    z = torch.randn(6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    other = z.flip(0) + 1
    assert CodesMMD(unbiased=False)(codes(z, z), None).item() == pytest.approx(0, abs=1e-12)

    def kernel(a, b):
        return sum(6 * s / (6 * s + float((a - b) @ (a - b))) for s in (0.1, 0.2, 0.5, 1, 2, 5, 10))

    def within(x):
        return sum(kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j) / 30

    expected = within(z) + within(other) - 2 * sum(kernel(a, b) for a in z for b in other) / 36
    assert CodesMMD()(codes(z, other), None).item() == pytest.approx(expected)
    assert squared_mmd(inverse_multiquadratics(3), z, other, unbiased=False).item() > 0


def test_an_encoder_learns_the_priors_moments_first(compose):
    game = small(compose, "wae_mmd", *WAE[:2], "networks.encoder.width=8", "game.pretraining=60")

    def apart():
        pair = game.meet(images(64))["codes"]
        return moments_apart(torch.randn(4096, 3), pair.fake).item()

    with torch.no_grad():
        game.network("encoder").layers[-1].bias.fill_(3.0)
    before = apart()
    assert changed(game, lambda: game.openings[0](game, lambda: images(64))) == {"encoder"}
    assert apart() < 0.95 * before
    assert game.openings[0].over and "discriminator" not in game.players
    z = torch.tensor([[1.0, 0.0], [-1.0, 2.0]])
    assert moments_apart(z, z).item() == 0 and moments_apart(z, z + 3).item() == pytest.approx(9)


# -- α-GAN, Reg-GAN, MDGAN -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def alpha_gan(compose):
    return small(
        compose, "alpha_gan", *CONV, "networks.discriminator.width=2", "networks.discriminator_codes.hidden=[8]"
    )


def evaluated(game, meeting):
    return {name: game.player(name).evaluate(meeting) for name in game.players}


def test_what_the_players_of_an_alpha_gan_pay(alpha_gan):
    alpha_gan.networks.eval()
    meeting = alpha_gan.meet(images())
    main, decoded, code = meeting["main"], meeting["reconstruction"], meeting["codes"]
    paid = {name: sum(losses.values()) for name, losses in evaluated(alpha_gan, meeting).items()}
    real, made, again = (alpha_gan.discriminator(x).logits for x in (main.real, main.fake, decoded.fake))
    of_prior, of_code = (alpha_gan.network("discriminator_codes")(z).logits for z in (main.latent.z, code.fake))
    error = 10 * (decoded.fake - decoded.real).abs().mean()
    sp = F.softplus
    torch.testing.assert_close(paid["discriminator"], sp(-real).mean() + sp(made).mean() + sp(again).mean())
    torch.testing.assert_close(paid["discriminator_codes"], sp(-of_prior).mean() + sp(of_code).mean())
    torch.testing.assert_close(paid["encoder"], error - of_code.mean())
    torch.testing.assert_close(paid["generator"], error - made.mean() - again.mean())
    alpha_gan.networks.train()


def test_who_is_updated_in_an_alpha_gan(alpha_gan):
    for player in alpha_gan.players:
        assert changed(alpha_gan, lambda: alpha_gan.player(player).play(alpha_gan.meet(images()))) == {player}  # noqa: B023


def test_a_ratio_of_one_half_costs_nothing():
    """R(t) = -log t + log(1 - t) is minus the logit: 0 at t = ½."""
    logits = torch.tensor([-1.5, 0.0, 0.7], dtype=torch.float64)
    pair = Pair(lambda *_: DiscriminatorOutput(logits), Batch(logits), Latent(logits), logits)
    t = logits.sigmoid()
    torch.testing.assert_close(LogRatio()(pair, None), (-t.log() + (1 - t).log()).mean())
    nothing = Pair(lambda *_: DiscriminatorOutput(0 * logits), Batch(logits), Latent(logits), logits)
    assert LogRatio()(nothing, None).item() == 0


def test_reg_gan_pays_for_reconstructions(compose):
    game = small(compose, "reg_gan", *CONV, "networks.discriminator.width=2")
    game.networks.eval()
    meeting = game.meet(images())
    made, again = (game.discriminator(meeting[name].fake).logits for name in ("main", "reconstruction"))
    error = (meeting["reconstruction"].fake - images().samples).square().mean()
    paid = {name: sum(losses.values()) for name, losses in evaluated(game, meeting).items()}
    bracket = 0.2 * error + 0.4 * F.softplus(-again).mean()
    torch.testing.assert_close(paid["encoder"], bracket)
    torch.testing.assert_close(paid["generator"], F.softplus(-made).mean() + bracket)
    assert [*game.player("discriminator").objective] == ["main"]


def test_mdgan_moves_reconstructions_onto_the_data_and_samples_onto_reconstructions(compose):
    game = small(compose, "mdgan", *CONV, "networks.discriminator.width=2")
    game.networks.eval()
    meeting = game.meet(images())
    torch.testing.assert_close(meeting["diffusion"].real, meeting["manifold"].fake)
    assert not meeting["diffusion"].real.requires_grad
    first, second = game.network("discriminator_manifold"), game.discriminator
    x, decoded, made = images().samples, meeting["manifold"].fake, meeting["diffusion"].fake
    paid = {name: sum(losses.values()) for name, losses in evaluated(game, meeting).items()}
    sp = F.softplus
    torch.testing.assert_close(
        paid["discriminator_manifold"], sp(-first(x).logits).mean() + sp(first(decoded).logits).mean()
    )
    torch.testing.assert_close(
        paid["discriminator"], sp(-second(decoded).logits).mean() + sp(second(made).logits).mean()
    )
    torch.testing.assert_close(
        paid["autoencoder"], (x - decoded).square().mean() + 0.1 * sp(-first(decoded).logits).mean()
    )
    torch.testing.assert_close(paid["generator"], sp(-second(made).logits).mean())


# -- VEEGAN and AEGAN ------------------------------------------------------------------------------------


def test_what_the_reconstructor_of_noise_and_the_generator_pay(compose):
    game = small(compose, "veegan", "prior.dim=3", size=None)
    pair = game.meet(Batch(torch.randn(6, 2, generator=torch.Generator().manual_seed(0))))["main"]
    losses = game.player("generator").evaluate(Meeting(main=pair))
    judge, encoder = game.discriminator, game.network("encoder")
    torch.testing.assert_close(losses["log_ratio"], -judge(pair.fake, None, pair.latent.z).logits.mean())
    back = 0.5 * (pair.latent.z - encoder(pair.fake)).square().sum(1).mean()
    torch.testing.assert_close(losses["latent_reconstruction"], back)
    assert reached(losses["log_ratio"], game) == {"generator", "discriminator"}
    assert reached(losses["latent_reconstruction"], game) == {"generator", "encoder"}
    told = game.player("discriminator").evaluate(Meeting(main=pair.detached()))["adversarial"]
    real = judge(pair.real, None, *pair.real_given).logits
    fake = judge(pair.fake, None, pair.latent.z).logits
    torch.testing.assert_close(told, F.softplus(-real).mean() + F.softplus(fake).mean())


def test_noise_that_is_made_of_data_is_drawn_with_unit_variance(compose):
    """Algorithm 1: z ~ p(z | x), a normal distribution around what F makes of x; where F says 0, it is the prior."""
    game = small(compose, "veegan", "prior.dim=3", size=None)
    x = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
    drawn, made = game.encode(x), game.network("encoder")(x)
    torch.testing.assert_close(drawn.code["mean"], made)
    torch.testing.assert_close((drawn.z - made).mean(0), torch.zeros(3), atol=0.08, rtol=0)
    torch.testing.assert_close((drawn.z - made).T.cov(), torch.eye(3), atol=0.1, rtol=0)
    torch.testing.assert_close(game.code_of(x), made)


def test_an_exact_inverse_costs_only_the_constant():
    z = torch.randn(5, 4, dtype=torch.float64)
    log_prob = torch.distributions.Normal(z, 1.0).log_prob(z).sum(1)
    torch.testing.assert_close(latent_distance(z, z) + 2 * math.log(2 * math.pi), -log_prob)


def test_a_latent_regressor_leaves_the_gan_as_it_is(compose):
    """Without help the generator and the discriminator go the way they go without an encoder, to the bit."""
    options = ["prior.dim=3", "networks.generator.width=2", "networks.discriminator.width=2", "optimizer=sgd"]
    alone = small(compose, "aegan", *options, "networks.encoder.width=2", "game.helps=false")
    plain = small(compose, "dcgan", *options)
    for name in ("generator", "discriminator"):
        plain.network(name).load_state_dict(alone.network(name).state_dict())
    for step in range(2):
        for game in (alone, plain):
            torch.manual_seed(step)
            game.step(images)
    for name in ("generator", "discriminator"):
        for one, other in zip(alone.network(name).parameters(), plain.network(name).parameters(), strict=True):
            assert torch.equal(one, other)
    helped = small(compose, "aegan", *options, "networks.encoder.width=2", "game.weight=0.3")
    losses = helped.player("generator").evaluate(helped.meet(images()))
    assert reached(losses["latent_reconstruction"], helped) == {"generator", "encoder"}
