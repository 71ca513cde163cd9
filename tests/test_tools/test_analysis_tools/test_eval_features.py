import io
import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from mmvireid.evaluation import FeatureSet
from mmvireid.registry import PROTOCOLS


@pytest.fixture(scope='module')
def main(load_tool):
    return load_tool('analysis_tools/eval_features.py').main


@pytest.fixture
def features_file(tmp_path):
    """Persons 1, 2, 3 with one image per camera; person 3's infrared images look like person 1."""
    rows = [(person, camera) for person in (1, 2, 3) for camera in range(1, 7)]
    infrared = [camera in (3, 6) for _, camera in rows]
    looks_like = [1 if p == 3 and ir else p for (p, _), ir in zip(rows, infrared)]
    features = np.eye(4)[looks_like] + 0.05 * np.eye(4)[[p for p, _ in rows]]
    path = tmp_path / 'features.npz'
    FeatureSet(
        features=features,
        flip_features=np.eye(4)[[p for p, _ in rows]] * 9,
        person_ids=[p for p, _ in rows],
        camera_ids=[c for _, c in rows],
        modalities=['infrared' if ir else 'visible' for ir in infrared],
        names=[f'cam{c}/{p:04d}/0001.jpg' for p, c in rows],
    ).save(path)
    return path


def test_writes_hand_counted_figures(main, features_file, tmp_path, capsys):
    main([str(features_file), '--protocol', 'sysu', '--shots', '1',
          '--out', str(tmp_path / 'new' / 'result.json')])  # fmt: skip
    results = json.loads((tmp_path / 'new' / 'result.json').read_text())
    assert list(results) == ['sysu/all-1shot', 'sysu/indoor-1shot']
    result = results['sysu/all-1shot']
    # Person 3's two queries rank person 1 first, then their own; the other four are perfect.
    np.testing.assert_allclose(result['cmc'], [4 / 6, 1, 1], atol=1e-12)
    # Camera 6 sees 4 images per person, camera 3 only 3 (not camera 2's).
    late = [np.mean([k / (k + n) for k in range(1, n + 1)]) for n in (3, 4)]
    assert result['mAP'] == pytest.approx((4 + sum(late)) / 6, abs=1e-12)
    assert result['mINP'] == pytest.approx((4 + 0.5 + 0.5) / 6, abs=1e-12)
    spread = [result['mAP_std'], result['mINP_std'], *result['cmc_std']]
    np.testing.assert_allclose(spread, [0] * 5, atol=1e-12)
    assert result['num_valid_queries'] == 6
    assert len(result['per_trial']) == 10
    assert result['per_trial'][3]['mAP'] == pytest.approx(result['mAP'])
    printed = capsys.readouterr().out
    assert '66.67 ± 0.00' in printed
    assert 'chance' in printed


@pytest.mark.parametrize(
    ('rerank', 'key'),
    [([], 'sysu-flip-rerank'), (['k-reciprocal'], 'sysu-flip-rerank'), (['aim'], 'sysu-flip-aim')],
)
def test_flip_and_rerank_have_their_own_key(main, features_file, tmp_path, rerank, key):
    out = tmp_path / 'result.json'
    arguments = [str(features_file), '--protocol', 'sysu', '--mode', 'all', '--out', str(out)]
    main([*arguments, '--flip', '--rerank', *rerank, '--shots', '1', '--trials', '1'])
    assert list(json.loads(out.read_text())) == [f'{key}/all-1shot']


def test_flip_sum_decides_whether_lengths_count(main, features_file, tmp_path):
    out, found, short = tmp_path / 'result.json', {}, tmp_path / 'short.npz'
    features = FeatureSet.load(features_file)
    replace(features, flip_features=features.flip_features / 900).save(short)
    arguments = [str(short), '--protocol', 'sysu', '--mode', 'all', '--out', str(out)]
    for flip_sum in ('unit', 'raw'):
        main([*arguments, '--flip', '--flip-sum', flip_sum, '--shots', '1', '--trials', '1'])
        found[flip_sum] = json.loads(out.read_text())['sysu-flip/all-1shot']['mAP']
    # mirrored features are right, and far shorter than the others
    assert found['raw'] < found['unit'] == 1


def test_distance_decides_whether_lengths_count(main, features_file, tmp_path):
    known = FeatureSet.load(features_file)
    path, out = tmp_path / 'lengths.npz', tmp_path / 'result.json'
    lengths = known.person_ids[:, None]
    FeatureSet(lengths, known.person_ids, known.camera_ids, known.modalities, known.names).save(
        path
    )
    cmc = {}
    for distance in ('cosine', 'euclidean'):
        main([str(path), '--protocol', 'sysu', '--distance', distance, '--out', str(out)])
        result = json.loads(out.read_text())['sysu/all-1shot']
        cmc[distance] = result['cmc']
        assert result['tied_share'] == (1 if distance == 'cosine' else pytest.approx(0.8, abs=0.1))
    assert cmc['cosine'][0] < 0.7  # all cosines tie, so that the lot decides
    np.testing.assert_allclose(cmc['euclidean'], [1, 1, 1])


