from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_kind_of_cache_is_measured(load_tool, shrink, tmp_path, capsys):
    shrink(str(ROOT / 'configs/agw/agw_synthetic.py')).dump(tmp_path / 'tiny.py')
    capsys.readouterr()  # rendering, where it was not done before
    tool = load_tool('benchmarks/benchmark_dataloader.py')
    assert tool.main([str(tmp_path / 'tiny.py'), '--iters', '2', '--num-workers', '0']) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    labels = [line[:16].strip() for line in lines if line.strip()]
    assert labels == ['none', 'ram, empty', 'ram, full', 'disk, empty', 'disk, full']
    speeds = [float(line[16:].split()[0].replace(',', '')) for line in lines if line.strip()]
    assert min(speeds) > 0
