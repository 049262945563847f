"""Terms, pools and scores of translation against values that are known."""

import math
from types import SimpleNamespace

import pytest
import torch

from gan_framework.api import Batch, DataShape, DiscriminatorOutput, Latent, Meeting, Pair, PairedSamples
from gan_zoo.games.cycle import MeanFeatures, Rate, mean_difference, pairwise
from gan_zoo.image_pool import ImagePool
from gan_zoo.metrics.paired_overlap import Overlap
from gan_zoo.metrics.paired_psnr import PSNR, psnr
from gan_zoo.systems.salgan import content
from gan_zoo.systems.segan_segmentation import dice
from gan_zoo.terms.lecam import LeCam
from gan_zoo.translating import DISTANCES, LayerDistance, PixelDistance, image_in, total_variation
from tests.helpers.small import Draws, small_game

DISCRIMINATOR, GENERATOR = SimpleNamespace(team="discriminator"), SimpleNamespace(team="generator")


def pair_of(real, fake, layers=lambda x: (x,), **extra):
    def judge(x, labels=None):
        return DiscriminatorOutput(x.flatten(1).mean(1), layers(x))

    return Pair(judge, Batch(real, extra=extra), Latent(real.new_zeros(len(real), 0)), fake)


def doubles(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_distances_of_pixels():
    pair = pair_of(torch.zeros(1, 1, 1, 2), torch.tensor([[[[3.0, 1.0]]]]))
    found = {name: float(PixelDistance(name)(pair, GENERATOR)) for name in DISTANCES}
    assert found == pytest.approx({"l1": 2, "l2": 5, "charbonnier": (math.sqrt(9 + 1e-6) + math.sqrt(1 + 1e-6)) / 2})
    with pytest.raises(ValueError, match="distance='l3': choose one of l1, l2, charbonnier"):
        PixelDistance("l3")


def test_outside_a_mask_nothing_counts():
    fake = torch.tensor([[[[3.0, 1.0]]]], requires_grad=True)
    pair = pair_of(torch.zeros(1, 1, 1, 2), fake, mask=torch.tensor([[[[1.0, 0.0]]]]))
    loss = PixelDistance("l1", "mask")(pair, GENERATOR)
    assert float(loss) == 3
    loss.backward()
    assert fake.grad.flatten().tolist() == [1, 0]


def test_layers_differ_by_1_6_and_margins_are_what_is_left():
    """Distances (.2, .4) of two layers with λ (5, 1.5): 1.6; margin 2: .4; margin 1: 0 and no gradient."""
    real, fake = (
        torch.zeros(1, 1, dtype=torch.float64),
        torch.full((1, 1), 0.2, dtype=torch.float64, requires_grad=True),
    )
    pair = pair_of(real, fake, lambda x: (x, 2 * x))
    assert float(LayerDistance([5.0, 1.5])(pair, GENERATOR)) == pytest.approx(1.6)
    assert float(LayerDistance([5.0, 1.5], 2.0)(pair, DISCRIMINATOR)) == pytest.approx(0.4)
    lost = LayerDistance([5.0, 1.5], 1.0)(pair, DISCRIMINATOR)
    lost.backward()
    assert float(lost) == 0 and float(fake.grad) == 0


def test_layers_of_the_identity_are_l1():
    real, fake = torch.randn(2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).unbind(0)
    pair = pair_of(real, fake)
    assert float(LayerDistance(None)(pair, GENERATOR)) == pytest.approx(float((real - fake).abs().mean()))


def test_total_variation_of_a_step():
    image = doubles(0, 0, 1, 1).view(1, 1, 1, 4).expand(1, 1, 3, 4)
    assert float(total_variation(image)) == pytest.approx(1 / 3)
    assert float(total_variation(torch.ones(1, 1, 3, 3))) == 0


def test_mean_features_of_discogan():
    real, fake = doubles([1, 0], [3, 2]), doubles([0, 0], [2, 4])
    assert float(mean_difference(real, fake)) == 1.0
    # The first layer has no part in it.
    pair = pair_of(real, fake, lambda x: (x.exp(), 2 * x, x))
    assert float(MeanFeatures()(pair, GENERATOR)) == 5.0


def test_distances_that_are_stretched_are_preserved_once_normalised():
    """Points 0, 1, 3 mapped to 0, 2, 6: normalised they are equal, as they are their distances differ by 2."""
    before, after = (pairwise(doubles(*points)[:, None]) for points in ((0, 1, 3), (0, 2, 6)))

    def normalised(x):
        return (x - x.mean()) / x.std(correction=0)

    assert float((normalised(before) - normalised(after)).abs().mean()) == pytest.approx(0, abs=1e-12)
    assert float((before - after).abs().mean()) == pytest.approx(2.0)


def test_the_share_of_the_cycle_changes_once():
    rate = Rate(0.01, 0.5, 3)
    assert [rate.at(updates) for updates in range(5)] == [0.01, 0.01, 0.01, 0.5, 0.5]
    assert Rate(None, 0.5, 3).at(0) is None


def test_dice_of_two_squares():
    a, b = torch.zeros(2, 8, 8, dtype=torch.float64).unbind(0)
    a[:4, :4], b[:4, 1:5] = 1, 1
    assert float(dice(a, b)) == pytest.approx(0.75)
    parts = PairedSamples(*((255 * x.to(torch.uint8))[None, None] for x in (a, a, b)), {})
    assert Overlap().scores(SimpleNamespace(pairs=lambda: iter([parts]))) == pytest.approx({"iou": 0.6, "dice": 0.75})


def test_content_is_least_at_the_true_map():
    truth = doubles(-0.4, 0.2, 0.6, -0.8).view(1, 1, 2, 2)
    p = (truth + 1) / 2
    entropy = -(p * p.log() + (1 - p) * (1 - p).log()).mean()
    assert float(content(truth, truth, 1)) == pytest.approx(float(entropy))
    assert float(content(truth + 0.1, truth, 1)) > float(entropy)
    p = p.mean()
    assert float(content(truth, truth, 2)) == pytest.approx(float(-(p * p.log() + (1 - p) * (1 - p).log())))


def test_psnr_of_a_known_error():
    a, b = torch.zeros(2, 1, 4, 4, dtype=torch.float64), torch.full((2, 1, 4, 4), 0.2, dtype=torch.float64)
    assert psnr(a, b, 2.0).tolist() == pytest.approx([20, 20])
    assert psnr(a, a, 2.0).tolist() == [100, 100]


def test_a_perfect_answer_scores_best_and_inputs_have_a_score_of_their_own():
    target = torch.randint(0, 256, (6, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

    def scored(generated):
        parts = [PairedSamples(255 - target[of], generated[of], target[of], {}) for of in (slice(4), slice(4, 6))]
        return PSNR().scores(SimpleNamespace(pairs=lambda: iter(parts), shape=DataShape((3, 8, 8))))

    perfect, shuffled = scored(target), scored(target.roll(1, 0))
    assert perfect["psnr"] == 100 and perfect["absolute_error"] == 0
    assert shuffled["psnr"] < 20 and shuffled["absolute_error"] > 0.1
    assert perfect["psnr_input"] == shuffled["psnr_input"] == pytest.approx(scored(255 - target)["psnr"])


def test_the_source_is_the_image_that_is_given():
    x, mask = torch.zeros(1), torch.ones(1)
    assert image_in({"mask": mask, "source": x}) is x and image_in({"a": x}) is x


# -- the pool -------------------------------------------------------------------------------------


def images(*numbers):
    return torch.tensor(numbers, dtype=torch.float32)[:, None, None, None]


def shown(pool, *numbers, keep=True):
    pair = pair_of(images(*numbers), images(*numbers))
    found = pool.look(Meeting({"b": pair}))["b"].fake.flatten().tolist()
    if keep:
        pool()
    return found


def test_a_pool_that_is_not_full_gives_back_what_it_is_given():
    pool = ImagePool(5, {"b": (1, 1, 1)})
    assert shown(pool, 1, 2) == [1, 2] and shown(pool, 3, 4, 5) == [3, 4, 5]
    assert ImagePool(0, {"b": (1, 1, 1)}).look(meeting := Meeting({"b": None})) is meeting


def test_a_full_pool_gives_an_older_image_half_of_the_time_and_keeps_the_new_one_then():
    torch.manual_seed(0)
    pool = ImagePool(4, {"b": (1, 1, 1)})
    shown(pool, 0, 1, 2, 3)
    older = 0
    for number in range(4, 404):
        before = sorted(pool.images_b.flatten().tolist())
        (found,) = shown(pool, number)
        after = sorted(pool.images_b.flatten().tolist())
        if found == number:
            assert after == before
        else:
            older += 1
            assert sorted([*before, number]) == sorted([*after, found])
    assert 160 < older < 240


def test_what_is_only_measured_leaves_the_pool_as_it_was_and_a_resume_goes_on_alike():
    pool, resumed = ImagePool(3, {"b": (1, 1, 1)}), ImagePool(3, {"b": (1, 1, 1)})
    torch.manual_seed(0)
    for number in range(5):
        shown(pool, number, number + 10)
    kept = {name: value.clone() for name, value in pool.state_dict().items()}
    shown(pool, 50, 51, keep=False)
    pool._next = {}
    assert all(torch.equal(value, pool.state_dict()[name]) for name, value in kept.items())
    resumed.load_state_dict(kept)
    found = []
    for one in (pool, resumed):
        torch.manual_seed(1)
        found.append([shown(one, 60, 61), shown(one, 62, 63)])
    assert found[0] == found[1]


def test_what_d_said_of_the_pools_images_is_reported_and_what_averages_follow():
    game = small_game(start=False)
    player, pool, term = game.player("discriminator"), ImagePool(3, {"main": (2,)}), LeCam(0.5, 1)
    player.add_term("lecam", term)
    player.look_aheads.append(pool.look)
    player.after_step.append(pool)
    game.start(torch.device("cpu"))
    expected = {"real": 0.0, "fake": 0.0}
    for step in range(3):
        torch.manual_seed(step)
        measured = player.play(game.meet(Draws(4)(), graph=False).detached())
        for side, before in expected.items():
            assert measured[side].shape == (4,)
            now = measured[side].mean().item()
            expected[side] = now if step == 0 else (before + now) / 2
            assert getattr(term, side).item() == pytest.approx(expected[side], rel=1e-5)
