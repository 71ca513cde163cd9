import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmvireid.apis import ReIDInferencer
from mmvireid.apis.onnx_export import export_onnx
from mmvireid.evaluation import FeatureSet

pytest.importorskip('onnx', reason='exporting needs the extra `deploy`')
pytest.importorskip('onnxruntime', reason='exporting needs the extra `deploy`')

SCRIPT = Path(__file__).parents[3] / 'tools/deployment/run_onnx.py'
#: Runs the script as a user would, and fails if it has imported what is not to be needed.
RUN = f"""
import runpy, sys
runpy.run_path({str(SCRIPT)!r}, run_name='__main__')
unwanted = {{'torch', 'torchvision', 'mmengine', 'mmcv'}} & set(sys.modules)
sys.exit(f'imported {{unwanted}}' if unwanted else 0)
"""


@pytest.fixture
def exported(saved, tmp_path):
    """An exported tiny model, a table of pictures of several kinds, and the inferencer."""
    rng = np.random.default_rng(0)
    inferencer = ReIDInferencer(*saved('agw/agw_synthetic.py'), 'cpu')
    (tmp_path / 'model').mkdir()
    export_onnx(inferencer, tmp_path / 'model')
    lines = ['path,modality,person_id,camera_id,split,room']
    for number, name in enumerate(('a.jpg', 'b.png', 'c.jpg', 'd.png', 'e.jpg')):
        shape = [(60, 30, 3), (90, 41), (48, 32, 3)][number % 3]
        cv2.imwrite(str(tmp_path / name), rng.integers(0, 256, shape, dtype=np.uint8))
        split, room = ('test', 'lab') if number else ('train', '')
        lines.append(f'{name},{("visible", "infrared")[number % 2]},{number},,{split},{room}')
    table = tmp_path / 'images.csv'
    table.write_text('\n'.join(lines))
    return tmp_path / 'model', table, inferencer


def test_features_are_those_of_pytorch_without_it(exported, tmp_path):
    model, table, inferencer = exported
    out = tmp_path / 'out' / 'features.npz'
    arguments = [model, table, '--split', 'test', '--out', out, '--batch-size', '2']
    subprocess.run([sys.executable, '-c', RUN, *map(str, arguments)], check=True, timeout=100)
    found, expected = FeatureSet.load(out), inferencer(table, split='test')
    np.testing.assert_allclose(found.features, expected.features, atol=1e-5)
    for key in ('names', 'person_ids', 'camera_ids', 'modalities', 'rooms'):
        np.testing.assert_array_equal(getattr(found, key), getattr(expected, key))
    assert FeatureSet.load_source(out) == inferencer.source


def test_what_is_wrong_is_one_line(exported, tmp_path, load_tool, capsys, monkeypatch):
    model, table, _ = exported
    main, text = load_tool('deployment/run_onnx.py').main, table.read_text()

    def refused(*arguments) -> str:
        with pytest.raises(SystemExit):
            main([str(model), str(table), '--out', str(tmp_path / 'f.npz'), *arguments])
        assert not list(tmp_path.glob('*f*.npz'))
        return capsys.readouterr().err.splitlines()[-1]

    assert 'has no lines of split val' in refused('--split', 'val')
    table.write_text(text.replace(',infrared', ',thermal'))
    assert "`modality` is 'thermal', expected one of visible, infrared" in refused()
    table.write_text(text.replace('infrared,3,', 'infrared,three,'))
    assert '`person_id` in' in refused()
    for number in ('9' * 30, '9' * 5000, '--1', '²'):
        table.write_text(text.replace('infrared,3,', f'infrared,{number},'))
        assert '`person_id` in' in refused()
    table.write_text(text.replace('b.png', '../b.png'))
    assert '`path` in' in refused()
    table.write_text(text.replace('room', 'colour'))
    assert "has the columns ['colour'], expected none but path" in refused()
    for broken in (b'path,modality\n\xe9,visible', b'path,modality\n"' + b'a' * 2**18):
        table.write_bytes(broken)
        assert 'expected CSV in UTF-8' in refused()
    table.write_text('path\na.jpg')
    assert 'without path and modality' in refused()
    table.write_text(text)
    network = model / 'visible.onnx'
    content = network.read_bytes()
    network.write_bytes(content[:-1] + b'?')
    assert 'visible.onnx is not what model.json speaks of' in refused()
    network.unlink()
    assert 'visible.onnx does not exist' in refused()
    network.write_bytes(content)
    (tmp_path / 'b.png').write_bytes(b'')
    assert 'cannot read' in refused()
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    assert "extra 'deploy'" in refused()
    table.unlink()
    assert 'images.csv does not exist' in refused()
    assert json.loads((model / 'model.json').read_text())['output']['size'] > 0
    assert 'at least 1' in refused('--batch-size', '0')


def test_a_full_disk_leaves_nothing_half(exported, tmp_path, load_tool, capsys, monkeypatch):
    model, table, _ = exported

    def fill(path, **_):
        path.write_bytes(b'PK')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(np, 'savez', fill)
    with pytest.raises(SystemExit):
        main = load_tool('deployment/run_onnx.py').main
        main([str(model), str(table), '--out', str(tmp_path / 'new/f.npz')])
    assert 'f.npz, which cannot be written (No space left' in capsys.readouterr().err
    assert not list((tmp_path / 'new').iterdir())


def test_a_description_that_is_not_of_the_networks_is_one_line(
    exported, tmp_path, load_tool, capsys
):
    model, table, _ = exported
    main, sound = load_tool('deployment/run_onnx.py').main, (model / 'model.json').read_text()

    def refused(text: str) -> str:
        (model / 'model.json').write_text(text)
        with pytest.raises(SystemExit):
            main([str(model), str(table), '--out', str(tmp_path / 'f.npz')])
        return capsys.readouterr().err.splitlines()[-1]

    changes = [
        ('"bilinear"', '"magic"'), ('"bgr"', '"hsv"'), ('"files"', '"fils"'), ('"cv2"', '3'),
        ('visible.onnx', '../visible.onnx'), ('"sha256"', '"md5"'),
    ]  # fmt: skip
    for text in ('', '{', '[]', '3', *(sound.replace(*change) for change in changes)):
        assert text != sound and 'is not what export_onnx.py writes' in refused(text)
    told = json.loads(sound)
    for side, key in (('input', 'height'), ('input', 'name'), ('output', 'size')):
        value = 'x' if key == 'name' else told[side][key] + 1
        text = json.dumps(told | {side: told[side] | {key: value}})
        assert 'of names and sizes, and the network' in refused(text)
