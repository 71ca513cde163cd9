import re
import sys

import numpy as np
import pytest


@pytest.fixture
def tool(load_tool):
    return load_tool('benchmarks/benchmark_search.py')


def test_a_small_run_finds_the_same_neighbours_everywhere(tool, capsys):
    options = '--queries 20 --gallery 500 --size 32 --repeats 1 --milvus-rows 200'
    tool.main(options.split())
    printed = capsys.readouterr().out
    assert '20 queries, 500 x 32 features, 10 neighbours' in printed
    assert re.search(r'search_exact.* x the product, \d+ MiB', printed)
    lines = [line for line in printed.splitlines() if line.startswith(('FAISS', 'Milvus'))]
    assert len(lines) == 2
    assert all('skipped' in line or 'recall@10 1.00000' in line for line in lines)


def test_recall_is_the_share_that_was_found(tool):
    exact = np.array([[1, 2], [3, 4]])
    assert tool.recall(np.array([[2, 1], [5, 3]]), exact) == 0.75


def test_without_the_packages_it_says_so(tool, monkeypatch, capsys):
    for name in ('faiss', 'pymilvus'):
        monkeypatch.setitem(sys.modules, name, None)
    tool.main(['--queries', '2', '--gallery', '50', '--size', '8', '--repeats', '1'])
    printed = capsys.readouterr().out
    assert 'pip install faiss-cpu' in printed and "extra 'search'" in printed
