"""Losses of class scores: worked examples, gradients, and what is refused."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from torch import nn

from gan_framework.core.records import DataShape, DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.heads import ClassScores
from gan_zoo.losses.classes import ClassLoss
from gan_zoo.losses.omni import multi_label
from tests.helpers.independent import finite_differences, image_game, images

S_REAL, Y_REAL = ((2.0, 0.5, -1.0), (0.2, 0.1, 0.4)), (0, 1)
S_FAKE, Y_FAKE = ((0.3, 0.6, 0.1), (1.0, -0.5, 0.2)), (1, 0)
"""The example: two classes, and generated samples as the third."""

OMNI_REAL, OMNI_FAKE = ((1.0, -0.5, 0.8, -0.3),), ((0.4, 0.2, -0.1, 0.6),)
"""Two classes, real, generated."""

LOSSES = {
    "class_softmax": ((S_REAL, Y_REAL), (S_FAKE, Y_FAKE)),
    "multi_hinge": ((S_REAL, Y_REAL), (S_FAKE, Y_FAKE)),
    "omni": ((OMNI_REAL, (0,)), (OMNI_FAKE, (1,))),
}


def build(name, **settings):
    return registry.build("losses", {"name": name, **settings})


def said(loss, scores, labels, features=()):
    scores = torch.as_tensor(np.array(scores), dtype=torch.float64)
    return DiscriminatorOutput(loss.score(scores), tuple(features), {loss.head: scores}, labels=torch.as_tensor(labels))


def example(name, **settings):
    loss = build(name, **settings)
    return loss, *(said(loss, *side) for side in LOSSES[name])


@pytest.mark.parametrize(
    ("generator", "value"), [("dynamic", 0.6837908141), ("predefined", 0.6837908141), ("label", 0.3059065528)]
)
def test_class_softmax_on_the_example(generator, value):
    loss, real, fake = example("class_softmax", generator=generator)
    assert loss.discriminator(real, fake).item() == pytest.approx(2.0743619928, abs=1e-9)
    assert loss.generator(fake).item() == pytest.approx(value, abs=1e-9)


def test_a_dynamic_target_is_what_d_sees_and_a_predefined_one_what_was_asked_for():
    """The example's labels are what D sees; with the others the two differ."""
    of_classes = log_softmax(np.array(S_FAKE), axis=1)
    for generator, targets in (("dynamic", (1, 0)), ("predefined", (0, 1))):
        loss = build("class_softmax", generator=generator)
        value = loss.generator(said(loss, S_FAKE, (0, 1))).item()
        assert value == pytest.approx(-of_classes[[0, 1], targets].mean(), abs=1e-12)


def test_the_logit_is_the_probability_of_any_class():
    loss = build("class_softmax")
    scores = torch.tensor(S_FAKE)
    torch.testing.assert_close(loss.score(scores).sigmoid(), scores.softmax(1)[:, :-1].sum(1))
    assert loss.probabilistic and not build("multi_hinge").probabilistic


def test_multi_hinge_on_the_example():
    loss, real, fake = example("multi_hinge", classes=1.0, matching=0.0)
    assert loss.real_half(real).item() == pytest.approx(0.65, abs=1e-9)
    assert loss.fake_half(fake).item() == pytest.approx(1.65, abs=1e-9)
    assert not loss.generator_needs_real
    assert loss.generator(fake).item() == pytest.approx(0.45, abs=1e-9)


def test_multi_hinge_matches_the_means_of_the_last_features():
    loss = build("multi_hinge")
    assert loss.generator_needs_real
    features = [torch.tensor(values) for values in ([[1.0, 2.0], [3.0, 0.0]], [[0.0, 0.0], [1.0, 4.0]])]
    real, fake = (said(loss, *side, [f]) for side, f in zip(LOSSES["multi_hinge"], features, strict=True))
    matching = (abs(2.0 - 0.5) + abs(1.0 - 2.0)) / 2
    assert loss.generator(fake, real).item() == pytest.approx(0.05 * 0.45 + matching, abs=1e-12)


def test_omni_on_the_example():
    loss, real, fake = example("omni")
    assert loss.real_half(real).item() == pytest.approx(1.4505880356, abs=1e-9)
    assert loss.fake_half(fake).item() == pytest.approx(1.9674637094, abs=1e-9)
    assert loss.generator(fake).item() == pytest.approx(2.5347713637, abs=1e-9)
    assert loss.score(fake.heads[loss.head]).item() == pytest.approx(-0.1 - 0.6)


def test_omni_stays_finite_where_d_is_sure():
    scores = torch.tensor([[1000.0, -1000.0]], requires_grad=True)
    for positive in ([[True, False]], [[False, True]]):
        value = multi_label(scores, torch.tensor(positive)).sum()
        (gradient,) = torch.autograd.grad(value, scores)
        assert torch.isfinite(value) and torch.isfinite(gradient).all()
    assert value.item() == pytest.approx(2000)


