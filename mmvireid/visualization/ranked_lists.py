"""Pictures of ranked lists: a query and its best matches, right and wrong marked."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mmvireid.errors import InvalidValueError
from mmvireid.visualization.drawing import GAP, add_margin, add_title, widen, write

#: Colours in BGR.
RIGHT, WRONG, NEUTRAL = (60, 160, 40), (50, 50, 220), (90, 90, 90)
_TILE = (160, 80)  # H, W of one picture
_BORDER, _CAPTION = 4, 18
#: Colour and sign of matches that are right, wrong and neither.
_MARKS = {True: (RIGHT, 'v'), False: (WRONG, 'x'), None: (NEUTRAL, '')}


@dataclass(frozen=True)
class RankedList:
    """One query and its best matches.

    Args:
        query: uint8 BGR image (h, w, 3).
        matches: Images (h, w, 3) of the best matches, best first.
        right: Whether each match shows the query's person, ``None`` where nobody knows.
        query_caption: Short text below the query.
        match_captions: Short text below each match.
    """

    query: np.ndarray
    matches: Sequence[np.ndarray]
    right: Sequence[bool | None]
    query_caption: str
    match_captions: Sequence[str]


def draw_ranked_lists(lists: Sequence[RankedList], title: str) -> np.ndarray:
    """Draw one row per query: the query at the left, its matches beside it.

    Right matches have a green frame and a tick, wrong ones a red frame and a cross, so that the
    two differ without colour vision too. Others have a grey frame.

    Args:
        lists: The rows, at least one.
        title: Text above everything (ASCII).

    Returns:
        uint8 BGR picture (h, w, 3).

    Raises:
        ValueError: If there is no row.
    """
    if not lists:
        raise InvalidValueError('draw_ranked_lists: `lists` is empty, expected at least one row.')
    rows = [_draw_row(ranked) for ranked in lists]
    width = max(row.shape[1] for row in rows)
    return add_title(np.concatenate([widen(row, width) for row in rows]), title)


def _draw_row(ranked: RankedList) -> np.ndarray:
    tiles = [_tile(ranked.query, *_MARKS[None], ranked.query_caption)]
    tiles.append(np.full((tiles[0].shape[0], 2 * GAP, 3), 255, np.uint8))
    for image, right, caption in zip(ranked.matches, ranked.right, ranked.match_captions):
        tiles.append(_tile(image, *_MARKS[right], caption))
    return np.concatenate(tiles, axis=1)


def _tile(image: np.ndarray, color: tuple, mark: str, caption: str) -> np.ndarray:
    """A framed picture with a caption, and a mark in its corner."""
    height, width = _TILE
    picture = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    if mark:
        cv2.rectangle(picture, (0, 0), (17, 17), color, -1)
        points = {'v': [(3, 9), (7, 13), (14, 4)], 'x': [(4, 4), (13, 13)]}[mark]
        strokes = [points] if mark == 'v' else [points, [(4, 13), (13, 4)]]
        for stroke in strokes:
            cv2.polylines(picture, [np.array(stroke)], False, (255, 255, 255), 2, cv2.LINE_AA)
    frame = cv2.copyMakeBorder(picture, *[_BORDER] * 4, cv2.BORDER_CONSTANT, value=color)
    tile = add_margin(frame, below=_CAPTION, left=GAP)
    write(tile, caption, (GAP + 2, tile.shape[0] - 5), 0.36)
    return tile
