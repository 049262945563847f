"""CausalGAN: labels that cause each other, and images of them."""

import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.errors import ConfigError
from gan_zoo.causal_graph import CausalGraph
from gan_zoo.systems.causalgan import Controller, LabelTerm, label_loss
from gan_zoo.terms.gradient_penalty import GradientPenalty
from tests.zoo.described.playing import FEW, NARROW, as_asked, played
from tests.zoo.described.shares import joint_of, total_variation

SMALL = ["experiment=causalgan", *FEW, *NARROW, "prior.dim=17", "networks.generator.latent_dim=5"]
SMALL += [f"networks.{name}.width=4" for name in ("labeler", "anti_labeler", "finder")]
BITS = ("large", "circle", "red", "top")


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, target)


def both_stages(game):
    """Have the game make all its pairs, as where nothing is trained."""
    game.networks.eval()
    return game


def test_a_bit_that_is_set_changes_its_effects_and_not_its_causes():
    controller = Controller([["a"], ["b", "a"], ["c", "b"], ["d"]], 2, 8).double()
    z = torch.randn(6, 8, dtype=torch.float64)
    free, done = controller(z), controller(z, do={"b": 1.0})
    assert torch.equal(free[:, [0, 3]], done[:, [0, 3]])
    assert (done[:, 1] == 1).all() and (free[:, 2] != done[:, 2]).all()


def test_bits_depend_on_their_causes_and_their_own_noise_alone():
    controller = Controller([["a"], ["b", "a"], ["c"]], 2, 8).double()
    z = torch.randn(1, 6, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda z: controller(z)[0], z)[:, 0]
    reached = jacobian.view(3, 3, 2).abs().sum(2) > 0
    assert reached.tolist() == [[True, False, False], [True, True, False], [False, False, True]]


class Rule(torch.nn.Module):
    """A bit that follows from its causes, if any, and its noise by a rule."""

    def __init__(self, rule):
        super().__init__()
        self.rule = rule

    def forward(self, x):
        return self.rule(x).double()[:, None]


