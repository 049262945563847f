"""Messages in images, private labels, and bits that deceive a detector."""

import math

import pytest
import torch
from scipy.stats import norm
from torch.nn import functional as F

from gan_framework.core.records import Latent
from gan_framework.errors import ConfigError
from gan_zoo.datasets.feature_bits import FeatureBits
from gan_zoo.datasets.private import Private
from gan_zoo.lsb import embed, read
from gan_zoo.metrics.adversary_accuracy import guessed
from gan_zoo.metrics.detection_accuracy import accuracy, cooccurrences
from gan_zoo.metrics.paired_psnr import psnr
from gan_zoo.systems.gap import BitFlipper, Privatiser
from gan_zoo.systems.malgan import BitAdder, Detector
from gan_zoo.systems.stegano_gan import HIGH_PASS, Steganalyser
from tests.zoo.adaptation.common import changed, small

F64 = torch.float64


# -- messages --------------------------------------------------------------------------------------------


def levels(*shape):
    return torch.randint(256, shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("rate", "expected"), [(0.4, 55.1205), (1.0, 51.1411)])
def test_a_message_costs_half_a_level_for_each_bit_and_is_read_without_error(rate, expected):
    x = levels(40, 1, 64, 64).float() / 127.5 - 1
    made = embed(x, rate, torch.Generator().manual_seed(1))
    before, after = ((of + 1) * 127.5 for of in (made.cover, made.image))
    torch.testing.assert_close(before.round(), levels(40, 1, 64, 64).float())
    step = (after - before).round().abs()
    assert step.max() == 1 and made.image.abs().max() <= 1
    assert step.mean().item() == pytest.approx(rate / 2, abs=0.005)
    assert psnr(after.double().round(), before.double().round(), 255).mean().item() == pytest.approx(expected, abs=0.1)
    assert -10 * math.log10(rate / 2 / 255**2) == pytest.approx(expected, abs=1e-4)
    assert torch.equal(read(made.image, made.places), made.message[made.places])
    assert made.places.float().mean().item() == pytest.approx(rate, abs=0.01)
    assert (read(made.cover, made.places) == made.message[made.places]).float().mean().item() == pytest.approx(
        0.5, abs=0.02
    )


def test_gradients_go_through_a_message_as_if_it_were_not_there():
    x = (levels(2, 1, 4, 4).double() / 127.5 - 1).requires_grad_()
    weights = torch.randn(2, 1, 4, 4, dtype=F64)
    for image in embed(x, 0.5)[:2]:
        (gradient,) = torch.autograd.grad((weights * image).sum(), x)
        assert torch.equal(gradient, weights)


STEGO = [
    "data.image_size=8",
    "prior.dim=4",
    "networks.generator.width=2",
    "networks.discriminator.width=2",
    "networks.discriminator_stego.width=2",
]


@pytest.mark.parametrize("against", ["cover", "both"])
def test_what_the_three_players_pay(against, compose):
    game, batches = small(compose, "stegano_gan", *STEGO, "game.alpha=0.3", f"game.against={against}")
    game.networks.eval()
    meeting = game.meet(batches())
    main, stego = meeting["main"], meeting["stego"]
    analyser = game.network("discriminator_stego")
    on_stego, on_cover = analyser(stego.real).logits, analyser(stego.fake).logits
    told = sum(game.player("steganalyser").evaluate(meeting.detached()).values())
    torch.testing.assert_close(told, F.softplus(-on_stego).mean() + F.softplus(on_cover).mean())
    evasion = F.softplus(-on_cover).mean() + (F.softplus(on_stego).mean() if against == "both" else 0)
    fooled = F.softplus(-game.network("discriminator")(main.fake).logits).mean()
    paid = sum(game.player("generator").evaluate(meeting).values())
    torch.testing.assert_close(paid, 0.3 * fooled + 0.7 * evasion)


def test_each_of_the_three_updates_its_own(compose):
    game, batches = small(compose, "ssgan_stegano", *STEGO)
    for name, network in {"discriminator": "discriminator", "steganalyser": "discriminator_stego"}.items():
        assert changed(game, lambda: game.player(name).play(game.meet(batches()).detached())) == {network}  # noqa: B023
    assert changed(game, lambda: game.player("generator").play(game.meet(batches()))) == {"generator"}


def test_smooth_contents_vanish_before_the_steganalyser():
    kernel = torch.tensor(HIGH_PASS, dtype=F64)
    places = torch.arange(5, dtype=F64)
    for content in (torch.ones(5, 5, dtype=F64), places[:, None] + 2 * places, places[:, None] * places):
        assert (kernel * content).sum().item() == 0
    network = Steganalyser(1, 2)
    flat, dark = (network.features(torch.full((1, 1, 16, 16), value))[0][..., 2:6, 2:6] for value in (0.7, -0.7))
    torch.testing.assert_close(flat, dark, atol=1e-4, rtol=0)


