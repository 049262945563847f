"""VQGAN, BigBiGAN, ALAE, AnoGAN and f-AnoGAN: sizes, formulas, and who is updated."""

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core.pair import Pair
from gan_framework.core.records import Batch, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_zoo.discriminators.patch import PatchDiscriminator
from gan_zoo.losses.hinge import Hinge
from gan_zoo.metrics.anomaly_auc import AnomalyAUC, area_under_curve
from gan_zoo.metrics.latent_probe import linear
from gan_zoo.systems.alae import ALAEDiscriminator, ALAEGenerator
from gan_zoo.systems.anogan import normal_alone
from gan_zoo.systems.bigbigan import BigBiGANDiscriminator, ScoreGap
from gan_zoo.systems.vqgan import Quantised, VQGANEncoder, VQGANGenerator, adaptive_factor, straight_through
from tests.zoo.encoders.common import changed, count, images, on_meta, reached, small

LARGE, SMALL = (256, 3, 128, [1, 1, 2, 2, 4], 2, [16], 256), (32, 1, 32, [1, 2, 2], 1, [8], 64)


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        # Without the convolution of a pixel between the code and the codebook, which the counts leave out.
        ((VQGANEncoder, *LARGE), 29_298_176 + 65_792),
        ((VQGANGenerator, *LARGE), 42_449_795 + 65_792),
        ((VQGANEncoder, *SMALL), 415_776 + 4_160),
        ((VQGANGenerator, *SMALL), 654_721 + 4_160),
        ((PatchDiscriminator, 3, 0, 64, 3, "batch"), 2_765_633),
        ((PatchDiscriminator, 1, 0, 64, 2, "batch"), 661_313),
        ((ALAEGenerator, 50, 28, 1, 6, [1024, 1024]), 15_300 + 1_905_424),
        ((ALAEDiscriminator, 50, 28, 1, [1024, 1024], 3, True), 1_904_690 + 5_151),
        ((ALAEDiscriminator, 50, 28, 1, [1024, 1024], 3, False), 1_904_690 + 5_151),
    ],
)
def test_networks_are_as_large_as_the_papers(network, parameters):
    assert count(on_meta(*network)) == parameters


# -- VQGAN -----------------------------------------------------------------------------------------


def test_the_nearest_entry_is_taken_and_the_gradient_goes_straight_through():
    codebook = Quantised(5, 3).double()
    with torch.no_grad():
        codebook.codes.copy_(torch.randn(5, 3, generator=torch.Generator().manual_seed(1)))
    z = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    entries, indices = codebook(z)
    vectors = z.movedim(1, -1).reshape(-1, 3)
    expected = torch.cdist(vectors, codebook.codes).argmin(1)
    assert torch.equal(indices.flatten(), expected)
    torch.testing.assert_close(entries.movedim(1, -1).reshape(-1, 3), codebook.codes[expected])
    made, upstream = straight_through(z, entries), torch.randn(2, 3, 2, 2, dtype=torch.float64)
    torch.testing.assert_close(made, entries)
    of_z, of_codes = torch.autograd.grad(made, (z, codebook.codes), upstream, allow_unused=True)
    assert torch.equal(of_z, upstream) and (of_codes is None or not of_codes.any())


def test_the_factor_balances_the_two_gradients_whatever_the_scale():
    weight = torch.randn(4, dtype=torch.float64, requires_grad=True)
    one, other = weight.square().sum(), (3 * weight).sum()
    factor = adaptive_factor(one, other, weight)
    assert factor.item() == pytest.approx(2 * weight.norm().item() / (6 + 1e-4)) and not factor.requires_grad
    torch.testing.assert_close(adaptive_factor(one, 100 * other, weight) * 100, factor, rtol=1e-3, atol=0)
    assert adaptive_factor(one, 0 * other, weight).item() == pytest.approx(min(2e4 * weight.norm().item(), 1e4))


@pytest.fixture(scope="module")
def vqgan(compose):
    sizes = [f"networks.{name}.dim=8" for name in ("generator", "encoder", "codebook")]
    widths = [f"networks.{name}.width=8" for name in ("generator", "encoder", "discriminator")]
    return small(compose, "vqgan", *sizes, *widths, "game.start=2", size=16)


