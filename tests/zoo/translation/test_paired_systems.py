"""Systems of pairs: maps that set norms, sizes judged alike, codes, and distances that a frozen network sees."""

import copy
import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.api import ConfigError, DataShape
from gan_framework.weights.pretrained import without_pretrained
from gan_zoo.discriminators.multi_scale import MultiScaleDiscriminator, alike
from gan_zoo.extractors.layered import DEVIATION, MEAN, VGG16
from gan_zoo.perceiving import FeatureClassifier, gram, style_distance
from gan_zoo.systems.pix2pixhd import GlobalGenerator, LocalEnhancer, Together
from gan_zoo.systems.spade import SpadeGenerator, SpatialNorm
from gan_zoo.terms.feature_distance import FeatureDistance
from tests.helpers.runs import make_run

Z = torch.zeros(2, 0)
PATCH = {"name": "patch", "channels": 1, "given_channels": 1, "width": 4, "layers": 1, "norm": "none"}


def doubles(*values):
    return torch.tensor(values, dtype=torch.float64)


# -- pix2pixHD --------------------------------------------------------------------------------------


def test_sizes_are_judged_alike_whatever_their_maps():
    """The mean over all logits is the mean of each size's, however many places each has."""
    torch.manual_seed(0)
    maps = [torch.randn(2, 1, 6, 4, dtype=torch.float64), torch.randn(2, 1, 4, 2, dtype=torch.float64)]
    repeated = alike(maps)
    assert {one.shape for one in repeated} == {(2, 1, 12, 4)}
    joined = F.softplus(torch.cat(repeated, 1)).mean()
    assert float(joined) == pytest.approx(float(sum(F.softplus(one).mean() for one in maps) / 2), abs=1e-12)


def test_each_size_is_judged_by_its_own_network_beside_its_own_source():
    torch.manual_seed(0)
    judge = MultiScaleDiscriminator(PATCH, 2).double()
    x, source = torch.randn(2, 2, 1, 16, 16, dtype=torch.float64).unbind(0)
    said = judge(x, None, source)
    halved = (F.avg_pool2d(one, 2) for one in (x, source))
    small = judge.judges[1](next(halved), None, next(halved))
    assert said.logits[:, 1].mean().item() == pytest.approx(small.logits.mean().item(), abs=1e-12)
    assert torch.equal(said.features[-1], small.features[-1])
    assert len(said.features) == 2 * len(small.features)
    with pytest.raises(ValueError, match="choose a discriminator of patches"):
        MultiScaleDiscriminator({"name": "dcgan", "image_size": 16, "channels": 1, "width": 4, "norm": "none"}, 2)


def test_the_enhancer_adds_the_coarse_features_and_nothing_else_of_it():
    torch.manual_seed(0)
    coarse, fine = GlobalGenerator(1, 2, 4, 1), LocalEnhancer(1, 2, 4, 1)
    together = Together(coarse, fine)
    source = torch.randn(2, 2, 16, 16)
    made = together.everything(Z, None, {"source": source})
    small = coarse(Z, None, {"source": F.avg_pool2d(source, 2)})
    assert torch.allclose(made["coarse"], small) and made["coarse"].shape == (2, 1, 8, 8)
    changed = copy.deepcopy(coarse)
    torch.nn.init.zeros_(changed.layers[-2].weight)  # of the coarse image alone
    assert torch.equal(Together(changed, fine)(Z, None, {"source": source}), made["samples"])
    assert not [*together.parameters()]


def test_first_the_coarse_level_alone_is_trained_then_both_generators(compose, tmp_path):
    stages = "schedule.stages=[{players:[discriminator_coarse,generator_coarse],until:1},{players:[generator_fine]}]"
    run = make_run(compose("experiment=pix2pixhd", "debug=smoke", stages, "terms.perceptual.steps=1"), tmp_path)

    def weights():
        return {name: p.detach().clone() for name, p in run.game.networks.named_parameters()}

    moved = []
    for _ in range(2):
        before = weights()
        run.game.step(run.batches)
        moved.append({name.split(".")[0] for name, p in weights().items() if not torch.equal(p, before[name])})
    assert moved == [{"discriminator_coarse", "generator_coarse"}, {"generator_coarse", "generator_fine"}]


