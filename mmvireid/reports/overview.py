"""What was run: the origin of all that follows."""

import re
from collections.abc import Callable, Mapping, Sequence

from mmvireid.evaluation.feature_set import describe_source
from mmvireid.reports.markup import Section, details, sentence, table
from mmvireid.reports.run import Run

_SHOWN = 20  # rows of a table that is not folded away
_UNKNOWN = (
    'The settings are not known: the training was of a version that left no run.json, or not made '
    'by tools/train.py.'
)


def overview(runs: Sequence[Run]) -> Section:
    """Tables of trainings, tests and settings, a column for each run.

    Args:
        runs: At least one.
    """
    names = [run.name for run in runs]
    blocks = [sentence(note, 'note') for run in runs for note in run.notes]
    blocks.append(_facts('Training', names, [run.record for run in runs], _TRAINING))
    starts = [_starts(run) for run in runs]
    if any(starts):
        blocks.append(''.join(sentence(text, 'note') for text in starts if text))
    provenances = [run.tests[0].provenance if run.tests else {} for run in runs]
    blocks.append(_facts('Test', names, provenances, _TEST))
    if len(runs) > 1:
        blocks.append(_differences(runs))
    blocks += [_changes(run, len(runs) > 1) for run in runs]
    return Section('What was run', ''.join(blocks))


def _joined(values: Sequence | Mapping | None) -> str | None:
    if isinstance(values, Mapping):
        values = [f'{name}: {value}' for name, value in values.items()]
    return None if values is None else '; '.join(map(str, values))


#: Rows of the table of trainings: their names, and where a record has them.
_TRAINING: dict[str, Callable[[Mapping], object]] = {
    'method': lambda r: r.get('method'),
    'config': lambda r: r.get('config'),
    'command': lambda r: r.get('command'),
    'seed': lambda r: r.get('seed'),
    'commit': lambda r: r.get('commit'),
    'versions': lambda r: r.get('versions'),
    'device': lambda r: r.get('device'),
    'processes': lambda r: r.get('processes'),
    'schedule': lambda r: re.sub(r', \d+ of them done', '', r.get('schedule') or ''),
    'stages': lambda r: _joined(
        [f'{name} from iteration {begin + 1}' for name, begin in r.get('stages') or []]
    ),
    'optimisers': lambda r: _joined(r.get('optimisers')),
    'data': lambda r: _joined(r.get('data')),
}
#: The same of tests, and their provenance.
_TEST: dict[str, Callable[[Mapping], object]] = {
    'data': lambda p: describe_source(p) or None,
    'images and people': lambda p: (
        f'{p["num_images"]} images of {p["num_ids"]} people' if 'num_images' in p else None
    ),
    'protocol': lambda p: p.get('protocol'),
    'gallery': lambda p: p.get('gallery'),
    'trials': lambda p: p.get('num_trials'),
    'feature': lambda p: f'{p["feature_size"]} numbers' if 'feature_size' in p else None,
    'distance': lambda p: p.get('distance'),
    'features of mirrored images': lambda p: p.get('flip'),
    're-ranking': lambda p: p.get('rerank'),
    'checkpoint': lambda p: p.get('checkpoint'),
    'checkpoint chosen by': lambda p: p.get('selection'),
    'seed of its training': lambda p: p.get('seed'),
    'trained on': lambda p: describe_source(p.get('trained_on')) or None,
    'commit': lambda p: p.get('commit'),
}


def _facts(
    title: str,
    names: Sequence[str],
    sources: Sequence[Mapping],
    rows: Mapping[str, Callable[[Mapping], object]],
) -> str:
    """A table of what several sources say; what none knows is left out."""
    if not any(sources):
        command = 'train.py CONFIG' if title == 'Training' else 'test.py CONFIG CHECKPOINT'
        return f'<h3>{title}</h3>' + sentence(
            f'Nothing is known: tools/{command} --work-dir DIR leaves it there.'
        )
    lines = [[name, *(find(source) for source in sources)] for name, find in rows.items()]
    known = [line for line in lines if any(value not in (None, '') for value in line[1:])]
    return f'<h3>{title}</h3>{table(["", *names], known, "facts")}'


def _starts(run: Run) -> str:
    """How often a training began, if more than once."""
    if len(run.records) < 2:
        return ''
    starts = [f'{r.get("started")} (iteration {r.get("begins_at", 0) + 1})' for r in run.records]
    return f'{run.name} was begun {len(starts)} times and is shown as one: {", ".join(starts)}.'


def _differences(runs: Sequence[Run]) -> str:
    """The settings in which runs differ."""
    settings = [run.record.get('settings') for run in runs]
    head = '<h3>Settings that differ</h3>'
    if None in settings:
        return head + sentence(_UNKNOWN)
    names = list(dict.fromkeys(name for found in settings for name in found))
    rows = [[name, *(found.get(name) for found in settings)] for name in names]
    rows = [row for row in rows if any(value != row[1] for value in row[2:])]
    if not rows:
        return head + sentence('None: the runs have the same settings.', 'note')
    listed = table(['setting', *(run.name for run in runs)], rows, 'settings')
    return details(f'{len(rows)} settings differ', listed) if len(rows) > _SHOWN else head + listed


def _changes(run: Run, is_folded: bool) -> str:
    """What a config and a command line change of what the config builds upon."""
    if 'changes' not in run.record:
        return sentence(f'{run.name}: {_UNKNOWN}') if run.records else ''
    changes = run.record['changes']
    title = f"{run.name}: what its config and command line change of the config's _base_"
    if changes is None:
        return sentence(f'{run.name}: its config builds upon no other.', 'note')
    rows = [[name, *values] for name, values in changes.items()]
    body = table(['setting', 'in _base_', 'here'], rows, 'settings')
    return details(title, body) if is_folded or len(rows) > _SHOWN else f'<h3>{title}</h3>{body}'
