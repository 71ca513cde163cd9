import numpy as np
from plotly.graph_objects import Figure

from mmvireid.reports.separation import distances, embedding


def test_histograms_of_three_kinds_of_pairs(make_run, parse):
    page = parse(distances([make_run('a')]).body)
    assert len(page.plots) == 3
    for spec in page.plots:
        Figure(spec)
        for trace in spec['data']:
            area = np.sum(np.diff(trace['x']) * trace['y'][:-1])
            np.testing.assert_allclose(area, 1, rtol=1e-3)
    for name in ('visible to infrared', 'visible to visible', 'infrared to infrared'):
        assert f'{name}: means 0.' in page.text


def test_an_embedding_shows_people_and_modalities(make_run, parse):
    run = make_run('a', noise=0.1)
    (spec,) = parse(embedding([run]).body).plots
    Figure(spec)
    assert len(spec['data']) == 8 * 2
    shown = {trace['name']: (len(trace['x']), trace['marker']) for trace in spec['data']}
    assert shown['id 1, visible'][0] == 8 and shown['id 1, infrared'][0] == 4
    assert shown['id 1, visible'][1]['color'] == shown['id 1, infrared'][1]['color']
    assert shown['id 1, visible'][1]['symbol'] != shown['id 1, infrared'][1]['symbol']


def test_without_features_that_is_said(make_run, parse):
    run = make_run('a', save_features=False)
    for section in (distances, embedding):
        assert parse(section([run]).body).text.count('No features were saved') == 1


def test_one_modality_is_said(make_run, parse):
    run = make_run('a')
    run.test.features.modalities[:] = 'visible'
    page = parse(distances([run]).body)
    assert len(page.plots) == 1
    assert 'has no pair of infrared and infrared images' in page.text
