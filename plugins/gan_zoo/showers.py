"""Energies in cells: formulas of jets and of showers, and what is measured of both."""

from __future__ import annotations

import math

import torch
from torch import Tensor

DEPTHS = (0.0, 2.0, 8.0, 30.0)
"""Where the layers of the calorimeter begin and end, in radiation lengths."""

SCALE = 100.0
"""The greatest energy in GeV; samples are in units of it."""


def layer_shares(energy: Tensor) -> Tensor:
    """Return which share (N, 3) of an energy (N,) in GeV each layer takes.

    The regularised gamma function of shape 2 + ½ ln E and rate ½ between the layers' depths, normalised: the
    longitudinal profile of an electromagnetic shower (Longo & Sestili 1975).
    """
    shape = 2 + 0.5 * energy.log()
    until = torch.stack([torch.special.gammainc(shape, shape.new_full(shape.shape, depth / 2)) for depth in DEPTHS], 1)
    return until.diff(dim=1)


def make_showers(n: int, size: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return showers (N, 3, size, size) and their energies (N,), in units of 100 GeV; energies are U(1, 100) GeV."""
    energy = 1 + 99 * torch.rand(n, generator=random)
    shares = layer_shares(energy.double()).float()
    shares = shares / shares.sum(1, keepdim=True)
    shares = shares * (1 + 0.1 * torch.randn(n, 3, generator=random)).clamp(min=0.2)
    shares = shares / shares.sum(1, keepdim=True)
    at = torch.arange(size) - (size - 1) / 2
    centre = 0.7 * torch.randn(n, 2, generator=random)
    width = 1.5 * torch.tensor([0.8, 1.0, 1.3])[None, :, None]
    down, across = (torch.exp(-0.5 * ((at - centre[:, i, None, None]) / width).square()) for i in (0, 1))
    spread = down[..., :, None] * across[..., None, :]
    spread = spread / spread.sum((2, 3), keepdim=True)
    expected = energy[:, None, None, None] * shares[..., None, None] * spread
    counted = torch.poisson(20 * expected, generator=random) / 20
    counted = torch.where(counted < 0.1, 0.0, counted)
    total = counted.sum((1, 2, 3), keepdim=True).clamp(min=1e-6)
    return counted * (energy[:, None, None, None] / total) / SCALE, energy / SCALE


def make_jets(n: int, size: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return jets (N, 1, size, size) of pixels of 0.1, energies with a sum of about 1, and their classes (N,).

    Class 1 has two axes at a distance R = 2 m / p of 0.6 to 1.0, which share the energy, class 0 one axis; 20 to 60
    constituents have Dirichlet(½) shares and a Gaussian spread of 0.1 around an axis.
    """
    label = torch.arange(n) % 2
    most = 60
    count = torch.randint(20, most + 1, (n, 1), generator=random)
    there = torch.arange(most)[None] < count
    # A Gamma(½) variable is half the square of a normal one.
    share = torch.randn(n, most, generator=random).square() * there
    share = share / share.sum(1, keepdim=True)
    distance = (0.6 + 0.4 * torch.rand(n, generator=random)) * label
    angle = 2 * math.pi * torch.rand(n, generator=random)
    balance = 0.3 + 0.4 * torch.rand(n, 1, generator=random)
    second = torch.rand(n, most, generator=random) < balance
    side = torch.where(second, 1 - balance, -balance) * distance[:, None]
    place = torch.stack([side * angle.cos()[:, None], side * angle.sin()[:, None]], 2)
    place = place + 0.1 * torch.randn(n, most, 2, generator=random)
    pixel = ((place / 0.1) + (size - 1) / 2).round().long().clamp(0, size - 1)
    jets = torch.zeros(n, size * size)
    jets.scatter_add_(1, pixel[..., 0] * size + pixel[..., 1], share * (0.8 + 0.4 * torch.rand(n, 1, generator=random)))
    return jets.view(n, 1, size, size), label


def observables(jets: Tensor) -> dict[str, Tensor]:
    """Return the momentum, mass and share of empty pixels (N,) each of jets (N, 1, H, W) of pixels of 0.1.

    A pixel of energy e at (η, φ) from the middle has the momentum e; the mass is that of all pixels together, taken as
    massless: m² = (Σ e cosh η)² - (Σ e cos φ)² - (Σ e sin φ)² - (Σ e sinh η)².
    """
    energy = jets.double().clamp(min=0)[:, 0]
    eta, phi = ((torch.arange(size, dtype=torch.float64) - (size - 1) / 2) * 0.1 for size in energy.shape[1:])
    eta, phi = eta[:, None], phi[None]

    def summed(weight: Tensor) -> Tensor:
        return (energy * weight).sum((1, 2))

    x, y = summed(phi.cos()), summed(phi.sin())
    squared = summed(eta.cosh()).square() - x.square() - y.square() - summed(eta.sinh()).square()
    empty = (energy <= 1e-6).double().mean((1, 2))
    return {"pt": (x.square() + y.square()).sqrt(), "mass": squared.clamp(min=0).sqrt(), "empty": empty}
