"""The lines of the log that say how far a run is, each in two lengths."""

import datetime
import re
from collections.abc import Mapping, Sequence
from numbers import Integral, Real

from mmengine.runner import LogProcessor as MMLogProcessor
from mmengine.runner import Runner

from mmvireid.commands import Brief
from mmvireid.evaluation.table import align_rows
from mmvireid.registry import LOG_PROCESSORS

#: What of the log's values is said before the terms, or not at all.
_NO_TERMS = ('time', 'data_time', 'memory', 'epoch', 'iter')


@LOG_PROCESSORS.register_module()
class LogProcessor(MMLogProcessor):
    """MMEngine's processor, whose lines are shorter on a terminal.

    An iteration has the time that is left, the losses, and what else has room, the sum before its
    terms; a validation is a table. Nothing is said of the end of a test, whose table
    ``tools/test.py`` prints. The log file has MMEngine's lines.

    Args:
        As in MMEngine's ``LogProcessor``.
    """

    def get_log_after_iter(self, runner: Runner, batch_idx: int, mode: str) -> tuple[dict, Brief]:
        """The values of an iteration, and its line."""
        tag, text = super().get_log_after_iter(runner, batch_idx, mode)
        values = {key.removeprefix(f'{mode}/'): value for key, value in tag.items()}
        items = [re.match(r'\w+\(\w+\) *(\[[^]]*\] *)+', text).group().rstrip()]
        if 'eta' in runner.message_hub.runtime_info:
            seconds = int(runner.message_hub.get_info('eta'))
            items.append(f'eta {datetime.timedelta(seconds=seconds)}')
        if values.get('time'):
            share = values.get('data_time', 0) / values['time']
            waiting = f' ({share:.0%} for data)' if share > 0.2 else ''
            items.append(f'{values["time"]:.2f} s/iter{waiting}')
        if 'memory' in values:
            items.append(f'{values["memory"]} MB')
        return tag, Brief(text, '  '.join(items + (brief_terms(values) if mode == 'train' else [])))

    def get_log_after_epoch(
        self, runner: Runner, batch_idx: int, mode: str, with_non_scalar: bool = False
    ) -> tuple[dict, Brief]:
        """The results of a validation or a test, and their lines."""
        tag, text = super().get_log_after_epoch(runner, batch_idx, mode, with_non_scalar)
        if mode == 'test':
            return tag, Brief(text, '')
        results = {key.removeprefix(f'{mode}/'): value for key, value in tag.items()}
        if isinstance(runner._train_loop, dict) or runner._train_loop is None:
            title = 'Validation'
        elif self.by_epoch:
            title = f'Validation after epoch {runner.epoch}'
        else:
            title = f'Validation after iteration {runner.iter}'
        return tag, Brief(text, '\n'.join([title, *brief_results(results)]))


def brief_terms(values: Mapping[str, float]) -> list[str]:
    """What was learned, the sums first, then a rate, their terms and all else.

    Args:
        values: As in the log, names without ``train/``. Terms and sums have the names of their
            updates, where there are some.

    Returns:
        A few words for each. With several optimisers their rates come last.

    Example:
        >>> brief_terms({'base_lr': 0.1, 'lr': 0.1, 'loss': 1.5, 'loss_identity': 1.5, 'epoch': 1})
        ['loss 1.5', 'lr 0.1', 'identity 1.5']
        >>> brief_terms({'critic/loss': 2, 'critic/loss_real': 2, 'actor/loss': 1})
        ['loss: critic 2', 'actor 1', 'critic/real 2']
    """
    parts = {key: key.rpartition('/') for key in values if key not in _NO_TERMS}
    updates = [update for update, _, name in parts.values() if name == 'loss']
    sums, rates, terms, others = [], [], [], []
    for key, (update, slash, name) in parts.items():
        value = values[key]
        if name.endswith('base_lr') or not isinstance(value, Real):
            continue
        if name == 'loss':
            sums.append(f'{update or name} {value:.4g}')
        elif name.startswith('loss_'):
            prefix = update + slash if len(updates) > 1 else ''
            terms.append(f'{prefix}{name.removeprefix("loss_")} {value:.4g}')
        elif name == 'lr' or name.endswith('.lr'):
            rates.append(f'{" ".join(reversed(name.split(".")))} {value:.3g}')
        else:
            others.append(f'{key} {value:.4g}')
    if sums and any(updates):
        sums[0] = f'loss: {sums[0]}'
    return [*sums, *rates, *terms, *others] if len(rates) == 1 else sums + terms + others + rates


def brief_results(results: Mapping[str, object]) -> Sequence[str]:
    """A table of results: a row for each setting, a column for each figure.

    Args:
        results: As in the log: ``<setting>/<figure>``, or any other name.

    Returns:
        Lines: the table, then what has no place in it. How long it took is left out.

    Example:
        >>> print(*brief_results({'sysu/all/R1': 31.25, 'sysu/all/mAP': 28.5}), sep='\\n')
        setting      R1    mAP
        ----------------------
        sysu/all  31.25  28.50
    """
    rows: dict[str, dict[str, str]] = {}
    others = []
    for key, value in results.items():
        setting, _, figure = key.rpartition('/')
        if figure in ('time', 'data_time'):
            continue
        if setting and isinstance(value, Real):
            rows.setdefault(setting, {})[figure] = (
                str(value) if isinstance(value, Integral) else f'{value:.2f}'
            )
        else:
            others.append(f'{key}: {value}')
    columns = list(dict.fromkeys(figure for row in rows.values() for figure in row))
    table = [[name, *(row.get(figure, '-') for figure in columns)] for name, row in rows.items()]
    lines = align_rows([['setting', *columns], *table]).splitlines() if table else []
    return [*lines, *others]
