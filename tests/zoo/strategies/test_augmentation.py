"""What discriminators see: augmented images and noise."""

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo import augmenting
from gan_zoo.strategies.augmentation import Augment
from gan_zoo.strategies.instance_noise import Noise
from tests.helpers.independent import image_game, images


def strategy(name, **settings):
    return registry.build("strategies", {"name": name, **settings})


@pytest.fixture
def pictures():
    torch.manual_seed(0)
    return torch.rand(200, 3, 16, 8) * 2 - 1


def test_augmentations_without_strength_change_nothing(pictures):
    torch.testing.assert_close(augmenting.color(pictures, 0.0), pictures)
    assert torch.equal(augmenting.translation(pictures, 0.0), pictures)
    assert torch.equal(augmenting.cutout(pictures, 0.0), pictures)


def test_color_moves_means_and_spreads_within_their_bounds(pictures):
    changed = augmenting.color(pictures)
    shift = changed.mean(dim=(1, 2, 3)) - pictures.mean(dim=(1, 2, 3))
    assert -0.5 <= shift.min() < -0.45 and 0.45 < shift.max() <= 0.5
    grey = pictures.mean(dim=1, keepdim=True)
    contrast = augmenting.color(grey).std(dim=(1, 2, 3)) / grey.std(dim=(1, 2, 3))
    assert 0.5 <= contrast.min() < 0.55 and 1.45 < contrast.max() <= 1.5  # saturation does nothing to grey images


def test_translation_shifts_and_fills_with_zeros():
    places = (torch.arange(16.0)[:, None] * 8 + torch.arange(8.0) + 1).expand(300, 1, 16, 8)
    torch.manual_seed(0)
    moved = augmenting.translation(places)
    found = set()
    for image in moved[:, 0]:
        # The number that now stands in the middle tells the shift.
        row, column = divmod(int(image[8, 4]) - 1, 8)
        down, right = row - 8, column - 4
        expected = torch.zeros(16, 8)
        rows, columns = (slice(max(0, -by), side - max(0, by)) for by, side in ((down, 16), (right, 8)))
        source = places[0, 0][max(0, down) : 16 + min(0, down), max(0, right) : 8 + min(0, right)]
        expected[rows, columns] = source
        assert torch.equal(image, expected)
        found.add((down, right))
    assert found == {(down, right) for down in range(-2, 3) for right in range(-1, 2)}


def test_cutout_hides_a_rectangle_of_half_of_either_side():
    torch.manual_seed(0)
    cut = augmenting.cutout(torch.ones(2000, 2, 16, 8))
    hidden = (cut == 0).flatten(2).sum(2)
    assert torch.equal(hidden[:, 0], hidden[:, 1])
    assert hidden.max() == 8 * 4 and hidden.min() == 4 * 2  # whole, and a quarter of it at a corner
    # Every pixel is hidden sometimes.
    assert (cut[:, 0] == 0).any(0).all()


def test_quarter_turns():
    square = torch.arange(4.0).view(1, 1, 2, 2).expand(60, 1, 2, 2)
    torch.manual_seed(0)
    turned = {tuple(image.flatten().tolist()) for image in augmenting.quarter_turn(square)}
    assert turned == {(1.0, 3.0, 0.0, 2.0), (3.0, 2.0, 1.0, 0.0), (2.0, 0.0, 3.0, 1.0)}


@pytest.mark.parametrize("name", ["color", "translation", "mirror"])
def test_a_gradient_reaches_the_images(pictures, name):
    x = pictures.clone().requires_grad_()
    augmenting.AUGMENTATIONS[name](x).square().sum().backward()
    assert (x.grad.flatten(1).abs().sum(1) > 0).all()


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_each_image_is_augmented_with_the_probability(p):
    torch.manual_seed(0)
    x = torch.arange(2.0).expand(4000, 1, 1, 2)
    share = (Augment(["mirror"], p)(x) != x).any(dim=(1, 2, 3)).float().mean().item()
    assert share == pytest.approx(p, abs=0.03)


def started(*strategies):
    game = image_game(start=False)
    for one in strategies:
        one.apply(game)
    game.start(torch.device("cpu"))
    return game


def test_both_players_see_augmented_images_and_scoring_does_not():
    game = started(strategy("diff_augment", policy=["color"]))
    judge, x = game.judge("discriminator"), images().samples
    game.train()
    assert not torch.equal(judge(x).logits, judge(x).logits)
    game.eval()
    assert torch.equal(judge(x).logits, judge(x).logits)
    game.train()
    game.player("generator").play(game.meet(images()))
    assert all(gradient is not None and gradient.any() for gradient in game.player("generator").gradients[:1])


def test_penalties_see_augmented_images_by_the_gradient_at_the_images_before():
    unseen = []
    for strategies in ((), (strategy("diff_augment", policy=["cutout"]),)):
        pair = started(*strategies).meet(images()).detached()["main"]
        unseen.append((pair.input_gradient("real") == 0).float().mean().item())
    assert unseen[0] == 0 < unseen[1] < 1


