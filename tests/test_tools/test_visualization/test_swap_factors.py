from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmvireid.apis import init_model, load_split
from mmvireid.models.base import BaseReID
from mmvireid.models.generators import Codes
from mmvireid.registry import MODELS

ROOT = Path(__file__).parents[3]
#: Where the dummy model keeps each code: a quarter of the image, by its first row and column.
QUARTERS = dict(prototype=(0, 0), style=(0, 16), pose=(24, 0), illumination=(24, 16))
HEIGHT, WIDTH = 48, 32
#: Codes that the paper's figures take from the reference.
FIGURES = dict(
    excluded={'pose', 'illumination'},
    discriminative={'prototype', 'style'},
    illumination={'illumination'},
    pose={'pose'},
)


@MODELS.register_module(force=True)
class QuarterCoder(BaseReID):
    """Its codes are the four quarters of an image, those of infrared images upside down."""

    def __init__(self, **kwargs):
        super().__init__({}, **kwargs)
        self.modalities = []

    def loss(self, inputs, data_samples):
        raise NotImplementedError

    def extract(self, inputs):
        raise NotImplementedError

    def encode(self, images, modality):
        self.modalities += [modality] * len(images)
        parts = [images[:, :, top : top + 24, left : left + 16] for top, left in QUARTERS.values()]
        if modality == 'infrared':
            parts = [part.flip(2) for part in parts]
        return Codes(parts[0], *(part.flatten(2) for part in parts[1:]))

    def decode(self, codes):
        quarters = [code.reshape(-1, 3, 24, 16) for code in codes]
        halves = torch.cat(quarters[:2], dim=3), torch.cat(quarters[2:], dim=3)
        return torch.cat(halves, dim=2)


@pytest.fixture
def tool(load_tool):
    return load_tool('visualization/swap_factors.py')


@pytest.fixture
def files(shrink, tmp_path):
    """A config and weights of the dummy model."""
    cfg = shrink(str(ROOT / 'configs/agw/agw_synthetic.py'))
    cfg.model = dict(type='QuarterCoder')
    cfg.dump(tmp_path / 'toy.py')
    torch.save(dict(state_dict={}), tmp_path / 'toy.pth')
    return [str(tmp_path / 'toy.py'), str(tmp_path / 'toy.pth')]


@pytest.fixture
def drawn(tool, files, tmp_path, monkeypatch):
    """``drawn(*arguments)``: columns by label and captions of the picture, and the positions."""

    def draw(*arguments):
        seen = {}
        for name in ('draw_image_grid', 'encode'):
            function = getattr(tool, name)

            def spy(*args, name=name, function=function):
                seen.setdefault(name, []).append(args)
                return function(*args)

            monkeypatch.setattr(tool, name, spy)
        tool.main([*files, *map(str, arguments), '--out', str(tmp_path / 'a.png')])
        monkeypatch.undo()
        columns, captions, _ = seen['draw_image_grid'][0]
        return columns, captions, [positions for _, _, positions in seen['encode']]

    return draw


def labelled_codes(first, count):
    """Codes that tell whose they are: those of image i are i, i + 0.1, i + 0.2, i + 0.3."""
    images = torch.arange(first, first + count, dtype=torch.float32)
    shapes = (2, 3, 4), (5, 2), (5, 3), (5, 4)
    return Codes(
        *(
            (images + part / 10).view(-1, *(1 for _ in shape)).expand(count, *shape)
            for part, shape in enumerate(shapes)
        )
    )


def labels_of(code):
    """The label of every image, after a check that it is the same everywhere."""
    values = code.flatten(1)
    assert (values == values[:, :1]).all()
    return values[:, 0]


@pytest.mark.parametrize('figure', FIGURES)
def test_cells_take_the_right_codes_from_the_reference(tool, figure):
    inputs, references = labelled_codes(0, 3), labelled_codes(10, 2)
    cells = list(tool.swap(inputs, references, tool.FROM_REFERENCE[figure]))
    assert len(cells) == 2
    for number, codes in enumerate(cells):
        for part, (name, code) in enumerate(codes._asdict().items()):
            from_reference = name in FIGURES[figure]
            owners = torch.full((3,), 10.0 + number) if from_reference else torch.arange(3.0)
            assert torch.equal(labels_of(code), owners + part / 10), name
            assert code.shape == getattr(inputs, name).shape


