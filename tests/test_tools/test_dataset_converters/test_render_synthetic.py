import cv2
import pytest

from mmvireid.datasets.rendering import LAYOUTS


@pytest.fixture(scope='module')
def tool(load_tool):
    return load_tool('dataset_converters/render_synthetic.py')


def test_renders_reports_and_draws_a_sheet(tool, tmp_path, capsys):
    out, sheet = tmp_path / 'data', tmp_path / 'pictures' / 'sheet.png'
    tool.main(
        ['--size', 'tiny', '--out', str(out), '--workers', '1', '--contact-sheet', str(sheet)]
    )

    shots = LAYOUTS['sysu']('tiny', 0).shots()
    lines = capsys.readouterr().out.splitlines()
    for camera_id, modality in ((1, 'visible'), (6, 'infrared')):
        images = [shot for shot in shots if shot.camera.camera_id == camera_id]
        ids = {shot.person_id for shot in images}
        assert [str(camera_id), modality, str(len(ids)), str(len(images))] in map(str.split, lines)
    assert any(str(out) in line and ' s' in line for line in lines)
    # 8 test identities in 6 cameras, the first of them as they are on disk.
    assert cv2.imread(str(sheet)).shape == (8 * 128, 6 * 64, 3)


def test_factors_and_counterparts_beside_an_older_folder(tool, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(LAYOUTS['regdb'], 'shots', lambda self: self._shots_of([6]))
    out, other = tmp_path / 'data', tmp_path / 'other'
    arguments = ['--size', 'tiny', '--layout', 'regdb', '--out', str(out), '--workers', '1']
    tool.main(arguments)
    table = (out / 'factors.csv').read_text()
    assert len(table.splitlines()) == 1 + 2 * 10
    (out / 'factors.csv').unlink()
    written = {path: path.stat().st_mtime_ns for path in out.rglob('*.jpg')}

    tool.main([*arguments, '--counterparts', str(other)])
    assert (out / 'factors.csv').read_text() == table
    assert {path: path.stat().st_mtime_ns for path in out.rglob('*.jpg')} == written
    assert f'{other}: the same moments' in capsys.readouterr().out
    for name, is_grey in (('Visible/6/visible_00006_01.jpg', True),
                          ('Thermal/6/thermal_00006_01.jpg', False)):  # fmt: skip
        picture = cv2.imread(str(other / name))
        assert picture.shape == cv2.imread(str(out / name)).shape
        assert (picture == picture[..., :1]).all() == is_grey
    with pytest.raises(SystemExit, match='2'):
        tool.main([*arguments, '--counterparts', str(out)])
    assert 'Name another folder' in capsys.readouterr().err


def test_users_mistakes_end_with_one_message(tool, tmp_path, capsys):
    (tmp_path / 'letter.txt').write_text('not a data set')
    for arguments, message in (
        (['--out', str(tmp_path)], 'Name another folder'),
        (['--out', str(tmp_path / 'new'), '--seed', '-1'], '`seed` is -1'),
        (['--out', str(tmp_path / 'new'), '--workers', '0'], '`workers` is 0'),
        (['--out', str(tmp_path / 'new'), '--size', 'huge'], 'invalid choice'),
    ):
        with pytest.raises(SystemExit) as stop:
            tool.main(arguments)
        assert stop.value.code == 2
        assert message in capsys.readouterr().err
