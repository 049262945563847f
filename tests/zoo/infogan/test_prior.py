import pytest
import torch

from gan_framework.core.contracts.networks import Discriminator, Generator
from gan_framework.core.game import Components, Game
from gan_framework.core.records import DataShape, Latent
from gan_framework.errors import ConfigError
from gan_framework.evaluation import latents
from gan_zoo.priors.codes import Codes
from gan_zoo.priors.normal import Normal
from gan_zoo.schedules.alternating import Alternating

CPU = torch.device("cpu")
SETTINGS = {"categorical": [3, 2], "continuous": 2}


@pytest.fixture
def prior():
    return Codes(dim=12, codes=SETTINGS)


def test_z_is_noise_followed_by_the_codes(prior):
    latent = prior.draw(500, CPU)
    assert latent.z.shape == (500, 12)
    assert {name: tuple(code.shape) for name, code in latent.code.items()} == {
        "categorical_0": (500, 3),
        "categorical_1": (500, 2),
        "continuous_0": (500, 1),
        "continuous_1": (500, 1),
    }
    torch.testing.assert_close(latent.z[:, 5:], torch.cat(list(latent.code.values()), dim=1))
    for name in ("categorical_0", "categorical_1"):
        assert latent.code[name].sum(1).eq(1).all()
        assert latent.code[name].sort(dim=1).values[:, :-1].eq(0).all()


def test_noise_and_continuous_codes_are_uniform_on_minus_one_to_one(prior):
    z = prior.draw(20_000, CPU, torch.Generator().manual_seed(0)).z
    uniform = torch.cat([z[:, :5], z[:, 10:]], dim=1)
    assert uniform.min() >= -1 and uniform.max() <= 1
    assert uniform.mean(0).abs().max() < 0.03
    torch.testing.assert_close(uniform.var(0), torch.full((7,), 1 / 3), atol=0.02, rtol=0)


def test_categories_are_equally_likely(prior):
    code = prior.draw(30_000, CPU, torch.Generator().manual_seed(0)).code["categorical_0"]
    torch.testing.assert_close(code.mean(0), torch.full((3,), 1 / 3), atol=0.02, rtol=0)


def test_the_same_generator_draws_the_same(prior):
    first, second = (prior.draw(4, CPU, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first.z, second.z)


def test_codes_must_fit_into_z():
    assert Codes(dim=7, codes=SETTINGS).draw(2, CPU).z.shape == (2, 7)
    with pytest.raises(ValueError, match="dim=6: the codes alone take 7 entries"):
        Codes(dim=6, codes=SETTINGS)


def test_a_category_goes_through_its_values(prior):
    latent = prior.draw(4, CPU)._replace(labels=torch.arange(4))
    rows = prior.vary(latent, "categorical_0")
    assert [row.z[0, 5:8].tolist() for row in rows] == torch.eye(3).tolist()
    for row in rows:
        assert torch.equal(row.z[:, :5], latent.z[:, :5])
        assert torch.equal(row.z[:, 8:], latent.z[:, 8:])
        assert torch.equal(row.z[:, 5:8], row.code["categorical_0"])
        assert torch.equal(row.labels, latent.labels)


def test_a_continuous_code_goes_from_minus_two_to_two(prior):
    latent = prior.draw(4, CPU)
    rows = prior.vary(latent, "continuous_1")
    assert [round(row.z[0, 11].item(), 4) for row in rows] == [round(-2 + 4 * i / 9, 4) for i in range(10)]
    assert all(torch.equal(row.z[:, :11], latent.z[:, :11]) for row in rows)


def test_an_unknown_code_is_named_with_those_there_are(prior):
    with pytest.raises(ConfigError, match="no code 'style'; the codes are categorical_0, categorical_1, continuous_0"):
        prior.vary(prior.draw(1, CPU), "style")


class Identity(Generator):
    def forward(self, z, labels=None):
        return z


class First(Discriminator):
    def __init__(self):
        super().__init__()
        self.output = torch.nn.Linear(12, 1)

    def features(self, x, labels=None):
        return (x,)


def make_game(prior):
    networks = {"generator": Identity(), "discriminator": First()}
    return Game(Components(DataShape((12,)), networks, Alternating(1, 1, True), prior))


def test_a_traversal_has_a_row_for_each_value_and_a_column_for_each_noise(prior):
    made = latents.traverse(make_game(prior), "categorical_1", n=4, seed=3).unflatten(0, (2, 4))
    assert torch.equal(made[0, :, :8], made[1, :, :8])
    assert made[:, :, 8:10].tolist() == [[[1, 0]] * 4, [[0, 1]] * 4]
    assert len({tuple(row.tolist()) for row in made[0]}) == 4
    again = latents.traverse(make_game(prior), "categorical_1", n=4, seed=3)
    assert torch.equal(again, made.flatten(0, 1))


def test_there_is_nothing_to_traverse_without_codes():
    with pytest.raises(ConfigError, match="no code 'categorical_0': the latents of Normal have no structured codes"):
        latents.traverse(make_game(Normal(12)), "categorical_0", n=2, seed=0)
    with pytest.raises(ConfigError, match="this game has no latents"):
        latents.traverse(make_game(None), "categorical_0", n=2, seed=0)


def test_the_game_hands_codes_to_the_generator(prior):
    game = make_game(prior)
    latent = game.latent(3)
    assert isinstance(latent, Latent)
    assert torch.equal(game.sample(latent)[:, 5:8], latent.code["categorical_0"])
