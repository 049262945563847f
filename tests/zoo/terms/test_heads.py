"""Terms that read heads of the discriminator: worked examples, gradients, and what is refused."""

import numpy as np
import pytest
import torch
from torch import nn

from gan_framework.core.pair import Pair
from gan_framework.core.records import Batch, DataShape, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.generators.dcgan import DCGANGenerator
from gan_zoo.terms.class_contrast import Embedding, contrast
from gan_zoo.terms.infomax import Projections, noise_contrast
from gan_zoo.terms.rotation import turn
from tests.helpers.independent import finite_differences, image_game

E = ((1.0, 0.0), (0.6, 0.8), (0.0, 1.0))
PROXIES = ((1.0, 0.0), (0.0, 1.0))
LABELS = (0, 0, 1)
"""The example of contrastive terms: three unit vectors of two classes."""

D2D = {"form": "d2d_ce", "temperature": 0.5, "margin": 0.98}


def build(name, **settings):
    return registry.build("terms", {"name": name, **settings})


class Side:
    """A player of a team."""

    def __init__(self, team):
        self.team = team


D, G = Side("discriminator"), Side("generator")


def tensor(values):
    return torch.tensor(np.array(values), dtype=torch.float64)


def pair(real, fake, real_labels, fake_labels):
    """A pair of which a judge says these heads; samples are their numbers, so that the judge knows whom it judges."""
    everything = {name: torch.cat([real[name], fake[name]]) for name in real}
    n, m = len(real_labels), len(fake_labels)

    def judge(x, labels=None, *given):
        places = x.long()
        return DiscriminatorOutput(x, (), {name: head[places] for name, head in everything.items()}, x, labels)

    latent = Latent(torch.zeros(m, 1), torch.tensor(fake_labels))
    batch = Batch(torch.arange(n).double(), torch.tensor(real_labels))
    return Pair(judge, batch, latent, torch.arange(n, n + m).double())


def cross_entropy(scores, labels):
    scores = np.array(scores)
    return (np.log(np.exp(scores).sum(1)) - scores[np.arange(len(labels)), labels]).mean()


# -- classifiers -------------------------------------------------------------------------------------

OF_REAL = ((2.0, 0.5), (0.2, 0.1), (-1.0, 0.3))
OF_FAKE = ((0.3, 0.6), (1.0, -0.5))
TWIN_OF_REAL = ((0.1, 0.2), (0.3, 0.4), (0.5, 0.6))
TWIN_OF_FAKE = ((-0.2, 0.7), (0.9, 0.4))


def twins(class_of_fake=OF_FAKE, twin_of_fake=TWIN_OF_FAKE):
    real = {"class": tensor(OF_REAL), "class_generated": tensor(TWIN_OF_REAL)}
    fake = {"class": tensor(class_of_fake), "class_generated": tensor(twin_of_fake)}
    return pair(real, fake, (0, 1, 1), (1, 0))


def test_twin_classifiers_learn_of_one_side_each():
    term = build("twin_classification")
    expected = cross_entropy(OF_REAL, (0, 1, 1)) + cross_entropy(TWIN_OF_FAKE, (1, 0))
    assert term(twins(), D).item() == pytest.approx(expected, abs=1e-12)
    difference = cross_entropy(OF_FAKE, (1, 0)) - cross_entropy(TWIN_OF_FAKE, (1, 0))
    assert term(twins(), G).item() == pytest.approx(difference, abs=1e-12)


def test_twins_that_agree_have_nothing_to_say_to_the_generator():
    assert build("twin_classification")(twins(OF_FAKE, OF_FAKE), G).item() == 0


def test_the_gradient_of_twins():
    def value(x):
        return build("twin_classification")(twins(x[:2], x[2:]), G).item()

    leaves = [torch.tensor(scores, dtype=torch.float64, requires_grad=True) for scores in (OF_FAKE, TWIN_OF_FAKE)]
    heads = dict(zip(("class", "class_generated"), leaves, strict=True))
    real = {"class": tensor(OF_REAL), "class_generated": tensor(TWIN_OF_REAL)}
    loss = build("twin_classification")(pair(real, heads, (0, 1, 1), (1, 0)), G)
    found = torch.cat(torch.autograd.grad(loss, leaves)).numpy()
    assert found == pytest.approx(finite_differences(value, np.array(OF_FAKE + TWIN_OF_FAKE)), abs=1e-8)


BOTH_REAL = ((2.0, 0.5, -1.0, 0.3), (0.2, 0.1, 0.4, 0.0))
BOTH_FAKE = ((0.3, 0.6, 0.1, -0.2), (1.0, -0.5, 0.2, 0.7))
"""Two classes of real samples, then two of generated ones."""