def test_features_of_another_protocol_are_refused(main, features_file, capsys):
    known = FeatureSet.load(features_file)
    known.save(features_file, dict(dataset='regdb', protocol='regdb', split='test', trial=3))
    with pytest.raises(SystemExit):
        main([str(features_file), '--protocol', 'sysu'])
    expected = "images of regdb, test, trial 3, expected data of protocol 'sysu'"
    assert expected in capsys.readouterr().err
    main([str(features_file), '--protocol', 'regdb'])
    assert capsys.readouterr().out.endswith('Test data: regdb, test, trial 3.\n')
    known.save(features_file, dict(checkpoint='epoch_5.pth'))  # as extract.py does
    main([str(features_file), '--protocol', 'regdb'])
    assert 'Test data' not in capsys.readouterr().out


def test_the_result_is_written_whatever_the_screen_can_show(
    main, features_file, tmp_path, monkeypatch
):
    out, screen = tmp_path / 'result.json', io.TextIOWrapper(io.BytesIO(), encoding='ascii')
    monkeypatch.setattr(sys, 'stdout', screen)
    main([str(features_file), '--protocol', 'sysu', '--out', str(out)])
    assert '66.67 ? 0.00' in screen.buffer.getvalue().decode()
    assert json.loads(out.read_text()).keys() >= {'sysu/all-1shot'}


def test_a_wrong_output_path_is_found_before_the_work(
    main, features_file, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(FeatureSet, 'load', None)
    with pytest.raises(SystemExit):
        main([str(features_file), '--protocol', 'sysu', '--out', str(tmp_path)])
    assert f"`path` is '{tmp_path}', which cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--protocol', 'regdb', '--mode', 'all'], '--mode does not apply to --protocol regdb'),
        (['--protocol', 'sysu', '--gallery', 'official'], '`rand_perm_file` is None'),
        (['--protocol', 'sysu', '--shots', '0'], '`shots` is [0]'),
        (['--protocol', 'llcm', '--direction', 'up'], "`directions` is ['up']"),
    ],
)
def test_a_mistake_ends_with_one_message(main, features_file, capsys, arguments, message):
    with pytest.raises(SystemExit) as ending:
        main([str(features_file), *arguments])
    assert ending.value.code == 2
    assert message in capsys.readouterr().err


def test_a_missing_file_ends_with_one_message(main, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main([str(tmp_path / 'none.npz'), '--protocol', 'sysu'])
    assert 'none.npz, which is not a file' in capsys.readouterr().err


PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar

from mmvireid.evaluation import BaseProtocol, RegDBProtocol
from mmvireid.registry import PROTOCOLS


@PROTOCOLS.register_module()
@dataclass(frozen=True)
class OneWay(BaseProtocol):
    direction: str = 'visible-to-infrared'
    name: ClassVar[str] = 'one-way'

    def settings(self, feature_set):
        return RegDBProtocol(directions=[self.direction]).settings(feature_set)
"""


def test_a_plugins_protocol_is_one_like_the_others(
    main, features_file, tmp_path, monkeypatch, capsys
):
    (tmp_path / 'plugin_of_mine.py').write_text(PLUGIN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', list(sys.path))
    options = ['--imports', 'plugin_of_mine', '--protocol', 'one-way', '--scores', 'mAP']
    direction = 'direction=infrared-to-visible'
    main([str(features_file), *options, '--protocol-options', direction])
    head, _, row, *_ = capsys.readouterr().out.splitlines()
    assert head.split() == ['setting', 'mAP', 'queries', 'trials']
    main([str(features_file), '--protocol', 'regdb', '--direction', 'infrared-to-visible'])
    expected = capsys.readouterr().out.splitlines()[2].split()
    assert row.split()[:2] == [expected[0], expected[13]]
    for wrong, message in (
        ([*options[:3], 'one-wy'], "'one-wy' is not registered as a protocol"),
        (['--imports', 'plugin_of_his', *options[2:]], "--imports has 'plugin_of_his', expected"),
        ([*options, '--protocol-options', 'way=1'], r"--protocol-options has ['way'], expected"),
    ):
        with pytest.raises(SystemExit):
            main([str(features_file), *wrong])
        assert message in capsys.readouterr().err
    PROTOCOLS.module_dict.pop('OneWay')