# -- SPADE ------------------------------------------------------------------------------------------


def test_a_map_sets_scale_and_shift_by_place_and_zero_leaves_the_norm():
    torch.manual_seed(0)
    norm = SpatialNorm(3, 2, 4, "instance").double()
    x, of = torch.randn(2, 3, 8, 8, dtype=torch.float64), torch.randn(2, 2, 4, 4, dtype=torch.float64)
    plain = F.instance_norm(x)
    assert not torch.allclose(norm(x, of), plain)
    for layer in (norm.scale, norm.shift):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    assert torch.equal(norm(x, of), plain)
    torch.nn.init.constant_(norm.scale.bias, 1.0)
    torch.nn.init.constant_(norm.shift.bias, 0.5)
    assert torch.allclose(norm(x, of), 2 * plain + 0.5)


def test_a_change_of_the_map_changes_the_image_there_most():
    torch.manual_seed(0)
    generator = SpadeGenerator(16, 1, 2, 3, 4, 4, "instance").double().eval()
    z, of = torch.randn(1, 3, dtype=torch.float64), torch.zeros(1, 2, 16, 16, dtype=torch.float64)
    other = of.clone()
    other[:, :, 4:8, 4:8] = 5
    apart = (generator(z, None, {"source": of}) - generator(z, None, {"source": other})).abs()[0, 0]
    assert apart[4:8, 4:8].mean() > 3 * apart[12:, 12:].mean() > 0


# -- what a frozen network sees ---------------------------------------------------------------------


def test_gram_of_two_channels():
    features = doubles([1, 2], [3, 4])[None, :, :, None]
    assert gram(features)[0].tolist() == [[1.25, 2.75], [2.75, 6.25]]
    assert torch.equal(gram(features.flip(2)), gram(features)), "places are exchanged"
    assert float(style_distance(features, features.flip(2))) == 0
    assert float(style_distance(features, 2 * features)) == pytest.approx(9 * (1.25**2 + 2 * 2.75**2 + 6.25**2) / 4)


def test_a_classifier_is_trained_once_and_then_stands_still(compose, tmp_path):
    run = make_run(compose("experiment=pix2pix", "debug=smoke", "term=[feature_distance]"), tmp_path)
    game = run.game
    term = game.player("generator").terms["feature_distance"]
    assert isinstance(term.network, FeatureClassifier)
    before = {name: value.clone() for name, value in term.network.state_dict().items()}
    game.step(run.batches)
    after = {name: value.clone() for name, value in term.network.state_dict().items()}
    assert not any(torch.equal(after[name], value) for name, value in before.items() if name.endswith("weight"))
    game.step(run.batches)
    assert all(torch.equal(after[name], value) for name, value in term.network.state_dict().items())
    assert not any(parameter.requires_grad for parameter in term.network.parameters())


def test_the_distance_is_0_for_the_target_itself_and_reaches_the_samples(compose, tmp_path, caplog):
    caplog.set_level("INFO")
    run = make_run(compose("experiment=pix2pix", "debug=smoke", "term=[feature_distance]"), tmp_path)
    player = run.game.player("generator")
    term = player.terms["feature_distance"]
    assert "as a classifier of the data's 10 classes, trained on 300 batches first, sees them" in caplog.text
    pair = run.game.meet(run.batches())["main"]
    pair.fake = pair.real.clone().requires_grad_()
    assert term(pair, player).item() == 0
    pair.fake = (0.5 * pair.real).requires_grad_()
    loss = term(pair, player)
    (gradient,) = torch.autograd.grad(loss, pair.fake)
    assert loss.item() > 0 and gradient.abs().sum() > 0


