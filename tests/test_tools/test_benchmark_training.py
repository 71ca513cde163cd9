from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_both_loops_are_timed(load_tool, shrink, tmp_path, capsys):
    cfg = shrink(str(ROOT / 'configs/agw/agw_synthetic.py'))
    cfg.num_ids = cfg.model.head.num_ids
    cfg.dump(tmp_path / 'tiny.py')
    load_tool('analysis_tools/benchmark_training.py').main(
        [str(tmp_path / 'tiny.py'), '--iters', '2', '--turns', '1']
    )
    lines = capsys.readouterr().out.splitlines()
    bare, runner = (
        float(next(line for line in lines if line.startswith(name)).split()[-4])
        for name in ('bare loop', 'Runner')
    )
    overhead = float(next(line for line in lines if line.startswith('overhead')).split()[1])
    assert bare > 0
    assert runner > 0
    assert abs(overhead - 100 * (runner / bare - 1)) < 2  # the seconds are rounded for printing
