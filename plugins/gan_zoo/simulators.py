"""A point mass that is steered, and how well it can be."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

STEP = 0.1
"""Seconds from one state to the next."""

GOAL = 1.0
"""Where the second goal is; the first one is at its negative."""

CONTROL_COST = 0.1


def moved(state: Tensor, action: Tensor) -> Tensor:
    """Return the states (N, 2), place and velocity, after pushes (N, 1): a double integrator, by Euler's step."""
    place, velocity = state.unbind(1)
    push = action[:, 0]
    return torch.stack([place + STEP * velocity, velocity + STEP * push], 1)


def cost(state: Tensor, action: Tensor, goal: Tensor | float = 0.0) -> Tensor:
    """Return the costs (N,): squared distance from rest at a goal, and .1 of the action's square."""
    place, velocity = state.unbind(1)
    return (place - goal).square() + velocity.square() + CONTROL_COST * action[:, 0].square()


def dynamics() -> tuple[Tensor, Tensor]:
    """Return A (2, 2) and B (2, 1) of s' = A s + B a, float64."""
    a = torch.tensor([[1.0, STEP], [0.0, 1.0]], dtype=torch.float64)
    b = torch.tensor([[0.0], [STEP]], dtype=torch.float64)
    return a, b


@cache
def best_gain() -> tuple[Tensor, Tensor]:
    """Return the gain K (2,) of the best steering a = -K s, and P (2, 2), whose s'Ps is the cost from then on.

    The discrete Riccati equation with Q = I and R = .1, by iteration.
    """
    a, b = dynamics()
    p = torch.eye(2, dtype=torch.float64)
    for _ in range(500):
        gain = torch.linalg.solve(CONTROL_COST + b.T @ p @ b, b.T @ p @ a)
        p = torch.eye(2, dtype=torch.float64) + a.T @ p @ (a - b @ gain)
    return gain[0], p


def steered(state: Tensor, goal: Tensor | float = 0.0) -> Tensor:
    """Return the expert's actions (N, 1) towards rest at a goal."""
    gain = best_gain()[0].to(state.dtype)
    off = torch.stack([state[:, 0] - goal, state[:, 1]], 1)
    return -(off @ gain)[:, None]


def starts(n: int, random: torch.Generator | None, device: torch.device | str = "cpu") -> Tensor:
    """Return n first states, places U(-1, 1) and velocities U(-½, ½)."""
    drawn = torch.rand(n, 2, generator=random).to(device)
    return (2 * drawn - 1) * torch.tensor([1.0, 0.5], device=device)


def trajectory_costs(trajectories: Tensor, experts: int) -> Tensor:
    """Return the summed costs (N,) of trajectories (N, 3, T) of place, velocity and action.

    With two experts the goal is on the side of the start.
    """
    place, velocity, action = trajectories.double().unbind(1)
    goal = goals(place[:, 0], experts)[:, None]
    return ((place - goal).square() + velocity.square() + CONTROL_COST * action.square()).sum(1)


def goals(place: Tensor, experts: int) -> Tensor:
    """Return where the experts of starts (N,) want to be: 0, or with two experts 1 on the side of the start."""
    return torch.zeros_like(place) if experts == 1 else torch.where(place > 0, GOAL, -GOAL).to(place.dtype)
