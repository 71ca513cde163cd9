import cv2
import numpy as np
import pytest

from mmvireid.apis import extract_features, init_model
from mmvireid.evaluation import FeatureSet


@pytest.fixture(scope='module')
def main(load_tool):
    return load_tool('extract.py').main


def test_a_folder_becomes_a_features_file(main, saved, tmp_path, capsys):
    config, checkpoint = saved('agw/agw_synthetic.py')
    crops = tmp_path / 'crops'
    crops.mkdir()
    for name in ('a.png', 'b.png'):
        picture = np.random.default_rng(len(name)).integers(0, 256, (40, 20, 3), dtype=np.uint8)
        cv2.imwrite(str(crops / name), picture)
    (crops / 'c.png').write_bytes(b'')
    command = [config, checkpoint, str(crops), '--out', str(tmp_path / 'f'), '--device', 'cpu']
    with pytest.raises(SystemExit, match=r'extract: .*cannot read .*c\.png'):
        main([*command, '--modality', 'infrared'])
    assert not (tmp_path / 'f.npz').exists()
    main([*command, '--modality', 'infrared', '--camera', '3', '--flip',
          '--on-unreadable', 'skip'])  # fmt: skip
    output = capsys.readouterr().out
    assert '2 features of' in output
    assert '1 images could not be read' in output
    assert 'c.png' in output
    found = FeatureSet.load(tmp_path / 'f.npz')
    assert (found.names.tolist(), set(found.camera_ids)) == (['a.png', 'b.png'], {3})
    paths = [str(crops / name) for name in found.names]
    expected = extract_features(init_model(config, checkpoint), paths, 'infrared')
    np.testing.assert_array_equal(found.features, expected)
    mirrored = [np.ascontiguousarray(cv2.imread(path)[:, ::-1]) for path in paths]
    flipped = extract_features(init_model(config, checkpoint), mirrored, 'infrared')
    np.testing.assert_allclose(found.flip_features, flipped, atol=0.02)  # resized, then mirrored
    source = FeatureSet.load_source(tmp_path / 'f.npz')
    assert (source['config'], source['checkpoint']) == (config, checkpoint)
    with pytest.raises(SystemExit, match='`modality` of 3 of 3 rows is not one of'):
        main(command)
