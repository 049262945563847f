"""Age-cGAN and ExprGAN: who is kept, and how much is changed."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gan_framework.api import SAMPLES, ConfigError, Generator, Latent
from gan_zoo.datasets.edited_digits import DIGIT
from gan_zoo.editing import SameIdentity, identity_features, learn_identity
from gan_zoo.perceiving import FeatureClassifier
from gan_zoo.systems.age_cgan import OWN
from gan_zoo.systems.exprgan import EXPRESSION, expression
from tests.zoo.editing.common import GREY, batch_of, noise, started

SHAPE = GREY._replace(extra={DIGIT: ()}, integers=(DIGIT,))
AGE = ["prior.dim=3", "networks.generator.num_classes=4", "networks.discriminator.labels=4", "game.identity_steps=1"]
AGE += [f"networks.{name}.width=2" for name in ("generator", "discriminator", "encoder_z", "identity")]
AGE += ["networks.encoder_z.hidden=8"]
EXPR = ["prior.dim=3", "game.block=2", "networks.generator.latent_dim=11", "networks.q.outputs=[8]"]
EXPR += ["networks.discriminator.labels=4", "game.identity_steps=1", "networks.discriminator_code.hidden=[4]"]
EXPR += [f"networks.{name}.width=2" for name in ("generator", "discriminator", "encoder", "q", "identity")]


class Linear(Generator):
    """Images that are linear in z, whatever the label."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.matrix = nn.Parameter(torch.randn(3, 256, dtype=torch.float64) / 16)

    def forward(self, z, labels=None):
        return (z @ self.matrix).unflatten(1, (1, 16, 16))


class Pixels(FeatureClassifier):
    """Sees the pixels themselves."""

    def layers(self, x):
        return (x.flatten(1),)


def test_of_linear_images_the_refined_latents_are_the_true_ones(compose):
    game = started(compose, "age_cgan", *AGE, "game.refinement=200", shape=SHAPE)
    game.networks["generator"], game.networks["identity"] = Linear(), Pixels(1, 10, 2)
    z = noise(4, 2, seed=1).flatten(1)[:, :3]
    x = game.generator(z).detach()
    found = game.refined(x, torch.zeros(4).long(), torch.zeros_like(z))
    assert (found - z).abs().max() < 1e-4


def test_no_image_ends_further_away_than_it_began(compose):
    game = started(compose, "age_cgan", *AGE, shape=SHAPE)
    game.networks.eval()
    x, labels, start = noise(4), torch.tensor([0, 1, 2, 3]), noise(4, 2, seed=1).flatten(1)[:, :3]
    with torch.no_grad():
        found = game.refined(x, labels, start)
        before, after = (game.distances(x, labels, z) for z in (start, found))
    assert (after <= before).all() and (after < before).any()
    game.refinement = 0
    assert game.refined(x, labels, start) is start


def test_what_is_sampled_has_the_refined_latent_and_the_label_asked_for(compose):
    game = started(compose, "age_cgan", *AGE, shape=SHAPE)
    batch = batch_of([0, 1, 2, 3], digit=torch.tensor([7, 7, 8, 9]))
    latent = game.latent_for(batch)._replace(labels=torch.tensor([3, 3, 3, 3]))
    assert torch.equal(latent.given[OWN], batch.labels)
    made = game.sample(latent)
    game.networks.eval()
    with torch.no_grad():
        z = game.refined(batch.samples, batch.labels, game.network("encoder_z")(batch.samples))
        assert torch.allclose(made, game.generator(z, latent.labels).float(), atol=1e-5)


def test_the_identity_is_learnt_from_digits_and_not_from_labels(compose):
    game = started(compose, "age_cgan", *AGE, shape=SHAPE, double=False)
    seen = []
    batch = batch_of([0, 1, 2, 3], double=False, digit=torch.tensor([7, 7, 8, 9]))
    (opening,) = game.openings
    of = opening.of

    def watched(found):
        seen.append(of(found).labels.tolist())
        return of(found)

    opening.of = watched
    before = game.network("identity").output.weight.clone()
    opening(game, lambda: batch)
    assert seen == [[7, 7, 8, 9]] and not torch.equal(before, game.network("identity").output.weight)
    assert not any(p.requires_grad for p in game.network("identity").parameters())


