import argparse

import pytest

from mmvireid.apis import build_models, make_folder, model_parser


def test_options_name_more_models_where_they_are_wanted(capsys):
    parsed = model_parser('what', others='compared').parse_args(
        ['a.py', 'a.pth', '--other', 'b.py', 'b.pth', '--other', 'c.py', 'c.pth']
    )
    expected = dict(config='a.py', checkpoint='a.pth', other=[['b.py', 'b.pth'], ['c.py', 'c.pth']])
    assert vars(parsed) == expected
    assert vars(model_parser('what').parse_args(['a.py', 'a.pth'])) == dict(
        config='a.py', checkpoint='a.pth'
    )
    with pytest.raises(SystemExit, match='2'):
        model_parser('what').parse_args(['a.py', 'a.pth', '--other', 'b.py', 'b.pth'])
    assert 'unrecognized arguments: --other' in capsys.readouterr().err


def test_every_model_has_a_name_and_its_own_checkpoint(monkeypatch):
    built = []
    monkeypatch.setattr(
        'mmvireid.apis.command_line.init_model',
        lambda config, checkpoint, device: built.append(checkpoint) or checkpoint,
    )
    args = argparse.Namespace(
        config='a/model.py',
        checkpoint='1.pth',
        other=[['b/model.py', '2.pth'], ['other.py', '3.pth']],
    )
    expected = {'model': '1.pth', 'model (2.pth)': '2.pth', 'other': '3.pth'}
    assert build_models(args) == expected
    assert built == ['1.pth', '2.pth', '3.pth']


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    assert make_folder(tmp_path / 'new/folder').is_dir()
    (tmp_path / 'file').touch()
    for path in (tmp_path / 'file', tmp_path / 'file/below'):
        with pytest.raises(ValueError, match=f"`path` is '{path}', which cannot be made"):
            make_folder(path)
