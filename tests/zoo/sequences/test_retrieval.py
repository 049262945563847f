"""What users like, lists of it, IRGAN's rewards, and codes of two kinds of vectors."""

import pytest
import torch

from gan_zoo.datasets.interactions import Interactions, TwoModal, liked
from gan_zoo.metrics.retrieval import average_precision, cca, ndcg, precision, retrieval_map
from gan_zoo.policy import LOG_PROB
from gan_zoo.systems.irgan import ItemGenerator, ItemJudge, proposal, reward


def test_half_of_what_a_user_likes_is_for_the_test():
    train, test = liked(50, 100, 5)
    assert not (train & test).any()
    assert train.sum(1).tolist() == [5] * 50
    assert test.sum(1).tolist() == [5] * 50


def test_a_user_comes_with_all_positives_of_the_training():
    source = Interactions(1, 100, 20, 3)
    data = source.load("test")
    positives = data.read_extra([7])["positives"][0].bool()
    assert torch.equal(positives, liked(20, 100, 3)[0][data.labels[7]])
    assert not positives[data.read([7])[0, 0]]


def test_rewards_lie_between_minus_one_and_one():
    logits = torch.tensor([1.0, 0.0, -1.0], dtype=torch.float64)
    assert torch.allclose(reward(logits), torch.tensor([0.4621172, 0, -0.4621172]).double(), atol=1e-7)


def test_what_is_drawn_for_the_generator():
    p = torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64)
    mixed, weights = proposal(p, torch.tensor([[0.0, 1.0, 0.0]]).double(), 0.2)
    assert torch.allclose(mixed, torch.tensor([[0.56, 0.36, 0.08]]).double())
    assert torch.allclose(weights, torch.tensor([[1.25, 0.5555556, 1.25]]).double(), atol=1e-7)


def test_items_are_drawn_by_their_probability():
    torch.manual_seed(0)
    generator = ItemGenerator(1, 3, 4, 5).double()
    torch.nn.init.normal_(generator.factors.users.weight)
    torch.nn.init.normal_(generator.factors.items.weight)
    z = ((torch.arange(20_000).double() + 0.5) / 10_000 - 1)[:, None]
    made = generator.everything(z, torch.full((20_000,), 2))
    expected = generator.factors.scores(torch.tensor([2])).softmax(1)[0]
    assert torch.allclose(made["samples"].mean((0, 1)), expected, atol=1e-3)
    assert torch.allclose(made[LOG_PROB].exp(), (made["samples"][:, 0] * expected).sum(1, keepdim=True))


def test_a_judge_says_the_product_of_user_and_item():
    torch.manual_seed(0)
    judge = ItemJudge(3, 4, 5).double()
    torch.nn.init.normal_(judge.factors.bias)
    items = torch.eye(4, dtype=torch.float64)[[1, 3], None]
    users = torch.tensor([0, 2])
    scores = judge.factors.scores(users)
    assert torch.allclose(judge(items, users).logits, torch.stack([scores[0, 1], scores[1, 3]]))


def test_scores_of_lists():
    found = torch.tensor([[1, 0, 1]])
    assert ndcg(found, 3).item() == pytest.approx(0.9197208, abs=1e-7)
    assert ndcg(torch.tensor([[1, 1, 0]]), 3).item() == pytest.approx(1)
    assert precision(found, 2).item() == 0.5
    assert average_precision(found).item() == pytest.approx((1 + 2 / 3) / 2)


def test_canonical_correlations_find_what_two_kinds_share():
    random = torch.Generator().manual_seed(0)
    shared = torch.randn(500, 2, generator=random).double()
    first = torch.cat([shared, torch.randn(500, 3, generator=random).double()], 1)
    second = torch.cat([torch.randn(500, 2, generator=random).double(), shared @ torch.randn(2, 2).double()], 1)
    maps = cca(first, second, 2)
    for one, other in zip((first @ maps[0]).T, (second @ maps[1]).T, strict=True):
        assert torch.corrcoef(torch.stack([one, other]))[0, 1].item() == pytest.approx(1, abs=1e-3)


def test_the_same_codes_find_their_classes_and_others_do_not():
    labels = torch.arange(40) % 4
    codes = torch.eye(4)[labels]
    assert retrieval_map(codes, codes, labels) == 1
    assert retrieval_map(codes, torch.eye(4)[(labels + 1) % 4], labels) < 0.4


def test_both_kinds_are_of_the_same_things():
    data = TwoModal(24, 16, 10, 0.1, 200).load("train")
    maps = cca(data.samples, data.extra["text"], 13)
    one, other = data.samples.double() @ maps[0], data.extra["text"].double() @ maps[1]
    correlations = [torch.corrcoef(torch.stack([one[:, i], other[:, i]]))[0, 1].item() for i in range(13)]
    assert min(correlations) > 0.9  # nine directions of ten means, and four shared values
