import argparse

import cv2
import numpy as np
import pytest
from torch import nn

from mmvireid.apis import (
    add_picture_arguments,
    build_models,
    check_methods,
    make_folder,
    model_parser,
    positive,
    write_picture,
)


def test_options_name_more_models_where_they_are_wanted(capsys):
    parsed = model_parser('what', others='compared').parse_args(
        ['a.py', 'a.pth', '--other', 'b.py', 'b.pth', '--other', 'c.py', 'c.pth']
    )
    model = dict(config='a.py', checkpoint='a.pth', cfg_options=None)
    assert vars(parsed) == dict(model, other=[['b.py', 'b.pth'], ['c.py', 'c.pth']])
    assert vars(model_parser('what').parse_args(['a.py', 'a.pth'])) == model
    with pytest.raises(SystemExit, match='2'):
        model_parser('what').parse_args(['a.py', 'a.pth', '--other', 'b.py', 'b.pth'])
    assert 'unrecognized arguments: --other' in capsys.readouterr().err


def test_every_model_has_a_name_and_its_own_checkpoint(monkeypatch):
    built = []
    monkeypatch.setattr(
        'mmvireid.apis.command_line.init_model',
        lambda config, checkpoint, device, options: (
            built.append((checkpoint, options)) or checkpoint
        ),
    )
    args = argparse.Namespace(
        config='a/model.py',
        checkpoint='1.pth',
        other=[['b/model.py', '2.pth'], ['other.py', '3.pth']],
        cfg_options=dict(data_root='d'),
    )
    expected = {'model': '1.pth', 'model (2.pth)': '2.pth', 'other': '3.pth'}
    assert build_models(args) == expected
    assert built == [(path, dict(data_root='d')) for path in ('1.pth', '2.pth', '3.pth')]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    assert make_folder(tmp_path / 'new/folder').is_dir()
    (tmp_path / 'file').touch()
    for path in (tmp_path / 'file', tmp_path / 'file/below'):
        with pytest.raises(ValueError, match=f"`path` is '{path}', which cannot be made"):
            make_folder(path)


def test_arguments_of_pictures_are_checked(capsys):
    parser = argparse.ArgumentParser()
    add_picture_arguments(parser, out='a.png', num_ids=5)
    expected = dict(num_ids=5, seed=0, split='test', out='a.png')
    assert vars(parser.parse_args([])) == expected
    parsed = parser.parse_args(['--num-ids', '1', '--seed', '3', '--out', 'b/c.JPG'])
    assert (parsed.num_ids, parsed.seed, parsed.out) == (1, 3, 'b/c.JPG')
    for arguments, message in (
        (['--out', 'a.py'], "'a.py' does not end as pictures do: .png or .jpg"),
        (['--num-ids', '-1'], "'-1' is not a number of at least 1"),
        (['--split', 'val'], 'invalid choice'),
    ):
        with pytest.raises(SystemExit, match='2'):
            parser.parse_args(arguments)
        assert message in capsys.readouterr().err
    assert '(5)' in parser.format_help()


def test_only_positive_numbers_are_read():
    assert positive('12') == 12
    for text in ('0', '-1', '1.5', 'two', ''):
        with pytest.raises(argparse.ArgumentTypeError, match='not a number of at least 1'):
            positive(text)


def test_a_model_without_a_method_is_refused():
    model = nn.Linear(1, 1)
    check_methods(model, 'a.py', ['forward', 'train'], 'of layers')
    expected = r"`config` is 'a.py' of a Linear, expected a model of layers \(`train`, `bias`\)"
    with pytest.raises(TypeError, match=expected):
        check_methods(model, 'a.py', ['train', 'bias'], 'of layers')


def test_a_picture_that_cannot_be_written_is_named(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (4, 5, 3), dtype=np.uint8)
    write_picture(str(tmp_path / 'a.png'), picture)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'a.png')), picture)
    (tmp_path / 'b.png').mkdir()
    with pytest.raises(ValueError, match='b.png.*which cannot be written'):
        write_picture(str(tmp_path / 'b.png'), picture)