def test_layers_are_weighed_and_grams_are_compared(compose, tmp_path):
    run = make_run(compose("experiment=pix2pix", "debug=smoke"), tmp_path)
    pair, player = run.game.meet(run.batches())["main"], run.game.player("generator")
    layers = [(1, 0, 0), (0, 1, 0), (1, 2, 0)]
    found = []
    for weights in layers:
        term = FeatureDistance("discriminator", "gram", "l1", list(weights), 1, 1e-3, 4)
        term.attach(run.game)
        found.append(float(term(pair, player)))
    assert found[2] == pytest.approx(found[0] + 2 * found[1], rel=1e-5)
    real, fake = (output.features[0] for output in (pair.real_output, pair.fake_output))
    assert found[0] == pytest.approx(float(style_distance(real, fake)), rel=1e-5)
    term = FeatureDistance("classifier", "gram", "l1", [1, 0, 0], 1, 1e-3, 4)  # its hidden layer has no places
    term.attach(run.game)
    real, fake = (term.network.layers(samples) for samples in (pair.real, pair.fake))
    assert float(term(pair, player)) == pytest.approx(float(style_distance(real[0], fake[0])), rel=1e-5)


@pytest.mark.slow
def test_vgg_sees_by_a_file_of_weights_which_checkpoints_name_and_do_not_hold(compose, tmp_path, caplog):
    layers, _ = VGG16.build()
    layers = layers.to_empty(device="cpu")
    for parameter in layers.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    file = tmp_path / "vgg.pth"
    torch.save({f"features.{name}": tensor for name, tensor in layers.state_dict().items()}, file)
    of_vgg = ["term=[feature_distance]", "terms.feature_distance.network=vgg16"]
    caplog.set_level("INFO")
    config = compose("experiment=pix2pix", "debug=smoke", *of_vgg, f"terms.feature_distance.weights={file}")
    run = make_run(config, tmp_path / "run")
    player = run.game.player("generator")
    term = player.terms["feature_distance"]
    assert "terms.feature_distance: images are compared as VGG-16, with ImageNet weights, sees them" in caplog.text
    pair = run.game.meet(run.batches())["main"]
    x = (pair.real + 1) / 2
    x = (x.expand(-1, 3, -1, -1) - x.new_tensor(MEAN)[:, None, None]) / x.new_tensor(DEVIATION)[:, None, None]
    found = term.network.layers(pair.real)
    assert [maps.shape[1] for maps in found] == [64, 128, 256, 512, 512]
    for maps, last in zip(found, (3, 8, 15, 22, 29), strict=True):
        torch.testing.assert_close(maps, layers[: last + 1](x))
    pair.fake = pair.real.clone().requires_grad_()
    assert term(pair, player).item() == 0
    pair.fake = (0.5 * pair.real).requires_grad_()
    (gradient,) = torch.autograd.grad(term(pair, player), pair.fake)
    assert gradient.abs().sum() > 0
    state, places = without_pretrained(run.game)
    (place,) = places
    assert places[place]["name"] == "VGG-16" and not any(name.startswith(place) for name in state)
    for bad, message in (
        (tmp_path / "none.pth", "terms.feature_distance.weights=.*none.pth: there is no such file"),
        (tmp_path / "run" / "config.yaml", "terms.feature_distance.weights=.* is not a file of such weights"),
    ):
        bad.parent.mkdir(exist_ok=True)
        if "config" in bad.name:
            bad.write_text("a: 1")
        config = compose("experiment=pix2pix", "debug=smoke", *of_vgg, f"terms.feature_distance.weights={bad}")
        with pytest.raises(ConfigError, match=message):
            make_run(config, tmp_path / "other")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["terms.feature_distance.player=discriminator"], "set terms.feature_distance.player=generator"),
        (["terms.feature_distance.network=vgg"], "choose one of classifier, efficientnet_lite0, discriminator"),
        (["terms.feature_distance.layers=[1,2]"], "there are 4 layers"),
        (["data=filaments", "networks.generator.levels=4"], "network=classifier is trained on classes"),
    ],
)
def test_what_cannot_be_seen_is_refused(overrides, message, compose, tmp_path):
    with pytest.raises(Exception, match=message):
        run = make_run(
            compose("experiment=pix2pix", "debug=smoke", "term=[feature_distance]", *overrides), tmp_path / "run"
        )
        run.game.step(run.batches)


