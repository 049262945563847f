"""Distances by what a network sees: against torchmetrics' networks, and against what follows from their definitions."""

from dataclasses import replace

import pytest
import torch
import torchmetrics.functional.image.dists
import torchmetrics.functional.image.lpips
from torch import nn

from gan_framework.config.schema import EvaluateConfig
from gan_framework.core.contracts.networks import Generator
from gan_framework.core.precision import Precision
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.evaluator import Evaluator
from gan_framework.evaluation.extractor import Extractor, Features
from gan_framework.evaluation.metric import Comparison, PairedSamples
from gan_zoo.extractors.layered import VGG16, AlexNet
from gan_zoo.extractors.raw import Raw
from gan_zoo.mapping import StyleGenerator
from gan_zoo.metrics.perceptual import (
    DISTS,
    LPIPS,
    PPL,
    DISTSLike,
    LPIPSLike,
    PPLLike,
    on_great_circles,
    without_ends,
)
from gan_zoo.perceptual_distances import dists, learnt, lpips, of_dists
from gan_zoo.priors.codes import Codes
from gan_zoo.priors.normal import Normal
from tests.evaluation.conftest import Blobs, make_game

CPU = torch.device("cpu")


@pytest.fixture
def random_weights(tmp_path):
    """Write random weights of VGG-16 or AlexNet, thinner inside, and return an extractor and these layers."""

    def prepared(kind):
        layers, _ = kind.build()
        layers = layers.to_empty(device="cpu")
        torch.manual_seed(0)
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
                nn.init.normal_(layer.bias, std=0.1)
        file = tmp_path / "weights.pth"
        torch.save({f"features.{name}": tensor for name, tensor in layers.state_dict().items()}, file)
        extractor = kind(file, "fp32")
        extractor.prepare(None, CPU, None)
        file.unlink()
        return extractor, layers

    return prepared


def images(n=2, size=32, seed=0):
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(("kind", "net"), [pytest.param(VGG16, "vgg", marks=pytest.mark.slow), (AlexNet, "alex")])
def test_lpips_is_torchmetrics(kind, net, random_weights, monkeypatch):
    extractor, layers = random_weights(kind)
    theirs = torchmetrics.functional.image.lpips
    monkeypatch.setattr(theirs, "_get_tv_model_features", lambda name, pretrained: layers)
    expected = theirs._LPIPS(pretrained=True, net=net, pnet_rand=True)(images(), images(seed=1)).flatten()
    found = lpips(extractor.perceive(images()), extractor.perceive(images(seed=1)), learnt(extractor.name))
    assert expected.min() > 1e-3
    torch.testing.assert_close(found, expected, rtol=2e-4, atol=0)


@pytest.mark.slow
def test_dists_is_torchmetrics(random_weights, monkeypatch):
    extractor, layers = random_weights(VGG16)
    theirs = torchmetrics.functional.image.dists
    monkeypatch.setattr(theirs, "vgg16", lambda weights: type("Whole", (), {"features": layers}))
    a, b = (images(seed=seed) for seed in range(2))
    expected = theirs.DISTSNetwork()((a + 1) / 2, (b + 1) / 2)
    found = dists(*([(x + 1) / 2, *extractor.perceive(x, extractor.smooth_maps)] for x in (a, b)), of_dists())
    assert expected.min() > 1e-2
    torch.testing.assert_close(found, expected, rtol=2e-4, atol=0)