def test_setting_an_effect_says_nothing_of_its_cause():
    """A causes B: P(A) = 0.5, P(B | A) = 0.9, P(B | not A) = 0.1."""
    controller = Controller([["a"], ["b", "a"]], 1, 1)
    rare = 1.2815516  # what a normal number is above once in ten times
    controller.functions[0] = Rule(lambda x: x[:, 0] > 0)
    controller.functions[1] = Rule(lambda x: (x[:, 0] > 0.5) ^ (x[:, 1] > rare))
    z = torch.randn(40_000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    seen, done = controller(z), controller(z, do={"b": 1.0})
    assert seen[seen[:, 1] == 1, 0].mean().item() == pytest.approx(0.9, abs=0.01)
    assert done[done[:, 1] == 1, 0].mean().item() == pytest.approx(0.5, abs=0.02)
    truth = CausalGraph({"a": (), "b": ("a",)}, {"a": torch.tensor(0.5), "b": torch.tensor([0.1, 0.9])})
    assert total_variation(joint_of(seen), truth.joint()) < 0.01
    assert total_variation(joint_of(done), truth.joint({"b": 1})) < 0.01


def test_label_losses_by_hand():
    logits, bits = torch.tensor([[0.0, 2.0]], dtype=torch.float64), torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    expected = (math.log(2) + math.log(1 + math.exp(2))) / 2
    assert label_loss(logits, bits).item() == pytest.approx(expected)
    p = [0.5, 1 / (1 + math.exp(-2))]
    # Exchanged: the bits' probabilities are σ(3) and σ(-3), the labeler's the target.
    q = [1 / (1 + math.exp(-3)), 1 / (1 + math.exp(3))]
    swapped = -sum(a * math.log(b) + (1 - a) * math.log(1 - b) for a, b in zip(p, q, strict=True)) / 2
    assert label_loss(logits, bits, 3.0).item() == pytest.approx(swapped)


def test_everybody_pays_by_the_formula(compose):
    game, batch = played(compose, *SMALL)
    meeting = both_stages(game).meet(batch)
    images, bits = meeting["images"], meeting["bits"]
    y, g, x = images.made["labels"], images.fake, batch.samples
    real = batch.extra["attributes"]
    assert set(y.unique().tolist()) <= {0.0, 1.0} and not torch.equal(y, real)
    judge = game.network("discriminator")
    of_d = bce(judge(x).logits, torch.ones(8).double()) + bce(judge(g).logits, torch.zeros(8).double())
    torch.testing.assert_close(as_asked(game, "discriminator", meeting), of_d)
    labeler, anti = game.network("labeler"), game.network("anti_labeler")
    torch.testing.assert_close(as_asked(game, "labeler", meeting), bce(labeler(x), real))
    torch.testing.assert_close(as_asked(game, "anti_labeler", meeting), bce(anti(g), y))
    z, found = images.latent.z[:, :5], game.network("finder")(judge(g).features[1])
    missed = (z - found).square().mean()
    torch.testing.assert_close(as_asked(game, "finder", meeting), missed)
    of_g = bce(judge(g).logits, torch.ones(8).double()) + bce(labeler(g), y) + missed
    game.player("generator").updates = 3000
    torch.testing.assert_close(as_asked(game, "generator", meeting), of_g - math.exp(-0.5) * bce(anti(g), y))
    critic = game.network("discriminator_labels")
    torch.testing.assert_close(as_asked(game, "generator_labels", meeting), -critic(bits.fake).logits.mean())
    torch.manual_seed(1)
    of_c = as_asked(game, "discriminator_labels", meeting)
    torch.manual_seed(1)
    penalty = GradientPenalty(False)(bits, game.player("discriminator_labels"))
    expected = critic(bits.fake).logits.mean() - critic(real).logits.mean() + 10 * penalty
    torch.testing.assert_close(of_c, expected)


def test_nothing_of_the_anti_labelers_loss_reaches_the_generator(compose):
    game, batch = played(compose, *SMALL)
    meeting = both_stages(game).meet(batch)
    term = game.player("anti_labeler").term("labels")
    assert isinstance(term, LabelTerm)
    gradients = torch.autograd.grad(
        term(meeting["images"], game.player("anti_labeler")),
        [*game.network("generator").parameters()],
        allow_unused=True,
    )
    assert all(gradient is None for gradient in gradients)


def test_the_stages_face_what_they_train(compose):
    game, batch = played(compose, *SMALL)
    assert set(game.meet(batch)) == {"bits"}
    game.schedule.stage = 1
    assert set(game.meet(batch)) == {"images"}


def test_images_under_an_intervention_are_of_the_labels_that_it_leads_to(compose):
    game, batch = played(compose, *SMALL)
    latent = game.latent_for(batch)
    labels, images = game.intervened(latent, {"red": 1.0})
    free = game.labels(latent)
    assert (labels[:, 2] == 1).all() and torch.equal(labels[:, :2], free[:, :2])
    game.network("generator").eval()
    logits = torch.where(labels > 0, math.log(0.7 / 0.3), math.log(0.3 / 0.7))
    expected = game.network("generator")(latent.z[:, :5], None, {"attributes": logits})
    torch.testing.assert_close(images, expected.float())


def test_what_the_generator_is_given_moves_its_first_maps_as_much_as_z_does(compose):
    """Bits behind a layer of small weights had a hundredth of z's part in them, and images did not follow them."""
    game, batch = played(compose, *SMALL)
    images = game.network("generator").images
    seen = []
    images.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    game.sample(game.latent_for(batch))
    z, given = seen[0].split([5, 4], 1)
    assert given.square().mean() > z.square().mean()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["networks.generator_labels.graph=[[large],[circle]]"], "has 2 bits .large, circle., and the data have 4"),
        (["networks.generator_labels.graph=[[large,red],[circle],[red],[top]]"], "'red', a cause of 'large'"),
        (["prior.dim=12"], "the controller takes 12 numbers"),
        (["game.anti_decay=0"], "anti_decay=0"),
        (["game.swapped=0"], "swapped=0"),
        (["game.penalty=-1"], "penalty=-1"),
        (["networks.finder.image_size=24"], "image_size=24"),
    ],
)
def test_what_does_not_fit_is_refused(compose, overrides, message):
    with pytest.raises(ConfigError, match=message):
        played(compose, *SMALL, *overrides)