def test_a_fresh_steganalyser_finds_messages_in_smooth_images_and_none_in_noise():
    random = torch.Generator().manual_seed(0)
    noise = torch.randint(256, (200, 1, 32, 32), generator=random).to(torch.uint8)
    smooth = F.interpolate(torch.rand(200, 1, 5, 5, generator=random), size=(32, 32), mode="bicubic").clamp(0, 1)
    assert accuracy((255 * smooth).to(torch.uint8), 0.4) > 0.85
    assert abs(accuracy(noise, 0.4) - 0.5) < 0.1


def test_successive_differences_are_counted():
    row = torch.tensor([0, 1, 3, 3]).expand(1, 1, 4, 4).float() / 127.5 - 1
    found = cooccurrences(row)[0]
    across = found[:49].view(7, 7)  # [second difference + 3, first + 3]
    assert across[5, 4].item() == across[3, 5].item() == 0.5 and across.sum().item() == 1
    assert found[49:].view(7, 7)[3, 3].item() == 1


# -- privacy -----------------------------------------------------------------------------------------------


def entropy(p):
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


def test_a_flipped_bit_tells_as_much_as_theory_says(compose):
    assert 0.9 * 0.8 + 0.1 * 0.2 == pytest.approx(0.74)
    assert entropy(0.74) == pytest.approx(0.5730569, abs=1e-7)
    assert entropy(0.9) == pytest.approx(0.3250830, abs=1e-7)
    game, _ = small(compose, "gap_binary")
    game.double()
    x = torch.tensor([[0.0]] * 9 + [[1.0]] + [[1.0]] * 9 + [[0.0]], dtype=F64)
    batch = type(small(compose, "gap_binary")[1]())(x, torch.tensor([0] * 10 + [1] * 10))
    with torch.no_grad():
        game.network("generator").logits.fill_(math.log(0.2 / 0.8))
        for layer in game.network("adversary").layers:
            for parameter in layer.parameters():
                parameter.zero_()
        first, last = (layer for layer in game.network("adversary").layers if hasattr(layer, "weight"))
        first.weight[0], last.weight[1, 0], last.bias[1] = 1, 2 * math.log(0.74 / 0.26), -math.log(0.74 / 0.26)
    meeting = game.meet(batch)
    (guess,) = game.player("adversary").evaluate(meeting).values()
    assert guess.item() == pytest.approx(0.5730569, abs=1e-6)
    losses = game.player("generator").evaluate(meeting)
    assert losses["guess"].item() == pytest.approx(-0.5730569, abs=1e-6)
    assert losses["budget"].item() == pytest.approx(0, abs=1e-12)
    game.network("adversary").layers[-1].weight.requires_grad_()
    (gradient,) = torch.autograd.grad(guess, first.weight)
    assert gradient.abs().max().item() < 1e-9  # it is the best adversary


def test_bits_are_flipped_as_often_as_is_said():
    network = BitFlipper(1).double()
    with torch.no_grad():
        network.logits.copy_(torch.tensor([0.1, 0.3]).logit())
    z = torch.linspace(-1, 1, 10_001, dtype=F64)[:, None]
    for bit, expected in ((0.0, 0.1), (1.0, 0.3)):
        x = torch.full_like(z, bit)
        made = network.everything(z, None, {"samples": x})
        assert (made["samples"] != x).double().mean().item() == pytest.approx(expected, abs=1e-3)
        torch.testing.assert_close(made["flip"], torch.full_like(z, expected), atol=1e-7, rtol=0)


@pytest.mark.parametrize(("budget", "expected"), [(0.0, 0.8413447), (0.5, 0.6151981), (1.0, 0.5)])
def test_gaussians_that_are_moved_towards_each_other_tell_less(budget, expected):
    assert norm.cdf(1 - math.sqrt(budget)) == pytest.approx(expected, abs=1e-7)
    network = Privatiser(1, 1, 2, True, []).double()
    with torch.no_grad():
        network.layers[0].weight.copy_(math.sqrt(budget) * torch.tensor([[0.0, 0.0, 1.0, -1.0]]))
        network.layers[0].bias.zero_()
    source = Private("gaussian", 4000, None, 1, None)
    test = source.load("train")
    x, labels = test.samples.double(), test.labels
    made = network(torch.zeros(len(x), 1, dtype=F64), labels, {"samples": x})
    assert (made - x).square().mean().item() == pytest.approx(budget)
    right = ((made[:, 0] > 0) == (labels == 1)).double().mean().item()
    assert right == pytest.approx(expected, abs=0.03)


def test_noise_alone_is_worse():
    assert [round(norm.cdf(1 / math.sqrt(1 + d)), 7) for d in (0.5, 1.0)] == [0.7928919, 0.7602499]


