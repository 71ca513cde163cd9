"""Two methods on the same queries and galleries: what may be concluded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmvireid.errors import InvalidValueError
from mmvireid.evaluation.functional.bootstrap import Difference, paired_bootstrap
from mmvireid.evaluation.query_results import COMPARED, IdentityScores

#: What results must have in common, of what their files say about themselves.
_ALIKE = ('protocol', 'gallery', 'num_trials')


@dataclass(frozen=True)
class Comparison:
    """One method against another in one setting.

    Args:
        setting: Name of the setting.
        figures: By figure, the means over seeds of both methods, in percent.
        differences: By figure, second minus first, in points.
        num_ids: Identities that were resampled.
        num_seeds: Trainings of each method.
        level: Probability of the intervals.
    """

    setting: str
    figures: dict[str, tuple[float, float]]
    differences: dict[str, Difference]
    num_ids: int
    num_seeds: tuple[int, int]
    level: float

    def sentence(self, first: str, second: str) -> str:
        """What may be concluded, in one sentence.

        Args:
            first: Name of the first method.
            second: Name of the second one.
        """
        kinds = {'better': [], 'worse': [], 'undecided': []}
        for name, found in self.differences.items():
            sign = ('better' if found.value > 0 else 'worse') if found.is_one else 'undecided'
            kinds[sign].append(name)
        claims = [f'{kind} by {" and ".join(names)}' for kind, names in kinds.items() if names]
        verdict = f'{second} is {", ".join(claims)}, compared with {first}'
        if not kinds['better'] + kinds['worse']:
            verdict = f'{second} and {first} cannot be told apart'
        values = ', '.join(f'{n} {in_points(found)}' for n, found in self.differences.items())
        counts = ' and '.join(map(str, dict.fromkeys(self.num_seeds)))
        scope = f'{counts} trainings of each' if min(self.num_seeds) > 1 else 'one training each'
        if min(self.num_seeds) == 1 < max(self.num_seeds):
            scope = f'{" and ".join(map(str, self.num_seeds))} trainings'
        if min(self.num_seeds) == 1:
            scope += ', so that other seeds may say otherwise'
        return (
            f'On {self.setting}, {verdict}: {values} points ({100 * self.level:g} % intervals over '
            f'{self.num_ids} people; {scope}).'
        )


def in_points(difference: Difference) -> str:
    """A difference with its interval.

    Example:
        >>> in_points(Difference(1.234, -0.5, 3.0))
        '+1.23 [-0.50, +3.00]'
    """
    return f'{difference.value:+.2f} [{difference.low:+.2f}, {difference.high:+.2f}]'


def compare(
    first: Sequence[IdentityScores],
    second: Sequence[IdentityScores],
    level: float = 0.95,
    num_resamples: int = 10000,
) -> Comparison:
    """Compare two methods, see :func:`~mmvireid.evaluation.functional.paired_bootstrap`.

    Args:
        first: One entry for each training of one method.
        second: The same of the other.
        level: Probability that the intervals are to have.
        num_resamples: Of the bootstrap.

    Returns:
        Figures, and differences in points.

    Raises:
        ValueError: If any two of them are of other settings, queries or galleries.
    """
    check_alike([*first, *second])
    counts, differences, figures = first[0].queries, {}, {}
    for name in COMPARED:
        sums = [np.stack([getattr(s, name) for s in scores]) for scores in (first, second)]
        found = paired_bootstrap(counts, *sums, level=level, num_resamples=num_resamples)
        differences[name] = Difference(100 * found.value, 100 * found.low, 100 * found.high)
        figures[name] = tuple(
            float(np.mean([s.figure(name) for s in scores])) for scores in (first, second)
        )
    num_seeds = len(first), len(second)
    return Comparison(first[0].setting, figures, differences, counts.shape[1], num_seeds, level)


def check_sources(sources: Mapping[str, Mapping]) -> None:
    """Compare what the files of results say about themselves.

    Args:
        sources: What each says, by its name, see
            :func:`~mmvireid.evaluation.query_results.load_queries`.

    Raises:
        ValueError: If one contradicts the first; names both.
    """
    facts = {
        name: {key: source[key] for key in _ALIKE if key in source}
        | (source.get('test_data') or {})
        for name, source in sources.items()
    }
    first = next(iter(facts))
    for name, other in facts.items():
        for key in dict.fromkeys([*facts[first], *other]):
            values = facts[first].get(key), other.get(key)
            if None not in values and values[0] != values[1]:
                raise InvalidValueError(
                    f'compare: `{key}` of {name} is {values[1]!r}, expected {values[0]!r}, as of '
                    f'{first}: they cannot be compared.'
                )


def check_alike(scores: Sequence[IdentityScores], names: Sequence[str] | None = None) -> None:
    """Make sure that scores answer the same questions.

    Args:
        scores: Of any methods.
        names: What they are called in the message.

    Raises:
        ValueError: If the setting, the queries or the galleries of one are not those of the first;
            names both.
    """
    names = names or [f'result {number}' for number in range(1, len(scores) + 1)]
    whose = dict(setting='protocol', asked='set of queries', galleries='gallery')
    for name, other in zip(names, scores):
        for key, what in whose.items():
            if getattr(other, key) != getattr(scores[0], key):
                found = f'{getattr(other, key)}, expected {getattr(scores[0], key)}'
                raise InvalidValueError(
                    f'compare: {name} is of another {what} than {names[0]} ({found}), so that '
                    'their figures cannot be compared.'
                )
        if not np.array_equal(other.queries, scores[0].queries):
            raise InvalidValueError(
                f'compare: {name} has other queries with a match than {names[0]}, so that their '
                'figures cannot be compared.'
            )