def test_without_learnt_weights_all_channels_count_alike():
    a, b = (torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(seed)).double() for seed in range(2))
    cosine = torch.cosine_similarity(a, b, dim=1)
    torch.testing.assert_close(lpips([a], [b]), (2 - 2 * cosine).mean((1, 2)) / 3, rtol=1e-9, atol=0)
    assert (lpips([a], [3 * a]) < 1e-15).all()  # it sees directions alone
    assert (dists([a], [a]) == 0).all()
    zero_mean = a - a.mean((2, 3), keepdim=True)
    torch.testing.assert_close(dists([zero_mean], [-zero_mean]), torch.ones(2).double(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_great_circle_is_walked_evenly(share):
    a, b = torch.tensor([[2.0, 0], [0, 3]]).double(), torch.tensor([[0, 2.0], [1, 0]]).double()
    angle = torch.tensor(share * torch.pi / 2, dtype=torch.float64)
    turned = torch.stack([angle.cos(), angle.sin()])
    expected = torch.stack([2 * turned, (3 - 2 * share) * turned.flip(0)])
    torch.testing.assert_close(on_great_circles(a, b, torch.full((2,), share).double()), expected)


def test_a_rare_break_does_not_count():
    values = torch.cat([torch.linspace(1, 2, 298), torch.tensor([1e9, -1e9])]).double()
    assert without_ends(values).max() < 2.1 and without_ends(values).min() > 0.9
    assert len(without_ends(torch.ones(1))) == 1


class Values(Extractor):
    """The pixels themselves beside a one, so that their direction tells them apart."""

    name = "values"
    dim = 1
    perceives = True

    def __init__(self):
        super().__init__("fp32")

    def prepare(self, source, device, cache):
        """Nothing is to be loaded."""

    def extract(self, samples):
        return Features(samples.float().mean((1, 2, 3))[:, None])

    def maps(self, images):
        return (torch.cat([images.double(), torch.ones_like(images, dtype=torch.float64)], 1),)


def turned(angle):
    """Return images whose direction beside a one is that of an 8th of the angle."""
    return torch.tan(angle / 8)[:, None, None, None].expand(-1, 1, 8, 8).float()


class Turns(Generator):
    """Turns as the latent does, so that equal steps on its circle are equal changes of the image."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, z, labels=None):
        return turned(self.weight * torch.atan2(z[:, 1], z[:, 0]))


class Styled(StyleGenerator):
    """Turns as w goes, which is twice z, from somewhere that noise says."""

    def __init__(self):
        super().__init__(1, 2)
        self.weight = nn.Parameter(torch.ones(()))

    def mapping(self, z, labels):
        return 2 * self.weight * z

    def synthesise(self, w, labels=None):
        return turned(w[:, 0, 0] + torch.rand(len(w)))


def evaluator(metrics, tmp_path, extractor=None):
    settings = EvaluateConfig(samples=10, baselines=False)
    return Evaluator(extractor or Values(), metrics, Blobs(), "blobs", settings, CPU, tmp_path)


def a_game(generator):
    torch.manual_seed(0)
    game = make_game(generator, Blobs().shape)
    game.prior = Normal(2)
    return game


def path_length(generator, space, tmp_path):
    scored = evaluator({"ppl_like": PPLLike(1000)}, tmp_path)
    game = a_game(generator)
    scored.check(game)
    return scored(game).scores[f"ppl_like_{space}_values"]


def two_ends():
    random = torch.Generator().manual_seed(1)
    return (torch.randn(100_000, 2, generator=random, dtype=torch.float64) for _ in range(2))


# A direction that turns by a small angle changes by its square, and each of two channels counts for half.


def test_the_path_length_in_z_is_the_squared_speed_on_great_circles(tmp_path):
    speed = torch.acos(torch.cosine_similarity(*two_ends())) / 8
    assert path_length(Turns(), "z", tmp_path) == pytest.approx(float(speed.square().mean() / 2), rel=0.05)


def test_the_path_length_in_w_is_that_of_straight_lines_and_the_noise_stands_still(tmp_path):
    speed = 2 * torch.subtract(*two_ends())[:, 0] / 8
    expected = float(without_ends(speed.square()).mean() / 2)
    assert path_length(Styled(), "w", tmp_path) == pytest.approx(expected, rel=0.1)


def test_pairs_are_scored_by_the_extractors_network(tmp_path):
    """A game that returns its inputs as they are, beside targets that are known."""
    ours, target = torch.full((3, 1, 8, 8), 255, dtype=torch.uint8), torch.zeros(3, 1, 8, 8, dtype=torch.uint8)
    pairs = PairedSamples(ours, ours, target, {})
    comparison = Comparison(*[None] * 3, Blobs().shape, False, game=a_game(Turns()), extractor=Values())
    comparison = replace(comparison, pairs=lambda: iter([pairs, pairs]))
    # (1, 1) and (-1, 1) over their lengths lie at a right angle, so that two channels differ by 2.
    assert LPIPSLike().scores(comparison) == {"lpips_like": pytest.approx(1.0)}
    # No texture; white and black have means of 1 and 0 in [0, 1], -1 and 1 in [-1, 1], and the ones are equal.
    assert DISTSLike().scores(comparison) == {"dists_like": pytest.approx((1 + 2 + 0) / 3 / 2, rel=1e-4)}


def test_a_network_that_shows_nothing_or_is_not_the_papers_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="metrics.lpips_like .* extractor=raw shows nothing"):
        evaluator({"lpips_like": LPIPSLike()}, tmp_path, Raw())
    with pytest.raises(ConfigError, match="metrics.lpips is defined for extractor=vgg16 or .* metrics=lpips_like"):
        evaluator({"lpips": LPIPS()}, tmp_path)
    with pytest.raises(ConfigError, match="metrics.dists is defined for extractor=vgg16, and this is alexnet"):
        DISTS().check_extractor(AlexNet(None, "fp32"))
    PPL(10).check_extractor(VGG16(None, "fp32"))
    with pytest.raises(ConfigError, match="metrics.ppl .* extractor.precision=bf16"):
        PPL(10).check_extractor(VGG16(None, "bf16"))
    with pytest.raises(ValueError, match="samples=0"):
        PPL(0)


def test_models_whose_latents_do_not_move_evenly_are_refused_and_no_random_number_is_used():
    game = a_game(Turns())
    before = torch.get_rng_state()
    PPLLike(1).check(game)
    game.prior = Codes(4, {"categorical": [3]})
    with pytest.raises(ConfigError, match="metrics.ppl_like .* hold codes"):
        PPLLike(1).check(game)
    game.prior = None
    with pytest.raises(ConfigError, match="metrics.ppl_like moves latents, and Game draws none"):
        PPLLike(1).check(game)
    game.prior, game.precision = Normal(2), Precision("bf16", CPU)
    with pytest.raises(ConfigError, match="train.precision=bf16"):
        PPLLike(1).check(game)
    assert torch.equal(torch.get_rng_state(), before)


def test_images_must_be_large_enough_for_the_network():
    VGG16(None, "fp32").check(DataShape((1, 16, 16)))
    with pytest.raises(ConfigError, match="alexnet needs images of at least 32x32"):
        AlexNet(None, "fp32").check(DataShape((3, 16, 40)))
