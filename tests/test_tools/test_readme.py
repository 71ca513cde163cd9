import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / 'tools'
README = TOOLS / 'README.md'


def listed() -> set[Path]:
    """Files of the tables, each in the folder whose name is the heading."""
    found, folder = set(), TOOLS
    for line in README.read_text('utf-8').splitlines():
        if line.startswith('## '):
            folder = TOOLS if line == '## Here' else TOOLS / line[3:]
        elif line.startswith('| `'):
            found |= {folder / name for name in re.findall('`([^`]+)`', line.split('|')[1])}
    return found


def test_every_tool_has_a_line():
    assert listed() == {path for path in TOOLS.rglob('*') if path.suffix in ('.py', '.sh')}


def test_every_picture_is_there():
    pictures = re.findall('<img src="([^"]+)"', README.read_text('utf-8'))
    assert len(pictures) > 5
    assert [name for name in pictures if not (TOOLS / name).is_file()] == []
    drawn = {line.split('`')[1] for line in README.read_text().splitlines() if '<img' in line}
    assert drawn >= {path.name for path in (TOOLS / 'visualization').glob('*.py')}
