"""MARTA-GAN, SketchGAN, separable GANs and Markovian GANs, with their data and scores."""

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core.records import DataShape, DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_zoo.datasets.sketches import Sketches
from gan_zoo.datasets.two_channel_cells import TwoChannelCells
from gan_zoo.losses.hinge import Hinge
from gan_zoo.metrics.cell_rule import breaks_rule
from gan_zoo.metrics.instance_retrieval import changed as moved
from gan_zoo.metrics.instance_retrieval import precision
from gan_zoo.metrics.spectrum_distance import SpectrumDistance, spectrum
from gan_zoo.systems.gan_sep import SeparableGenerator
from gan_zoo.systems.marta_gan import SketchDiscriminator, joined, joined_distance
from gan_zoo.systems.mgan_texture import FeaturePatches, RandomFilters
from tests.zoo.adaptation.common import changed, small

F64 = torch.float64


def test_the_last_three_layers_are_joined_at_the_size_of_the_last():
    maps = [torch.arange(16.0).view(1, 1, 4, 4) * scale for scale in (7, 1, 2)]
    small_one = torch.tensor([[[[5.0, 6.0], [7.0, 8.0]]]])
    found = joined((*maps, small_one))
    assert found.tolist() == [[5, 7, 13, 15, 10, 14, 26, 30, 5, 6, 7, 8]]


def test_the_distance_of_joined_layers():
    real = torch.tensor([[1.0, 0.0], [3.0, 2.0]], dtype=F64)
    fake = torch.tensor([[0.0, 0.0], [2.0, 4.0]], dtype=F64)
    assert joined_distance(real, fake, 4).item() == pytest.approx(0.5 * (1 + 1) / 4)


MARTA = ["data.image_size=8", "prior.dim=4", "networks.generator.width=2", "networks.discriminator.width=2"]


def test_what_the_generator_pays_and_what_codes_are(compose):
    game, batches = small(compose, "marta_gan", *MARTA, "game.features=0.5")
    game.networks.eval()
    meeting = game.meet(batches())
    pair = meeting["main"]
    discriminator = game.network("discriminator")
    real, fake = (joined(discriminator(x).features) for x in (pair.real, pair.fake))
    paid = F.softplus(-discriminator(pair.fake).logits).mean() + 0.5 * joined_distance(real, fake, 64)
    torch.testing.assert_close(sum(game.player("generator").evaluate(meeting).values()), paid)
    torch.testing.assert_close(game.code_of(pair.real), real)


def test_a_discriminator_without_maps_is_refused(compose):
    with pytest.raises(ConfigError, match="maps"):
        small(compose, "marta_gan", "model=mlp")


def test_an_image_finds_itself_and_a_ranking_counts():
    codes = torch.eye(4, dtype=F64)
    assert precision(codes, codes) == 1
    queries = torch.tensor([[1.0, 0, 0, 0], [2.0, 1, 0, 0], [3.0, 2, 1, 0], [4.0, 3, 2, 1]], dtype=F64)
    assert precision(queries, codes) == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert precision(torch.ones(4, 4, dtype=F64), codes) == pytest.approx(1 / 4)


def test_queries_are_turned_no_farther_than_is_said():
    x = torch.full((3, 1, 17, 17), -1.0)
    x[:, :, 8, 8] = 1
    assert torch.equal(moved(x, 0, 0, 0), x)
    assert moved(x, 90, 0, 0)[:, :, 8, 8].min() > 0.9  # the centre stays where it is
    assert moved(x, 0, 0, 0.3)[:, :, 8, 8].max() < 0.9


def test_the_judge_of_sketches_says_something_of_them_from_the_start():
    """Without norms N(0, 0.02) weights leave next to nothing of an image: activations of 0.008, and logits of 0.003."""
    torch.manual_seed(0)
    judge = SketchDiscriminator(16, 1, 16, 9, 0.25)
    images = torch.where(torch.rand(32, 1, 16, 16) < 0.2, 1.0, -1.0)
    last = judge(images).features[-1]
    assert last.std() > 0.3
    assert judge(images).logits.std() > 0.01


def test_sketches_are_lines():
    data = Sketches(32, 1, 10).load("test")
    assert set(data.samples.unique().tolist()) == {0, 255}
    share = (data.samples == 255).float().mean((1, 2, 3))
    assert 0.03 < share.min() and share.max() < 0.35
    assert data.labels.bincount().min() > 20


# -- separable GANs ---------------------------------------------------------------------------------------


def test_another_green_leaves_red_as_it_is_to_the_bit():
    network = SeparableGenerator(12, 16, 3, 2).eval()
    z = torch.randn(4, 12)
    other = z.clone()
    other[:, 4:8] = torch.randn(4, 4)
    first, second = network(z), network(other)
    assert torch.equal(first[:, 0], second[:, 0]) and torch.equal(first[:, 2], second[:, 2])
    assert not torch.equal(first[:, 1], second[:, 1])
    other = z.clone()
    other[:, :4] = torch.randn(4, 4)
    assert all(not torch.equal(first[:, i], network(other)[:, i]) for i in range(3))


