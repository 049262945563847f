"""A latent for each sample of the data, found again by the sample's place in its source."""

import pytest
import torch

from gan_framework.core.game import Game
from gan_framework.core.records import Batch, DataShape
from tests.core.abilities import experiment, make, noise, play, same_state, through_a_file
from tests.helpers.independent import double_precision  # noqa: F401 (a fixture)

from gan_probe.glo import GLO, HalfSquare  # isort: skip
from gan_probe.layers import Dense  # isort: skip

pytestmark = pytest.mark.usefixtures("probe")

RATE = 0.4


class Linear(Dense):
    """A decoder of one linear layer."""

    def __init__(self):
        super().__init__(2, [3], 1, None)
        self.layers = torch.nn.Linear(2, 3, bias=False)


def glo():
    torch.manual_seed(0)
    return make(
        lambda components: GLO(components, 2),
        {"decoder": Linear()},
        DataShape((3,), size=10),
        players=("learner",),
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=RATE),
        loss=None,
        edit=lambda game: game.player("learner").add_term("half_square", HalfSquare()),
    )


def test_the_latents_of_a_batch_move_by_the_formula_and_no_others():
    game = glo()
    latents, w = game.network("latents").weight, game.network("decoder").layers.weight
    with torch.no_grad():
        latents.mul_(0.3)  # inside the unit ball, where bringing them into it changes nothing
    before, matrix = latents.detach().clone(), w.detach().clone()
    index = torch.tensor([7, 2, 4, 9])
    batch = noise(4, 3, index=index)
    away = before[index] @ matrix.T - batch.samples
    measured = game.step(lambda: batch)
    torch.testing.assert_close(measured["learner/half_square"], 0.5 * away.square().sum(1).mean())
    expected = before.clone()
    expected[index] -= RATE * away @ matrix / 4
    torch.testing.assert_close(latents.detach(), expected)
    torch.testing.assert_close(w.detach(), matrix - RATE * away.T @ before[index] / 4)
    untouched = [i for i in range(10) if i not in index.tolist()]
    assert torch.equal(latents.detach()[untouched], before[untouched])


def test_a_latent_outside_the_ball_is_brought_to_its_surface():
    game = glo()
    with torch.no_grad():
        game.network("latents").weight[3] = torch.tensor([3.0, 4.0])
    latent = game.latent_for(Batch(torch.zeros(1, 3), index=torch.tensor([3])))
    torch.testing.assert_close(latent.z, torch.tensor([[0.6, 0.8]]))


def test_the_same_sample_has_the_same_latent_in_every_epoch_and_after_a_resume(compose):
    torch.set_default_dtype(torch.float32)
    straight, batches = experiment(compose, "glo")
    assert isinstance(straight, Game) and straight.network("latents").num_embeddings == 64
    play(straight, batches, range(3))
    state, drawn = through_a_file(straight.state_dict()), batches.drawn
    play(straight, batches, range(3, 9))  # an epoch has four batches
    resumed, _ = experiment(compose, "glo", "seed=1")
    assert not same_state(straight, resumed)
    resumed.load_state_dict(state)
    batches.drawn = drawn
    play(resumed, batches, range(3, 9))
    assert same_state(straight, resumed)

    seen = {}
    for _ in range(8):
        batch = batches()
        for place, sample in zip(batch.index.tolist(), batch.samples, strict=True):
            assert torch.equal(seen.setdefault(place, sample), sample)
    assert sorted(seen) == list(range(64))
