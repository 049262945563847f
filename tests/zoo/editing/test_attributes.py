"""Conditional CycleGAN and Contrast-GAN: a class that is asked for, in translation and in a part of an image."""

import math

import pytest
import torch

from gan_framework.api import SAMPLES, Batch, ConfigError, DataShape, Latent
from gan_zoo.editing import identity_features
from gan_zoo.systems.contrast_gan import MASK, Contrasting, box_of, contrast
from tests.zoo.editing.common import GREY, noise, started

CYCLE_SHAPE = DataShape((1, 16, 16), 10, others={"a": DataShape((1, 16, 16), 10)})
CYCLE = [f"networks.{side}_{domain}.width=2" for side, domain in (("generator", "ab"), ("generator", "ba"))]
CYCLE += [f"networks.discriminator_{domain}.width=2" for domain in "ab"]
CYCLE += ["networks.generator_ab.blocks=1", "networks.generator_ba.blocks=1", "networks.discriminator_a.layers=1"]
CYCLE += ["game.identity_steps=1", "networks.identity.width=2"]
CONTRAST = [
    "networks.generator.margin=0",
    "networks.generator.width=2",
    "networks.generator.blocks=1",
    "networks.discriminator.width=2",
]
MASKED = DataShape((3, 16, 16), 3, extra={MASK: (1, 16, 16)})


def two_domains():
    coarse = Batch(noise(3, seed=1), torch.tensor([4, 5, 6]))
    return Batch(noise(3), torch.tensor([1, 2, 3]), others={"a": coarse})


def test_who_is_asked_for_what(compose):
    game = started(compose, "conditional_cyclegan", *CYCLE, shape=CYCLE_SHAPE)
    game.networks.eval()
    batch = two_domains()
    meeting = game.meet(batch)
    x, coarse = batch.samples, batch.others["a"].samples
    z = torch.zeros(3, 0)
    sharp = game.network("generator_ab")(z, torch.tensor([4, 5, 6]), {SAMPLES: coarse})
    assert torch.equal(meeting["b"].fake, sharp)
    assert torch.equal(meeting["b"].made["back"], game.network("generator_ba")(z, None, {SAMPLES: sharp}))
    down = game.network("generator_ba")(z, None, {SAMPLES: x})
    assert torch.equal(meeting["a"].fake, down)
    again = game.network("generator_ab")(z, torch.tensor([1, 2, 3]), {SAMPLES: down})
    assert torch.equal(meeting["a"].made["back"], again)
    assert meeting["b"].real_labels.tolist() == [1, 2, 3] and meeting["b"].fake_labels.tolist() == [4, 5, 6]
    assert meeting["a"].real_labels is None and meeting["a"].fake_labels is None
    assert torch.equal(meeting["wrong"].fake, x)
    assert not (meeting["wrong"].fake_labels == batch.labels).any()


def test_the_losses_of_the_conditional_cycle(compose):
    game = started(compose, "conditional_cyclegan", *CYCLE, shape=CYCLE_SHAPE)
    game.networks.eval()
    batch = two_domains()
    meeting = game.meet(batch)
    losses = game.player("generator").evaluate(meeting)
    a, b = meeting["a"], meeting["b"]
    features = [identity_features(game, x) for x in (batch.samples, a.made["back"])]
    expected = {
        **{f"adversarial_{n}": (meeting[n].fake_output.logits - 1).square().mean() for n in "ab"},
        "cycle_a": 10 * (batch.samples - a.made["back"]).abs().mean(),
        "cycle_b": 10 * (batch.others["a"].samples - b.made["back"]).abs().mean(),
        "identity": (features[0] - features[1]).abs().mean(),
    }
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        assert float(losses[name].detach()) == pytest.approx(float(value.detach()), abs=1e-9), name
    told = game.player("discriminator_b").evaluate(game.meet(batch, graph=False))
    assert told.keys() == {"adversarial_b", "adversarial_wrong"}


def test_domains_of_other_classes_are_refused(compose):
    other = CYCLE_SHAPE._replace(others={"a": DataShape((1, 16, 16), 3)})
    with pytest.raises(ConfigError, match="ConditionalCycleGAN asks for classes, and the domains have 10 and 3"):
        started(compose, "conditional_cyclegan", *CYCLE, shape=other)


