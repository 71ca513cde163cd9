"""Pictures of what a generator made, while it learned."""

from collections.abc import Sequence

import numpy as np

from mmvireid.errors import InvalidValueError
from mmvireid.pictures import picture_url, read_image
from mmvireid.reports.markup import Section, sentence, text
from mmvireid.reports.run import Run

#: At most how many pictures, and their size.
_SHOWN = 4
_HEIGHT, _QUALITY = 720, 80


def generated(runs: Sequence[Run]) -> Section:
    """The last picture of every run, the first one, and some between.

    Args:
        runs: At least one.
    """
    title = 'Generated pictures'
    if not any(run.generated for run in runs):
        return Section(
            title,
            sentence(
                'There are none: tools/train.py draws them for a method that generates images, '
                'with default_hooks.generation=dict(type="GenerationHook") in its config.'
            ),
        )
    blocks = []
    for run in runs:
        chosen = np.unique(np.linspace(0, len(run.generated) - 1, _SHOWN).round().astype(int))
        for place in [*chosen[-1:], *chosen[:-1]] if len(run.generated) else ():
            path = run.generated[place]
            name = f'{run.name}: {path.stem}' if len(runs) > 1 else path.stem
            try:
                url = picture_url(read_image(str(path)), _HEIGHT, _QUALITY)
            except InvalidValueError as error:
                blocks.append(sentence(error))
                continue
            blocks.append(
                f'<figure class="picture"><figcaption>{text(name)}</figcaption>'
                f'<img src="{url}" alt="{text(name)}"></figure>'
            )
    return Section(title, '', tuple(blocks))
