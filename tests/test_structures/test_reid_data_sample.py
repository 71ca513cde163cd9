import pickle

import torch

from mmvireid.structures import INFRARED, MODALITIES, VISIBLE, ReIDDataSample


def test_the_order_of_the_modalities_is_that_of_a_batch():
    assert (VISIBLE, INFRARED) == MODALITIES == ('visible', 'infrared')


def test_scalars_and_the_feature_survive_a_worker():
    sample = ReIDDataSample(metainfo=dict(name='cam3/a.jpg'), person_id=6, gt_label=0,
                            camera_id=3, modality=INFRARED)  # fmt: skip
    sample.feature = torch.arange(3.0)
    again = pickle.loads(pickle.dumps(sample))
    assert (again.person_id, again.gt_label, again.camera_id) == (6, 0, 3)
    assert (again.modality, again.name) == (INFRARED, 'cam3/a.jpg')
    assert torch.equal(again.feature, sample.feature)
    assert set(again.keys()) == {'person_id', 'gt_label', 'camera_id', 'modality', 'feature'}
    assert again.metainfo_keys() == ['name']


def test_meta_information_is_asked_for_with_a_default():
    assert ReIDDataSample().get('picture_box', (0, 0, 4, 8)) == (0, 0, 4, 8)
