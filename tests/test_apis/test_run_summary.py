"""What a user sees of a run, from the first line to the command to type next."""

import re
import shlex
from pathlib import Path

import pytest
from mmengine.device import get_device

CONFIGS = Path(__file__).parents[2] / 'configs'
CONTROL = re.compile(r'[\x00-\x09\x0b-\x1f\x7f-\x9f]')


@pytest.fixture
def run(shrink, load_tool, tmp_path, monkeypatch, capsys):
    """``run('agw/agw_synthetic.py')``: what training shows, and what its log file holds."""
    monkeypatch.chdir(tmp_path)

    def train(config, *arguments):
        cfg = shrink(str(CONFIGS / config))
        cfg.log_level = 'INFO'
        cfg.default_hooks.logger.interval = 1
        cfg.dump('tiny.py')
        capsys.readouterr()
        load_tool('train.py').main(['tiny.py', '--work-dir', 'out', *arguments])
        (log,) = Path('out').glob('*/*.log')
        return capsys.readouterr().out.splitlines(), log.read_text()

    return train


def test_a_plain_run_fits_a_screen_and_names_the_command_that_tests_it(run, load_tool, capsys):
    shown, written = run('agw/agw_synthetic.py')
    text = '\n'.join(shown)
    assert not CONTROL.search(text)
    assert max(map(len, shown)) <= 160
    first = next(i for i, line in enumerate(shown) if 'Epoch(train)' in line)
    assert first <= 10
    before = '\n'.join(shown[:first])
    assert re.search(rf'Training: +AGW of tiny\.py, seed 0, on {get_device()}', before)
    assert '1 epoch of 2 iterations' in before
    counts = [int(n) for n in re.search(r'Data:.* (\d+) visible, (\d+) infrared', before).groups()]
    assert re.search(rf'Data:.* {sum(counts)} images of \d+ people', before)
    assert re.search(r'Optimiser: +Adam moves \d\.\d\d M parameters, rate 0\.001', before)
    assert 'Output:     out, the whole log there, in ' in before
    for part in ('Config:', 'Hooks will be executed', 'loss_identity: ', 'Exp name'):
        assert part in written
        assert part not in text
    assert re.search(r'\n +sysu/all-1shot( +\d+\.\d\d){6}\n', text)
    command = re.search(r'Next: +(.*\\\n.*)', text).group(1)
    words = shlex.split(command.replace('\\\n', ''))
    assert words[:2] == ['python', 'tools/test.py']
    load_tool('test.py').main([*words[2:], '--cfg-options', 'experiment_name=tested'])
    tested = capsys.readouterr().out
    assert re.search(r'Testing: +AGW of out/tiny\.py', tested)
    assert tested.count('sysu/all-1shot') == 1  # the table, and no line of the log beside it
    assert 'Config:' not in tested
    assert tested.count('out/epoch_1.pth') == 1  # of what is loaded, MMEngine prints two lines


def test_an_adversarial_run_names_its_optimisers_and_stages(run):
    shown, written = run('aligngan/aligngan_synthetic.py')
    text = '\n'.join(shown)
    assert not CONTROL.search(text)
    assert max(map(len, shown)) <= 160
    first = next(i for i, line in enumerate(shown) if 'Epoch(train)' in line)
    assert first <= 20
    optimisers = re.findall(r'Optimiser: +(\w+) \(\w+\) moves', '\n'.join(shown[:first]))
    assert {'reid', 'generators', 'joint_discriminator'} < set(optimisers)
    assert 'A feature until epoch 1, then B pixel until epoch 2, then C joint' in text
    assert [line for line in shown if "Stage 'C joint' begins" in line]
    assert 'joint_discriminator/loss_joint_real: ' in written


def test_all_of_it_is_shown_with_verbose(run):
    shown, written = run('agw/agw_synthetic.py', '--verbose')
    text = '\n'.join(shown)
    assert 'Config:' in text
    assert 'Hooks will be executed' in text
    assert 'loss_identity: ' in text
    assert not CONTROL.search(text)
    messages = [line.partition(' - INFO - ')[2] for line in written.splitlines()]
    assert all(message in text for message in messages)
