"""Solids as voxels, silhouettes and points: networks, projections and distances."""

import math

import pytest
import torch

from gan_framework.api import MAIN, DiscriminatorOutput
from gan_framework.build import build_game
from gan_framework.data import Sources
from gan_zoo.chamfer import between_sets, chamfer, coverage_and_mmd
from gan_zoo.discriminators.dcgan_nd import DCGANndDiscriminator
from gan_zoo.discriminators.mlp import MLPDiscriminator
from gan_zoo.generators.dcgan_nd import DCGANndGenerator
from gan_zoo.generators.mlp import MLPGenerator
from gan_zoo.metrics.paired_overlap import overlap
from gan_zoo.schedules.accuracy_gate import AccuracyGate
from gan_zoo.solids import first_hits, make_solids, project, ray_maximum, surface_points, turned, voxels
from gan_zoo.systems.latent_gan import PointsDiscriminator, PointsEncoder, PointsGenerator
from gan_zoo.systems.prgan import SilhouetteGenerator
from gan_zoo.systems.recgan_3d import VoxelCritic, VoxelUNet, weighted_bce
from tests.testing.beyond import SOLIDS
from tests.zoo.encoders.common import count, on_meta


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        ((DCGANndGenerator, 200, [1, 64, 64, 64], 64, 4, 2, 4, "batch", "sigmoid", False), 17_570_625),
        ((PointsGenerator, 128, [2048, 3], [256, 256]), 1_677_824),
        ((MLPGenerator, 128, None, 128, [128], "relu", "linear", 0.1, 0.0), 33_024),
        ((MLPDiscriminator, None, 128, [256, 512], "leaky_relu", 0.1, 0.0, "symmetric"), 165_121),
    ],
)
def test_networks_are_as_large_as_the_papers(network, parameters):
    assert count(on_meta(*network)) == parameters


@pytest.mark.parametrize("shape", [[2, 37], [1, 20, 36], [3, 9, 16, 11]])
@pytest.mark.parametrize("kernel", [4, 5])
def test_convolutions_of_any_dimension_make_and_judge_samples_of_odd_sizes(shape, kernel):
    made = DCGANndGenerator(3, shape, 4, kernel, 2, 4, "batch", "tanh", False)(torch.randn(2, 3))
    assert made.shape == (2, *shape) and made.abs().max() <= 1
    assert DCGANndDiscriminator(shape, 4, kernel, 2, 4, "layer", False)(made).logits.shape == (2,)


def test_a_critic_of_solids_is_a_mean_to_the_losses_and_a_sum_to_the_penalty(compose):
    config = compose(*SOLIDS, "train.device=cpu", "metrics=[]")
    sources = Sources(config["data"], config["sources"])
    game, batch = build_game(config, sources.shape, torch.device("cpu")), sources.batches(3, 0, "cpu")()
    critic, pair = game.discriminator, game.meet(batch)[MAIN]
    assert isinstance(critic, VoxelCritic) and critic.values == pair.real_output.features[-1][0].numel()
    entries = [output.features[-1].flatten(1) for output in (pair.real_output, pair.fake_output)]
    assert all(((0 < of) & (of < 1)).all() for of in entries)
    real, fake = (of.mean() for of in entries)
    said = game.player("discriminator").adversarial({MAIN: pair})
    assert sum(said.values()).item() == pytest.approx((fake - real).item(), abs=1e-6)
    said = game.player("generator").adversarial({MAIN: pair})
    assert sum(said.values()).item() == pytest.approx(-5 * fake.item(), abs=1e-5)
    torch.testing.assert_close(pair.real_output.logits, entries[0].sum(1))