def test_what_a_budget_costs(compose):
    game, batches = small(compose, "gap_gaussian", "game.budget=0.5", "game.penalty=10", "game.last_penalty=30")
    meeting = game.meet(batches())
    pair = meeting["main"]
    spent = (pair.fake - pair.real).square().mean()
    losses = game.player("generator").evaluate(meeting)
    torch.testing.assert_close(losses["budget"], 10 * (spent - 0.5).clamp(min=0).square())
    guess = F.cross_entropy(game.network("adversary")(pair.fake), pair.batch.labels)
    torch.testing.assert_close(losses["guess"], -guess)
    game.player("generator").updates = 10**6
    torch.testing.assert_close(game.player("generator").evaluate(meeting)["budget"], 3 * losses["budget"])


def test_the_private_numbers_tell_as_much_as_is_said():
    data = Private("binary", 20_000, None, 1, None).load("train")
    assert (data.samples[:, 0] == data.labels).float().mean().item() == pytest.approx(0.9, abs=0.01)
    data = Private("gaussian", 20_000, None, 1, None).load("train")
    assert ((data.samples[:, 0] > 0) == (data.labels == 1)).float().mean().item() == pytest.approx(0.8413447, abs=0.01)
    x, labels = data.samples[:1000], data.labels[:1000]
    assert guessed(x, labels, data.samples[-1000:], data.labels[-1000:], 2) == pytest.approx(0.84, abs=0.03)


# -- bits that deceive -----------------------------------------------------------------------------------


def test_bits_are_only_added():
    network = BitAdder(16, 3, 8)
    x = (torch.rand(50, 16) < 0.4).float()
    made = network(torch.randn(50, 3), None, {"samples": x})
    assert bool((made >= x).all()) and bool((made[x == 1] == 1).all()) and made.max() <= 1


def test_the_black_box_is_bayes_rule():
    source = FeatureBits(4000, None, 32, None)
    data = source.load("train")
    x, labels = data.samples.double(), data.labels
    detector = Detector(32).double()
    detector.fit(x[labels == 0], x[labels == 1])
    p = source.probabilities.double()
    exact = (x * (p[1] / p[0]).log() + (1 - x) * ((1 - p[1]) / (1 - p[0])).log()).sum(1)
    assert (detector(x) - exact).abs().mean() < 0.5
    assert ((detector(x) > 0) == (labels == 1)).double().mean() > 0.7
    ones = torch.tensor([[1.0], [1.0], [0.0]], dtype=F64)
    small_one = Detector(1).double()
    small_one.fit(1 - ones, ones)  # of three: 2/5 and 3/5, each counted once more and once less
    torch.testing.assert_close(small_one(ones[:1]), torch.tensor([math.log(1.5)], dtype=F64))


MALGAN = ["data.samples=400", "data.channels=16", "networks.generator.hidden=8", "networks.discriminator.hidden=[8]"]


def test_the_black_box_is_fitted_once_and_then_stays(compose):
    game, batches = small(compose, "malgan", *MALGAN, batch=32)
    assert not game.network("detector").weight.any()
    game.step(batches)
    weight = game.network("detector").weight.clone()
    assert weight.any()
    assert changed(game, lambda: game.step(batches)) == {"discriminator", "generator"}
    assert torch.equal(game.network("detector").weight, weight)


def test_the_substitute_learns_what_the_black_box_says_and_the_generator_lowers_it(compose):
    game, batches = small(compose, "malgan", *MALGAN, batch=32)
    game.step(batches)
    meeting = game.meet(batches())
    pair = meeting["main"]
    substitute = game.network("discriminator")
    says = game.network("detector")((pair.fake > 0.5).float()) > 0
    benign, bad = pair.batch.labels == 0, pair.batch.labels == 1
    on_made = F.binary_cross_entropy_with_logits(substitute(pair.fake).logits, says.float())
    on_benign = F.binary_cross_entropy_with_logits(
        substitute(pair.real[benign]).logits, game.flags(pair.real[benign]).float()
    )
    (told,) = game.player("discriminator").evaluate(meeting.detached()).values()
    torch.testing.assert_close(told, on_made + on_benign)
    (paid,) = game.player("generator").evaluate(meeting).values()
    torch.testing.assert_close(paid, F.softplus(substitute(pair.fake[bad]).logits).mean())


def test_made_up_bits_alone_are_studied(compose):
    with pytest.raises(ConfigError, match="made-up bits"):
        small(compose, "malgan", "data=gaussian", "networks.detector.bits=1")


def test_what_is_changed_are_bits(compose):
    game, batches = small(compose, "malgan", *MALGAN, batch=32)
    game.step(batches)
    x = batches().samples
    made = game.changed(x)
    assert bool(((made == 0) | (made == 1)).all()) and bool((made >= x).all())
    assert isinstance(game.latent(2), Latent)