def test_the_contrast_of_known_distances():
    """f(g) = f_t = 0 and |f_t - f(x)| = 1: log(1 + 1/e); equal distances: log 2."""
    zero, one = torch.zeros(1, 2, dtype=torch.float64), torch.ones(1, 2, dtype=torch.float64)
    assert float(contrast(zero, zero, one)) == pytest.approx(0.3132616875182228, abs=1e-12)
    assert float(contrast(zero, one, -one)) == pytest.approx(math.log(2), abs=1e-12)
    g = torch.tensor([[0.4, 0.4]], dtype=torch.float64, requires_grad=True)
    contrast(g, zero, one).sum().backward()
    # d/dg softplus(|g| - |g - 1|) = 2 σ(.4 - .6), a half of it in each of the two entries.
    assert g.grad[0].tolist() == pytest.approx([1 / (1 + math.exp(0.2))] * 2)


def test_mean_features_of_kinds_follow_batches_and_keep_those_that_are_absent():
    term = Contrasting(0.9)
    term.hold(3, 2)

    def seen(features, labels):
        real = type("Said", (), {"features": (torch.tensor(features),)})()
        term.after_update(type("Pair", (), {"real_output": real, "batch": Batch(None, torch.tensor(labels))})(), None)

    seen([[1.0, 0.0], [3.0, 0.0], [0.0, 5.0]], [0, 0, 2])
    assert term.means.tolist() == [[2, 0], [0, 0], [0, 5]] and term.known.tolist() == [True, False, True]
    seen([[12.0, 10.0]], [0])
    assert term.means[0].tolist() == pytest.approx([3, 1]) and term.means[2].tolist() == [0, 5]


def test_a_kind_that_was_never_seen_has_no_part_and_neither_has_an_object_that_stays():
    term = Contrasting(0.9)
    term.hold(3, 1)
    term.means[1], term.known[1] = 2.0, True
    real = type("Said", (), {"features": (torch.tensor([[1.0], [3.0], [5.0]]),)})()
    made = type("Said", (), {"features": (torch.tensor([[2.0], [7.0], [5.0]]),)})()
    latent = Latent(torch.zeros(3, 0), torch.tensor([1, 2, 0]))
    pair = type("Pair", (), {"real_output": real, "fake_output": made, "latent": latent})()
    pair.batch = Batch(None, torch.tensor([0, 0, 0]))
    # The first is as far from the mean, 2, as 0, and from itself as 1; the second's kind is unknown, the third stays.
    assert float(term(pair, None)) == pytest.approx(math.log1p(math.exp(-1)))


def test_boxes_hold_their_masks():
    mask = torch.zeros(2, 1, 5, 10)
    mask[0, 0, 1, 2] = mask[0, 0, 3, 1] = 1
    assert torch.allclose(box_of(mask), torch.tensor([[0.1, 0.2, 0.3, 0.8], [0, 0, 1, 1]]))
    assert torch.allclose(box_of(mask, 1), torch.tensor([[0.0, 0.0, 0.4, 1.0], [0, 0, 1, 1]]))


def test_both_players_see_what_is_in_the_box_enlarged(compose):
    """An object of 4 pixels in the middle of 16 looks as it would fill them; what is around it changes nothing."""
    game = started(compose, "contrast_gan", *CONTRAST, shape=MASKED)
    game.networks.eval()
    mask = torch.zeros(1, 1, 16, 16).double()
    mask[:, :, 6:10, 6:10] = 1
    small = torch.randn(1, 3, 4, 4, dtype=torch.float64)
    x = torch.nn.functional.pad(small, (6, 6, 6, 6))
    label = torch.tensor([1])
    seen = torch.nn.functional.interpolate(small, size=16, mode="bilinear", align_corners=False)
    inner = (slice(None), slice(None), slice(2, 14), slice(2, 14))  # the border sees what is beside the box
    crops = []
    hook = game.discriminator.blocks[0].register_forward_pre_hook(lambda _, given: crops.append(given[0]))
    said = game.discriminator(x, label, mask)
    assert torch.allclose(crops[0][inner], seen[inner]) and not torch.allclose(crops[0], x)
    crops.clear()
    far = x.clone()
    far[:, :, :4] = 3.0
    assert torch.equal(game.discriminator(far, label, mask).logits, said.logits)
    hook.remove()
    made = game.generator(torch.zeros(1, 0), label, {SAMPLES: far, MASK: mask})
    again = game.generator(torch.zeros(1, 0), label, {SAMPLES: x, MASK: mask})
    assert torch.equal(made[..., 6:10, 6:10], again[..., 6:10, 6:10])
    pair = game.meet(Batch(x, label, {MASK: mask}))["main"]
    assert torch.equal(pair.real_given[0], mask) and torch.equal(pair.fake_given[0], mask)


