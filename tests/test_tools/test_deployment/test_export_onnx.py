import pytest

pytest.importorskip('onnx', reason='exporting needs the extra `deploy`')
pytest.importorskip('onnxruntime', reason='exporting needs the extra `deploy`')


def test_a_checkpoint_becomes_two_networks(load_tool, saved, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr('mmvireid.apis.onnx_export._BATCH_SIZES', (1,))
    folder = tmp_path / 'new' / 'folder'
    load_tool('deployment/export_onnx.py').main(
        [*saved('agw/agw_synthetic.py'), '--out', str(folder), '--time']
    )
    assert {path.name for path in folder.iterdir()} == {
        'visible.onnx', 'infrared.onnx', 'model.json'
    }  # fmt: skip
    output = capsys.readouterr().out
    assert output.count('differs by at most') == 2
    assert 'ms per picture' in output