def test_interpolation_goes_from_the_input_to_its_reference(tool):
    inputs, references = labelled_codes(0, 3), labelled_codes(10, 3)
    names = tool.FROM_REFERENCE['interpolation']
    steps = list(tool.interpolate(inputs, references, names, steps=5))
    assert len(steps) == 5
    for code, name in zip(steps[0], Codes._fields):
        assert torch.equal(code, getattr(inputs, name))
    for step, codes in enumerate(steps):
        assert torch.equal(codes.prototype, inputs.prototype)
        assert torch.equal(codes.style, inputs.style)
        for name in ('pose', 'illumination'):
            own, other = getattr(inputs, name), getattr(references, name)
            torch.testing.assert_close(getattr(codes, name), own + step / 4 * (other - own))
    for name in ('pose', 'illumination'):
        assert torch.equal(getattr(steps[-1], name), getattr(references, name))


def quarters(picture):
    return {name: picture[top : top + 24, left : left + 16] for name, (top, left)
            in QUARTERS.items()}  # fmt: skip


def expected_quarters(dataset, position):
    """Codes of an image, read from its file: quarters by name."""
    row = dataset.get_data_info(position)
    found = quarters(cv2.resize(cv2.imread(row['img_path']), (WIDTH, HEIGHT)))
    if row['modality'] == 'infrared':
        found = {name: part[::-1] for name, part in found.items()}
    return found


@pytest.mark.parametrize('figure', FIGURES)
def test_the_grid_shows_real_images_and_their_swaps(drawn, files, figure):
    columns, captions, (inputs, references) = drawn('--figure', figure, '--num-ids', 2)
    dataset = load_split(init_model(*files).cfg, 'test')
    infos = {position: dataset.get_data_info(position) for position in inputs + references}
    assert {infos[position]['modality'] for position in inputs} == {'visible'}
    assert {infos[position]['modality'] for position in references} == {'infrared'}
    people = [{infos[position]['person_id'] for position in side} for side in (inputs, references)]
    assert [len(ids) for ids in people] == [2, 2]
    assert not people[0] & people[1]
    texts = {p: f'id {info["person_id"]}, cam {info["camera_id"]}' for p, info in infos.items()}
    assert captions == ['reference', *(texts[position] for position in inputs)]
    heads = [f'{number}: {texts[position]}' for number, position in enumerate(references, 1)]
    assert list(columns) == ['input', *heads]
    (corner, *reals), *cells = columns.values()
    assert (corner == 255).all()
    for position, picture in zip(inputs + references, [*reals, *(column[0] for column in cells)]):
        image = cv2.resize(cv2.imread(infos[position]['img_path']), (WIDTH, HEIGHT))
        np.testing.assert_array_equal(picture, image)
    for reference, column in zip(references, cells):
        for position, picture in zip(inputs, column[1:]):
            for name, part in quarters(picture).items():
                owner = reference if name in FIGURES[figure] else position
                np.testing.assert_array_equal(part, expected_quarters(dataset, owner)[name])


def test_rows_of_an_interpolation_end_with_the_real_images(drawn, files):
    columns, captions, (inputs, references) = drawn(
        '--figure', 'interpolation', '--num-ids', 2, '--steps', 4
    )
    assert list(columns) == ['input', '0/3', '1/3', '2/3', '3/3', 'reference']
    dataset = load_split(init_model(*files).cfg, 'test')
    for row, pair in enumerate(zip(inputs, references)):
        infos = [dataset.get_data_info(position) for position in pair]
        assert captions[row] == ' to '.join(
            f'id {info["person_id"]}, cam {info["camera_id"]}' for info in infos
        )
        for label, info in zip(('input', 'reference'), infos):
            image = cv2.resize(cv2.imread(info['img_path']), (WIDTH, HEIGHT))
            np.testing.assert_array_equal(columns[label][row], image)
        own, other = (expected_quarters(dataset, position) for position in pair)
        for step in range(4):
            found = quarters(columns[f'{step}/3'][row])
            for name, part in found.items():
                weight = step / 3 if name in FIGURES['excluded'] else 0
                expected = own[name] + weight * (other[name].astype(float) - own[name])
                np.testing.assert_allclose(part, expected, atol=0.51)


def test_an_image_goes_through_the_encoder_of_its_modality(tool, files):
    model = init_model(*files)
    dataset = load_split(model.cfg, 'test')
    rows = [dataset.get_data_info(position) for position in range(len(dataset))]
    first = {key: next(i for i, row in enumerate(rows) if row['modality'] == key)
             for key in ('visible', 'infrared')}  # fmt: skip
    order = [first['infrared'], first['visible'], first['infrared']]
    encoded = tool.encode(model, dataset, order)
    assert model.modalities == ['infrared', 'visible', 'infrared']
    assert encoded.captions == [
        f'id {rows[i]["person_id"]}, cam {rows[i]["camera_id"]}' for i in order
    ]
    again = model.decode(encoded.codes)
    assert torch.equal(again[0], again[2])
    visible = model.data_preprocessor.to_pictures(again)[1]
    np.testing.assert_array_equal(visible, encoded.pictures[1])


