import numpy as np
import pytest

from mmvireid.reports.failures import cameras, people


def test_cameras_by_pairs(make_run, parse):
    page = parse(cameras([make_run('a', noise=0.05)]).body)
    assert 'gallery 1 gallery 2 gallery 4 gallery 5 query 3 100.0 \N{EN DASH} 100.0' in page.text
    shades = [dict(attributes).get('style') for tag, attributes in page.tags if tag == 'td']
    assert shades.count('background:rgba(213,94,0,0.00)') == 7 and None in shades


@pytest.mark.parametrize('noise', [0.8, 3.0])
def test_people_are_in_the_order_of_their_figures(noise, make_run, parse):
    run = make_run('a', noise=noise)
    page = parse(people([run]).body)
    (trace,) = page.plots[0]['data']
    _, queries = run.test.looked_at
    expected = {
        person: 100 * np.mean([rank == 1 for rank in queries.first_rank[:, rows].ravel() if rank])
        for person in np.unique(queries.person_ids)
        if (rows := queries.person_ids == person).any()
    }
    shown = dict(zip(trace['text'], trace['y']))
    assert shown == {f'id {p}': pytest.approx(value, rel=1e-4) for p, value in expected.items()}
    assert trace['y'] == sorted(trace['y'])
    worst = page.text.split('queries in all trials ')[1]
    assert worst.startswith(trace['text'][0]) or trace['y'][1] == trace['y'][0]
    never = sum(value == 0 for value in expected.values())
    assert f'of 8 people {never} are never found at rank 1' in page.text


def test_without_a_test_or_features_that_is_said(make_run, parse):
    runs = [make_run('a', tested=False), make_run('b', save_features=False)]
    text = parse(cameras(runs).body).text
    assert 'There are no results' in text and 'No features were saved' in text
    page = parse(people(runs).body)
    assert 'There are no results' in page.text and len(page.plots[0]['data']) == 1
    assert not parse(people(runs[:1]).body).plots