def test_outside_of_the_box_an_image_stays_as_it_is_to_the_bit(compose):
    game = started(compose, "contrast_gan", *CONTRAST, shape=MASKED)
    mask = torch.zeros(3, 1, 16, 16).double()
    mask[:, :, 4:9, 6:12] = 1
    x = noise(3, channels=3).requires_grad_()
    batch = Batch(x, torch.tensor([0, 1, 2]), {MASK: mask})
    pair = game.meet(batch)["main"]
    assert torch.equal(pair.fake * (1 - mask), x * (1 - mask)) and not torch.equal(pair.fake, x)
    losses = game.player("generator").evaluate({"main": pair})
    back = game.generator(torch.zeros(3, 0), batch.labels, {SAMPLES: pair.fake, MASK: mask})
    assert losses.keys() == {"adversarial", "contrast", "cycle", "identity"}
    same = pair.latent.labels == batch.labels
    apart = (x - pair.fake).abs().flatten(1).mean(1)[same].mean() if same.any() else torch.zeros(())
    # The loss is half of the squares: of all these twice is what the paper weighs by 1 and 10.
    squares = (pair.fake_output.logits - 1).square().mean()
    expected = {"adversarial": squares, "identity": 10 * apart, "cycle": 10 * (x - back).abs().mean()}
    for name, value in expected.items():
        assert 2 * losses[name].item() == pytest.approx(value.item(), abs=1e-9)


def test_the_discriminator_maximises_the_contrast_of_kinds_that_it_knows(compose):
    game = started(compose, "contrast_gan", *CONTRAST, "game.opposition=0.5", shape=MASKED)
    game.networks.eval()
    mask = torch.zeros(3, 1, 16, 16).double()
    mask[:, :, 4:9, 6:12] = 1
    batch = Batch(noise(3, channels=3), torch.tensor([0, 1, 2]), {MASK: mask})
    pair = game.meet(batch)["main"]
    pair.latent = pair.latent._replace(labels=torch.tensor([1, 2, 0]))
    discriminator, term = game.player("discriminator"), game.contrasting
    assert discriminator.evaluate({"main": pair})["contrast"].item() == 0  # no kind has been seen
    term.after_update(pair, game.player("generator"))
    real, made = (said.features[-1].flatten(1) for said in (pair.real_output, pair.fake_output))
    wanted = -0.5 * contrast(made, term.means[[1, 2, 0]], real).mean()
    loss = discriminator.evaluate({"main": pair})["contrast"]
    assert loss.item() == pytest.approx(wanted.item()) and loss.item() < 0
    (gradient,) = torch.autograd.grad(loss, game.discriminator.blocks[0][0].weight)
    assert gradient.abs().max() > 0
    alone = started(compose, "contrast_gan", *CONTRAST, "game.opposition=0", shape=MASKED)
    assert "contrast" not in alone.player("discriminator").terms


def test_each_kind_has_a_score_of_its_own_and_features_do_not_know_the_kind(compose):
    game = started(compose, "contrast_gan", *CONTRAST, shape=MASKED)
    x = noise(2, channels=3)
    with torch.no_grad():
        first, second = (game.discriminator(x, torch.full((2,), k)) for k in (0, 2))
    assert torch.equal(first.features[-1], second.features[-1]) and not torch.equal(first.logits, second.logits)


def test_images_without_masks_are_refused(compose):
    with pytest.raises(ConfigError, match="ContrastGAN changes the kind of objects"):
        started(compose, "contrast_gan", *CONTRAST, "data.channels=3", shape=GREY)
