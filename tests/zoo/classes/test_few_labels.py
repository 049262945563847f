"""Learning from few labels: the numbers of the losses, what is read of which samples, and what is refused."""

import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.api import MAIN, Pair
from gan_framework.core.records import Batch, DataShape, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_zoo.classifying import CLASS, LABELLED, any_class, entropies
from gan_zoo.datasets.digits import Digits
from gan_zoo.datasets.few_labels import FewLabels
from gan_zoo.discriminators.noisy_mlp import NoisyMLPDiscriminator
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.metrics.label_accuracy import LabelAccuracy, majority_accuracy
from gan_zoo.systems.catgan import Certainty, surest
from gan_zoo.systems.ccgan import HOLE, WHOLE
from gan_zoo.systems.triple_gan import TOLD, Decided, Even, Half, ToldIsReal
from tests.zoo.classes.common import built, gradients, images, says, shape

SMALL_D = ["networks.discriminator.hidden=[16]"]
SEMI = ["semi_kplus1", *SMALL_D, "networks.generator.hidden=8"]
SORTS = ["catgan", *SMALL_D, "networks.generator.hidden=8"]
SEMI_SORTS = ["catgan_semi", *SMALL_D, "networks.generator.hidden=8"]
TRIPLE = ["triple_gan", "game.joined=0", *SMALL_D, "networks.generator.hidden=[8]", "networks.classifier.hidden=[16]"]
FILLS = ["ccgan", "game.hole=4", "networks.discriminator.width=4", "networks.generator.width=4"]
EVERY = [SEMI, SEMI_SORTS, TRIPLE, FILLS]
REAL, FAKE = torch.tensor([[1.0, 2, 3], [0, 0, 0]]).double(), torch.tensor([[-1.0, 0, 1]]).double()
CERTAIN = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]]).double()


def judged(real, fake):
    """Return a pair of which a judge says these scores."""
    x, y = torch.zeros(len(real), 1).double(), torch.ones(len(fake), 1).double()
    pair = Pair(lambda seen, labels=None: says(real if seen is x else fake), Batch(x), Latent(y), y)
    pair.real_output, pair.fake_output = says(real), says(fake)
    return pair


class Team:
    def __init__(self, team):
        self.team = team


# -- K + 1 classes ------------------------------------------------------------------------------------


def test_the_numbers_of_k_plus_one_classes():
    real, fake, loss = says(REAL), says(FAKE), NonSaturating()
    assert torch.cat([real.logits, fake.logits]).tolist() == pytest.approx([3.4076060, 1.0986123, 1.4076060], abs=1e-6)
    d = torch.cat([real.logits, fake.logits]).sigmoid()
    assert d.tolist() == pytest.approx([0.9679414, 0.75, 0.8033881], abs=1e-6)
    assert F.cross_entropy(REAL[:1], torch.tensor([2])).item() == pytest.approx(0.4076060, abs=1e-6)
    assert loss.real_half(real).item() == pytest.approx(0.1601329, abs=1e-6)
    assert loss.fake_half(fake).item() == pytest.approx(1.6265234, abs=1e-6)


def test_a_constant_moves_realness_and_no_class():
    moved = REAL + 1.7
    torch.testing.assert_close(any_class(moved), any_class(REAL) + 1.7)
    target = torch.tensor([2, 0])
    torch.testing.assert_close(F.cross_entropy(moved, target), F.cross_entropy(REAL, target))


def test_it_is_the_softmax_over_one_class_more():
    """With the score of generated samples fixed at 0: log p(real) and log p(generated) of K + 1 classes."""
    whole = torch.cat([REAL, torch.zeros(2, 1).double()], 1).log_softmax(1)
    torch.testing.assert_close(-F.softplus(-any_class(REAL)), whole[:, :3].logsumexp(1))
    torch.testing.assert_close(-F.softplus(any_class(REAL)), whole[:, 3])


