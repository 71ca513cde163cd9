"""Workers: one thread each, other random numbers in every epoch."""

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from mmvireid.datasets import reid_worker_init


class Settings(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return cv2.getNumThreads(), torch.get_num_threads(), np.random.rand()  # noqa: NPY002


def test_threads_and_draws():
    threads = cv2.getNumThreads()
    cv2.setNumThreads(2)  # what a forked worker inherits
    loader = DataLoader(Settings(), batch_size=None, num_workers=2, worker_init_fn=reid_worker_init)
    epochs = [list(loader), list(loader)]
    cv2.setNumThreads(threads)
    assert {tuple(item[:2]) for items in epochs for item in items} == {(1, 1)}
    draws = [item[2] for items in epochs for item in items]
    assert len(set(draws)) == 4