def test_each_green_has_a_judge(compose):
    game, batches = small(
        compose,
        "gan_sep",
        *("data=digits", "data.channels=3", "data.image_size=8", "prior.dim=6", "networks.generator.width=2"),
        *("networks.discriminator_1.width=2", "metrics=[]", "+networks.discriminator_2=${networks.discriminator_1}"),
    )
    batch = batches()
    meeting = game.meet(batch, graph=False)
    assert [*meeting] == ["green_1", "green_2"]
    assert torch.equal(meeting["green_2"].real, batch.samples[:, [0, 2]])
    assert changed(game, lambda: game.step(batches)) == {"generator", "discriminator_1", "discriminator_2"}


def test_cells_keep_their_rule_and_others_do_not():
    data = TwoChannelCells(400, 32, 2, None).load("train")
    assert breaks_rule(data.samples).double().mean() < 0.01
    turned = data.samples.clone()
    turned[:, 1] = data.samples[:, 1].roll(1, 0)
    assert breaks_rule(turned).double().mean() > 0.5
    assert bool(breaks_rule(torch.full((2, 2, 32, 32), 128, dtype=torch.uint8)).all())
    assert bool(breaks_rule(torch.zeros(2, 2, 32, 32, dtype=torch.uint8)).all())
    noise = torch.randint(256, (20, 2, 32, 32), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    assert bool(breaks_rule(noise).all())


def test_one_channel_is_not_separated(compose):
    with pytest.raises((ConfigError, ValueError), match="channels"):
        small(compose, "gan_sep", "data=digits", "metrics=[]", "networks.discriminator_1.channels=1")


# -- Markovian GANs ---------------------------------------------------------------------------------------


def test_patches_pay_up_to_a_margin(compose):
    real = DiscriminatorOutput(torch.tensor([0.5, 2.0], dtype=F64))
    fake = DiscriminatorOutput(torch.tensor([-2.0, 0.5], dtype=F64))
    assert Hinge().discriminator(real, fake).item() == pytest.approx(1.0)
    game, batches = small(compose, "mgan_texture", "data.samples=16")
    meeting = game.meet(batches())
    meeting["main"].fake_output = fake
    assert game.player("generator").term("hinge")(meeting["main"], None).item() == pytest.approx(1.75)


def test_what_the_decoder_pays(compose):
    game, batches = small(
        compose,
        "mgan_texture",
        "data.samples=16",
        "game.content=2",
        "game.adversarial=0.5",
        "game.total_variation=0.25",
    )
    game.networks.eval()
    meeting = game.meet(batches())
    pair = meeting["main"]
    encoder, image = game.network("features"), pair.made["samples"]
    content = (encoder(image) - encoder(pair.latent.given["a"])).square().mean()
    fooled = (1 - game.network("discriminator")(encoder(image)).logits).relu().mean()
    rough = image.diff(dim=2).abs().mean() + image.diff(dim=3).abs().mean()
    paid = sum(game.player("generator").evaluate(meeting).values())
    torch.testing.assert_close(paid, 2 * content + 0.5 * fooled + 0.25 * rough)


def test_filters_stay_as_they_are_and_borders_are_seen_by_no_patch(compose):
    game, batches = small(compose, "mgan_texture", "data.samples=16")
    before = {name: value.clone() for name, value in game.network("features").state_dict().items()}
    for _ in range(2):
        game.step(batches)
    assert all(torch.equal(value, before[name]) for name, value in game.network("features").state_dict().items())
    assert not any(parameter.requires_grad for parameter in RandomFilters(1, 2).parameters())
    assert FeaturePatches(2, 2)(torch.zeros(1, 2, 7, 9)).logits.shape == (1, 1, 3, 5)


def test_a_spectrum_is_where_the_waves_are():
    line = torch.sin(2 * torch.pi * 4 * torch.arange(32) / 32)
    wave = ((line + 1) * 127).round().to(torch.uint8).expand(1, 1, 32, 32)
    found = spectrum(wave)
    assert found[0, 4] > 0.49 and found[0, 28] > 0.49
    assert (spectrum(wave) / spectrum(wave.transpose(2, 3))).log10().abs().mean() > 0.005
    found = spectrum(line.expand(3, 1, 32))  # of a sound
    assert found[[4, 28]].tolist() == pytest.approx([0.5, 0.5]) and found[[3, 5]].max() <= 1e-4


def test_spectra_are_of_images_or_waves():
    metric = SpectrumDistance()
    metric.check_samples(DataShape((1, 64)), 5, 5)
    metric.check_samples(DataShape((3, 8, 8)), 5, 5)
    for shape in (DataShape((5, 9), vocabulary=9), DataShape((2,))):
        with pytest.raises(ConfigError, match=r"8 bits or waves \(C, T\), and the samples are"):
            metric.check_samples(shape, 5, 5)
