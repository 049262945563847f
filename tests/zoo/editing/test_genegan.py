"""GeneGAN: an attribute leaves one image for another."""

import pytest
import torch

from gan_framework.api import SAMPLES, Batch, ConfigError, DataShape, Latent
from gan_zoo.systems.genegan import GIVEN, PLAIN, TAKEN, GeneGANGenerator, Nothing, Parallelogram, Reconstructed
from tests.zoo.editing.common import noise, started

SHAPE = DataShape((1, 16, 16), 2, others={PLAIN: DataShape((1, 16, 16), 2)})
NETWORKS = ("generator", "discriminator_marked", "discriminator_plain")
SMALL = [*(f"networks.{name}.width=4" for name in NETWORKS), "networks.generator.layers=2"]


def game_of(compose, *overrides, shape=SHAPE):
    return started(compose, "genegan", *SMALL, *overrides, shape=shape)


def batch_of(n=3):
    return Batch(noise(n), torch.ones(n).long(), others={PLAIN: Batch(noise(n, seed=1), torch.zeros(n).long())})


class Additive(GeneGANGenerator):
    """Splits sums of a left half, the content, and a right one, the attribute: S and J of additive images."""

    def split(self, x):
        left = (torch.arange(x.shape[3]) < x.shape[3] // 2).to(x.dtype)
        return x * left, x * (1 - left)

    def join(self, content, attribute):
        return content + attribute


def test_a_perfect_splitter_and_joiner_of_additive_images_leave_the_adversarial_losses_alone(compose):
    game = game_of(compose)
    game.networks["generator"] = Additive(1, 4, 2, 0.25)
    batch = batch_of()
    plain = Additive.split(None, batch.others[PLAIN].samples)[0]
    batch = Batch(batch.samples, batch.labels, others={PLAIN: Batch(plain, batch.labels)})
    pair = game.meet(batch)[GIVEN]
    for term in (Reconstructed(), Nothing(), Parallelogram()):
        assert float(term(pair, game.player("generator"))) == 0, term
    assert torch.equal(pair.fake, plain + Additive.split(None, batch.samples)[1])
    assert torch.equal(pair.made[SAMPLES], Additive.split(None, batch.samples)[0])


def test_terms_of_made_images_are_means_of_what_is_left(compose):
    game = game_of(compose)
    pair = game.meet(batch_of())[GIVEN]
    x1, x0 = noise(3), noise(3, seed=1)
    pair.made = {name: torch.zeros_like(x1) for name in (SAMPLES, "given", "again", "still", "rest")}
    player = game.player("generator")
    assert float(Reconstructed()(pair, player)) == pytest.approx(float(x1.abs().mean() + x0.abs().mean()))
    assert float(Parallelogram()(pair, player)) == pytest.approx(float((x1 + x0).abs().mean()))
    pair.made["rest"] = x1
    assert float(Nothing()(pair, player)) == pytest.approx(float(x1.abs().mean()))


def test_the_losses_are_those_of_the_paper(compose):
    game = game_of(compose)
    batch = batch_of()
    losses = game.player("generator").evaluate(game.meet(batch))
    g, x1, x0 = game.generator, batch.samples, batch.others[PLAIN].samples
    (content, u), (other, rest) = g.split(x1), g.split(x0)
    zero = torch.zeros_like(u)
    crossed, without = g.join(other, u), g.join(content, zero)
    convolutions = [layer for layer in g.modules() if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d)]
    expected = {
        "adversarial_given": -game.network("discriminator_marked")(crossed).logits.mean(),
        "adversarial_taken": -game.network("discriminator_plain")(without).logits.mean(),
        "nothing": rest.abs().mean(),
        "reconstruction": (x1 - g.join(content, u)).abs().mean() + (x0 - g.join(other, zero)).abs().mean(),
        "parallelogram": 0.01 * (x1 + x0 - crossed - without).abs().mean(),
        "decay": 5e-5 * 0.5 * sum(layer.weight.square().mean() for layer in convolutions),
    }
    assert losses.keys() == expected.keys()
    assert float(losses["decay"].detach()) == pytest.approx(float(expected["decay"].detach()), rel=1e-4)
    for name, value in expected.items():
        assert float(losses[name].detach()) == pytest.approx(float(value.detach()), abs=2e-3), name
    told = game.player("discriminator").evaluate(game.meet(batch, graph=False))
    assert told.keys() == {"adversarial_given", "adversarial_taken"}


def test_each_judge_sees_the_kind_of_images_it_knows(compose):
    game = game_of(compose)
    batch = batch_of()
    meeting = game.meet(batch)
    assert torch.equal(meeting[GIVEN].real, batch.samples)
    assert torch.equal(meeting[TAKEN].real, batch.others[PLAIN].samples)
    assert {name: pair.judged_by_network for name, pair in meeting.items()} == {
        GIVEN: "discriminator_marked",
        TAKEN: "discriminator_plain",
    }


def test_weights_of_both_judges_are_clipped(compose):
    game = game_of(compose)
    player = game.player("discriminator")
    player.play(game.meet(batch_of(), graph=False))
    for name in NETWORKS[1:]:
        convolutions = [p for key, p in game.network(name).named_parameters() if p.ndim == 4]
        assert max(float(p.detach().abs().max()) for p in convolutions) <= 0.01


def test_a_quarter_of_the_code_is_the_attribute_and_sizes_are_those_of_the_program():
    with torch.device("meta"):
        generator = GeneGANGenerator(3, 128, 3, 0.25)
        content, attribute = generator.split(torch.zeros(2, 3, 64, 64))
        assert generator.join(content, attribute).shape == (2, 3, 64, 64)
    assert content.shape == (2, 384, 8, 8) and attribute.shape == (2, 128, 8, 8)
    with pytest.raises(ValueError, match=r"share=0.01 of 8 channels leaves none for the attribute"):
        GeneGANGenerator(1, 4, 2, 0.01)


def test_a_picture_has_images_without_it_and_the_next_one_with_it(compose):
    game = game_of(compose).float()
    latent = Latent(torch.zeros(6, 0), given={SAMPLES: noise(6, double=False)})
    picture = game.picture(latent, 6)
    assert picture.shape == (3, 18 + 2, 6 * 18 + 2)


def test_data_of_one_kind_are_refused(compose):
    with pytest.raises(ConfigError, match="GeneGAN moves what images of data have to images of the same shape"):
        game_of(compose, shape=DataShape((1, 16, 16), 2))
