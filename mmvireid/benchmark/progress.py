"""How far a benchmark is, and how long it will take."""

import time
from collections.abc import Sequence
from statistics import mean


class Progress:
    """Says after every cell, and now and then in between, how things stand.

    Args:
        kinds: What each cell is of: cells of one kind take about as long.
        jobs: How many run at a time.
        every: Seconds between two lines while nothing ends.
    """

    def __init__(self, kinds: Sequence[str], jobs: int, every: float = 60) -> None:
        self.left = list(kinds)
        self.total, self.jobs, self.every = len(kinds), jobs, every
        self.seconds: dict[str, list[float]] = {}
        self.began = self.said = time.monotonic()

    def note(self, kind: str, seconds: float) -> None:
        """Learn from a cell that was run another time how long its kind takes."""
        self.seconds.setdefault(kind, []).append(seconds)

    def done(self, kind: str, seconds: float, text: str) -> None:
        """A cell has ended."""
        self.left.remove(kind)
        self.note(kind, seconds)
        self._say(f'[{self.total - len(self.left)}/{self.total}] {text} ({seconds:.0f} s)')

    def look(self) -> None:
        """Say something if it has been quiet for long."""
        if time.monotonic() - self.said >= self.every:
            passed = (time.monotonic() - self.began) / 60
            self._say(f'[{self.total - len(self.left)}/{self.total}] after {passed:.1f} min')

    def remaining(self) -> float | None:
        """Seconds that the cells that have not ended will take, ``None`` before one has.

        Those under way count as if they had just begun.
        """
        if not self.seconds:
            return None
        others = mean(value for values in self.seconds.values() for value in values)
        known = {kind: mean(values) for kind, values in self.seconds.items()}
        return sum(known.get(kind, others) for kind in self.left) / self.jobs

    def _say(self, text: str) -> None:
        self.said = time.monotonic()
        left = self.remaining()
        eta = f'; about {left / 60:.1f} min left' if self.left and left is not None else ''
        print(f'{text}{eta}', flush=True)
