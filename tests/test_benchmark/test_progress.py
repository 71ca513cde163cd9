import pytest

from mmvireid.benchmark.progress import Progress


def test_what_is_left_is_estimated_by_kind():
    progress = Progress(['fast', 'fast', 'slow', 'new'], jobs=2)
    assert progress.remaining() is None
    progress.note('slow', 100)
    progress.done('fast', 20, 'fast is done')
    # one fast (20), one slow (100), one unknown (their mean, 60), two at a time
    assert progress.remaining() == pytest.approx((20 + 100 + 60) / 2)


def test_lines_say_how_far_it_is(capsys):
    progress = Progress(['a', 'b'], jobs=1, every=0)
    progress.look()
    progress.done('a', 120, 'a: R1 40')
    progress.done('b', 60, 'b: R1 50')
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('[0/2] after 0.0 min')
    assert lines[1] == '[1/2] a: R1 40 (120 s); about 2.0 min left'
    assert lines[2] == '[2/2] b: R1 50 (60 s)'


def test_it_is_quiet_in_between(capsys):
    Progress(['a'], jobs=1, every=60).look()
    assert capsys.readouterr().out == ''
