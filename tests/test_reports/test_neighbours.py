import numpy as np

from mmvireid.evaluation.query_results import QueryResults
from mmvireid.reports.neighbours import NUM_MATCHES, NUM_QUERIES, choose_queries, neighbours


def test_lists_have_marks_and_pictures(make_run, images, parse):
    run = make_run('a', noise=0.3)
    section = neighbours([run])
    assert len(section.pictures) == 3 and 'crossed out' not in section.body
    kinds = [parse(block) for block in section.pictures]
    assert [page.texts[0].split(',')[0] for page in kinds] == ['worst', 'best', 'random']
    features = run.test.features
    for page in kinds:
        tiles = [attributes for tag, attributes in page.tags if tag == 'img']
        assert len(tiles) == NUM_QUERIES * (1 + NUM_MATCHES)
        assert all(tile['src'].startswith('data:image/jpeg;base64,') for tile in tiles)
        marks = [a['class'].split() for tag, a in page.tags if tag == 'figure']
        query = None
        for tile, mark in zip(tiles, marks):
            row = run.test.row_of[tile['alt']]
            if mark == ['tile']:
                query = row
                assert features.camera_ids[row] in (3, 6)
            else:
                same = features.person_ids[row] == features.person_ids[query]
                assert mark == ['tile', 'right' if same else 'wrong']


def test_queries_are_the_extremes_and_of_different_people():
    random = np.random.default_rng(0)
    precision = random.uniform(size=(2, 60))
    rank = random.integers(0, 3, (2, 60))
    people = np.repeat(np.arange(12), 5)
    queries = QueryResults(np.arange(60).astype(str), people, rank, precision, 'x')
    chosen = choose_queries(queries)
    best_of = {p: max(precision[0][(people == p) & (rank[0] > 0)]) for p in range(12)}
    expected = sorted(best_of.values())[: -NUM_QUERIES - 1 : -1]
    np.testing.assert_array_equal(precision[0][chosen['best']], expected)
    assert precision[0][chosen['worst'][0]] == precision[0][rank[0] > 0].min()
    for found in chosen.values():
        assert len({*people[found]}) == NUM_QUERIES and (rank[0][found] > 0).all()


def test_missing_pictures_are_grey_and_a_missing_folder_is_said(make_run, images, tmp_path, parse):
    run = make_run('a')
    for path in (tmp_path / 'data/cam1').rglob('*.png'):
        path.unlink()
    section = neighbours([run])
    assert len(section.pictures) == 3
    images = (tag for block in section.pictures for tag in parse(block).tags if tag[0] == 'img')
    shown = {attributes['alt'] for _, attributes in images}
    gone = sum(name.startswith('cam1/') for name in shown)
    said = f'a: {gone} pictures are not below {tmp_path / "data"}, and crossed out: --data-root DIR'
    assert gone and said in parse(section.body).text
    other = make_run('b')
    other.test.data_root = tmp_path / 'nowhere'
    section = neighbours([run, other])
    assert 'b: The images are not in' in parse(section.body).text
    assert len(section.pictures) == 3