def test_the_discriminator_of_a_vqgan_starts_late(vqgan):
    batch = images(4, 16)
    for _ in range(2):
        measured = {}
        updated = changed(vqgan, lambda: measured.update(vqgan.step(lambda: batch)))  # noqa: B023
        assert updated == {"encoder", "codebook", "generator"} and "discriminator/adversarial" not in measured
        assert measured["autoencoder/adaptive_adversarial"] == 0
    updated = changed(vqgan, lambda: measured.update(vqgan.step(lambda: batch)))
    assert updated == {"encoder", "codebook", "generator", "discriminator"}
    pair = vqgan.meet(batch)["main"]
    loss = vqgan.player("autoencoder").evaluate({"main": pair})
    adversarial = -vqgan.discriminator(pair.fake).logits.mean()
    torch.testing.assert_close(
        loss["adaptive_adversarial"],
        0.8
        * adaptive_factor((pair.fake - pair.real).abs().mean(), adversarial, vqgan.generator.last.weight)
        * adversarial,
        rtol=1e-3,
        atol=1e-5,
    )
    code, entries = pair.made["code"], pair.made["entries"]
    torch.testing.assert_close(loss["codebook"], 1.25 * (code - entries).square().mean())
    assert reached(loss["codebook"], vqgan) == {"encoder", "codebook"}
    assert reached(loss["absolute_error"], vqgan) == {"encoder", "generator"}  # straight through


def test_the_rate_of_a_vqgan_is_that_of_its_batch(compose):
    config = compose("experiment=vqgan")
    for player in ("discriminator", "autoencoder"):
        assert config["optimizer"][player]["lr"] == pytest.approx(4.5e-6 * config["train"]["batch_size"])
        assert config["optimizer"][player]["betas"] == [0.5, 0.9]


def test_pictures_of_a_vqgan_are_pairs(vqgan):
    assert vqgan.picture(vqgan.latent(4), 4).shape[0] == 3
    assert vqgan.reconstruct(images(4, 16).samples).abs().max() <= 1
    assert vqgan.code_of(images(4, 16).samples).shape == (4, 8 * 4 * 4)


# -- BigBiGAN --------------------------------------------------------------------------------------


def test_scores_of_0_cost_the_discriminator_6_and_the_generator_nothing():
    said = DiscriminatorOutput(torch.zeros(5, 3))
    assert 3 * Hinge().discriminator(said, said).item() == 6
    pair = Pair(lambda *_: said, Batch(torch.zeros(5, 1)), Latent(torch.zeros(5, 1)), torch.zeros(5, 1))
    assert ScoreGap()(pair, None).item() == 0


def test_the_score_of_z_does_not_know_x():
    judge = BigBiGANDiscriminator(8, 1, 3, 4, "none", 8, 1, True)
    x, z = torch.randn(2, 1, 8, 8, requires_grad=True), torch.randn(2, 3, requires_grad=True)
    of_x, of_z, of_both = judge(x, None, z).logits.unbind(1)

    def depends(score, on):
        (gradient,) = torch.autograd.grad(score.sum(), on, retain_graph=True, allow_unused=True)
        return gradient is not None and bool(gradient.any())

    assert [(depends(s, x), depends(s, z)) for s in (of_x, of_z, of_both)] == [
        (True, False),
        (False, True),
        (True, True),
    ]
    assert BigBiGANDiscriminator(8, 1, 3, 4, "none", 8, 1, False)(x, None, z).logits.shape == (2, 1)


def test_encoder_and_generator_of_a_bigbigan_close_the_gap(compose):
    widths = [f"networks.{name}.width=2" for name in ("generator", "encoder", "discriminator")]
    game = small(compose, "bigbigan", "prior.dim=3", *widths, "networks.discriminator.hidden=8")
    pair = game.meet(images())["main"]
    losses = game.player("generator").evaluate({"main": pair})
    torch.testing.assert_close(losses["scores"], pair.real_output.logits.mean() - pair.fake_output.logits.mean())
    assert reached(losses["scores"], game) == {"generator", "encoder", "discriminator"}


# -- ALAE ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def alae(compose):
    hidden = [f"networks.{name}.hidden=[8]" for name in ("generator", "discriminator")]
    return small(compose, "alae", "prior.dim=4", *hidden)


def test_the_parts_of_alae_are_updated_by_their_players(alae):
    def moved(player):
        before = {name: p.detach().clone() for name, p in alae.networks.named_parameters()}
        alae.player(player).play(alae.meet(images()) if player != "discriminator" else alae.meet(images()).detached())
        now = dict(alae.networks.named_parameters())
        return {".".join(name.split(".")[:2]) for name in before if not torch.equal(before[name], now[name])}

    assert moved("discriminator") == {"discriminator.encoder", "discriminator.output"}
    assert moved("generator") == {"generator.mapping", "generator.synthesis"}
    assert moved("autoencoder") == {"discriminator.encoder", "generator.synthesis"}  # F stays


def test_what_alae_pays(alae):
    pair = alae.meet(images())["main"]
    judge, makes = alae.discriminator, alae.generator
    w = makes.map(pair.latent.z)
    made = makes.synthesise(w)
    found = alae.player("autoencoder").evaluate({"main": pair})["latent_reconstruction"]
    torch.testing.assert_close(found, (judge.encoder(made) - w).square().mean())
    fooled = alae.player("generator").evaluate({"main": pair})["adversarial"]
    torch.testing.assert_close(fooled, F.softplus(-judge.output(judge.encoder(made)).squeeze(1)).mean())
    torch.testing.assert_close(makes(pair.latent.z), makes(3 * pair.latent.z))  # z is normalised
    x = images().samples
    torch.testing.assert_close(alae.reconstruct(x), makes.synthesise(judge.features(x)[-1]))


