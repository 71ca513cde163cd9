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
    open_features,
    open_model,
    positive,
    write_picture,
)
from mmvireid.evaluation import FeatureSet, RegDBProtocol, SYSUProtocol


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
    parts = nn.Sequential(model)
    check_methods(parts, 'a.py', ['0.forward'], 'of parts')
    for missing in ('0.encode', '1.forward'):
        with pytest.raises(TypeError, match=rf'of a Sequential.* of parts \(`{missing}`\)'):
            check_methods(parts, 'a.py', [missing], 'of parts')


def test_the_model_of_a_command_line_gets_its_options_and_is_checked(monkeypatch):
    built = []

    def init_model(*arguments):
        built.append(arguments)
        return nn.Linear(1, 1)

    monkeypatch.setattr('mmvireid.apis.command_line.init_model', init_model)
    monkeypatch.setattr('mmvireid.apis.command_line.get_device', lambda: 'here')
    options = ['--cfg-options', 'data_root=d']
    args = model_parser('what').parse_args(['a.py', 'a.pth', *options])
    assert isinstance(open_model(args, ['forward'], 'of layers'), nn.Linear)
    assert built == [('a.py', 'a.pth', 'here', dict(data_root='d'))]
    with pytest.raises(TypeError, match=r'of a Linear, expected a model that draws \(`draw`\)'):
        open_model(args, ['draw'], 'that draws')


def test_features_of_other_data_are_no_protocols(tmp_path):
    features = FeatureSet(np.eye(2), [1, 1], [1, 3], ['visible', 'infrared'], ['a.png', 'b.png'])
    path = tmp_path / 'features.npz'
    source = dict(dataset='sysu', split='test', protocol='sysu')
    features.save(path, source)
    found, told = open_features(path, SYSUProtocol())
    np.testing.assert_array_equal(found.features, np.eye(2))
    assert told == source
    with pytest.raises(ValueError, match='RegDBProtocol'):
        open_features(path, RegDBProtocol())


def test_a_picture_that_cannot_be_written_is_named(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (4, 5, 3), dtype=np.uint8)
    write_picture(str(tmp_path / 'a.png'), picture)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'a.png')), picture)
    (tmp_path / 'b.png').mkdir()
    with pytest.raises(ValueError, match='b.png.*which cannot be written'):
        write_picture(str(tmp_path / 'b.png'), picture)
