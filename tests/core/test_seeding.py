import torch

from gan_framework.core import seeding


def test_seeds_follow_from_all_parts():
    assert seeding.derive(0, "step", 1) == seeding.derive(0, "step", 1)
    different = {
        seeding.derive(0), seeding.derive(1), seeding.derive(0, "step", 1), seeding.derive(0, "step", 2),
        seeding.derive(0, "flip", 1), seeding.derive(0, 1, 1), seeding.derive(0, 11),
    }  # fmt: skip
    assert len(different) == 7
    assert all(0 <= seed < 2**63 for seed in different)


def test_a_step_draws_the_same_whatever_was_drawn_before():
    seeding.reseed(3, "step", 5)
    expected = torch.randn(4)
    torch.randn(1000)
    seeding.reseed(3, "step", 5)
    assert torch.equal(torch.randn(4), expected)


def test_a_generator_of_its_own_leaves_the_global_one_alone():
    before = torch.get_rng_state()
    torch.randn(3, generator=seeding.generator(0, "samples"))
    assert torch.equal(before, torch.get_rng_state())
