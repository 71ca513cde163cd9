"""Inputs and weights of the golden values."""

import math

import pytest
import torch


@pytest.fixture
def grid():
    """``grid(2, 8, 4, 3)``: cosines of 0.37 times the flat index, float64."""

    def build(*shape: int) -> torch.Tensor:
        return torch.cos(0.37 * torch.arange(math.prod(shape), dtype=torch.float64)).view(shape)

    return build


@pytest.fixture
def fill():
    """Every parameter becomes 0.1 sin(1), 0.1 sin(2), ...; in float64 and evaluation mode."""

    def build(module: torch.nn.Module) -> torch.nn.Module:
        for parameter in module.double().eval().parameters():
            steps = torch.arange(1, parameter.numel() + 1, dtype=torch.float64)
            parameter.data = (0.1 * steps.sin()).view(parameter.shape)
        return module

    return build
