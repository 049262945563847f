"""StarGAN: what is asked for, what is minimised, and sizes."""

import math
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from gan_framework.api import SAMPLES, Batch, ConfigError, DataShape, DiscriminatorOutput, Latent, Pair
from gan_framework.core import seeding
from gan_framework.evaluation.latents import fixed_latent
from gan_zoo.editing import ClassOfFake, ClassOfReal, beside_maps, class_loss
from gan_zoo.systems.stargan import StarGANDiscriminator, StarGANGenerator
from tests.zoo.editing.common import batch_of, started

SMALL = ["networks.generator.width=2", "networks.generator.blocks=1", "networks.discriminator.width=2"]


def game_of(compose, *overrides, classes=4, **shape):
    return started(compose, "stargan", *SMALL, *overrides, shape=DataShape((1, 16, 16), classes, **shape))


def test_conditions_are_constant_maps():
    maps = beside_maps(torch.zeros(1, 1, 2, 2), torch.tensor([[1.0, -2.0]]))
    assert maps[0].flatten(1).tolist() == [[0] * 4, [1] * 4, [-2] * 4]


def test_classes_and_attributes_have_the_known_cross_entropies():
    logits = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
    assert float(class_loss(logits, torch.tensor([2]))) == pytest.approx(0.4076059644443803)
    # Attributes: softplus(-1) + softplus(2) + softplus(-3), whether they are written 0 and 1 or -1 and 1.
    expected = math.log1p(math.exp(-1)) + math.log1p(math.exp(2)) + math.log1p(math.exp(-3))
    for wanted in ([[1.0, 0.0, 1.0]], [[1.0, -1.0, 1.0]]):
        assert float(class_loss(logits, torch.tensor(wanted, dtype=torch.float64))) == pytest.approx(expected)


def test_real_images_are_told_by_their_label_and_made_ones_by_the_one_that_was_asked_for():
    def judge(x, labels=None):
        return DiscriminatorOutput(x.flatten(1).mean(1), (), {"class": x.flatten(1)})

    real, fake = torch.tensor([[[[2.0, 0.0]]]]), torch.tensor([[[[0.0, 3.0]]]], requires_grad=True)
    pair = Pair(judge, Batch(real, torch.tensor([0])), Latent(torch.zeros(1, 0), torch.tensor([1])), fake)
    player = SimpleNamespace()
    assert float(ClassOfReal()(pair, player)) == pytest.approx(math.log1p(math.exp(-2)))
    loss = ClassOfFake()(pair, player)
    loss.backward()
    assert loss.item() == pytest.approx(math.log1p(math.exp(-3)))
    assert fake.grad.flatten().tolist() == pytest.approx([1 / (1 + math.exp(3)), -1 / (1 + math.exp(3))])


def test_the_losses_are_those_of_the_paper(compose):
    game = game_of(compose)
    batch = batch_of([0, 1, 2, 3])
    seeding.reseed(0, "one")
    pair = game.meet(batch)["main"]
    wanted = pair.latent.labels
    assert sorted(wanted.tolist()) == [0, 1, 2, 3]
    losses = game.player("generator").evaluate({"main": pair})
    made = game.generator(torch.zeros(4, 0), wanted, {SAMPLES: batch.samples})
    said = game.discriminator(made)
    back = game.generator(torch.zeros(4, 0), batch.labels, {SAMPLES: made})
    expected = {
        "adversarial": -said.logits.mean(),
        "classification": F.cross_entropy(said.heads["class"], wanted),
        "cycle": 10 * (batch.samples - back).abs().mean(),
    }
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        assert float(losses[name].detach()) == pytest.approx(float(value.detach()), abs=1e-9), name
    gradient = torch.autograd.grad(losses["cycle"], [*game.generator.parameters()], allow_unused=True)
    assert all(g is not None and bool((g != 0).any()) for g in gradient)


def test_pictures_and_scores_are_asked_for_what_the_data_say(compose):
    game = game_of(compose)
    batch = batch_of([0, 1, 2, 3], target=torch.tensor([3, 3, 3, 0]))
    assert game.latent_for(batch).labels.tolist() == [3, 3, 3, 0]
    asked = [game.meet(batch, graph=False)["main"].latent.labels.tolist() for _ in range(8)]
    assert len({tuple(labels) for labels in asked}) > 1 and all(sorted(labels) == [0, 1, 2, 3] for labels in asked)


def test_a_picture_has_a_row_of_all_classes_for_each_image(compose):
    game = game_of(compose).float()
    batch = batch_of([0, 1, 2, 3] * 4, target=torch.tensor([1] * 16))
    latent = game.latent_for(Batch(batch.samples.float(), batch.labels, batch.extra))
    picture = game.picture(latent, 10)
    # Two images and what they become in 4 classes side by side: 10 across; 16 images in all would be 3 rows of 5.
    assert picture.shape[2] == 10 * 18 + 2


def test_attributes_are_edited_as_vectors(compose):
    game = game_of(
        compose, "networks.generator.labels=3", "networks.discriminator.labels=3", classes=0, condition_dim=3
    )
    batch = Batch(batch_of([0, 1]).samples, torch.tensor([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]).double())
    losses = game.player("generator").evaluate(game.meet(batch))
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_data_without_labels_are_refused(compose):
    with pytest.raises(ConfigError, match="StarGAN edits the labels of images, and these have none"):
        game_of(compose, classes=0)


def test_the_papers_networks_have_their_sizes():
    with torch.device("meta"):
        generator, judge = StarGANGenerator(5, 3, 64, 6), StarGANDiscriminator(5, 128, 3, 64, 6)
        made = generator(torch.zeros(2, 0), torch.zeros(2, 5), {SAMPLES: torch.zeros(2, 3, 128, 128)})
        said = judge(torch.zeros(2, 3, 128, 128))
    convolutions = (8 * 64 + 64 * 3) * 49 + (64 * 128 + 128 * 256) * 16 * 2 + 12 * 256 * 256 * 9
    norms = 2 * (64 + 128 + 256 + 12 * 256 + 128 + 64)
    assert sum(p.numel() for p in generator.parameters()) == convolutions + norms
    assert made.shape == (2, 3, 128, 128) and said.logits.shape == (2, 1, 2, 2) and said.heads["class"].shape == (2, 5)
    layers = sum((a * 16 + 1) * b for a, b in pairwise([3, 64, 128, 256, 512, 1024, 2048]))
    assert sum(p.numel() for p in judge.parameters()) == layers + 2048 * 9 + 2048 * 4 * 5


def test_classes_that_are_asked_for_come_before_those_of_the_data(compose):
    game = game_of(compose).float()
    batch = batch_of([0, 1, 2, 3], double=False, target=torch.tensor([1, 1, 1, 1]))
    assert fixed_latent(game, 4, 0, inputs=batch).labels.tolist() == [1, 1, 1, 1]
    asked = fixed_latent(game, 4, 0, [3, 2], batch)
    assert asked.labels.tolist() == [3, 2, 3, 2] and torch.equal(asked.given[SAMPLES], batch.samples)
