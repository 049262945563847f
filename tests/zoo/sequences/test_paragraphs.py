"""Made paragraphs, and the networks that write and judge them."""

import torch
from torch.nn import functional as F

from gan_zoo.datasets.paragraphs import WORDS, Paragraphs
from gan_zoo.systems.rtt_gan import ParagraphDiscriminator, ParagraphGenerator


def data():
    return Paragraphs(3, 9, 9, 200).load("train")


def sentences(tokens):
    return [tuple(WORDS[i] for i in tokens[k : k + 3]) for k in range(0, 9, 3)]


def test_each_sentence_is_a_thing_of_the_scene_and_large_ones_come_first():
    made = data()
    tokens, regions = made.samples, made.extra["regions"]
    for row in range(30):
        said = sentences(tokens[row].tolist())
        seen = {tuple(word for word, on in zip(WORDS, region, strict=True) if on) for region in regions[row].tolist()}
        assert set(said) == seen
        assert len(seen) == 3
        place = [(size == "small", WORDS.index(colour), WORDS.index(shape)) for size, colour, shape in said]
        assert place == sorted(place)


def test_regions_come_in_any_order():
    made = data()
    first = made.samples[:, :3]
    words = F.one_hot(first, 9).sum(1)
    share = (made.extra["regions"][:, 0] == words).all(1).double().mean()
    assert 0.2 < share < 0.5


def test_a_paragraph_depends_on_its_regions_in_whatever_order_they_are():
    torch.manual_seed(0)
    generator = ParagraphGenerator(12, 9, 9, 3, 9, 8, "softmax", 1.0).double()
    z = torch.rand(2, 12, dtype=torch.float64) * 2 - 1
    regions = data().extra["regions"][:2].double()
    made = generator(z, None, {"regions": regions})
    assert made.shape == (2, 9, 9)
    assert torch.allclose(made.sum(2), torch.ones(2, 9).double())
    assert torch.allclose(generator(z, None, {"regions": regions.flip(1)}), made)
    assert not torch.allclose(generator(z, None, {"regions": 1 - regions}), made)


def test_a_gradient_goes_through_drawn_words():
    torch.manual_seed(0)
    generator = ParagraphGenerator(12, 9, 9, 3, 9, 8, "straight_through", 1.0)
    made = generator(torch.rand(2, 12) * 2 - 1, None, {"regions": data().extra["regions"][:2]})
    assert torch.allclose(made.detach(), made.detach().round(), atol=1e-6)
    (made * torch.randn_like(made)).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in generator.parameters())


def test_the_order_of_sentences_is_judged_apart_from_each_of_them():
    torch.manual_seed(0)
    judge = ParagraphDiscriminator(9, 9, 3, 9, 8).double()
    made = data()
    x, regions = F.one_hot(made.samples[:2], 9).double(), made.extra["regions"][:2].double()
    turned = x.unflatten(1, (3, 3)).flip(1).flatten(1, 2)
    said, again = (judge(paragraph, None, regions).logits.squeeze(1) for paragraph in (x, turned))
    assert said.shape == (2, 6)
    assert torch.allclose(again[:, :3], said[:, :3].flip(1))
    assert not torch.allclose(again[:, 3:], said[:, 3:].flip(1))
