import torch

from mmvireid.models.layers import copy_to


def test_it_copies_without_waiting(monkeypatch):
    """To a CUDA device from pinned memory, and not blocking; the fake tensors of
    test_fake_cuda.py refuse anything else."""
    calls = []
    values = torch.ones(2)
    monkeypatch.setattr(torch.Tensor, 'pin_memory', lambda x: calls.append('pinned') or x)
    monkeypatch.setattr(torch.Tensor, 'to', lambda x, *a, **k: calls.append((a, k)) or x)
    assert copy_to(torch.device('cuda'), values) is values
    assert calls == ['pinned', ((torch.device('cuda'),), dict(non_blocking=True))]
    calls.clear()
    copy_to(torch.device('cpu'), values)
    assert calls == [((torch.device('cpu'),), dict(non_blocking=True))]
