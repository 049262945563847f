"""Made music, what scores say of hand-made rolls, and TimeGAN's and MuseGAN's parts."""

import math

import pytest
import torch

from gan_framework.api import MAIN, Batch
from gan_framework.build import build_game
from gan_framework.data import Sources
from gan_zoo.datasets.music import Notes, PianoRolls, in_scale
from gan_zoo.metrics.music import (
    chroma,
    empty_bars,
    interval_histogram,
    pitch_classes,
    qualified_notes,
    tonal_distance,
)
from gan_zoo.systems.c_rnn_gan import EventGenerator, Patient
from gan_zoo.systems.musegan import MuseDiscriminator, MuseGenerator
from gan_zoo.systems.timegan import moment_distance, next_step_error


def test_melodies_are_in_the_scale_and_on_the_grid():
    events = Notes(16, 4, 200).load("train").samples
    length, pitch, intensity, since = events.unbind(1)
    assert in_scale(12 * pitch).all()
    eighths = length / 0.25
    assert (eighths - eighths.round()).abs().max() <= 0.021
    assert torch.isin(eighths.round(), torch.tensor([1.0, 2.0, 4.0])).all()
    assert (since[:, 1:] - length[:, :-1]).abs().max() <= 0.0101  # a note begins where the last one ends
    assert torch.allclose(intensity[:, 8:], intensity[:, :8], atol=1e-5)


def test_semitones_between_two_are_of_the_nearest():
    assert in_scale(torch.tensor([0.0, 1.0, 11.6, 12.4, -1.0, -2.0])).tolist() == [True, False, True, True, True, False]


def test_intervals_are_counted():
    found = interval_histogram(torch.tensor([[0.0, 2.0, 2.0, -20.0]]))
    assert found[[14, 12, 0]].tolist() == pytest.approx([1 / 3] * 3)


