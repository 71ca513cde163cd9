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