def sources(fake=BOTH_FAKE):
    head = "class_by_source"
    return pair({head: tensor(BOTH_REAL)}, {head: torch.as_tensor(np.array(fake))}, (1, 0), (0, 1))


def test_a_classifier_of_class_and_source():
    term = build("discriminative_classification")
    expected = cross_entropy(BOTH_REAL, (1, 0)) + cross_entropy(BOTH_FAKE, (2, 3))
    assert term(sources(), D).item() == pytest.approx(expected, abs=1e-12)
    difference = cross_entropy(BOTH_FAKE, (0, 1)) - cross_entropy(BOTH_FAKE, (2, 3))
    assert term(sources(), G).item() == pytest.approx(difference, abs=1e-12)
    alike = np.array(BOTH_FAKE)[:, [0, 1, 0, 1]]
    assert term(sources(alike), G).item() == 0


def test_the_gradient_of_class_and_source():
    leaf = torch.tensor(BOTH_FAKE, dtype=torch.float64, requires_grad=True)
    term = build("discriminative_classification")
    head = "class_by_source"
    for player in (D, G):
        asked = pair({head: tensor(BOTH_REAL)}, {head: leaf}, (1, 0), (0, 1))
        (found,) = torch.autograd.grad(term(asked, player), leaf)
        expected = finite_differences(lambda x, p=player: term(sources(x), p).item(), np.array(BOTH_FAKE))
        assert found.numpy() == pytest.approx(expected, abs=1e-8)


# -- contrasts ---------------------------------------------------------------------------------------


def contrasted(vectors, proxies=PROXIES, temperature=1.0, margin=None):
    vectors = torch.as_tensor(np.array(vectors))
    cosines = vectors @ torch.as_tensor(np.array(proxies)).T
    return contrast(vectors, cosines, torch.tensor(LABELS), temperature, margin)


@pytest.mark.parametrize(
    ("temperature", "margin", "value"),
    [(1.0, None, 0.4860245910), (0.5, None, 0.4124909106), (0.5, 0.98, 1.6725783876)],
)
def test_contrasts_on_the_example(temperature, margin, value):
    assert contrasted(E, PROXIES, temperature, margin).item() == pytest.approx(value, abs=1e-9)


def test_contrasts_compare_the_side_of_their_player():
    head = torch.cat([tensor(E), tensor(E) @ tensor(PROXIES).T], dim=1)
    other = head.flip(0)
    for settings, value in (({}, 0.4860245910), (D2D, 1.6725783876)):
        term = build("class_contrast", size=2, **settings)
        for player, sides in ((D, (head, other)), (G, (other, head))):
            real, fake = ({"embedding": side} for side in sides)
            assert term(pair(real, fake, LABELS, LABELS), player).item() == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(("temperature", "margin"), [(1.0, None), (0.5, 0.9)])
def test_gradients_of_contrasts(temperature, margin):
    """At vectors away from the kinks of the margin."""
    vectors = np.array([(0.96, 0.28), (0.6, 0.8), (-0.28, 0.96)])
    leaf = torch.tensor(vectors, requires_grad=True)
    cosines = leaf @ tensor(PROXIES).T
    (found,) = torch.autograd.grad(contrast(leaf, cosines, torch.tensor(LABELS), temperature, margin), leaf)
    expected = finite_differences(lambda x: contrasted(x, PROXIES, temperature, margin).item(), vectors)
    assert found.numpy() == pytest.approx(expected, abs=1e-8)


def test_what_is_within_the_margin_has_no_gradient():
    """Samples on their class and opposite to the others."""
    vectors = torch.tensor([(1.0, 0.0), (1.0, 0.0), (-1.0, 0.0)], requires_grad=True)
    proxies = torch.tensor([(1.0, 0.0), (-1.0, 0.0)])
    loss = contrast(vectors, vectors @ proxies.T, torch.tensor(LABELS), 0.5, 0.98)
    (gradient,) = torch.autograd.grad(loss, vectors)
    assert gradient.abs().max() == 0


@pytest.mark.parametrize("margin", [None, 0.98])
def test_a_sample_without_others_adds_nothing(margin):
    vectors = torch.tensor([(0.6, 0.8)], requires_grad=True)
    loss = contrast(vectors, vectors @ tensor(PROXIES).T, torch.tensor([1]), 1.0, margin)
    (gradient,) = torch.autograd.grad(loss, vectors)
    assert loss.item() == 0 and gradient.abs().max() == 0