def test_d_of_k_plus_one_classes_pays_by_the_formula(compose):
    game, batch = (
        built(compose, *SEMI, "networks.discriminator.noise=0", "networks.discriminator.input_noise=0"),
        images(),
    )
    meeting, d = game.meet(batch), game.discriminator
    losses = game.player("discriminator").evaluate(meeting)
    few = batch.others[LABELLED]
    z, z_fake = (d(x).heads[CLASS].logsumexp(1) for x in (batch.samples, meeting[MAIN].fake))
    expected = (
        F.softplus(-z).mean() + F.softplus(z_fake).mean() + 2 * F.cross_entropy(d(few.samples).heads[CLASS], few.labels)
    )
    torch.testing.assert_close(sum(losses.values()), expected)
    for found, wanted in zip(gradients(sum(losses.values()), d), gradients(expected, d), strict=True):
        torch.testing.assert_close(found, wanted)


# -- CatGAN --------------------------------------------------------------------------------------------


def test_the_numbers_of_catgan():
    marginal, conditional = entropies(CERTAIN.log())
    assert marginal.item() == pytest.approx(1.0549202, abs=1e-6)
    assert conditional.item() == pytest.approx(0.8018186, abs=1e-6)
    assert (conditional - marginal).item() == pytest.approx(-0.2531016, abs=1e-6)
    pair = judged(CERTAIN.log(), torch.zeros(4, 3))
    assert Certainty()(pair, Team("discriminator")).item() == pytest.approx(-0.2531016 - math.log(3), abs=1e-6)
    assert Certainty()(judged(CERTAIN.log(), CERTAIN.log()), Team("generator")).item() == pytest.approx(
        -0.2531016, abs=1e-6
    )


def test_the_best_that_catgan_can_say():
    """Of K categories, all used and each certain, -log K for the real part; and nothing pulls there."""
    scores = (60 * torch.eye(5).double()).requires_grad_()
    marginal, conditional = entropies(scores)
    assert (conditional - marginal).item() == pytest.approx(-math.log(5), abs=1e-9)
    (gradient,) = torch.autograd.grad(conditional - marginal, scores)
    assert gradient.abs().max() < 1e-12
    assert surest(torch.zeros(1, 5).double()).item() == pytest.approx(-math.log(5))
    assert surest(scores.detach()).abs().max() < 1e-12


def test_what_catgan_adapts_has_the_gradient_of_the_formula():
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)).double().requires_grad_()
    p = logits.softmax(1)
    mean = p.mean(0)
    direct = -(p * p.log()).sum(1).mean() + (mean * mean.log()).sum()
    marginal, conditional = entropies(logits)
    found, wanted = (torch.autograd.grad(value, logits)[0] for value in (conditional - marginal, direct))
    torch.testing.assert_close(found, wanted)


def test_a_category_that_nobody_is_of_has_a_finite_gradient():
    scores = torch.tensor([[2000.0, 0, 0], [0, 2000, 0]]).requires_grad_()
    marginal, conditional = entropies(scores)
    assert marginal.item() == pytest.approx(math.log(2)) and conditional.item() == 0
    assert torch.autograd.grad(conditional - marginal, scores)[0].isfinite().all()


def test_categories_are_counted(compose):
    game = built(compose, *SORTS, data=shape(labelled=False))
    assert game.classify(images().samples).shape == (8, 20)
    assert [*game.player("discriminator").terms] == ["certainty"]
    assert [*built(compose, *SEMI_SORTS).player("discriminator").terms] == ["certainty", "labelled"]
    with pytest.raises(ConfigError, match="set it to null"):
        built(compose, *SEMI_SORTS, "game.categories=20")
    with pytest.raises(ConfigError, match="set loss=null"):
        built(compose, *SORTS, "loss=hinge")
    with pytest.raises(ConfigError, match="at least 2"):
        built(compose, *SORTS, "game.categories=null", data=shape(classes=0, labelled=False))


# -- Triple-GAN ----------------------------------------------------------------------------------------


def test_where_all_three_are_alike_d_is_a_half_and_pays_twice_log_2():
    loss, x = NonSaturating(), torch.zeros(4, 1).double()
    undecided = Pair(lambda x, labels=None: DiscriminatorOutput(0 * x[:, 0]), Batch(x), Latent(x), x)
    halves = [Half(side) for side in ("real", "fake", "fake")]
    for half in halves:
        half._game = (type("Game", (), {"loss": loss}),)
    found = sum(w * half(undecided, None) for w, half in zip((1, 0.5, 0.5), halves, strict=True))
    assert found.item() == pytest.approx(2 * math.log(2)) == pytest.approx(1.3862944)


