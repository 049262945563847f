"""Games of several levels: LAPGAN, StackGAN and stacked GAN."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gan_framework.core.records import Batch
from gan_framework.errors import ConfigError
from gan_zoo.systems import lapgan, stacked_gan, stackgan
from tests.helpers.runs import make_run
from tests.zoo.architectures.helpers import count, meta, noise

LAPGAN = [
    "experiment=lapgan",
    "debug=smoke",
    *(f"networks.{side}_0.hidden=8" for side in ("generator", "discriminator")),
    *(f"networks.{side}_{level}.width=2" for side in ("generator", "discriminator") for level in (1, 2)),
]
STACKGAN = [
    "experiment=stackgan",
    "debug=smoke",
    *(f"networks.{side}_{stage}.width=4" for side in ("generator", "discriminator") for stage in (0, 1)),
]
STACKED = [
    "experiment=stacked_gan",
    "debug=smoke",
    "game.classifier_steps=2",
    "game.apart=1",
    *(f"networks.{side}_0.width=2" for side in ("generator", "discriminator")),
    *(f"networks.{side}_1.hidden=8" for side in ("generator", "discriminator")),
]


def a_game(compose, tmp_path, overrides):
    torch.manual_seed(0)
    return make_run(compose(*overrides), tmp_path).game


def a_batch(game, n=4):
    return Batch(torch.rand(n, *game.data.sample) * 2 - 1, torch.arange(n) % game.data.num_classes)


def weights(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(before, network):
    return all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


# -- LAPGAN ------------------------------------------------------------------------------------------


def test_a_level_of_lapgan_has_as_many_parameters():
    assert count(meta(lapgan.BandGenerator, 32, 3, 64)) == 218_179
    assert count(meta(lapgan.BandDiscriminator, 32, 3, 64, 0.5)) == 116_545


def test_the_coarsest_level_s_weights_start_from_a_normal_distribution():
    torch.manual_seed(0)
    found = lapgan.CoarseDiscriminator(8, 1, 600, 0.5, 0.005).hidden[1][0].weight
    assert found.std().item() == pytest.approx(0.005, rel=0.02)
    assert found.abs().max() > 3 * 0.005


def test_a_pyramid_and_its_inverse_are_the_image():
    x = torch.rand(2, 3, 28, 28)
    (image, none), *bands = lapgan.pyramid(x, 3)
    assert none is None and image.shape == (2, 3, 7, 7)
    for finer, enlarged in bands:
        torch.testing.assert_close(enlarged, F.interpolate(image, scale_factor=2, mode="bilinear"))
        image = lapgan.doubled(image) + (finer - enlarged)
    torch.testing.assert_close(image, x)


def silence(network):
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()


def test_without_bands_a_sample_is_the_coarse_one_enlarged(compose, tmp_path):
    game = a_game(compose, tmp_path, LAPGAN)
    for level in (1, 2):
        silence(game.network(f"generator_{level}"))
    latent = game.latent(3)
    coarse = game.generate(latent._replace(z=latent.z[:, :100]), "generator_0")
    torch.testing.assert_close(game.sample(latent), lapgan.doubled(lapgan.doubled(coarse)).detach())


def test_a_level_s_losses_do_not_change_with_another_level(compose, tmp_path):
    game = a_game(compose, tmp_path, LAPGAN)
    for dropped in (module for module in game.networks.modules() if isinstance(module, nn.Dropout)):
        dropped.p = 0.0
    batch = a_batch(game)
    latent = game.latent_for(batch)

    def losses():
        meeting = game.pair_up(batch, latent)
        return {name: game.player(name).evaluate(meeting)["adversarial"].item() for name in game.players}

    before = losses()
    silence(game.network("generator_2")), silence(game.network("discriminator_2"))
    after = losses()
    assert {name for name in before if before[name] != after[name]} == {"generator_2", "discriminator_2"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["prior.dim=100"], "prior.dim=100: the levels' parts of z have 1380 numbers; set prior.dim=1380"),
        (["data.image_size=30"], "a pyramid of 3 levels is of square images whose side is a multiple of 4"),
    ],
)
def test_a_pyramid_that_cannot_be_is_refused(changes, message, compose, tmp_path):
    with pytest.raises(ConfigError, match=message):
        a_game(compose, tmp_path, [*LAPGAN, *changes])


# -- StackGAN ----------------------------------------------------------------------------------------


def test_the_published_stages_have_as_many_parameters():
    one = meta(stackgan.StageOne, 100, 0, 1024, 128, 64, 3, 192)
    two = meta(stackgan.StageTwo, 0, 1024, 128, 64, 256, 3, 192)
    assert (count(one), count(two)) == (20_020_832, 37_130_480)
    assert count(meta(stackgan.TextJudge, 128, 64, 3, 96)) == 12_407_425
    # The authors' later program has a second last layer of 12,289 parameters, for images without their text.
    assert count(meta(stackgan.TextJudge, 128, 256, 3, 96)) == 159_889_538 - 12_289
    small = one(noise(2, 228), noise(2, 1024))
    assert small.shape == (2, 3, 64, 64)
    assert two(noise(2, 128), noise(2, 1024), {stackgan.SMALL: small}).shape == (2, 3, 256, 256)


def test_the_divergence_of_conditions_is_that_of_two_gaussians(compose, tmp_path):
    game = a_game(compose, tmp_path, STACKGAN)
    pair = game.meet(a_batch(game))["made_0"]
    pair.made = {"mean": torch.tensor([[1.0, 0.0]]), "log_variance": torch.tensor([[0.0, math.log(4)]])}
    player = game.player("generator_0")
    assert stackgan.Divergence("sum")(pair, player).item() == pytest.approx(1.3069, abs=1e-4)
    assert stackgan.Divergence("mean")(pair, player).item() == pytest.approx(0.6534, abs=1e-4)


def test_without_noise_a_condition_is_its_mean_and_classes_have_the_same_text_in_both_stages():
    mean, log_variance = torch.randn(2, 3, 5)
    assert torch.equal(stackgan.augmented(mean, log_variance, torch.zeros(3, 5)), mean)
    one, two = (stackgan.ConditioningAugmentation(10, 6, 5) for _ in range(2))
    assert torch.equal(one.text.vectors, two.text.vectors) and one.text.vectors.std() > 0.5
    vectors = torch.randn(2, 6)
    assert torch.equal(stackgan.Text(0, 6)(vectors), vectors)
    assert torch.equal(one.text(torch.tensor([3])), one.text.vectors[3:4])


def test_a_judge_weighs_generated_images_and_wrong_texts_half(compose, tmp_path):
    game = a_game(compose, tmp_path, STACKGAN)
    batch = a_batch(game)
    game.networks.eval()
    meeting = game.meet(batch, graph=False)
    player = game.player("discriminator_0")
    (total,) = player.evaluate(meeting).values()
    mean, _ = game.network("generator_0").augmentation(batch.labels)
    small = F.avg_pool2d(batch.samples, 2)
    judge = game.network("discriminator_0")
    right, wrong = (judge(small, None, text).logits for text in (mean, *meeting["wrong_0"].fake_given))
    made = judge(meeting["made_0"].fake, None, mean).logits
    expected = F.softplus(-right).mean() + 0.5 * F.softplus(made).mean() + 0.5 * F.softplus(wrong).mean()
    torch.testing.assert_close(total, expected)


def test_wrong_texts_are_of_other_classes(compose, tmp_path):
    game = a_game(compose, tmp_path, STACKGAN)
    batch, texts = a_batch(game), game.network("generator_0").augmentation(torch.arange(10))[0]
    seen = set()
    for _ in range(40):
        (wrong,) = game.meet(batch, graph=False)["wrong_0"].fake_given
        shown = torch.cdist(wrong, texts).argmin(1)
        torch.testing.assert_close(wrong, texts[shown])
        assert (shown != batch.labels).all()
        seen |= {*shown.tolist()}
    assert seen == {*range(10)}


def test_the_first_stage_stands_still_while_the_second_learns(compose, tmp_path):
    stages = "schedule.stages=[{players:[discriminator_0,generator_0],until:1},{players:[discriminator_1,generator_1]}]"
    game = a_game(compose, tmp_path, [*STACKGAN, stages])
    names = [f"{side}_{stage}" for stage in (0, 1) for side in ("generator", "discriminator")]
    for moved in ({"generator_0", "discriminator_0"}, {"generator_1", "discriminator_1"}):
        before = {name: weights(game.network(name)) for name in names}
        game.step(lambda: a_batch(game))
        assert {name for name in names if not same(before[name], game.network(name))} == moved


def test_samples_go_through_both_stages(compose, tmp_path):
    game = a_game(compose, tmp_path, STACKGAN)
    latent = game.latent(3, torch.arange(3))
    images = game.sample(latent)
    assert images.shape == (3, 1, 32, 32)
    other = latent.z.clone()
    other[:, :100] += 1  # z of the first stage
    assert not torch.equal(game.sample(latent._replace(z=other)), images)
    assert not torch.equal(game.sample(latent._replace(labels=torch.arange(3) + 1)), images)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: stackgan.StageOne(8, 10, 6, 5, 20, 1, 8),
            "image_size=20: maps of 4 pixels are doubled some times; 8",
        ),
        (lambda: stackgan.StageTwo(10, 6, 5, 16, 40, 1, 8), "image_size=40: maps of 4 pixels are doubled some times"),
        (lambda: stackgan.StageTwo(10, 6, 5, 18, 32, 1, 8), "small_size=18: the small image is halved twice"),
        (lambda: stackgan.Divergence("all"), "over='all': choose mean or sum"),
    ],
)
def test_stages_that_cannot_be_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


# -- stacked GAN -------------------------------------------------------------------------------------


def test_maps_grow_to_28_pixels():
    g = meta(stacked_gan.ImageGenerator, 50, 256, 28, 1, 64)
    sizes = []
    for layer in g.layers:
        if isinstance(layer, nn.ConvTranspose2d):
            layer.register_forward_hook(lambda _, __, made: sizes.append(made.shape[2]))
    assert g(noise(2, 50), None, {stacked_gan.FEATURES: noise(2, 256)}).shape == (2, 1, 28, 28)
    assert sizes == [8, 12, 24, 28]
    with pytest.raises(ValueError, match="image_size=32: the maps grow to images of 28 pixels alone"):
        stacked_gan.ImageGenerator(50, 256, 32, 1, 64)


def test_features_that_are_found_again_cost_nothing_and_classes_their_cross_entropy(compose, tmp_path):
    game = a_game(compose, tmp_path, STACKED)
    batch = a_batch(game)
    meeting = game.meet(batch)
    encoder, player = game.network("encoder"), game.player("generator")
    images, features = meeting[stacked_gan.IMAGES], meeting[stacked_gan.FEATURES]
    term = player.term("same_features")
    assert term(images, player) > 0
    found = images.latent._replace(given={stacked_gan.FEATURES: encoder(images.fake)})
    images.latent = found
    assert term(images, player) == 0
    logits = encoder.output(features.fake)
    torch.testing.assert_close(
        player.term("same_class")(features, player), -logits.log_softmax(1)[range(4), batch.labels].mean()
    )
    told = torch.sigmoid(game.network("discriminator_1")(features.fake).heads["z"])
    assert 0 <= features.latent.z.min() and features.latent.z.max() <= 1
    torch.testing.assert_close(
        player.term("entropy")(features, player), (told - features.latent.z).square().mean(), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("upward", [0.0, 0.01])
def test_at_first_images_are_made_of_real_features_and_then_of_generated_ones(upward, compose, tmp_path):
    game = a_game(compose, tmp_path, [*STACKED, f"game.upward={upward}"])
    batch, player = a_batch(game), game.player("generator")
    for together in (False, True):
        player.updates = int(together)
        meeting = game.meet(batch)
        used = meeting[stacked_gan.IMAGES].latent.given[stacked_gan.FEATURES]
        made = meeting[stacked_gan.FEATURES].fake
        assert torch.equal(used, made if together else game.network("encoder")(batch.samples))
        # In the authors' programs the image's losses have hardly any say in what makes the features, or none.
        assert used.requires_grad == (together and upward > 0)
        if used.requires_grad:
            (crossed,) = torch.autograd.grad(used.sum(), made)
            torch.testing.assert_close(crossed, torch.full_like(made, upward))


def test_the_classifier_learns_before_the_first_step_and_never_after(compose, tmp_path):
    game = a_game(compose, tmp_path, STACKED)
    before = weights(game.network("encoder"))
    game.step(lambda: a_batch(game))
    learnt = weights(game.network("encoder"))
    assert not same(before, game.network("encoder"))
    game.step(lambda: a_batch(game))
    assert same(learnt, game.network("encoder"))
