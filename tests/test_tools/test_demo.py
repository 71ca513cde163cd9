from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[2] / 'configs/dgvae/dgvae_synthetic.py'


@pytest.fixture
def demo(load_tool, monkeypatch):
    """The tool, and the commands that it would run."""
    tool, commands = load_tool('demo.py'), []
    monkeypatch.setattr(tool, 'run_tool', lambda path, *options: commands.append((path, *options)))
    return tool, commands


def test_each_command_gets_what_the_one_before_has_made(demo, tmp_path, monkeypatch, capsys):
    tool, commands = demo
    monkeypatch.setattr(tool, 'resume_from', lambda how, folder: f'{folder}/epoch_3.pth')
    out = str(tmp_path)
    tool.main([str(CONFIG), '--out', out])
    train, test, ranked = (list(map(str, command)) for command in commands)
    assert train[0].endswith('tools/train.py') and train[1:] == [str(CONFIG), '--work-dir', out]
    assert test[0].endswith('tools/test.py')
    assert test[1:3] == [str(CONFIG), f'{out}/epoch_3.pth'] and test[-1] == f'{out}/features.npz'
    assert ranked[1] == test[-1] and ranked[-1] == f'{out}/ranked_lists.png'
    assert ranked[-1] in capsys.readouterr().out
    assert all(Path(command[0]).is_file() for command in (train, test, ranked))