def test_the_classifier_is_paid_by_what_d_says_of_every_class():
    """Σ_y C(y|x) softplus(-D(x, y)); its gradient in C's scores is p_k (loss_k - mean loss)."""
    x, table = torch.arange(2.0).double()[:, None], torch.tensor([[0.3, -1, 2], [0, 0.5, 1]]).double()
    scores = CERTAIN.log().requires_grad_()
    pair = Pair(
        lambda x, y: DiscriminatorOutput(table[x[:, 0].long(), y]), Batch(x), Latent(x), x, made={CLASS: scores}
    )
    paid = F.softplus(-table)
    found = ToldIsReal(True)(pair, None)
    torch.testing.assert_close(found, (CERTAIN * paid).sum(1).mean())
    expected = CERTAIN * (paid - (CERTAIN * paid).sum(1, keepdim=True)) / 2
    torch.testing.assert_close(torch.autograd.grad(found, scores)[0], expected)
    torch.testing.assert_close(ToldIsReal(False)(pair, None), (0.7 * paid[0, 0] + 0.7 * paid[1, 2]) / 2)


def test_d_g_and_c_pay_by_the_formulas(compose):
    quiet = ["networks.classifier.noise=0", "networks.classifier.input_noise=0", "game.pseudo_start=0"]
    game, batch = built(compose, *TRIPLE, *quiet), images()
    few, meeting = batch.others[LABELLED], game.meet(batch)
    fake, asked = meeting[MAIN].fake, meeting[MAIN].fake_labels
    d, said = game.discriminator, game.classify(batch.samples)
    told = said.argmax(1)
    assert torch.equal(meeting[TOLD].fake_labels, told) and meeting[TOLD].fake is batch.samples
    sp = F.softplus
    of_d = sp(-d(few.samples, few.labels).logits).mean() + 0.5 * sp(d(fake, asked).logits).mean()
    of_d = of_d + 0.5 * sp(d(batch.samples, told).logits).mean()
    of_g = 0.5 * sp(-d(fake, asked).logits).mean()
    every = torch.stack([sp(-d(batch.samples, torch.full_like(told, k)).logits) for k in range(10)], 1)
    p = said.softmax(1)
    of_c = 0.5 * (p * every).sum(1).mean() + F.cross_entropy(game.classify(few.samples), few.labels)
    of_c = of_c + 0.1 * F.cross_entropy(game.classify(fake.detach()), asked)
    of_c = of_c - 0.3 * (p * p.log()).sum(1).mean() - 1e-3 * p.mean(0).log().mean()
    for name, expected in (("discriminator", of_d), ("generator", of_g), ("classifier", of_c)):
        found = sum(game.player(name).evaluate(meeting).values())
        torch.testing.assert_close(found, expected, msg=lambda text, name=name: f"{name}: {text}")
        network = game.network(name)
        for one, other in zip(gradients(found, network), gradients(expected, network), strict=True):
            torch.testing.assert_close(one, other)


def test_even_classes_are_the_best(compose):
    p = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    pair = Pair(None, Batch(p), Latent(p), p, made={CLASS: p.log()})
    assert Even()(pair, None).item() == pytest.approx(-p.mean(0).log().mean().item())
    turned = torch.stack([p[0].roll(i) for i in range(3)]).log().requires_grad_()
    pair = Pair(None, Batch(p), Latent(p), p, made={CLASS: turned})
    assert Even()(pair, None).item() == pytest.approx(math.log(3))
    assert Decided()(pair, None).item() == pytest.approx(-(p[0] * p[0].log()).sum().item())


