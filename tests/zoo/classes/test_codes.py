"""Codes and variational hybrids: what each player pays, and whose features are matched."""

import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.api import MAIN, Batch, Latent, Pair
from gan_framework.errors import ConfigError
from gan_zoo.classifying import LABELLED
from gan_zoo.encoding import RECONSTRUCTION
from gan_zoo.priors.codes import Codes
from gan_zoo.systems.cvae_gan import MeanFeatures
from gan_zoo.terms.kl_divergence import kl_to_standard_normal
from tests.zoo.classes.common import built, gradients, images, shape

TRIO = ("generator", "discriminator", "classifier")
CVAE = [
    *("cvae_gan", "prior.dim=4", "networks.encoder.widths=[4,4,4]", "networks.encoder.hidden=8"),
    *(f"networks.{name}.width=4" for name in TRIO),
    *(f"networks.{name}.norm=none" for name in TRIO[1:]),
]
INFO = [f"networks.{name}.{key}" for name in ("generator", "discriminator", "q") for key in ("width=2", "hidden=8")]
GUIDED = ["ss_infogan", *INFO]
VIGAN = ["vigan_info", *INFO, "networks.encoder.widths=[4,4,4]", "networks.encoder.hidden=8"]
PLAIN = shape(labelled=False)


class Says(torch.nn.Module):
    """Says the same of whatever it is shown."""

    def __init__(self, said):
        super().__init__()
        self.said = said

    def forward(self, x):
        return self.said


def pays(game, name, meeting):
    return sum(game.player(name).evaluate(meeting).values())


# -- CVAE-GAN -------------------------------------------------------------------------------------------


def test_the_divergence_of_a_code():
    mean, log_variance = torch.tensor([[0.5, -1.0]]), torch.tensor([[0.0, math.log(0.25)]])
    assert kl_to_standard_normal(mean, log_variance).item() == pytest.approx(0.9431472, abs=1e-6)


def matched(compose, network, groups, momentum=0.0):
    """Return a game, and a term that matches mean features in it."""
    game = built(compose, *CVAE, data=PLAIN)
    term = MeanFeatures(network, groups, game.network(network).output.in_features, momentum).double()
    term.attach(game)
    return game, term


def pair_of(game, real, fake):
    pair = Pair(game.judge("discriminator"), real, Latent(torch.zeros(len(fake.samples), 4)), fake.samples)
    pair.fake_labels = fake.labels
    return pair


@pytest.mark.parametrize(("network", "groups"), [("discriminator", 1), ("classifier", 10)])
def test_permuted_samples_have_the_same_means(compose, network, groups):
    game, term = matched(compose, network, groups)
    real, order = images(), torch.tensor([3, 1, 0, 2, 7, 6, 5, 4])
    permuted = Batch(real.samples[order], real.labels[order])
    assert term(pair_of(game, real, permuted), None).item() == pytest.approx(0, abs=1e-20)
    assert term(pair_of(game, real, images(seed=1)), None) > 1e-6


def test_absent_classes_add_nothing_and_the_others_half_their_squared_distance(compose):
    game, term = matched(compose, "classifier", 10)
    real, fake = images(), images(seed=1)
    some = Batch(real.samples, torch.tensor([0, 0, 1, 1, 1, 2, 2, 2]))
    other = Batch(fake.samples, torch.tensor([0, 1, 1, 5, 5, 5, 5, 5]))
    f = game.inner
    of = [
        (f(some.samples[:2]).mean(0), f(other.samples[:1]).mean(0)),
        (f(some.samples[2:5]).mean(0), f(other.samples[1:3]).mean(0)),
    ]
    expected = 0.5 * sum((a - b).square().sum() for a, b in of)
    torch.testing.assert_close(term(pair_of(game, some, other), None), expected)


def test_real_means_are_averages_over_updates(compose):
    game, term = matched(compose, "classifier", 10, momentum=0.75)
    first = Batch(images(seed=1).samples, torch.zeros(8, dtype=torch.int64))
    second = Batch(images(seed=2).samples, torch.zeros(8, dtype=torch.int64))
    with torch.no_grad():
        for batch in (first, second):
            term.after_update(pair_of(game, batch, batch), None)
        means = [game.inner(batch.samples).mean(0) for batch in (first, second)]
    torch.testing.assert_close(term.means[0], 0.75 * means[0] + 0.25 * means[1])
    assert term.seen.flatten().tolist() == [True] + [False] * 9
    other = Batch(first.samples, torch.ones(8, dtype=torch.int64))
    with torch.no_grad():
        term.after_update(pair_of(game, other, other), None)
    torch.testing.assert_close(term.means[0], 0.75 * means[0] + 0.25 * means[1])
    torch.testing.assert_close(term.means[1], means[0])


