"""Classes that are split: what is in them, what stays as it was, and what is refused."""

import itertools

import pytest
import torch

from gan_framework.api import MAIN, Batch
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_zoo.classifying import CLASS
from gan_zoo.systems.splitting_gan import two_means
from tests.zoo.classes.common import built

SMALL = [
    "splitting_gan",
    "networks.generator.width=4",
    "networks.generator.num_classes=3",
    "networks.discriminator.width=4",
    "game.least=3",
]
DATA = DataShape((1, 8, 8), 3, size=20)


def blobs():
    """Return 20 images of three classes: of the first two, half are bright and half dark; the third has three."""
    random = torch.Generator().manual_seed(0)
    bright = torch.arange(20) % 2 == 0
    x = 0.05 * torch.randn(20, 1, 8, 8, generator=random) + torch.where(bright, 0.8, -0.8)[:, None, None, None]
    labels = torch.tensor([0] * 9 + [1] * 8 + [2] * 3)
    return Batch(x, labels, index=torch.arange(20)), bright


def drawn(batch, n=8):
    """Give batches of shuffled samples, an epoch's remainder left out."""
    for epoch in itertools.count():
        order = torch.randperm(len(batch.samples), generator=torch.Generator().manual_seed(epoch))
        for chosen in order.split(n)[: len(order) // n]:
            yield batch.part(chosen)


def splitting(compose, *overrides):
    return built(compose, *SMALL, "game.steps=[1,2]", *overrides, data=DATA)


def test_two_clusters_are_found():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(40, 3, generator=random)
    member = torch.arange(40) % 5 == 0
    found = two_means(x + 20 * member[:, None])
    assert torch.equal(found, member.long()) or torch.equal(found, 1 - member.long())


def test_classes_are_split_without_error_and_small_ones_are_left(compose):
    game, (batch, bright) = splitting(compose), blobs()
    game.split(drawn(batch).__next__)
    assert game.child.tolist()[:7] == [3, 5, -1, -1, -1, -1, -1] and game.counts.tolist() == [7, 1]
    leaves = game.leaf_of(batch)
    assert {*leaves[batch.labels == 2].tolist()} == {2}
    for number, child in ((0, 3), (1, 5)):
        own = batch.labels == number
        assert {*leaves[own].tolist()} == {child, child + 1}
        assert len({*zip(leaves[own].tolist(), bright[own].tolist(), strict=True)}) == 2
    assert game.share[0].item() == pytest.approx((leaves == 3).sum().item() / 9)
    assert game.root.tolist()[:7] == [0, 1, 2, 0, 0, 1, 1]


def test_a_split_changes_neither_d_nor_g(compose):
    game, (batch, _) = splitting(compose), blobs()
    game.eval()
    before = game.leaf_of(batch)
    z, d = torch.randn(20, 128), game.discriminator
    made, said, classes = game.generator(z, before), d(batch.samples), game.classify(batch.samples)
    alone = said.heads[CLASS].softmax(1)[:, 2]
    game.split(drawn(batch).__next__)
    after = game.leaf_of(batch)
    assert not torch.equal(before, after)
    torch.testing.assert_close(game.generator(z, after), made, atol=1e-12, rtol=0)
    again = d(batch.samples)
    assert torch.equal(again.logits, said.logits)
    torch.testing.assert_close(again.heads[CLASS].softmax(1)[:, 2], alone)
    torch.testing.assert_close(game.classify(batch.samples).softmax(1), classes.softmax(1))
    game.split(drawn(batch).__next__)
    torch.testing.assert_close(game.generator(z, game.leaf_of(batch)), made, atol=1e-12, rtol=0)


def test_either_half_has_a_gradient_of_its_own_and_shares_its_parents(compose):
    game, (batch, _) = splitting(compose), blobs()
    game.split(drawn(batch).__next__)
    embedding = game.generator.blocks[0].norm1.gain
    (gradient,) = torch.autograd.grad(embedding(torch.tensor([3])).sum(), embedding.own.weight)
    assert gradient.abs().sum(1).nonzero().flatten().tolist() == [0, 3]


def test_it_is_split_at_its_step_and_samples_are_asked_for_classes_of_the_data(compose):
    game, (batch, _) = splitting(compose), blobs()
    batches = drawn(batch)
    for step in range(4):
        assert game.counts[1] == max(step - 1, 0)
        measured = game.step(batches.__next__)
        assert all(value.isfinite().all() for value in measured.values())
    assert game.counts[1] == 2
    labels = torch.zeros(2000, dtype=torch.int64)
    latent = game.latent(2000, labels)
    chance = (latent.z[:, 0].abs() * 4096).frac()
    parts = game.leaf_below(labels, chance)
    assert (parts >= 3).all()
    first = (parts == 3) | (game.child[3] >= 0) & ((parts == game.child[3]) | (parts == game.child[3] + 1))
    assert first.double().mean().item() == pytest.approx(game.share[0].item(), abs=0.05)
    pair = game.meet(batch)[MAIN]
    assert torch.equal(pair.real_labels, game.leaf_of(batch)) and torch.equal(pair.fake_labels, pair.real_labels)


def test_there_are_no_more_classes_than_may_be(compose):
    game, (batch, _) = splitting(compose, "game.most=5"), blobs()
    game.split(drawn(batch).__next__)
    assert game.counts.tolist() == [5, 1] and game.child.tolist() == [3, -1, -1, -1, -1]


def test_what_cannot_be_split_is_refused(compose):
    with pytest.raises(ConfigError, match="CGANMLPGenerator has none"):
        built(compose, *SMALL[:1], "generator=cgan_mlp", "~networks.generator.width", data=DATA)
    with pytest.raises(ConfigError, match="nobody has counted"):
        built(compose, *SMALL, data=DATA._replace(size=0))
    with pytest.raises(ConfigError, match="rising numbers of updates"):
        built(compose, *SMALL, "game.steps=[4,2]", data=DATA)
    with pytest.raises(ConfigError, match="most=2: there are 3 classes"):
        built(compose, *SMALL, "game.most=2", data=DATA)