def test_pairs_that_c_tells_can_be_joined_to_the_real_ones(compose):
    quiet = ["networks.classifier.noise=0", "networks.classifier.input_noise=0"]
    game, batch = built(compose, *TRIPLE, *quiet, "game.joined=0.8"), images()
    losses, meeting = game.player("discriminator").evaluate(game.meet(batch)), game.meet(batch)
    d, few, told = game.discriminator, batch.others[LABELLED], meeting[TOLD].fake_labels
    torch.testing.assert_close(losses["real"], 0.2 * F.softplus(-d(few.samples, few.labels).logits).mean())
    torch.testing.assert_close(losses["joined"], 0.8 * F.softplus(-d(batch.samples, told).logits).mean())
    torch.testing.assert_close(losses["told"], 0.5 * F.softplus(d(batch.samples, told).logits).mean())


def test_generated_samples_teach_the_classifier_after_a_start(compose):
    game = built(compose, *TRIPLE, "game.pseudo_start=2")
    player, meeting = game.player("classifier"), game.meet(images())
    assert player.evaluate(meeting)["pseudo"] == 0
    player.updates = 2
    assert player.evaluate(meeting)["pseudo"] > 0


def test_triple_gan_refuses_what_is_given_no_classes(compose):
    with pytest.raises(ConfigError, match="networks.discriminator is given classes, and MLPDiscriminator takes none"):
        built(compose, "triple_gan", "discriminator=mlp")
    with pytest.raises(ConfigError, match="choose data with the same"):
        built(compose, *TRIPLE, data=shape(classes=12)._replace(others={LABELLED: shape(labelled=False)}))
    with pytest.raises(ConfigError, match="choose loss=nonsaturating"):
        built(compose, *TRIPLE, "loss=wasserstein_plain")


# -- CC-GAN --------------------------------------------------------------------------------------------


def test_outside_the_hole_nothing_changes(compose):
    game, batch = built(compose, *FILLS), images(16)
    pair = game.meet(batch)[MAIN]
    hole = pair.latent.given[HOLE]
    assert hole.sum((1, 2, 3)).tolist() == [16.0] * 16
    assert len({tuple(one.flatten().tolist()) for one in hole}) > 5
    inside = hole.expand_as(pair.fake) > 0
    assert torch.equal(pair.fake[~inside], batch.samples[~inside])
    assert torch.equal(pair.fake[inside], pair.made[WHOLE][inside]) and (pair.fake != batch.samples)[inside].all()


def test_what_was_in_the_hole_is_not_seen(compose):
    game, batch = built(compose, *FILLS), images()
    latent = game.latent_for(batch)
    other = torch.where(latent.given[HOLE] > 0, -batch.samples, batch.samples)
    changed = latent._replace(given={**latent.given, "samples": other})
    game.eval()
    assert torch.equal(game.make(latent)[WHOLE], game.make(changed)[WHOLE])


def test_a_hole_of_size_0_is_none(compose):
    game, batch = built(compose, *FILLS, "game.hole=0"), images()
    pair = game.meet(batch)[MAIN]
    assert torch.equal(pair.fake, batch.samples)
    losses = game.player("generator").evaluate(game.meet(batch))
    assert all((g == 0).all() for g in gradients(sum(losses.values()), game.generator))


def test_filled_and_whole_images_are_judged_by_the_formula(compose):
    game, batch = built(compose, *FILLS, "game.whole=true", "networks.discriminator.norm=none"), images()
    game.discriminator.eval()  # without dropout
    meeting, d, few = game.meet(batch), game.discriminator, batch.others[LABELLED]
    filled, whole = (d(x).logits for x in (meeting[MAIN].fake, meeting[WHOLE].fake))
    said = d(batch.samples).logits
    of_d = 0.9 * F.softplus(-said).mean() + 0.1 * F.softplus(said).mean()
    of_d = of_d + F.softplus(filled).mean() + F.softplus(whole).mean()
    of_d = of_d + F.cross_entropy(d(few.samples).heads[CLASS], few.labels)
    of_g = F.softplus(-filled).mean() + F.softplus(-whole).mean()
    for name, expected in (("discriminator", of_d), ("generator", of_g)):
        found = sum(game.player(name).evaluate(meeting).values())
        torch.testing.assert_close(found, expected)


def test_a_hole_larger_than_the_image_is_refused(compose):
    with pytest.raises(ConfigError, match="game.hole=9"):
        built(compose, *FILLS, "game.hole=9")