def test_people_cameras_and_modalities_can_be_asked_for(drawn, files):
    dataset = load_split(init_model(*files).cfg, 'test')
    rows = [dataset.get_data_info(position) for position in range(len(dataset))]
    seen = {(row['person_id'], row['camera_id']) for row in rows}
    ids = sorted(i for i, camera_id in seen if camera_id == 3 and (i, 1) in seen)[:3]

    def facts(positions):
        return [(rows[i]['person_id'], rows[i]['camera_id'], rows[i]['modality'])
                for i in positions]  # fmt: skip

    _, _, (inputs, references) = drawn(
        '--person-ids', ids[2], ids[0], '--cameras', 3, '--reference-ids', ids[0], ids[0],
        '--reference-cameras', 1,
    )  # fmt: skip
    assert facts(inputs) == [(ids[2], 3, 'infrared'), (ids[0], 3, 'infrared')]
    assert facts(references) == [(ids[0], 1, 'visible')] * 2
    _, _, (inputs, references) = drawn(
        '--modality', 'infrared', '--reference-modality', 'visible', '--reference-ids', ids[1]
    )
    assert {modality for _, _, modality in facts(inputs)} == {'infrared'}
    assert [fact[::2] for fact in facts(references)] == [(ids[1], 'visible')]
    assert ids[1] not in {person_id for person_id, _, _ in facts(inputs)}
    for side in ('--person-ids', '--reference-ids'):
        _, _, sides = drawn('--figure', 'interpolation', side, ids[1])
        assert [len(positions) for positions in sides] == [1, 1]
        assert len({person_id for positions in sides for person_id, _, _ in facts(positions)}) == 2


def test_the_picture_is_written(tool, files, tmp_path, capsys):
    out = tmp_path / 'new folder/a.png'
    tool.main([*files, '--num-ids', '2', '--out', str(out)])
    picture = cv2.imread(str(out))
    width = 128 * WIDTH / HEIGHT
    assert 3 * 128 < picture.shape[0] < 4 * 128
    assert 3 * width < picture.shape[1]
    assert f'2 inputs and 2 references, picture in {out}' in capsys.readouterr().out


@pytest.mark.parametrize('figure', ['excluded', 'interpolation'])
def test_hicmd_draws_both_layouts(tool, saved, tmp_path, figure):
    out = tmp_path / 'a.png'
    tool.main([*saved('hicmd/hicmd_synthetic.py'), '--figure', figure, '--num-ids', '2',
               '--steps', '3', '--out', str(out)])  # fmt: skip
    rows, columns = (2, 5) if figure == 'interpolation' else (3, 3)
    height, width = cv2.imread(str(out)).shape[:2]
    assert rows * 128 < height < (rows + 1) * 128
    assert width > columns * 128  # square images


def test_bad_input_is_one_line(tool, files, saved, tmp_path, capsys):
    out = ['--out', str(tmp_path / 'a.png')]
    cases = {
        ('--person-ids', '9999'): '`person_ids` has 9999, expected people with a visible image',
        ('--reference-cameras', '9'): r'`cameras` has \[9\], expected some of \[1, 2, 3, 4, 5, 6\]',
        ('--num-ids', '999'): 'nobody with an infrared image is left to draw',
    }
    for arguments, message in cases.items():
        with pytest.raises(SystemExit, match=f'swap_factors: .*{message}'):
            tool.main([*files, *out, *arguments])
    dataset = load_split(init_model(*files).cfg, 'test')
    ids = sorted({dataset.get_data_info(i)['person_id'] for i in range(len(dataset))})[:3]
    one, two, three = map(str, ids)
    with pytest.raises(SystemExit, match='1 inputs and 2 references, expected as many of both'):
        tool.main([*files, *out, '--figure', 'interpolation', '--person-ids', one,
                   '--reference-ids', two, three])  # fmt: skip
    for arguments, message in (
        (['--steps', '1'], '--steps of at least 2'),
        (['--figure', 'fig6'], 'invalid choice'),
        (['--out', 'picture'], 'does not end as pictures do'),
    ):
        with pytest.raises(SystemExit, match='2'):
            tool.main([*files, *arguments])
        assert message in capsys.readouterr().err
    agw = saved('agw/agw_synthetic.py')
    with pytest.raises(SystemExit, match='swap_factors: .*of a AGW, expected .*`encode`, `decode`'):
        tool.main([*agw, *out])
