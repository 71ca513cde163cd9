import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmvireid.apis import extract_test_features, init_model
from mmvireid.evaluation.functional import cross_modality_histograms
from mmvireid.models.backbones.resnet_part import build_resnet


@pytest.fixture
def tool(load_tool):
    return load_tool('visualization/distances.py')


def slow_means(features, keep=lambda row: True):
    """Mean distances of visible to infrared features, one pair at a time."""
    unit = features.features / np.linalg.norm(features.features, axis=1, keepdims=True)
    found = {True: [], False: []}
    for i in filter(keep, np.flatnonzero(features.modalities == 'visible')):
        for j in filter(keep, np.flatnonzero(features.modalities == 'infrared')):
            same = bool(features.person_ids[i] == features.person_ids[j])
            found[same].append(np.sqrt(((unit[i] - unit[j]) ** 2).sum()))
    return np.mean(found[True]), np.mean(found[False])


def printed_means(text):
    """Numbers of the printed table by the first word of their row."""
    lines = text.split('---\n')[1].split('\n\n')[0].splitlines()
    return {line.split()[0]: list(map(float, line.split()[-3:])) for line in lines}


def test_every_model_has_a_panel_and_a_row(tool, saved, tmp_path, capsys):
    files, other = saved('agw/agw_synthetic.py'), saved('mso/mso_synthetic.py')
    out = tmp_path / 'new folder/distances.png'
    tool.main([*files, '--other', *other, '--initial', '--seed', '3', '--out', str(out)])
    assert cv2.imread(str(out)).shape == (600, 3 * 5 * 150, 3)
    printed = capsys.readouterr().out
    assert str(out) in printed
    rows = printed_means(printed)
    assert list(rows) == ['initial', 'agw_synthetic', 'mso_synthetic']
    torch.manual_seed(3)
    models = init_model(files[0]), init_model(*files), init_model(*other)
    for values, model in zip(rows.values(), models):
        same, different = slow_means(extract_test_features(model))
        assert values == pytest.approx([same, different, different - same], abs=2e-4)
    assert rows['initial'] != rows['agw_synthetic']


def test_initial_is_where_training_starts(tool, saved, tmp_path, capsys):
    """The network before training has the pretrained weights that its config names."""
    config, checkpoint = saved('agw/agw_synthetic.py')
    torch.manual_seed(7)
    pretrained = {key: v for key, v in build_resnet(18).state_dict().items() if key[:2] != 'fc'}
    torch.save(pretrained, tmp_path / 'imagenet.pth')
    cfg = Config.fromfile(config)
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'imagenet.pth'))
    cfg.dump(config)
    out = str(tmp_path / 'a.png')
    tool.main([config, checkpoint, '--initial', '--out', out])
    shown = capsys.readouterr()
    torch.manual_seed(0)
    model = init_model(config)
    trunk, stem = model.backbone.trunk.state_dict(), model.backbone.stems['visible'].state_dict()
    for part in (trunk, stem):
        for key, value in part.items():
            if '.non_local_' not in key:
                value.copy_(pretrained[key])
    infrared = model.backbone.stems['infrared'].state_dict()
    for key, value in infrared.items():
        value.copy_(pretrained[key])
    same, different = slow_means(extract_test_features(model))
    found = printed_means(shown.out)['initial']
    assert found == pytest.approx([same, different, different - same], abs=2e-4)
    assert shown.out.splitlines()[0].split()[0] != 'initialize'


def test_only_the_asked_images_are_used(tool, saved, tmp_path, capsys):
    files = saved('agw/agw_synthetic.py')
    features = extract_test_features(init_model(*files))
    ids, cameras = np.unique(features.person_ids)[:3].tolist(), [1, 3, 6]
    arguments = ['--person-ids', *map(str, ids), '--cameras', *map(str, cameras)]
    tool.main([*files, *arguments, '--out', str(tmp_path / 'a.png')])
    printed = capsys.readouterr().out

    def is_asked(row):
        return features.person_ids[row] in ids and features.camera_ids[row] in cameras

    count = sum(map(is_asked, range(len(features))))
    assert 0 < count < len(features)
    assert f'{count} images, picture in' in printed
    same, different = slow_means(features, is_asked)
    found = printed_means(printed)['agw_synthetic']
    assert found == pytest.approx([same, different, different - same], abs=2e-4)
    everyone = cross_modality_histograms(features)
    assert found[0] != pytest.approx(everyone.same_mean, abs=2e-4)


def test_bad_input_is_one_line(tool, saved, tmp_path, capsys, monkeypatch):
    files, other = saved('agw/agw_synthetic.py'), saved('mso/mso_synthetic.py')
    out = ['--out', str(tmp_path / 'a.png')]
    with monkeypatch.context() as patch:
        patch.setattr(tool, 'extract_test_features', None)  # found before the long work
        for arguments, message in {
            ('--person-ids', '9999'): r'`person_ids` has \[9999\], expected some of',
            ('--cameras', '9'): r'`cameras` has \[9\], expected some of \[1, 2, 3, 4, 5, 6\]',
        }.items():
            with pytest.raises(SystemExit, match=f'distances: .*{message}'):
                tool.main([*files, *out, *arguments])
    with pytest.raises(SystemExit, match='distances: .*no pair of infrared and visible images of'):
        tool.main([*files, *out, '--cameras', '1'])
    with pytest.raises(SystemExit, match='2'):
        tool.main([*files, '--out', 'a.txt'])
    assert "--out: 'a.txt' does not end as pictures do" in capsys.readouterr().err
    cfg = Config.fromfile(other[0])
    cfg.test_dataloader.dataset.indices = 20
    cfg.dump(other[0])
    with pytest.raises(SystemExit, match='mso_synthetic tests on other images'):
        tool.main([*files, '--other', *other, *out])