def test_embeddings_are_unit_vectors_and_their_cosines():
    head = Embedding(5, 3, 4)
    said = head(torch.randn(6, 5))
    vectors, cosines = said[:, :3], said[:, 3:]
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(6))
    proxies = head.proxies / head.proxies.norm(dim=1, keepdim=True)
    torch.testing.assert_close(cosines, vectors @ proxies.T)


# -- rotations ---------------------------------------------------------------------------------------


def numbered(n, size=2):
    return torch.arange(float(n * size * size)).reshape(n, 1, size, size)


def test_four_quarters_are_none():
    image = numbered(2, 3)
    for quarters in range(4):
        turned, which, turns = turn(image, True)
        back = turned[turns == quarters].rot90(4 - quarters, (2, 3))
        assert torch.equal(back, image) and torch.equal(which[turns == quarters], torch.arange(2))
    assert torch.equal(turn(image, True)[2], torch.tensor([0, 0, 1, 1, 2, 2, 3, 3]))


def test_a_quarter_of_the_batch_is_turned_by_each():
    for n, turns in ((4, (0, 1, 2, 3)), (6, (0, 0, 1, 2, 2, 3)), (3, (0, 1, 2)), (1, (0,))):
        images = numbered(n)
        turned, which, found = turn(images, False)
        assert tuple(found.tolist()) == turns and torch.equal(which, torch.arange(n))
        for image, moved, quarters in zip(images, turned, turns, strict=True):
            assert torch.equal(moved, image.rot90(quarters, (1, 2)))


def corner(x, labels=None, *given):
    """Says by how much each corner of an image stands out; the corners in the order in which a turn moves the first."""
    corners = torch.stack([x[:, 0, 0, 0], x[:, 0, -1, 0], x[:, 0, -1, -1], x[:, 0, 0, -1]], dim=1)
    return DiscriminatorOutput(corners.sum(1), (), {"rotation": corners}, x, labels)


@pytest.mark.parametrize("all_four", [True, False])
def test_whoever_sees_the_turns_pays_little(all_four):
    """A white corner at the top left goes down the left side, and around."""
    images = torch.zeros(4, 1, 3, 3)
    images[:, 0, 0, 0] = 10
    both = Pair(corner, Batch(images), Latent(torch.zeros(4, 1)), images / 2)
    term = build("rotation", all_four=all_four, generator=0.2)
    assert term(both, D).item() == pytest.approx(np.log1p(3 * np.exp(-10)), abs=1e-12)
    assert term(both, G).item() == pytest.approx(0.2 * np.log1p(3 * np.exp(-5)), abs=1e-12)


def test_the_gradient_reaches_the_generator_turned_back():
    images = torch.randn(2, 1, 3, 3, requires_grad=True)
    both = Pair(corner, Batch(images.detach()), Latent(torch.zeros(2, 1)), images)
    term = build("rotation", generator=1.0)
    (found,) = torch.autograd.grad(term(both, G), images)

    def value(x):
        return term(Pair(corner, both.batch, both.latent, torch.as_tensor(x)), G).item()

    assert found.numpy() == pytest.approx(finite_differences(value, images.detach().numpy()), abs=1e-8)


def test_a_judge_that_is_told_the_class_is_told_it_of_every_turn():
    told = []

    def judge(x, labels=None, *given):
        told.append((x, labels))
        return corner(x, labels)

    images = numbered(2, 3)
    build("rotation")(Pair(judge, Batch(images, torch.tensor([7, 8])), Latent(torch.zeros(2, 1)), images), D)
    ((turned, labels),) = told
    assert torch.equal(labels, torch.tensor([7, 8] * 4)) and len(turned) == 8


# -- places ------------------------------------------------------------------------------------------


def test_places_on_the_example():
    local = tensor([(1.0, 0.0), (0.0, 1.0)])[:, None]
    whole = tensor([(1.0, 0.0), (0.5, 0.5)])
    assert noise_contrast(local, whole).item() == pytest.approx(0.5032044340, abs=1e-9)


def by_hand(local, whole):
    losses = []
    for i, image in enumerate(whole):
        others = sum(np.exp(place @ image) for j, of_j in enumerate(local) if j != i for place in of_j)
        losses += [-np.log(np.exp(own @ image) / (np.exp(own @ image) + others)) for own in local[i]]
    return np.mean(losses)


