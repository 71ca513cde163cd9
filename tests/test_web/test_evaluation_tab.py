import re

import numpy as np
import pytest
from mmengine.config import Config

from mmvireid.evaluation import FeatureSet, SYSUProtocol, evaluate
from mmvireid.web import Evaluation

ALL = 'sysu/all-1shot'


def test_the_table_has_the_figures_of_the_test(evaluation, features):
    feature_set = FeatureSet.load(features)
    protocol = SYSUProtocol(modes=['all', 'indoor'], shots=[1])
    report = evaluate(feature_set, protocol.settings(feature_set))
    table = evaluation.table()
    for name, result in report.items():
        score = 100 * result.mAP
        assert f'<td>{name}</td>' in table
        assert f'<td>{score.mean():.2f} ± {score.std():.2f}</td>' in table
    assert table.count('chance') == 2 * len(report)


def test_wrong_ones_come_first_and_the_worst_of_them(evaluation, features):
    feature_set = FeatureSet.load(features)
    setting = SYSUProtocol(modes=['all'], shots=[1]).settings(feature_set)[0]
    gallery, unit = setting.galleries[0], feature_set.features
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    kinds = []
    for row in evaluation.wrong_first(ALL):
        cameras = feature_set.camera_ids[gallery]
        shown = gallery[(cameras != 2) | (feature_set.camera_ids[row] != 3)]
        best = shown[np.argmax(unit[shown] @ unit[row])]
        kinds.append(bool(feature_set.person_ids[best] == feature_set.person_ids[row]))
    assert len(kinds) == 16 and kinds == sorted(kinds) and set(kinds) == {False, True}


def test_pages_show_every_query_once(evaluation):
    pages = [evaluation.page(ALL, page) for page in range(1, evaluation.num_pages(ALL) + 1)]
    assert len(pages) == 4 and [page.count('class="ranked"') for page in pages] == [5, 5, 5, 1]
    queries = re.findall(r'>query<.*?title="([^"]+)"', ''.join(pages))
    assert len(set(queries)) == 16 and all(name[:4] in ('cam3', 'cam6') for name in queries)
    wrong = re.search(r'(\d+) of 16 queries have a wrong first match', pages[0]).group(1)
    first = re.findall(
        r'</figure><figure class="tile" data-mark="(\w+)"><img alt="[^"]*: ', pages[0]
    )
    assert 0 < int(wrong) < 16 and 'wrong' in first


@pytest.mark.parametrize(('setting', 'page'), [(ALL, 0), (ALL, 5), (ALL, 'x'), ('<b>', 1)])
def test_other_pages_are_refused(evaluation, setting, page):
    with pytest.raises(ValueError, match='The page is|The setting is'):
        evaluation.page(setting, page)


def test_only_pictures_below_the_data_root_are_read(evaluation, world):
    assert evaluation.picture('cam1/0001/0001.png').shape == (40, 20, 3)
    (world.folder / 'secret.png').write_bytes(
        (world.folder / 'data/cam1/0001/0001.png').read_bytes()
    )
    (world.folder / 'data/link.png').symlink_to(world.folder / 'secret.png')
    others = ['../secret.png', str(world.folder / 'secret.png'), 'link.png', 'cam1', 'a\0', 'none']
    assert [evaluation.picture(name) for name in others] == [None] * 6


def test_what_is_no_evaluation_is_refused(features, world):
    with pytest.raises(FileNotFoundError, match='none.npz'):
        Evaluation('none.npz', world.cfg)
    with pytest.raises(ValueError, match='knows a retrieval protocol'):
        Evaluation(features, Config(dict(test_evaluator=[])))
