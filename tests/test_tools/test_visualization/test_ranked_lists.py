import cv2
import numpy as np
import pytest

from mmvireid.datasets import SYSUMM01
from mmvireid.evaluation import FeatureSet, SYSUProtocol


@pytest.fixture
def tool(load_tool):
    return load_tool('visualization/ranked_lists.py')


@pytest.fixture
def features(rendered):
    """Random features of a tiny rendered test split."""
    rows = SYSUMM01(rendered('sysu'), 'test')
    rows = [rows.get_data_info(index) for index in range(len(rows))]
    rng = np.random.default_rng(0)
    return FeatureSet(
        features=rng.normal(size=(len(rows), 8)),
        person_ids=[row['person_id'] for row in rows],
        camera_ids=[row['camera_id'] for row in rows],
        modalities=[row['modality'] for row in rows],
        names=[row['name'] for row in rows],
    )


def test_every_query_is_another_person(tool, features):
    setting = SYSUProtocol().settings(features)[0]
    queries = tool.choose_queries(features, setting, count=6, seed=1)
    assert len(set(features.person_ids[queries].tolist())) == len(queries)
    assert set(features.modalities[queries].tolist()) == {'infrared'}


def test_the_picture_is_written(tool, features, rendered, tmp_path, capsys):
    features.save(tmp_path / 'features.npz')
    out = tmp_path / 'new folder/ranked.png'
    tool.main([str(tmp_path / 'features.npz'), '--protocol', 'sysu', '--data-root',
               rendered('sysu'), '--out', str(out), '--queries', '3'])  # fmt: skip
    assert cv2.imread(str(out)).shape[0] > 3 * 160
    assert str(out) in capsys.readouterr().out
