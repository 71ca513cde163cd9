import re


def test_quick_run_finds_identical_figures(load_tool, capsys):
    load_tool('benchmarks/benchmark_evaluation.py').main(['--quick', '--repeats', '1'])
    printed = capsys.readouterr().out
    assert 'SYSU-MM01: ' in printed
    assert 'RegDB: 80 queries, 80 candidates' in printed
    differences = re.findall(r'largest difference of a figure +(\S+), (.*)', printed)
    assert [verdict for _, verdict in differences] == ['identical', 'identical']
    assert all(float(value) < 1e-9 for value, _ in differences)
