"""Arguments of configs are those of the classes that are built."""

from typing import Literal

import pytest
from mmengine.config import Config

from mmvireid.engine.runner.config_check import arguments_for, arguments_of, check_config, fits


class Base:
    def __init__(self, depth: int, width: float = 1.0) -> None:
        pass


class Child(Base):
    def __init__(self, name: str | None = None, **kwargs) -> None:
        pass


class Careless:
    def __init__(self, margin: int = 0.5, path: str = None, plain=3) -> None:  # noqa: RUF013
        pass


class Anything:
    def __init__(self, **kwargs) -> None:
        pass


def test_arguments_of_base_classes_count_where_they_are_passed_on():
    assert arguments_of(Child) == dict(name=str | None, depth=int, width=float)
    assert arguments_of(Base) == dict(depth=int, width=float)
    assert arguments_of(Anything) is None
    careless = arguments_of(Careless)
    assert fits(0.7, careless['margin']) and fits(None, careless['path'])
    assert not fits('a', careless['margin']) and fits('a', careless['plain'])
    assert arguments_of(type('Plain', (), {})) == {}


def test_names_are_found_in_any_registry():
    assert {'data_root', 'split', 'size', 'pipeline', 'indices'} <= set(
        arguments_for('SyntheticSYSU')
    )
    assert {'start_factor', 'begin', 'end', 'convert_to_iter_based'} <= set(
        arguments_for('LinearLR')
    )
    assert {'modes', 'shots', 'distance'} <= set(arguments_for('SYSUMetric'))
    assert 'shots' not in arguments_for('RegDBMetric')
    assert arguments_for('NoSuchClass') is None


@pytest.mark.parametrize(
    ('value', 'hint', 'expected'),
    [
        (1, int, True), (True, int, False), (1.0, int, False), (1, float, True),
        ('1', float, False), (0, bool, False), (None, int, False), (None, int | None, True),
        ([1, 2], tuple[int, int], True), ([1, 2, 3], tuple[int, int], False),
        ((1, 2, 3), tuple[int, ...], True), ('ab', list[str], False), (dict(a=1), dict, True),
        (dict(a='x'), dict[str, float], False), ('b', Literal['a'], False),
        (dict(type='X'), Base, True), (3, Base, False),
    ],
)  # fmt: skip
def test_plain_kinds_are_judged(value, hint, expected):
    assert fits(value, hint) == expected


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('num_trials', 2.5, 'expected int'),
        ('num_trials', None, 'expected int'),
        ('shots', 1, 'expected Sequence\\[int\\]'),
        ('shots', ['a'], 'expected Sequence\\[int\\]'),
        ('rerank', 'yes', r"expected bool \| Literal\['k-reciprocal', 'aim'\]"),
        ('foo', 1, 'expected an argument of SYSUMetric: .*num_trials'),
    ],
)
def test_a_wrong_argument_of_a_config_file_is_refused_by_name(key, value, message):
    cfg = Config(dict(test_evaluator=[dict(type='SYSUMetric', **{key: value})]))
    with pytest.raises((ValueError, KeyError), match=rf'`test_evaluator\.0\.{key}` is .*{message}'):
        check_config(cfg)


@pytest.mark.parametrize(
    ('options', 'key'),
    [
        (dict(optim_wrapper=dict(optimizer=dict(lr=-1))), 'optim_wrapper.optimizer.lr'),
        (dict(train_cfg=dict(max_epochs=0)), 'train_cfg.max_epochs'),
        (dict(train_cfg=dict(val_interval=0)), 'train_cfg.val_interval'),
        (dict(train_dataloader=dict(num_workers=1.5)), 'train_dataloader.num_workers'),
        (dict(test_dataloader=dict(batch_size=0)), 'test_dataloader.batch_size'),
        (dict(randomness=dict(seed=-1)), 'randomness.seed'),
        (dict(param_scheduler=[dict(begin=3, end=2)]), 'param_scheduler.0.end'),
        (dict(default_hooks=dict(a=dict(type='LoggerHook', interval=0))),
         'default_hooks.a.interval'),
    ],
)  # fmt: skip
def test_numbers_out_of_range_are_refused_by_name(options, key):
    with pytest.raises(ValueError, match=f'check_config: `{key}` is '):
        check_config(Config(options))


def test_variables_of_config_files_are_their_own_affair():
    check_config(Config(dict(my_parts=dict(type='SYSUMetric', foo=1), lr=-1)))
