"""PixelDA, SBADA-GAN, SimGAN, WaterGAN, RenderGAN, LDAN and Perceptual GAN."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core.records import Latent
from gan_framework.errors import ConfigError
from gan_framework.evaluation.metric import FeatureSet, PairedSamples
from gan_zoo.datasets.gaze_like import GazeLike
from gan_zoo.datasets.lit_spheres import LAMBERT, LitSpheres, harmonics, shading
from gan_zoo.datasets.tags import BITS, Tags, drawn
from gan_zoo.datasets.underwater import Underwater, under_water
from gan_zoo.metrics.label_error import LabelError
from gan_zoo.metrics.label_transfer import LabelTransfer, error, regression
from gan_zoo.systems.rendergan import BOUNDS, TagAugmenter, excess
from gan_zoo.systems.sbada_gan import SelfLabelled
from gan_zoo.systems.watergan import WaterGenerator, implausible, vignetting
from tests.zoo.adaptation.common import changed, small

F64 = torch.float64
SIMPLE = ["data.image_size=8", "networks.generator.width=2", "networks.generator.blocks=1"]
PIXELDA = [
    *SIMPLE,
    "data.map=colour",
    "data.channels=3",
    "networks.discriminator.layers=1",
    "networks.discriminator.width=2",
    "networks.classifier.width=2",
]
SBADA = [
    "data.image_size=8",
    *(f"networks.generator_{way}.{setting}" for way in ("ab", "ba") for setting in ("width=2", "blocks=1")),
    *(f"networks.discriminator_{domain}.{setting}" for domain in "ab" for setting in ("width=2", "layers=1")),
    *(f"networks.classifier_{domain}.width=2" for domain in "ab"),
]
SIMGAN = [*SIMPLE, "networks.discriminator.width=2", "data.samples=64", "game.pool=4"]


# -- PixelDA and SBADA-GAN ---------------------------------------------------------------------------


def test_the_classifier_pays_a_tenth_of_both_cross_entropies_and_the_generator_of_what_it_has_made(compose):
    game, batches = small(compose, "pixelda", *PIXELDA)
    game.networks.eval()
    batch = batches()
    meeting = game.meet(batch)
    pair, labels = meeting["main"], batch.others["a"].labels
    made, plain = pair.fake, batch.others["a"].samples.expand(-1, 3, -1, -1)
    logits = game.network("discriminator")(made).logits
    classifier = game.network("classifier")
    of_made, of_plain = (F.cross_entropy(classifier(x), labels) for x in (made, plain))
    paid = sum(game.player("generator").evaluate(meeting).values())
    torch.testing.assert_close(paid, (logits - 1).square().mean() + 0.1 * of_made)
    told = sum(game.player("discriminator").evaluate(meeting.detached()).values())
    real = game.network("discriminator")(batch.samples).logits
    torch.testing.assert_close(told, (real - 1).square().mean() + logits.square().mean() + 0.1 * (of_made + of_plain))


def test_who_is_updated_by_pixelda(compose):
    game, batches = small(compose, "pixelda", *PIXELDA)
    assert changed(game, lambda: game.player("generator").play(game.meet(batches()))) == {"generator"}
    told = changed(game, lambda: game.player("discriminator").play(game.meet(batches(), graph=False)))
    assert told == {"discriminator", "classifier"}


def test_without_noise_the_refiner_makes_one_image_of_each_and_with_it_many(compose):
    game, batches = small(compose, "pixelda", *PIXELDA)
    game.networks.eval()
    batch = batches()
    first, second = (game.make(game.latent_for(batch))["samples"] for _ in range(2))
    assert not torch.equal(first, second)


def test_what_sbada_pays(compose):
    game, batches = small(compose, "sbada_gan", *SBADA, "game.pseudo_start=0", "game.pool=0")
    game.networks.eval()
    batch = batches()
    torch.manual_seed(0)
    meeting = game.meet(batch)
    labels = batch.others["a"].labels
    of_source, of_target = game.network("classifier_a"), game.network("classifier_b")
    torch.manual_seed(1)
    losses = game.player("generator").evaluate(meeting)
    torch.manual_seed(1)
    back = game.translate(meeting["b"].fake, "a")
    found = of_source(meeting["a"].fake)
    for name, expected in {
        "adversarial_b": (game.network("discriminator_b")(meeting["b"].fake).logits - 1).square().mean(),
        "made_targets": F.cross_entropy(of_target(meeting["b"].fake), labels),
        "sources": F.cross_entropy(of_source(batch.others["a"].samples), labels),
        "self_labelled": 0.1 * -found.log_softmax(1).max(1).values.mean(),
        "consistency": F.cross_entropy(of_source(back), labels),
    }.items():
        torch.testing.assert_close(2 * losses[name], expected)


def test_labels_of_ones_own_are_not_used_at_first(compose):
    game, batches = small(compose, "sbada_gan", *SBADA, "game.pseudo_start=1", "game.pool=0")
    assert isinstance(game.player("generator").term("self_labelled"), SelfLabelled)
    assert game.player("generator").evaluate(game.meet(batches()))["self_labelled"].item() == 0
    game.step(batches)
    assert game.player("generator").evaluate(game.meet(batches()))["self_labelled"].item() > 0


def test_the_two_classifiers_have_their_say(compose):
    game, batches = small(compose, "sbada_gan", *SBADA, "game.sigma=0.25", "game.tau=0.75", "game.pool=0")
    game.networks.eval()
    x = batches().samples
    back = game.generate(Latent(torch.zeros(len(x), 5), given={"b": x}), "generator_ba")
    expected = 0.25 * game.network("classifier_a")(back).softmax(1) + 0.75 * game.network("classifier_b")(x).softmax(1)
    torch.testing.assert_close(game.classify(x), expected)
    torch.testing.assert_close(game.classify(x).sum(1), torch.ones(len(x)))


# -- SimGAN --------------------------------------------------------------------------------------------


def test_the_refiner_learns_to_leave_images_alone_before_it_hears_of_the_discriminator(compose):
    game, batches = small(compose, "simgan", *SIMGAN, "game.refiner_steps=1", "game.regularisation=3")
    meeting = game.meet(batches())
    pair = meeting["main"]
    distance = (pair.fake - pair.latent.given["a"]).abs().mean()
    refiner = game.player("generator")
    torch.testing.assert_close(sum(refiner.evaluate(meeting).values()), 3 * distance)
    refiner.play(meeting)
    meeting = game.meet(batches())
    pair = meeting["main"]
    fooled = F.softplus(-game.network("discriminator")(pair.fake).logits).mean()
    distance = (pair.fake - pair.latent.given["a"]).abs().mean()
    torch.testing.assert_close(sum(refiner.evaluate(meeting).values()), fooled + 3 * distance)


def test_each_patch_has_a_word(compose):
    game, batches = small(compose, "simgan", *SIMGAN)
    assert game.meet(batches(), graph=False)["main"].fake_output.logits.shape[1:] == (1, 2, 2)


def test_the_pool_fills_with_what_the_discriminator_was_shown(compose):
    stages = "schedule.stages=[{players:[discriminator,generator]}]"
    game, batches = small(compose, "simgan", *SIMGAN, "game.refiner_steps=0", stages)
    (pool,) = game.player("discriminator").after_step
    assert int(pool.held_main) == 0
    game.step(batches)
    assert int(pool.held_main) == 4


def test_what_is_known_of_eyes_is_known_where_the_pupil_is():
    data = GazeLike("a", 50, 32, 1, None).load("train")
    light = data.samples[:, 0].double() - 89
    places = (torch.arange(32) + 0.5) / 16 - 1
    across = (light.sum(1) * places).sum(1) / light.sum((1, 2))  # the pupil is dark, so the light is on the other side
    assert torch.corrcoef(torch.stack([across, torch.sin(data.extra["angles"][:, 0]).double()]))[0, 1] < -0.9


# -- what can be learnt from what is made ------------------------------------------------------------


def test_a_regression_finds_what_is_there_and_says_when_there_is_nothing():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(300, 2, generator=random, dtype=F64)
    y = torch.stack([x[:, 0].sin(), x.prod(1)], dim=1)
    assert error(regression(x[:200], y[:200], x[200:]), y[200:]) < 0.2
    assert error(regression(x[:200], y[torch.randperm(200, generator=random)], x[200:]), y[200:]) > 0.9
    bits = (y > 0).double()
    assert error(bits, bits) == 0
    assert error(1 - bits, bits) == 1


class Known:
    """Pairs of images of one bright pixel, whose height is the extra, and a game that predicts what one says."""

    def __init__(self, predicted=None):
        random = torch.Generator().manual_seed(0)
        self.height = torch.rand(200, 1, generator=random)
        self.plain = (self.height * 255).round().to(torch.uint8)[:, :, None, None].expand(200, 1, 2, 2)
        self.dark = 255 - self.plain
        noise = torch.randint(256, (200, 1, 2, 2), generator=random).to(torch.uint8)
        self.pairs = lambda: iter([PairedSamples(noise, self.plain, self.plain, {"height": self.height})])
        self.predict = lambda x: predicted
        self.device = torch.device("cpu")

    def eval(self):
        return self

    def modules(self):
        return ()


def test_what_is_learnt_of_generated_images_holds_for_real_ones_if_they_are_alike():
    known = Known()
    found = LabelTransfer("height").scores(known)
    assert found["transfer_error"] == found["transfer_error_target"] < 0.05
    assert found["transfer_error_input"] > 10 * found["transfer_error"]
    known.pairs = lambda: iter([PairedSamples(known.plain, known.dark, known.plain, {"height": known.height})])
    assert LabelTransfer("height").scores(known)["transfer_error"] > 1


def test_the_error_of_what_is_predicted_and_of_the_mean():
    labels = torch.tensor([[0.0, 2.0], [2.0, 4.0]])
    known = Known(labels + 3)
    images = FeatureSet(torch.zeros(2, 1), None, labels, lambda at: known.plain[at])
    comparison = SimpleNamespace(game=known, split=lambda name: images)
    assert LabelError().scores(comparison) == {"label_error": 3.0, "label_error_mean": 1.0}


# -- WaterGAN ------------------------------------------------------------------------------------------


def water(**settings):
    return WaterGenerator(8, 4, 2, **{"vignette": 1.0, **settings}).double()


def test_water_takes_red_first():
    depth = torch.full((1, 1, 8, 8), 2.0, dtype=F64)
    found = water().attenuated(torch.ones(1, 3, 8, 8, dtype=F64), depth)[0, :, 0, 0]
    torch.testing.assert_close(found, torch.tensor([0.4965853, 0.9268162, 0.9619431], dtype=F64), atol=1e-7, rtol=0)


def test_a_lens_darkens_the_corners():
    found = vignetting(torch.ones(3, dtype=F64), 3, 3)[0]
    expected = torch.tensor([1.0, 1 / 1.875, 0.25], dtype=F64)  # r² = 0, ½ and 1
    torch.testing.assert_close(torch.stack([found[1, 1], found[0, 1], found[0, 0]]), expected)


def test_what_water_and_lenses_cannot_have_is_paid_for():
    network = water()
    assert implausible(network).item() == 0  # as it begins: 4 < 12
    with torch.no_grad():
        network.eta[0] = -0.5
        network.c.copy_(torch.tensor([1.0, 3.0, 1.0]))  # 36 - 12
        network.gain.fill_(-0.25)
    assert implausible(network).item() == pytest.approx(0.5 + 0.25 + 24)
    implausible(network).backward()
    assert network.eta.grad.tolist() == [-1, 0, 0]


def test_the_scenes_are_under_the_water_that_is_said():
    depth = torch.tensor([[[[2.0]]]], dtype=F64)
    found = under_water(torch.ones(1, 3, 1, 1, dtype=F64), depth).flatten()
    haze = 0.2 * (1 - math.exp(-1))
    expected = [math.exp(-1.0) + 0.2 * haze, math.exp(-0.12) + 0.8 * haze, math.exp(-0.06) + haze]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=F64))
    data = Underwater("a", 8, 16, 3, None).load("train")
    assert data.extra["depth"].shape == (8, 1, 16, 16) and float(data.extra["depth"].min()) > 0


def test_depth_is_asked_for(compose):
    with pytest.raises(ConfigError, match="depth"):
        small(compose, "watergan", "data=gaze_like", "data.samples=64")


def test_the_generator_makes_darker_images_of_deeper_scenes():
    network = water()
    air = torch.full((1, 3, 8, 8), 0.8, dtype=F64)
    near, far = (network(torch.zeros(1, 4, dtype=F64), None, {"a": air, "depth": air[:, :1] * d}) for d in (1, 4))
    assert (network.attenuated(air, air[:, :1]) > network.attenuated(air, 4 * air[:, :1])).all()
    assert near.shape == far.shape == (1, 3, 8, 8) and not torch.equal(near, far)


# -- RenderGAN -----------------------------------------------------------------------------------------


def test_a_tag_has_its_bits_where_they_belong():
    bits = torch.zeros(1, BITS)
    bits[0, 3] = 1  # from a quarter of a turn on, anticlockwise: left of straight up
    one = torch.ones(1, 1, 1)
    tag = drawn(bits, 0 * one, one, torch.zeros(1, 2), 64)[0]
    bright = (tag > 0.5).nonzero().float().sub(31.5)
    ring = bright[(bright.norm(dim=1) > 17) & (bright.norm(dim=1) < 29)]
    turns = torch.atan2(-ring[:, 0], ring[:, 1]) / (2 * math.pi) * BITS
    assert len(ring) and bool(((turns > 2.8) & (turns < 4.2)).all())


def test_augmentations_are_bounded_whatever_z_is():
    network = TagAugmenter(16, 4, 2).eval()
    tags = Tags("a", 8, 16, 1, None).load("train")
    given = {"a": tags.samples.float() / 127.5 - 1, "mask": tags.extra["mask"]}
    z = 100 * torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    assert network(z, None, given).abs().max() <= 1
    assert excess(network.raw(z)).item() > 1
    assert excess({name: torch.tensor(sum(bounds) / 2) for name, bounds in BOUNDS.items()}).item() == 0
    assert excess({name: torch.tensor(high + 0.5) for name, (_, high) in BOUNDS.items()}).item() == pytest.approx(1.5)


def test_grounds_are_outside_of_tags(compose):
    game, batches = small(compose, "rendergan", "data.samples=64", "data.image_size=16", "networks.generator.width=2")
    latent = game.latent_for(batches())
    network = game.network("generator")
    network.eval()
    outside = dict(latent.given)
    outside["mask"] = torch.zeros_like(outside["mask"])
    first = network(latent.z, None, latent.given)
    ground = network(latent.z, None, outside)
    alone = latent.given["mask"] < 0.001
    torch.testing.assert_close(first[alone], ground[alone], atol=3e-3, rtol=0)
    assert (first - ground)[latent.given["mask"] > 0.999].abs().mean() > 0.05


# -- LDAN ----------------------------------------------------------------------------------------------


def test_harmonics_and_what_a_matt_surface_leaves_of_them():
    pole = harmonics(torch.tensor([0.0, 0.0, 1.0], dtype=F64))
    expected = torch.zeros(9, dtype=F64)
    expected[0], expected[2], expected[6] = 0.2820948, 0.4886025, 0.6307831
    torch.testing.assert_close(pole, expected, atol=1e-7, rtol=0)
    assert pytest.approx((math.pi, 2 * math.pi / 3, math.pi / 4)) == LAMBERT
    points = F.normalize(torch.randn(200_000, 3, generator=torch.Generator().manual_seed(0), dtype=F64), dim=1)
    values = harmonics(points)
    products = 4 * math.pi * values.T @ values / len(points)
    torch.testing.assert_close(products, torch.eye(9, dtype=F64), atol=0.02, rtol=0)


def test_light_is_linear():
    light = torch.randn(2, 9, dtype=F64)
    normals = F.normalize(torch.randn(5, 3, dtype=F64), dim=1)
    each = shading(normals, light)
    torch.testing.assert_close(shading(normals, light[:1] + 2 * light[1:]), each[:1] + 2 * each[1:])
    first = torch.zeros(1, 9, dtype=F64)
    first[0, 0] = 1
    expected = torch.full((1, 5), math.pi * 0.2820948, dtype=F64)
    torch.testing.assert_close(shading(normals, first), expected, atol=1e-6, rtol=0)


def test_labels_have_an_error_where_one_learns_and_none_where_one_is_tried():
    sources = {domain: LitSpheres(domain, 400, 16, 1, None, 9) for domain in "ab"}
    plain = sources["a"].load("train").labels
    noisy, true = (sources["b"].load(split).labels for split in ("train", "test"))
    deviations = torch.tensor([0.8, *[0.4] * 3, *[0.2] * 5])
    torch.testing.assert_close(plain.std(0), deviations, atol=0.07, rtol=0)
    torch.testing.assert_close(true.std(0), deviations, atol=0.15, rtol=0)
    torch.testing.assert_close(noisy.std(0), (deviations.square() + 0.09).sqrt(), atol=0.07, rtol=0)


LDAN = [
    "data.samples=64",
    "data.image_size=8",
    *(f"networks.{name}.width=2" for name in ("features", "features_synthetic")),
    "schedule.stages=[{players:[lighting],until:1},{players:[discriminator,generator]}]",
]


def test_true_light_is_learnt_first_and_then_features_of_the_other_domain(compose):
    game, batches = small(compose, "ldan", *LDAN)
    assert changed(game, lambda: game.step(batches)) == {"features_synthetic", "lighting"}
    assert changed(game, lambda: game.step(batches)) == {"features", "discriminator"}
    meeting = game.meet(batches())
    pair = meeting["main"]
    wanted = (game.network("lighting")(pair.fake) - pair.batch.labels).square().mean()
    fooled = F.softplus(-game.network("discriminator")(pair.fake).logits).mean()
    torch.testing.assert_close(sum(game.player("generator").evaluate(meeting).values()), wanted + 0.01 * fooled)


# -- Perceptual GAN ------------------------------------------------------------------------------------


def test_what_small_ones_lack_is_added(compose):
    stages = "schedule.stages=[{players:[classifier],until:1},{players:[discriminator,generator]}]"
    game, batches = small(compose, "perceptual_gan", "networks.features.width=2", stages)
    x = batches().samples
    plain = game.network("classifier")(game.network("features")(x))
    torch.testing.assert_close(game.classify(x), plain)
    assert changed(game, lambda: game.step(batches)) == {"features", "classifier"}
    assert changed(game, lambda: game.step(batches)) == {"residual", "discriminator"}
    features = game.network("features")(x)
    torch.testing.assert_close(
        game.classify(x), game.network("classifier")(features + game.network("residual")(features))
    )
    meeting = game.meet(batches())
    pair = meeting["main"]
    paid = F.softplus(-game.network("discriminator")(pair.fake).logits).mean()
    paid = paid + F.cross_entropy(game.network("classifier")(pair.fake), pair.batch.labels)
    torch.testing.assert_close(sum(game.player("generator").evaluate(meeting).values()), paid)