def test_the_chamfer_distance_of_two_points():
    a = torch.tensor([[[0, 0, 0], [1, 0, 0]]], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([[[0, 0, 0], [0, 2, 0]]], dtype=torch.float64)
    assert chamfer(a, b).item() == pytest.approx(2.5)
    assert torch.autograd.gradcheck(lambda x: chamfer(x, b + 0.1), a)
    assert chamfer(b, b).item() == 0


def test_coverage_and_mmd_are_best_for_the_same_clouds():
    clouds = torch.randn(5, 20, 3)
    assert coverage_and_mmd(clouds, clouds) == (1.0, pytest.approx(0, abs=1e-5))
    coverage, distance = coverage_and_mmd(clouds[:1].expand(5, -1, -1), clouds)
    assert coverage == 0.2 and distance > 0.1
    assert between_sets(clouds, clouds[:3]).shape == (5, 3)


def test_the_order_of_points_does_not_matter():
    clouds, order = torch.randn(3, 16, 3, dtype=torch.float64), torch.randperm(16)
    for network in (PointsDiscriminator([8, 16], [8]), PointsEncoder([8, 16])):
        network = network.double().eval()
        said = [network(x) for x in (clouds, clouds[:, order])]
        said = [one.logits if isinstance(one, DiscriminatorOutput) else one for one in said]
        torch.testing.assert_close(*said)


def test_solids_are_of_their_formulas():
    random = torch.Generator().manual_seed(0)
    solids = make_solids(50, random)
    grid = voxels(solids, 32)
    share = grid.double().mean((1, 2, 3))
    radius = solids.half[1, 0, 0].double()
    assert share[1] == pytest.approx(float(4 / 3 * math.pi * radius**3 / 8), rel=0.03)
    assert share[0] == pytest.approx(float(solids.half[0, 0].prod()), rel=0.15)
    assert (share[3::5] < 0.25).all()  # tables are hollow below
    seen = first_hits(grid)
    assert (seen.sum(1) <= 1).all() and torch.equal(seen.any(1), grid.any(1)) and not (seen & ~grid).any()
    points = surface_points(solids, 200, random)
    assert points.mean(1).abs().max() < 1e-5
    away = (points[1] + 0).norm(dim=1)
    assert float((away - radius).abs().mean()) < 0.12  # the centre is that of the drawn points


def test_silhouettes_of_columns():
    grid = torch.zeros(1, 8, 8, 8, dtype=torch.float64)
    grid[0, 0, :1, 0], grid[0, 1, :2, 1], grid[0, 2, :, 2] = 1, 1, 1
    seen = project(grid)[0, 0]
    found = torch.stack([seen[0, 0], seen[1, 1], seen[2, 2]])
    torch.testing.assert_close(
        found, torch.tensor([0.6321206, 0.8646647, 0.9996645], dtype=torch.float64), atol=1e-7, rtol=0
    )
    assert ray_maximum(grid)[0, 0].sum() == 3


def test_turning_by_nothing_and_four_times_by_a_quarter_changes_nothing():
    grid = torch.rand(2, 4, 6, 6, dtype=torch.float64)
    torch.testing.assert_close(turned(grid, torch.zeros(2)), grid)
    quarter = torch.full((2,), math.pi / 2, dtype=torch.float64)
    once = turned(grid, quarter)
    assert not torch.allclose(once, grid)
    for _ in range(3):
        once = turned(once, quarter)
    torch.testing.assert_close(once, grid, atol=1e-7, rtol=0)


def test_the_last_entry_of_z_is_the_view_and_changes_no_solid():
    generator = SilhouetteGenerator(5, 16, 4, 8).eval()
    z = torch.rand(2, 5) * 2 - 1
    turned_z = z.clone()
    turned_z[:, -1] = -z[:, -1]
    torch.testing.assert_close(generator.solids(z), generator.solids(turned_z))
    made = generator(z)
    assert made.shape == (2, 1, 16, 16) and made.abs().max() <= 1
    found = generator.angles(torch.tensor([[0.0, -1.0], [0.0, 0.0], [0.0, 1.0]]))
    torch.testing.assert_close(found, torch.tensor([0.0, math.pi, 7 * math.pi / 4]))


def test_weighted_cross_entropy():
    full, said = torch.tensor([1.0, 0.0], dtype=torch.float64), torch.tensor([0.8, 0.3], dtype=torch.float64)
    assert weighted_bce(full, said).item() == pytest.approx(0.1215866, abs=1e-7)


def test_overlap_of_shifted_cubes():
    a, b = torch.zeros(2, 12, 12, 12, dtype=torch.bool)
    a[:8, :8, :8], b[2:10, :8, :8] = True, True
    both, one, other = (int(count) for count in overlap(a, b))
    assert both / (one + other - both) == pytest.approx(0.6)


def test_a_u_net_of_volumes_keeps_their_size():
    made = VoxelUNet([1, 16, 16, 16], 4)(torch.zeros(2, 0), None, {"source": torch.randn(2, 1, 16, 16, 16)})
    assert made.shape == (2, 1, 16, 16, 16) and made.abs().max() <= 1


@pytest.mark.parametrize(("threshold", "updates"), [(0.01, 1), (1.0, 3)])
def test_a_discriminator_waits_while_it_is_right(threshold, updates, compose, tmp_path):
    from tests.helpers.runs import make_run

    small = ["data.samples=20", "networks.generator.width=2", "networks.discriminator.width=2", "train.batch_size=4"]
    run = make_run(compose("experiment=gan_3d", "debug=smoke", *small, f"schedule.threshold={threshold}"), tmp_path)
    assert isinstance(run.game.schedule, AccuracyGate)
    for _ in range(3):
        measured = run.game.step(run.batches)
        assert 0 <= float(measured["accuracy"]) <= 1
    assert run.updates == {"discriminator": updates, "generator": 3}


def test_codes_of_real_clouds_are_what_a_latent_gan_judges(compose, tmp_path):
    from tests.helpers.runs import make_run

    run = make_run(compose("experiment=latent_gan", "debug=smoke", "data.samples=20", "data.points=32"), tmp_path)
    pair = run.game.meet(run.batches())["main"]
    assert pair.real.shape[1:] == (128,) and not pair.real.requires_grad and pair.fake.requires_grad
    assert run.game.sample(run.game.latent(3)).shape == (3, 32, 3)
