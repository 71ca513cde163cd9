import os
import signal
import sys
import threading
import time

import pytest

from mmvireid.benchmark import pool as module
from mmvireid.benchmark.pool import Job, Pool


@pytest.fixture
def pool(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'LOOK', 0.01)
    monkeypatch.delenv('PYTHONUNBUFFERED', raising=False)
    return Pool(2, tmp_path, dict(GREETING='hello'))


def python(name, code):
    return Job(name, [sys.executable, '-S', '-c', code])


def test_a_process_that_fails_keeps_its_reason_and_stops_no_other(pool, tmp_path):
    ended = []
    jobs = [
        python('bad', 'import sys; print("some output"); sys.exit("it does not fit")'),
        python('good', 'import os; print(os.environ["GREETING"])'),
        python('killed', 'import os; os.kill(os.getpid(), 9)'),
        python('silent', 'import sys; sys.exit(3)'),
    ]
    pool.run(jobs, ended.append)
    reasons = {end.job.name: end.reason for end in ended}
    assert reasons == dict(
        bad='it does not fit',
        good=None,
        killed='ended by SIGKILL (out of memory?)',
        silent='exit status 3',
    )
    assert (tmp_path / 'good.log').read_text() == 'hello\n'


def test_as_many_run_side_by_side_as_asked_for(pool):
    most = []
    jobs = [python(str(i), 'import time; time.sleep(0.2)') for i in range(4)]
    pool.run(jobs, lambda end: None, lambda: most.append(len(pool.running)))
    assert max(most) == 2


def test_sigterm_ends_all_and_starts_no_other(pool, tmp_path):
    code = 'import signal, sys; signal.signal(15, lambda *a: sys.exit(143)); print(1, flush=True); '
    jobs = [python(str(i), f'{code} signal.pause()') for i in range(3)]
    ended, before = [], signal.getsignal(signal.SIGTERM)

    def end_when_both_run():
        logs = [tmp_path / f'{i}.log' for i in range(2)]
        if all(log.exists() and log.read_text() for log in logs) and not pool.stopped:
            os.kill(os.getpid(), signal.SIGTERM)

    pool.run(jobs, ended.append, end_when_both_run)
    assert pool.stopped == signal.SIGTERM
    assert ended == []  # they go on another time: nothing has failed
    assert not (tmp_path / '2.log').exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_who_does_not_end_is_ended(pool, tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'PATIENCE', 0.1)
    code = 'import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()'
    began = time.monotonic()

    def end_when_it_runs():
        log = tmp_path / 'deaf.log'
        if log.exists() and log.read_text() and not pool.stopped:
            os.kill(os.getpid(), signal.SIGTERM)

    pool.run([python('deaf', code)], lambda end: None, end_when_it_runs)
    assert all(process.poll() is not None for process in pool.running)
    assert time.monotonic() - began < 20


def test_nobody_is_left_behind_after_an_error(pool):
    def fail():
        raise KeyError('a bug')

    jobs = [python('long', 'import time; time.sleep(60)')]
    with pytest.raises(KeyError, match='a bug'):
        pool.run(jobs, lambda end: None, fail)
    assert all(process.poll() is not None for process in pool.running)


def test_a_process_notices_that_its_parent_is_gone(monkeypatch):
    read_end, write_end = os.pipe()
    told = threading.Event()
    monkeypatch.setattr(module.os, 'kill', lambda pid, number: told.set())
    monkeypatch.setattr(module.sys, 'stdin', os.fdopen(read_end))
    module.end_with_parent()
    assert not told.wait(0.05)
    os.close(write_end)  # as the system does when a process dies
    assert told.wait(5)