def test_the_published_discriminator_of_codes_is_linear():
    w = torch.randn(3, 5)

    def bend(activation):
        judge = ALAEDiscriminator(5, None, 2, [8], 3, activation).output
        return (judge(w) + judge(-w) - 2 * judge(0 * w)).abs().max().item()

    assert bend(False) < 1e-5 < bend(True)


def test_other_networks_are_refused(compose):
    with pytest.raises(ConfigError, match="game=alae needs generator and discriminator of the name alae"):
        small(compose, "mlp", "game.name=alae")


# -- AnoGAN and f-AnoGAN -----------------------------------------------------------------------------


def test_batches_of_some_classes_alone():
    drawn = []

    def next_batch():
        drawn.append(len(drawn))
        return images(10, seed=len(drawn))

    batch = normal_alone(next_batch, torch.tensor([2, 5, 7]))()
    assert len(batch.samples) == 10 and len(drawn) == 4 and set(batch.labels.tolist()) == {2, 5, 7}
    torch.testing.assert_close(batch.samples[3:6], images(10, seed=2).samples[[2, 5, 7]])
    with pytest.raises(ConfigError, match="too few"):
        normal_alone(lambda: images(2), torch.tensor([9]))()


@pytest.fixture(scope="module")
def projected(compose):
    widths = [f"networks.{name}.width=2" for name in ("generator", "encoder", "discriminator")]
    return small(compose, "igan", "prior.dim=3", *widths, "game.kappa=0.7")


def test_an_encoder_that_inverts_leaves_everything_else_alone(projected):
    meeting = projected.meet(images())
    before = {name: value.clone() for name, value in projected.networks.state_dict().items()}
    losses = projected.player("encoder").play(meeting)
    now = projected.networks.state_dict()  # running statistics too
    assert {name.split(".")[0] for name in before if not torch.equal(before[name], now[name])} == {"encoder"}
    assert losses["encoder/inversion"] > 0


def test_what_an_encoder_pays_for_what_is_made_of_its_codes(projected):
    projected.networks.eval()
    x = images().samples
    made = projected.generate(Latent(projected.network("encoder")(x)))
    inner = [projected.discriminator(of).features[-1] for of in (x, made)]
    expected = (made - x).square().mean() + 0.7 * (inner[0] - inner[1]).square().mean()
    torch.testing.assert_close(projected.player("encoder").evaluate(projected.meet(images()))["inversion"], expected)
    projected.networks.train()


def test_f_anogan_compares_the_maps_that_the_last_layer_reads(compose):
    """Their sums over positions, which are hundreds of times as large, would drown the pixels."""
    widths = [f"networks.{name}.width=2" for name in ("generator", "encoder", "discriminator")]
    game = small(compose, "f_anogan", "prior.dim=3", *widths)
    layer = game.player("encoder").terms["inversion"].layer
    assert game.probe().features[layer].ndim == 4


def test_scores_of_anomalies(projected):
    """A layer that says nothing leaves the pixels; a sample that is made exactly scores 0."""
    x = projected.sample(projected.latent(3))
    metric = AnomalyAUC([0], "encode", 0.1, -1, 1, 2)
    projected.reconstruct, kept = (lambda of: of), projected.reconstruct
    assert metric.score(projected, x).abs().max() == 0
    projected.reconstruct = lambda of: of + 0.5
    for squared, error in ((False, 0.5), (True, 0.25)):
        metric = AnomalyAUC([0], "encode", 0.0, -1, 1, 2, squared)
        torch.testing.assert_close(metric.score(projected, x), torch.full((3,), error))
    projected.reconstruct = kept


def test_a_discriminator_that_needs_latents_too_is_not_asked_about_samples_alone(compose):
    hidden = [f"networks.{name}.hidden=8" for name in ("generator", "encoder", "discriminator")]
    game = small(compose, "bigan", "prior.dim=3", *hidden)
    with pytest.raises(ConfigError, match="set metrics.anomaly_auc.weight=0"):
        AnomalyAUC([0], "encode", 0.1, -1, 1, 2).check(game)
    AnomalyAUC([0], "encode", 0.0, -1, 1, 2).check(game)


def test_the_area_under_a_curve():
    assert area_under_curve(torch.tensor([3.0, 2.0]), torch.tensor([1.0, 0.0])) == 1
    assert area_under_curve(torch.tensor([1.0, 3.0]), torch.tensor([2.0, 1.0])) == (0 + 0.5 + 1 + 1) / 4


def test_a_linear_probe_finds_what_is_linear():
    x = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    labels = x[:, :3].argmax(1)
    assert (linear(x, labels, x, 3) == labels).double().mean() > 0.9
    assert (linear(x, labels[torch.randperm(200)], x, 3) == labels).double().mean() < 0.6