def test_the_probability_of_ada_follows_the_signs_of_the_scores():
    ada = strategy("ada", policy=["mirror"], target=0.6, every=2, images=100.0)
    game = started(ada)
    bias = game.discriminator.output.bias
    (transform,) = game.transforms
    player = game.player("discriminator")

    def play(score, times):
        for _ in range(times):
            game.discriminator.output.weight.data.zero_()
            bias.data.fill_(score)
            player.play(game.meet(images(5)))

    play(3.0, 1)
    assert transform.p.item() == 0
    play(3.0, 1)  # two updates on five images that all were taken for real
    assert transform.p.item() == pytest.approx(10 / 100)
    play(3.0, 4)
    assert transform.p.item() == pytest.approx(30 / 100)
    play(-3.0, 1)
    play(3.0, 1)  # half of the signs: less than 0.6 on average
    assert transform.p.item() == pytest.approx(20 / 100)
    play(-3.0, 40)
    assert transform.p.item() == 0


def test_all_parts_of_a_batch_count_where_it_goes_through_in_parts():
    game = started(strategy("ada", policy=["mirror"], target=0.6, every=2, images=100.0))
    game.accumulate = 2
    (transform,) = game.transforms
    for _ in range(2):
        game.discriminator.output.weight.data.zero_()
        game.discriminator.output.bias.data.fill_(3.0)
        game.player("discriminator").play(game.meet(images(6)))
    assert transform.p.item() == pytest.approx(12 / 100)


def test_the_noise_fades_along_a_line():
    game = started(strategy("instance_noise", std=0.5, steps=4))
    (noise,) = game.transforms
    deviations = []
    for _ in range(6):
        deviations.append(noise.deviation.item())
        game.step(lambda: images())
    assert deviations == pytest.approx([0.5, 0.375, 0.25, 0.125, 0, 0])
    torch.manual_seed(0)
    drawn = Noise(0.5, 4)(torch.zeros(20_000, 1))
    assert drawn.std().item() == pytest.approx(0.5, rel=0.02)


def test_what_cannot_be_augmented_is_refused():
    with pytest.raises(ConfigError, match="policy=.*colour.*choose from color, translation"):
        strategy("diff_augment", policy=["colour"])
    with pytest.raises(ConfigError, match=r"policy=\[\]"):
        strategy("ada", policy=[])
    game = image_game(start=False)
    strategy("diff_augment").apply(game)
    with pytest.raises(ConfigError, match="diff_augment.*ada|ada.*diff_augment"):
        strategy("ada").apply(game)
    oblong = image_game(start=False)
    oblong.data = oblong.data._replace(sample=(1, 2, 3))
    with pytest.raises(ConfigError, match="quarter_turn needs square images, and they are 2 x 3"):
        strategy("diff_augment", policy=["quarter_turn"]).apply(oblong)
    vectors = image_game(start=False)
    vectors.data = vectors.data._replace(sample=(7,))
    with pytest.raises(ConfigError, match="diff_augment augments images"):
        strategy("diff_augment").apply(vectors)


ADAPTED = {"target": 0.6, "every": 4, "images": 100.0}


@pytest.mark.parametrize(
    ("name", "policy", "settings"),
    [("diff_augment", ["color", "translation"], {}), ("ada", ["mirror"], ADAPTED), ("ada", ["geometry"], ADAPTED)],
)
def test_samples_are_not_moved_away_from_the_images_beside_which_they_are_judged(monkeypatch, name, policy, settings):
    game = image_game(start=False)
    alone = game.pair

    def beside(batch, latent):
        pair = alone(batch, latent)
        judge, still = pair.judge, (torch.zeros_like(pair.real),)
        pair.judge = lambda x, labels=None, *given: judge(x, labels)
        pair.real_given = pair.fake_given = still
        return pair

    monkeypatch.setattr(game, "pair", beside)
    with pytest.raises(ConfigError, match=rf"{name}: {policy[-1]} moves samples, and not the images.*Game has them"):
        strategy(name, policy=policy, **settings).apply(game)
    game = image_game(start=False)
    monkeypatch.setattr(game, "pair", beside)
    strategy("diff_augment", policy=["color", "cutout"]).apply(game)
    assert len(game.transforms) == 1


def test_noise_and_augmentation_stack():
    game = started(strategy("instance_noise"), strategy("diff_augment", policy=["translation"]))
    assert len(game.transforms) == 2
    game.step(lambda: images())


def test_lecam():
    term = registry.build("terms", {"name": "lecam", "decay": 0.5, "start": 2})
    game = image_game(start=False)
    game.player("discriminator").add_term("lecam", term)
    game.start(torch.device("cpu"))
    player = game.player("discriminator")
    means = []
    for seed in range(4):
        meeting = game.meet(images(seed=seed))
        value = player.evaluate(meeting)["lecam"].item()
        real, fake = (said.logits.detach() for said in meeting["main"].outputs)
        if len(means) < 2:
            assert value == 0
        else:
            ahead = torch.relu(real - term.fake).square().mean() + torch.relu(term.real - fake).square().mean()
            assert value == pytest.approx(ahead.item())
        player.play(meeting)
        means.append((real.mean().item(), fake.mean().item()))
        if len(means) <= 2:
            expected = means[-1]
        else:
            expected = tuple((old + new) / 2 for old, new in zip(expected, means[-1], strict=True))
        assert (term.real.item(), term.fake.item()) == pytest.approx(expected)


def test_lecam_on_an_example():
    term = registry.build("terms", {"name": "lecam", "start": 1})
    term.real.fill_(0.8)
    term.fake.fill_(-0.4)

    class Said:
        def __init__(self, *scores):
            self.scores = torch.tensor(scores)

    class Pair:
        outputs = (Said(1.0, -0.5), Said(0.2, -1.5))

    class Player:
        updates = 1

    assert term(Pair, Player).item() == pytest.approx(3.805)
    Player.updates = 0
    assert term(Pair, Player).item() == 0