def test_places_and_their_gradient():
    random = np.random.default_rng(0)
    local, whole = random.normal(size=(3, 4, 2)), random.normal(size=(3, 2))
    leaves = [torch.tensor(values, requires_grad=True) for values in (local, whole)]
    value = noise_contrast(*leaves)
    assert value.item() == pytest.approx(by_hand(local, whole), abs=1e-12)
    found = torch.autograd.grad(value, leaves)
    assert found[0].numpy() == pytest.approx(finite_differences(lambda x: by_hand(x, whole), local), abs=1e-8)
    assert found[1].numpy() == pytest.approx(finite_differences(lambda x: by_hand(local, x), whole), abs=1e-8)


def test_own_places_are_no_negatives_however_high_they_score():
    """Scores of an image's own places of 20 and less: taken away 10, they would count."""
    local = tensor([[(20.0, 0.0), (0.0, 0.0)], [(0.0, 20.0), (0.0, 0.0)]])
    whole = tensor([(1.0, 0.0), (0.0, 1.0)])
    assert noise_contrast(local, whole).item() == pytest.approx(by_hand(local.numpy(), whole.numpy()), abs=1e-12)
    assert noise_contrast(local, whole).item() == pytest.approx((np.log(3) + 2 * np.exp(-20)) / 2, abs=1e-9)


def test_places_are_those_of_the_map():
    projections = Projections(layer=0, channels=3, features=3, size=2)
    maps = torch.randn(2, 3, 4, 5)
    said = projections(DiscriminatorOutput(torch.zeros(2), (maps, maps)))
    local = said.heads["local"].reshape(2, 4, 5, 2)
    torch.testing.assert_close(local[1, 2, 3], projections.local(maps[1, :, 2, 3]))
    torch.testing.assert_close(said.heads["global"], projections.whole(maps.sum((2, 3))))


def test_one_image_has_no_others():
    heads = {"local": torch.zeros(1, 4, 2), "global": torch.zeros(1, 2)}
    with pytest.raises(ConfigError, match="infomax compares the images of a batch"):
        build("infomax")(pair(heads, heads, (0,), (0,)), D)


# -- in a game ---------------------------------------------------------------------------------------

TERMS = {
    "twin_classification": {},
    "discriminative_classification": {},
    "class_contrast": {"size": 3},
    "rotation": {},
    "infomax": {"size": 3},
}


def game(*names, players=("discriminator", "generator"), start=True, heads=True, classes=3):
    made = image_game(start=False)
    made.networks["generator"] = DCGANGenerator(latent_dim=2, image_size=16, channels=1, width=2)
    made.networks["discriminator"] = DCGANDiscriminator(image_size=16, channels=1, width=2, norm="none")
    made.data = DataShape((1, 16, 16), num_classes=classes)
    for player in players:
        for name in names:
            made.player(player).add_term(name, build(name, **TERMS[name]))
    if heads:
        registry.build("strategies", {"name": "heads"}).apply(made)
    if start:
        made.start(torch.device("cpu"))
    return made


def batch(n=4):
    return Batch(torch.rand(n, 1, 16, 16) * 2 - 1, torch.arange(n) % 3)


@pytest.mark.parametrize("name", TERMS)
def test_a_term_trains_its_heads_and_the_generator(name):
    """Every head's parameters move with the discriminator, and none with the generator."""
    made = game(name)
    before = {key: value.clone() for key, value in made.discriminator.named_parameters()}
    new = [key for key in before if key.startswith(("heads.", "infomax."))]
    assert new
    meeting = made.meet(batch())
    losses = made.player("generator").evaluate(meeting)
    made.player("generator").update({name: losses[name]}, meeting)
    assert all(torch.equal(value, before[key]) for key, value in made.discriminator.named_parameters())
    assert made.player("generator").gradient_norm() > 0
    made.player("discriminator").play(made.meet(batch()).detached())
    now = dict(made.discriminator.named_parameters())
    still = {key for key in new if torch.equal(now[key], before[key])}
    # What moves the vectors of all places alike changes nobody's share.
    assert still <= {key for key in new if key.startswith("infomax.local.") and key.endswith("bias")}


def test_all_terms_play_together():
    made = game(*TERMS)
    measured = made.step(lambda: batch())
    assert {name.partition("/")[2] for name in measured if "/" in name} == {"adversarial", *TERMS}
    assert all(torch.isfinite(value).all() for value in measured.values())
    assert made.conditional


def test_a_generator_is_asked_for_classes_only_by_terms_that_know_them():
    assert not game("rotation", "infomax").conditional


@pytest.mark.parametrize("name", TERMS)
def test_a_term_without_its_heads_is_refused(name):
    with pytest.raises(ConfigError, match=rf"{name} needs a discriminator with the head `.*strategy=\[heads\]"):
        game(name, heads=False)


