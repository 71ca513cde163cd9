import argparse

import pytest

from mmvireid.commands import add_options_argument, read_value


@pytest.mark.parametrize(
    ('text', 'value'),
    {
        '1e-3': 1e-3,
        'True': True,
        'None': None,
        'a,b': ['a', 'b'],
        '[1,2,(3,4)]': [1, 2, (3, 4)],
        '[all]': ['all'],
        '/my data/x': '/my data/x',
        "'/my, data'": '/my, data',
        '"3"': '3',
        "dict(type='X', n=dict(a=[1]))": dict(type='X', n=dict(a=[1])),
        "[dict(type='X')]": [dict(type='X')],
        "{'a': 1}": dict(a=1),
    }.items(),
)
def test_values_are_read(text, value):
    assert read_value(text) == value


def test_what_is_no_option_ends_the_program_with_its_name(capsys):
    parser = argparse.ArgumentParser()
    add_options_argument(parser)
    assert parser.parse_args(['--cfg-options', 'a.b=1', 'c=x=y']).cfg_options == {
        'a.b': 1,
        'c': 'x=y',
    }
    for option in ('resume', 'a..b=1', '=3', 'a=[1,(2]'):
        with pytest.raises(SystemExit):
            parser.parse_args(['--cfg-options', option])
        assert repr(option) in capsys.readouterr().err
