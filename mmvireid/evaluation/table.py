"""The tables that tools print."""

from collections.abc import Sequence

from mmvireid.evaluation.report import FIGURES, Report, SettingResult


def format_table(
    report: Report, chance: Report | None = None, scores: Sequence[str] = FIGURES
) -> str:
    """Write results as a text table: a row per setting, mean ± std over trials in percent.

    Args:
        report: What :func:`~mmvireid.evaluation.evaluate` returned.
        chance: What :func:`~mmvireid.evaluation.chance_level` returned for the same settings;
            its rows stand beneath those of the same name.
        scores: Names of the figures to show, see ``SettingResult.figures``.

    Returns:
        The table, without a final line break.
    """
    rows = [['setting', *scores, 'queries', 'trials']]
    for setting, result in report.items():
        rows.append([setting, *_cells(result, scores)])
        if chance and setting in chance:
            rows.append(['  chance', *_cells(chance[setting], scores)])
    return align_rows(rows)


def align_rows(rows: Sequence[Sequence[str]]) -> str:
    """Write cells as a text table: first column to the left, the others to the right.

    Args:
        rows: All of equal length; the first one is the head, a line is drawn below it.

    Returns:
        The table, without a final line break.

    Example:
        >>> print(align_rows([['part', 'M'], ['decoder', '8.5']]))
        part       M
        ------------
        decoder  8.5
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        '  '.join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))])
        for row in rows
    ]
    lines.insert(1, '-' * len(lines[0]))
    return '\n'.join(lines)


def _cells(result: SettingResult, scores: Sequence[str]) -> list[str]:
    cells = [f'{value.mean():.2f} ± {value.std():.2f}' for value in result.figures(scores).values()]
    return [*cells, str(result.num_valid_queries.min()), str(len(result.mAP))]