# -- BicycleGAN -------------------------------------------------------------------------------------


@pytest.fixture
def bicycle(compose, tmp_path):
    return make_run(compose("experiment=bicyclegan", "debug=smoke"), tmp_path).game


def test_the_encoder_takes_no_notice_of_the_latent_distance(bicycle):
    from gan_framework.api import blank

    torch.manual_seed(0)
    batch = blank(bicycle.data)
    player = bicycle.player("generator")
    pair = bicycle.meet(batch)["random"]
    loss = player.terms["latent"](pair, player)
    encoder, generator = ([*bicycle.network(name).parameters()] for name in ("encoder", "generator"))
    found = torch.autograd.grad(loss, encoder + generator, allow_unused=True)
    assert all(gradient is None for gradient in found[: len(encoder)])
    assert any(gradient is not None and gradient.abs().sum() > 0 for gradient in found[len(encoder) :])
    z = pair.latent.z
    mean = bicycle.network("encoder")(pair.fake)[:, : z.shape[1]]
    assert float(loss) == pytest.approx(float((z - mean).abs().mean()), rel=1e-5)


def test_one_cycle_has_the_images_code_the_other_a_random_one(bicycle):
    from gan_framework.api import blank

    batch = blank(bicycle.data)
    meeting = bicycle.meet(batch)
    assert {"mean", "log_variance"} <= meeting["encoded"].latent.code.keys()
    assert not meeting["random"].latent.code
    assert meeting["encoded"].judged_by_network != meeting["random"].judged_by_network
    names = bicycle.player("generator").evaluate(meeting).keys()
    assert {"adversarial_encoded", "adversarial_random", "distance", "divergence", "latent"} == set(names)


def test_the_divergence_of_a_known_code():
    from gan_zoo.terms.kl_divergence import kl_to_standard_normal

    assert float(kl_to_standard_normal(doubles([1.0]), doubles([0.0]))) == 0.5
    assert float(kl_to_standard_normal(doubles([0.0]), doubles([math.log(4)]))) == pytest.approx(
        0.5 * (3 - math.log(4))
    )


def test_pairs_that_are_drawn_have_what_they_say():
    from gan_zoo.datasets.made_pairs import Composites, Filaments, OccludedShapes, TexturedShapes
    from gan_zoo.datasets.shape_pairs import ShapePairs

    sources = [kind(32, None, None, None, 40) for kind in (Filaments, TexturedShapes, Composites, OccludedShapes)]
    sources += [ShapePairs(task, 32, None, None, None, 40, 1) for task in ("layout", "points", "outline", "depth")]
    for source in sources:
        data = source.load("train")
        found = {name: tuple(tensor.shape[1:]) for name, tensor in data.read_extra(range(3)).items()}
        assert DataShape(tuple(data.samples.shape[1:]), extra=found) == source.shape._replace(num_classes=0)
        assert torch.equal(source.load("train").samples, data.samples)
    composite, hidden = (source.load("train") for source in sources[2:4])
    outside = composite.extra["mask"] == 0
    assert torch.equal((composite.samples * outside), (composite.extra["source"] * outside))
    covered = 1 - hidden.extra["visible"].sum((1, 2, 3)) / hidden.extra["full"].sum((1, 2, 3))
    assert covered.min() >= 0.2 - 1e-6 and covered.max() <= 0.6 + 1e-6