def test_rolls_are_of_their_chords():
    data = PianoRolls(2, 16, 24, 50).load("train")
    rolls = data.samples
    assert set(rolls.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(rolls.sum((1, 2)).max(), torch.tensor(2.0))
    assert torch.equal(data.read_extra([0])["melody"], rolls[:1, :1])
    bass = rolls[:, 1].unflatten(2, (8, 4)).sum(3)  # of beats
    assert (bass.sum(1)[:, ::2] == 4).all()  # on the first and the third
    assert (bass.sum(1)[:, 1::2] == 0).all()
    roots = bass[:, :, 0].argmax(1)
    assert torch.isin(roots, torch.tensor([0, 5, 7, 9])).all()


def rolls_by_hand():
    """One sample of two tracks and two bars of four steps: a C of four steps and an E of one; nothing in the other."""
    rolls = torch.zeros(1, 2, 24, 8)
    rolls[0, 0, 0, 0:4] = 1
    rolls[0, 0, 4, 3] = 1
    rolls[0, 1, 12, 4:6] = 1
    return rolls


def test_scores_of_rolls_that_are_made_by_hand():
    rolls = rolls_by_hand()
    assert empty_bars(rolls, 4).tolist() == [0.5, 0.5]
    assert pitch_classes(rolls, 4).tolist() == [1.0, 0.5]  # C and E in one bar and none in the other; C in one
    assert qualified_notes(rolls).tolist() == [0.5, 0.0]  # of C and E the C; of a C of two steps none
    assert chroma(rolls, 4)[0, 0, 0].tolist()[:5] == [4, 0, 0, 0, 1]


def test_tonal_distances():
    c, g, f_sharp = torch.eye(12, dtype=torch.float64)[[0, 7, 6]]
    assert tonal_distance(c, 3 * c).item() == pytest.approx(0)
    fifth = 2 * (
        (1 - math.cos(49 * math.pi / 6)) + (1 - math.cos(21 * math.pi / 2)) + 0.25 * (1 - math.cos(14 * math.pi / 3))
    )
    assert tonal_distance(c, g).item() == pytest.approx(math.sqrt(fifth))
    assert tonal_distance(c, g) < tonal_distance(c, f_sharp)


def test_next_events_are_said_after_the_true_ones():
    torch.manual_seed(0)
    generator = EventGenerator(8, 4, 4, 6, 2).double()
    z = torch.randn(2, 8, dtype=torch.float64)
    alone = generator(z)
    assert torch.allclose(generator.write(z, alone), alone)
    told = alone.clone()
    told[..., 2] += 1
    other = generator.write(z, told)
    assert torch.equal(other[..., :3], alone[..., :3])
    assert not torch.equal(other[..., 3], alone[..., 3])


def test_who_is_far_ahead_waits(monkeypatch):
    taken = []
    monkeypatch.setattr("gan_framework.core.player.Player.step", lambda self, total, meeting: taken.append(self.name))
    first, second = Patient("discriminator", ("discriminator",), 0.7), Patient("generator", ("generator",), 0.7)
    first.watch(second)
    second.watch(first)
    second.step(torch.tensor(1.0), None)
    first.step(torch.tensor(0.69), None)
    first.step(torch.tensor(0.71), None)
    assert taken == ["generator", "discriminator"]


def test_the_judge_of_c_rnn_gan_soon_tells_what_an_untrained_generator_makes(compose):
    torch.manual_seed(0)
    small = ("data.length=8", "prior.dim=32", "data.samples=300", "networks.generator.width=8")
    game, batches = game_of(compose, "experiment=c_rnn_gan", *small)
    game.start(torch.device("cpu"))
    judge = game.player("discriminator")
    for _ in range(40):
        losses = judge.play(game.meet(batches(), graph=False))
    assert losses["discriminator/adversarial"].item() < 0.7  # 2 log 2 at the start


def test_the_errors_of_timegan():
    h = torch.arange(4.0)[None, None].double()
    assert next_step_error(h, h + 1).item() == 0
    assert next_step_error(h, h).item() == 1
    real = torch.tensor([[[0.0]], [[2.0]]]).double()
    made = torch.tensor([[[1.0]], [[1.0]]]).double()
    assert moment_distance(made, real).item() == pytest.approx(1, abs=1e-3)  # of the deviations alone
    assert moment_distance(real + 0.5, real).item() == pytest.approx(0.5)


def game_of(compose, *overrides):
    config = compose(*overrides, "metrics=[]", "train.device=cpu")
    sources = Sources(config["data"], config["sources"])
    return build_game(config, sources.shape, torch.device("cpu")), sources.batches(8, 0, "cpu")


def test_an_undecided_discriminator_of_timegan_has_the_loss_three_log_two(compose):
    game, batches = game_of(compose, "experiment=timegan", "data.samples=50")
    torch.nn.init.zeros_(game.discriminator.output.weight)
    torch.nn.init.zeros_(game.discriminator.output.bias)
    losses = game.player("discriminator").evaluate(game.meet(batches(), graph=False))
    assert sum(losses.values()).item() == pytest.approx(3 * math.log(2), abs=1e-6)
    of_generator = game.player("generator").evaluate(game.meet(batches()))
    assert {"next_step", "moments", "adversarial_main", "adversarial_embedded"} == {*of_generator}
    assert of_generator["adversarial_main"].item() == pytest.approx(math.log(2), abs=1e-6)


def test_who_trains_the_supervisor_leaves_the_embedding_as_it_is(compose):
    game, batches = game_of(compose, "experiment=timegan", "data.samples=50")
    before = {name: p.detach().clone() for name, p in game.networks.named_parameters()}
    game.player("supervisor").play(game.meet(batches()))
    changed = {name.split(".")[0] for name, p in game.networks.named_parameters() if not torch.equal(p, before[name])}
    assert changed == {"supervisor"}


def test_who_trains_no_generator_of_timegan_has_nothing_made(compose):
    game, batches = game_of(compose, "experiment=timegan", "data.samples=50")
    game.start(torch.device("cpu"))
    made = []
    game.generator.register_forward_hook(lambda *_: made.append(torch.is_grad_enabled()))
    for name in ("embedding", "supervisor", "autoencoder"):
        game.player(name).play(game.meet(batches()))
    assert not made
    game.player("discriminator").play(game.meet(batches(), graph=False))
    game.player("generator").play(game.meet(batches()))
    assert made == [False, True]  # once for both pairs, and for D without a graph


@pytest.mark.parametrize(("form", "alone"), [("jamming", True), ("composer", False), ("hybrid", False)])
def test_tracks_that_jam_know_nothing_of_each_other(form, alone):
    torch.manual_seed(0)
    generator = MuseGenerator(24, 2, 24, 2, 16, 4, form, False).eval()
    z = torch.randn(2, 24)
    rolls = generator(z)
    assert rolls.shape == (2, 2, 24, 32)
    first = z.clone()
    first[:, : 24 // generator.owners] += 1  # of the first owner: the first track, or all
    changed = [not torch.equal(rolls[:, track], generator(first)[:, track]) for track in range(2)]
    assert changed == [True, not alone]
    judge = MuseDiscriminator(2, 24, 2, 16, 4, form)
    x = torch.rand(2, 2, 24, 32)
    other = torch.cat([x[:, :1], 1 - x[:, 1:]], 1)
    said, again = judge(x).logits.flatten(1), judge(other).logits.flatten(1)
    assert said.shape == (2, 2 if form == "jamming" else 1)
    assert torch.equal(said[:, 0], again[:, 0]) == alone


def test_the_given_melody_is_the_first_track_and_the_bass_depends_on_it():
    torch.manual_seed(0)
    generator = MuseGenerator(24, 2, 24, 2, 16, 4, "hybrid", True).eval()
    z = torch.randn(2, 24)
    melody = (torch.rand(2, 1, 24, 32) > 0.9).float()
    rolls = generator(z, None, {"melody": melody})
    assert torch.equal(rolls[:, :1], melody)
    later = torch.cat([melody[..., :16], 1 - melody[..., 16:]], 3)
    other = generator(z, None, {"melody": later})
    assert torch.equal(other[:, 1, :, :16], rolls[:, 1, :, :16])
    assert not torch.equal(other[:, 1, :, 16:], rolls[:, 1, :, 16:])


def test_rolls_are_drawn_with_high_notes_above_low_ones_and_a_colour_for_each_track(compose, monkeypatch):
    game, _ = game_of(compose, "experiment=musegan", "data.samples=50", "networks.generator.width=8")
    rolls = torch.zeros(1, 2, 24, 32)
    rolls[0, 0, 23, 0] = rolls[0, 1, 0, 31] = 1
    monkeypatch.setattr(game, "sample", lambda latent: rolls)
    drawn = game.picture(game.latent(1), 1)
    assert drawn[:, 2, 2].tolist() == [255, 0, 0]  # the highest note of the first track, at the top left
    assert drawn[:, -3, -3].tolist() == [0, 255, 0]  # the lowest of the second, at the bottom right
    assert drawn[:, 40, 40].tolist() == [0, 0, 0]


def test_the_melody_reaches_the_generator_from_the_data(compose):
    game, batches = game_of(compose, "experiment=musegan_accompany", "data.samples=50", "networks.generator.width=8")
    batch = batches()
    pair = game.meet(batch, graph=False)[MAIN]
    assert isinstance(batch, Batch)
    assert torch.equal(pair.fake[:, :1], batch.samples[:, :1])
    assert not torch.equal(pair.fake[:, 1:], batch.samples[:, 1:])