SETTINGS = [
    *(("class_softmax", {"generator": generator}) for generator in ("dynamic", "predefined", "label")),
    ("multi_hinge", {"classes": 1.0, "matching": 0.0}),
    ("omni", {}),
]


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_gradients_of_the_scores(name, settings):
    (real_scores, real_labels), (fake_scores, fake_labels) = LOSSES[name]
    loss = build(name, **settings)
    cases = [
        (loss.real_half, real_scores, real_labels),
        (loss.fake_half, fake_scores, fake_labels),
        (loss.generator, fake_scores, fake_labels),
    ]
    for function, scores, labels in cases:
        leaf = torch.tensor(scores, dtype=torch.float64, requires_grad=True)
        output = DiscriminatorOutput(loss.score(leaf), (), {loss.head: leaf}, labels=torch.tensor(labels))
        (gradient,) = torch.autograd.grad(function(output), leaf)
        expected = finite_differences(lambda x, f=function, y=labels: f(said(loss, x, y)).item(), np.array(scores))
        assert gradient.numpy() == pytest.approx(expected, abs=1e-8)


# -- in a game ---------------------------------------------------------------------------------------


def game(name, start=True, **settings):
    """A game of three classes with the heads that its loss asks for."""
    made = image_game(build(name, **settings), start=False)
    made.data = DataShape((1, 2, 2), num_classes=3)
    registry.build("strategies", {"name": "heads"}).apply(made)
    if start:
        made.start(torch.device("cpu"))
    return made


def batch():
    drawn = images()
    return type(drawn)(drawn.samples, torch.tensor([0, 1, 2, 0, 1]))


@pytest.mark.parametrize("name", LOSSES)
def test_the_last_layer_scores_all_classes_once(name):
    made = game(name)
    output = made.discriminator.output
    assert isinstance(output, ClassScores) and output.out_features == 3 + made.loss.further
    passes = []
    output.register_forward_hook(lambda *_: passes.append(1))
    pair = made.meet(batch())["main"]
    real = pair.real_output
    assert passes == [1]
    scores = real.heads[made.loss.head]
    torch.testing.assert_close(scores, output(real.features[-1].flatten(1)))
    torch.testing.assert_close(real.logits, made.loss.score(scores))
    assert pair.logits()["real"].shape == (5,)


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_the_generator_is_asked_for_classes_where_the_loss_has_them(name, settings):
    asks = name != "class_softmax" or settings["generator"] == "predefined"
    assert game(name, **settings).conditional == asks


def test_a_game_goes_on_from_its_state():
    first, second = game("omni"), game("omni")
    drawn = batch()
    first.step(lambda: drawn)
    second.load_state_dict(first.state_dict())
    torch.manual_seed(3)
    measured = first.step(lambda: drawn)
    torch.manual_seed(3)
    again = second.step(lambda: drawn)
    assert measured.keys() == again.keys() and all(torch.equal(measured[key], again[key]) for key in measured)


def test_without_heads_a_loss_of_classes_is_refused():
    made = image_game(build("omni"), start=False)
    made.data = DataShape((1, 2, 2), num_classes=3)
    with pytest.raises(ConfigError, match=r"Omni needs a discriminator that scores every class: .*heads"):
        made.start(torch.device("cpu"))


def test_without_labels_a_loss_of_classes_is_refused():
    made = image_game(build("multi_hinge"), start=False)
    with pytest.raises(ConfigError, match="MultiHinge needs data with classes"):
        registry.build("strategies", {"name": "heads"}).apply(made)


def test_a_discriminator_that_is_told_the_class_is_refused():
    made = game("omni", start=False)
    made.discriminator.conditional = True
    with pytest.raises(ConfigError, match="Omni has no effect on MLPDiscriminator, which is given the class"):
        registry.build("strategies", {"name": "heads"}).apply(made)


@pytest.mark.parametrize("order", [("heads", "minibatch_stddev"), ("minibatch_stddev", "heads")])
def test_one_number_more_in_all_scores_is_refused(order):
    made = image_game(build("class_softmax"), start=False)
    made.data = DataShape((1, 2, 2), num_classes=3)
    strategies = [registry.build("strategies", {"name": name}) for name in order]
    strategies[0].apply(made)
    with pytest.raises(ConfigError, match=r"minibatch_stddev.*ClassSoftmax|ClassSoftmax.*minibatch_stddev"):
        strategies[1].apply(made)


def test_a_last_layer_that_is_not_linear_is_refused():
    made = image_game(build("omni"), start=False)
    made.data = DataShape((1, 2, 2), num_classes=3)
    made.discriminator.output = nn.Sequential(made.discriminator.output)
    with pytest.raises(ConfigError, match="which is no linear layer: leave out Omni"):
        registry.build("strategies", {"name": "heads"}).apply(made)


def test_heads_without_anything_that_asks_for_one():
    with pytest.raises(ConfigError, match="heads has no effect: neither NonSaturating nor a term asks for one"):
        registry.build("strategies", {"name": "heads"}).apply(image_game(start=False))


@pytest.mark.parametrize(
    ("name", "settings", "reason"),
    [
        ("class_softmax", {"generator": "any"}, "generator='any': choose one of dynamic, predefined, label"),
        ("multi_hinge", {"classes": -1.0}, "classes=-1.0: it cannot be negative"),
        ("multi_hinge", {"classes": 0.0, "matching": 0.0}, "the generator has nothing to minimise"),
    ],
)
def test_settings_that_cannot_be(name, settings, reason):
    with pytest.raises(ConfigError, match=reason):
        build(name, **settings)


def test_all_losses_of_classes_are_tried():
    kinds = {type(build(name)) for name in LOSSES}
    assert {kind for kind in _below(ClassLoss) if kind.__module__.startswith("gan_zoo")} == kinds


def _below(kind):
    return {kind, *(deeper for lower in kind.__subclasses__() for deeper in _below(lower))} - {ClassLoss}