@pytest.mark.parametrize("name", TERMS)
def test_a_generator_alone_has_nobody_to_learn_from(name):
    with pytest.raises(ConfigError, match=f"nothing trains the discriminator's head that {name} reads"):
        game(name, players=("generator",))


@pytest.mark.parametrize("name", ["twin_classification", "discriminative_classification", "class_contrast"])
def test_data_without_classes_are_refused(name):
    with pytest.raises(ConfigError, match=f"{name} needs data with classes"):
        game(name, classes=0)


def test_a_classifier_with_two_teachers_is_refused():
    made = game("twin_classification", start=False)
    registry.build("strategies", {"name": "train_with_labels"}).apply(made)
    with pytest.raises(ConfigError, match=r"twin_classification has the head `class`.*auxiliary_classification"):
        made.start(torch.device("cpu"))


def test_images_that_are_turned_already_are_refused():
    made = game("rotation", start=False)
    registry.build("strategies", {"name": "diff_augment", "policy": ["quarter_turn"]}).apply(made)
    with pytest.raises(ConfigError, match="rotation asks how images are turned, and an augmentation turns"):
        made.start(torch.device("cpu"))


def test_images_that_are_not_square_are_refused():
    made = game("rotation", start=False)
    made.data = DataShape((1, 16, 12), num_classes=3)
    with pytest.raises(ConfigError, match=r"rotation turns square images, and samples are \(1, 16, 12\)"):
        made.player("generator").term("rotation").check(made, made.player("generator"))


def test_a_layer_that_is_no_map_is_refused():
    made = image_game(start=False)
    for player in ("discriminator", "generator"):
        made.player(player).add_term("infomax", build("infomax"))
    with pytest.raises(ConfigError, match=r"infomax.layer=-2: it must be one of the maps of MLPDiscriminator, which"):
        registry.build("strategies", {"name": "heads"}).apply(made)


def test_two_settings_of_one_head_are_refused():
    for name, other in (("class_contrast", {"size": 4}), ("infomax", {"size": 4}), ("infomax", {"layer": 0})):
        made = game(name, players=("discriminator",), start=False, heads=False)
        made.player("generator").add_term(name, build(name, **TERMS[name] | other))
        with pytest.raises(ConfigError, match="give them the same"):
            registry.build("strategies", {"name": "heads"}).apply(made)


def test_a_player_of_neither_side_is_refused():
    made = game("rotation", start=False)
    made.player("generator").team = None
    with pytest.raises(ConfigError, match="rotation has no effect on a player of neither side"):
        made.start(torch.device("cpu"))


def test_packs_are_refused():
    made = game("rotation", start=False)
    registry.build("strategies", {"name": "pack", "m": 2, "batch_size": 4}).apply(made)
    with pytest.raises(ConfigError, match="rotation needs something of each sample"):
        made.start(torch.device("cpu"))


def test_a_virtual_discriminator_comes_before_its_heads():
    virtual = {"name": "virtual_batch_norm", "networks": ["discriminator"], "reference_size": 4}
    for order in ((virtual, {"name": "heads"}), ({"name": "heads"}, virtual)):
        made = game("infomax", start=False, heads=False)
        made.discriminator.blocks[1][1] = nn.BatchNorm2d(4)
        first, second = (registry.build("strategies", strategy) for strategy in order)
        first.apply(made)
        if second.__class__.__name__ == "Heads":
            second.apply(made)
            made.start(torch.device("cpu"))
            assert {"local", "global"} <= made.meet(batch())["main"].real_output.heads.keys()
        else:
            with pytest.raises(ConfigError, match="put heads after it"):
                second.apply(made)


@pytest.mark.parametrize(
    ("name", "settings", "reason"),
    [
        ("class_contrast", {"form": "2d"}, "form='2d': choose 2c or d2d_ce"),
        ("class_contrast", {"temperature": 0.0}, "temperature=0.0: it must be positive"),
        ("class_contrast", {"margin": 0.9}, "margin=0.9: form=2c has none; set null"),
        ("class_contrast", {"form": "d2d_ce"}, "margin=None: form=d2d_ce needs one between 0 and 1"),
        ("class_contrast", {"size": 0}, "size=0: it must be at least 1"),
        ("rotation", {"generator": 0.0}, "generator=0.0: it must be positive"),
        ("infomax", {"size": 0}, "size=0: it must be at least 1"),
    ],
)
def test_settings_that_cannot_be(name, settings, reason):
    with pytest.raises(ConfigError, match=reason):
        build(name, **settings)
