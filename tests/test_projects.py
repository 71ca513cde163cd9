"""The example project works as its README says, from a config and without touching the package."""

import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmvireid.registry import MODELS

ROOT = Path(__file__).parents[1]


def test_a_plugin_reaches_the_registries(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    cfg = Config.fromfile(ROOT / 'projects/example_project/configs/agw-cosine_synthetic.py')
    assert 'projects.example_project.example_project' in sys.modules
    model = MODELS.build(cfg.model)
    assert type(model.triplet_loss).__name__ == 'CosineTripletLoss'

    # four unit vectors at known angles: identity 0 at 0 and 60 degrees, identity 1 at 90 and 180
    angles = torch.deg2rad(torch.tensor([0.0, 60.0, 90.0, 180.0]))
    embeddings = 5 * torch.stack([angles.cos(), angles.sin()], dim=1)
    loss = model.triplet_loss(embeddings, torch.tensor([0, 0, 1, 1]))
    cos = lambda degrees: torch.deg2rad(torch.tensor(float(degrees))).cos().item()  # noqa: E731
    hinges = [
        0.3 + (1 - cos(60)) - (1 - cos(90)),  # anchor at 0
        0.3 + (1 - cos(60)) - (1 - cos(30)),  # at 60
        0.3 + (1 - cos(90)) - (1 - cos(30)),  # at 90
        0.3 + (1 - cos(90)) - (1 - cos(120)),  # at 180
    ]
    assert loss.item() == pytest.approx(sum(max(0, h) for h in hinges) / 4, abs=1e-5)