def test_cvae_gan_pays_by_the_formula(compose):
    game, batch = built(compose, *CVAE, data=PLAIN), images()
    meeting, d, sp = game.meet(batch), game.discriminator, F.softplus
    x, x_p, x_f = batch.samples, meeting[MAIN].fake, meeting[RECONSTRUCTION].fake
    code = meeting[RECONSTRUCTION].latent
    inner = [d(s).features[-1].flatten(1) for s in (x, x_p, x_f)]
    told = [game.inner(s) for s in (x, x_p, x_f)]
    rec = (
        0.5
        * sum(
            (a - b).flatten(1).square().sum(1) for a, b in ((x, x_f), (inner[0], inner[2]), (told[0], told[2]))
        ).mean()
    )
    kl = kl_to_standard_normal(code.code["mean"], code.code["log_variance"]).mean()
    mean = 0.5 * (inner[0].mean(0) - inner[1].mean(0)).square().sum()
    of_class = 0.5 * sum(
        (told[0][batch.labels == c].mean(0) - told[1][batch.labels == c].mean(0)).square().sum()
        for c in batch.labels.unique()
    )
    expected = {
        "discriminator": sp(-d(x).logits).mean() + sp(d(x_p).logits).mean() + sp(d(x_f).logits).mean(),
        "generator": rec + 1e-3 * mean + 1e-3 * of_class,
        "encoder": 3 * kl + rec,
        "classifier": F.cross_entropy(game.classify(x), batch.labels),
    }
    for name, value in expected.items():
        found, network = pays(game, name, meeting), game.network(name)
        torch.testing.assert_close(found, value)
        for one, other in zip(gradients(found, network), gradients(value, network), strict=True):
            torch.testing.assert_close(one, other)


def test_the_generator_never_sees_what_d_says_of_realness(compose):
    game = built(compose, *CVAE, data=PLAIN)
    output = game.discriminator.output
    found = torch.autograd.grad(pays(game, "generator", game.meet(images())), [*output.parameters()], allow_unused=True)
    assert found == (None, None)


# -- ss-InfoGAN ------------------------------------------------------------------------------------------


def test_the_code_is_tied_to_labels_by_the_formula(compose):
    game, batch = built(compose, *GUIDED, "game.labelled_weight=0.3"), images()
    game.network("q").eval()  # so that its norms see each sample alike
    meeting, few = game.meet(batch), batch.others[LABELLED]
    losses, fooling = (game.player(name).evaluate(meeting) for name in ("q", "generator"))
    q, pair = game.network("q"), meeting[MAIN]
    named = -(q(few.samples)[:, :10].log_softmax(1).gather(1, few.labels[:, None])).mean()
    code = -(q(pair.fake)[:, :10].log_softmax(1) * pair.latent.code["categorical_0"]).sum(1).mean()
    torch.testing.assert_close(losses["labelled"] + fooling["code"], 0.3 * (named + code))
    assert [*losses] == ["labelled", "mutual_information"] and [*fooling] == ["adversarial", "code"]
    assert any((g != 0).any() for g in gradients(fooling["code"], game.generator))
    # What Q says of the named code is learnt of labels alone, so that G cannot move it.
    said = torch.zeros(8, 14, dtype=torch.float64, requires_grad=True)
    bounds = game.player("q").terms["mutual_information"]
    game.networks["q"] = Says(said)
    (moved,) = torch.autograd.grad(bounds(pair, game.player("q")), said)
    assert not moved[:, :10].any() and moved[:, 10:12].any()


def test_the_code_has_as_many_values_as_there_are_classes(compose):
    with pytest.raises(ConfigError, match="has 5 values: set prior=codes prior.codes.categorical="):
        built(compose, *GUIDED, "prior.codes.categorical=[5]")
    game = built(compose, *GUIDED, "game.labelled_weight=0")
    assert [*game.player("q").terms] == ["mutual_information"]


# -- ViGAN ----------------------------------------------------------------------------------------------


def test_a_code_of_a_sample_is_its_noise_and_what_q_tells(compose):
    game, batch = built(compose, *VIGAN, data=PLAIN), images()
    game.eval()
    code = game.encode(batch.samples)
    said = game.network("q")(batch.samples)
    torch.testing.assert_close(code.z[:, 62:72], said[:, :10].softmax(1))
    torch.testing.assert_close(code.z[:, 72:], said[:, 10:12])
    torch.testing.assert_close(code.code["mean"], game.network("encoder")(batch.samples)[:, :62])
    torch.testing.assert_close(game.code_of(batch.samples)[:, :62], code.code["mean"])


def test_vigan_pays_by_the_formula(compose):
    game, batch = built(compose, *VIGAN, data=PLAIN), images()
    game.eval()  # so that norms see each batch alike
    meeting, d, sp = game.meet(batch), game.discriminator, F.softplus
    x_p, x_f, code = meeting[MAIN].fake, meeting[RECONSTRUCTION].fake, meeting[RECONSTRUCTION].latent.code
    inner = [d(s).features[-1] for s in (batch.samples, x_f)]
    rec = 0.5 * (inner[0] - inner[1]).square().sum(1).mean()
    kl = kl_to_standard_normal(code["mean"], code["log_variance"]).mean()
    expected = {
        "discriminator": sp(-d(batch.samples).logits).mean() + sp(d(x_p).logits).mean() + sp(d(x_f).logits).mean(),
        "generator": sp(-d(x_p).logits).mean() + sp(-d(x_f).logits).mean() + rec,
        "encoder": kl + rec,
    }
    for name, value in expected.items():
        torch.testing.assert_close(pays(game, name, meeting), value)
    assert [*game.player("q").evaluate(meeting)] == ["mutual_information"]


def test_noise_of_codes_can_be_normal(compose):
    prior = Codes(12, {"categorical": [10]}, "normal")
    z = prior.draw(20000, torch.device("cpu"), torch.Generator().manual_seed(0)).z[:, :2]
    assert z.var().item() == pytest.approx(1, abs=0.03) and z.abs().max() > 3
    assert Codes(12, {"categorical": [10]}).draw(2000, torch.device("cpu")).z[:, :2].abs().max() <= 1
    with pytest.raises(ConfigError, match="set prior=codes prior.noise=normal"):
        built(compose, *VIGAN, "prior.noise=uniform", data=PLAIN)
