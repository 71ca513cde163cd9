"""Whether runs differ, by the results of single queries."""

from collections.abc import Sequence

from mmvireid.errors import Refusal
from mmvireid.evaluation.comparison import check_alike, check_sources, compare, in_points
from mmvireid.evaluation.query_results import COMPARED
from mmvireid.reports.markup import Section, sentence, table
from mmvireid.reports.run import Run


def comparison(runs: Sequence[Run]) -> Section:
    """Each run against the first one, with intervals over people.

    Args:
        runs: At least one.
    """
    title = 'Compared with each other'
    if len(runs) < 2:
        command = f'tools/analysis_tools/report.py {runs[0].folder} OTHER_RUN'
        return Section(title, sentence(f'There is one run: {command} compares two.'))
    blocks = [_against_first(runs[0], other) for other in runs[1:]]
    blocks.append(
        sentence(
            'Differences in points, with intervals of a bootstrap over people, one training each; '
            'tools/analysis_tools/compare_results.py compares several trainings of each method.',
            'note',
        )
    )
    return Section(title, ''.join(blocks))


def _against_first(first: Run, other: Run) -> str:
    """The differences in all settings that both have, or why there are none."""
    head = f'<h3>{sentence(f"{other.name} against {first.name}", "heading")}</h3>'
    try:
        results, sources = zip(*(run.test.queries for run in (first, other)))
        names = first.name, other.name
        check_sources(dict(zip(names, sources)))
        rows, sentences = [], []
        for setting in results[0]:
            if setting not in results[1]:
                sentences.append(f'{other.name} has no {setting}.')
                continue
            scores = [result[setting].by_identity(setting) for result in results]
            check_alike(scores, names)
            found = compare(scores[:1], scores[1:])
            values = [
                f'{found.figures[key][0]:.2f} → {found.figures[key][1]:.2f}' for key in COMPARED
            ]
            differences = [in_points(found.differences[key]) for key in COMPARED]
            rows.append([setting, *(cell for pair in zip(values, differences) for cell in pair)])
            sentences.append(found.sentence(*names))
    except Refusal as error:
        return head + sentence(error)
    columns = [cell for key in COMPARED for cell in (key, f'{key}, difference')]
    listed = table(['setting', *columns], rows, 'numbers') if rows else ''
    return head + listed + ''.join(sentence(text, 'note') for text in sentences)