def test_a_code_is_positive_in_its_own_block_and_negative_in_the_others():
    size = torch.tensor([[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]], dtype=torch.float64)
    assert expression(torch.tensor([1]), 3, size)[0].tolist() == [-0.1, -0.2, 0.3, 0.4, -0.5, -0.6]


def test_the_losses_of_exprgan(compose):
    game = started(compose, "exprgan", *EXPR, "game.identity=0.5", shape=SHAPE)
    batch = batch_of([0, 1, 2, 3], digit=torch.tensor([7, 7, 8, 9]))
    meeting = game.meet(batch)
    main, drawn, code = (meeting[name] for name in ("main", "drawn", "code"))
    c = main.made[EXPRESSION]
    assert ((c > 0) == torch.eye(4).bool().repeat_interleave(2, 1)).all() and float(c.abs().max()) <= 1
    losses = {name: game.player(name).evaluate(meeting) for name in ("controller", "autoencoder", "generator")}

    def fooled(pair):
        return 0.01 * F.softplus(-pair.fake_output.logits).mean()

    pixels = (batch.samples - main.fake).abs().mean()
    features = [identity_features(game, x) for x in (batch.samples, main.fake)]
    identity = 0.5 * (features[0] - features[1]).abs().mean()
    found = (game.network("q")(drawn.fake) - c).square().mean()
    g = main.fake
    variation = 1e-3 * (g.diff(dim=2).abs().mean() + g.diff(dim=3).abs().mean())
    expected = {
        "controller": {"adversarial": fooled(drawn), "code": found},
        "autoencoder": {"adversarial": fooled(code), "pixels": pixels, "identity": identity},
        "generator": {
            **{f"adversarial_{name}": fooled(meeting[name]) for name in ("main", "code", "drawn")},
            **{"pixels": pixels, "identity": identity, "total_variation": variation, "code": found},
        },
    }
    for name, of_player in expected.items():
        assert losses[name].keys() == of_player.keys(), name
        for term, value in of_player.items():
            # Batch norm has taken other means meanwhile, so equal only where the same pass is read.
            assert float(losses[name][term].detach()) == pytest.approx(float(value.detach()), rel=1e-6), (name, term)
    assert torch.equal(code.fake, game.meet(batch)["code"].fake) and code.real.shape == (4, 3)


def test_the_intensity_of_what_is_sampled_is_set(compose):
    game = started(compose, "exprgan", *EXPR, shape=SHAPE)
    game.networks.eval()
    x, labels = noise(2), torch.tensor([2, 0])
    latent = Latent(torch.zeros(2, 3).double(), labels, given={SAMPLES: x})
    for game.intensity in (0.0, 1.0):
        size = torch.full((2, 4, 2), game.intensity).double()
        with torch.no_grad():
            whole = torch.cat([game.network("encoder")(x), expression(labels, 4, size)], 1)
            assert torch.allclose(game.sample(latent), game.generator(whole).float(), atol=1e-6)
    picture = game.float().picture(
        Latent(torch.zeros(12, 3), labels.repeat(6), given={SAMPLES: noise(12, double=False)}), 6
    )
    assert picture.shape == (3, 2 * 18 + 2, 6 * 18 + 2) and game.intensity == 1.0


def test_features_are_compared_without_a_gradient_to_the_network_or_the_real_images(compose):
    game = started(compose, "exprgan", *EXPR, shape=SHAPE)
    pair = type("Pair", (), {"real": noise(2), "fake": noise(2, seed=1).requires_grad_()})()
    term = SameIdentity()
    term.attach(game)
    loss = term(pair, None)
    loss.backward()
    assert pair.fake.grad.abs().sum() > 0
    assert all(p.grad is None for p in game.network("identity").parameters())
    pair.fake = pair.real
    assert float(term(pair, None)) == 0


def test_other_networks_of_identity_are_refused(compose):
    game = started(compose, "age_cgan", *AGE, shape=SHAPE)
    game.networks["identity"] = nn.Linear(2, 2)
    with pytest.raises(ConfigError, match="networks.identity must be a feature_classifier.*not Linear"):
        learn_identity(game, 1, 1e-3)