# -- what all share ------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", EVERY, ids=lambda system: system[0])
def test_labels_of_the_many_are_never_read(compose, system):
    losses = []
    for turned in (0, 3):
        torch.manual_seed(0)
        game, batch = built(compose, *system), images()
        torch.manual_seed(1)
        meeting = game.meet(Batch(batch.samples, (batch.labels + turned) % 10, others=batch.others))
        torch.manual_seed(2)
        losses.append([sum(game.player(name).evaluate(meeting).values()).item() for name in game.players])
    assert losses[0] == losses[1]


@pytest.mark.parametrize("system", EVERY, ids=lambda system: system[0])
def test_a_supervised_classifier_learns_from_the_labelled_alone(compose, system):
    game = built(compose, *system, "game.supervised=true")
    player = game.player(game.classifier)
    few = images(seed=1).others[LABELLED]
    found = []
    for seed in (2, 3):
        many = images(seed=seed)
        torch.manual_seed(0)
        meeting = game.meet(Batch(many.samples, many.labels, others={LABELLED: few}))
        torch.manual_seed(0)
        losses = player.evaluate(meeting)
        assert [*losses] == ["labelled"]
        found.append(gradients(losses["labelled"], game.network(game.classifier)))
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


@pytest.mark.parametrize("system", EVERY, ids=lambda system: system[0])
def test_few_labels_are_needed(compose, system):
    with pytest.raises(ConfigError, match="and there is none: add \\+data@sources.labelled=few_labels"):
        built(compose, *system, data=shape(labelled=False))
    other = DataShape((1, 16, 16), 10)
    with pytest.raises(ConfigError, match="they must be alike"):
        built(compose, *system, data=shape(labelled=False)._replace(others={LABELLED: other}))


def test_a_few_of_each_class_are_chosen(compose):
    settings = {"name": "digits", "image_size": 8, "channels": 1, "num_classes": 10, "flip": False, "workers": 0}
    few, again, other = (FewLabels(settings, 3, seed).load("train") for seed in (0, 0, 1))
    assert few.labels.bincount().tolist() == [3] * 10
    assert torch.equal(few.samples, again.samples) and not torch.equal(few.samples, other.samples)
    train = Digits(8, 1, None).load("train")
    known = {image.numpy().tobytes(): int(label) for image, label in zip(train.samples, train.labels, strict=True)}
    assert [known[image.numpy().tobytes()] for image in few.samples] == few.labels.tolist()
    assert len(FewLabels(settings, 3, 0).load("test")) == 355
    with pytest.raises(ConfigError, match="per_class=1000: the class 0 has"):
        FewLabels(settings, 1000, 0).load("train")
    with pytest.raises(ConfigError, match="have no classes"):
        FewLabels(compose("data=gaussian", "model=gaussian_1d")["data"], 1, 0)


def test_noise_is_of_training_alone():
    d = NoisyMLPDiscriminator(8, 1, [16, 8], 0.3, 0.5, True, "unit").double()
    x = images().samples
    assert not torch.equal(d(x).logits, d(x).logits)
    d.eval()
    assert torch.equal(d(x).logits, d(x).logits)
    lengths = d.hidden[0][1].parametrizations.weight.original0
    torch.testing.assert_close(d.hidden[0][1].weight.norm(dim=1, keepdim=True), lengths)


def test_categories_stand_for_their_most_frequent_class():
    told, labels = torch.tensor([0, 0, 1, 2, 2, 2]), torch.tensor([1, 1, 0, 0, 0, 1])
    assert majority_accuracy(told, labels) == pytest.approx(5 / 6)


def test_label_accuracy_asks_for_a_classifier(compose):
    metric = LabelAccuracy("test", "named")
    with pytest.raises(ConfigError, match="asks a game's own classifier, and Game has none"):
        metric.check(built(compose, "mlp", data=shape(labelled=False)))
    metric.check(built(compose, "mlp", "strategy=[train_with_labels]", data=shape(labelled=False)))
    metric.check(built(compose, *SEMI))
    with pytest.raises(ConfigError, match="split='valid': choose one of train, test"):
        LabelAccuracy("valid", "named")
    with pytest.raises(ConfigError, match="categories='any': choose one of named, one_to_one, majority"):
        LabelAccuracy("test", "any")
