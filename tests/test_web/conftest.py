"""A gallery of coloured pictures, and one page for all tests."""

import base64
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from mmvireid.apis import galleries
from mmvireid.evaluation import FeatureSet
from mmvireid.web import Evaluation, Searcher, build_page, serve
from mmvireid.web.server import quiet_gradio


@pytest.fixture(scope='session')
def world(tmp_path_factory, color_inferencer):
    """A folder of data in which six cameras see eight people: config, rows and pictures."""
    folder = tmp_path_factory.mktemp('web')
    rng, rows = np.random.default_rng(0), []
    for person in range(1, 9):
        looks = rng.integers(0, 256, (4, 2, 3))
        for camera in (1, 2, 3, 4, 5, 6):
            noise = rng.normal(0, 120 if camera == 6 else 40, looks.shape)  # many are wrong
            pixels = np.clip(looks + noise, 0, 255).astype(np.uint8)
            name = f'cam{camera}/{person:04d}/0001.png'
            (folder / 'data' / name).parent.mkdir(parents=True)
            big = cv2.resize(pixels, (20, 40), interpolation=cv2.INTER_NEAREST)
            cv2.imwrite(str(folder / 'data' / name), big)
            modality = 'infrared' if camera in (3, 6) else 'visible'
            rows.append(dict(img_path=str(folder / 'data' / name), name=name, modality=modality,
                             person_id=person, camera_id=camera))  # fmt: skip
    inferencer = color_inferencer(
        str(folder / 'data'), dict(type='SYSUMetric', modes=['all', 'indoor'], shots=[1])
    )
    return SimpleNamespace(
        folder=folder, rows=rows, cfg=inferencer.model.cfg, inferencer=inferencer
    )


@pytest.fixture(scope='session')
def searcher(world):
    """The visible pictures in a gallery."""
    pytest.importorskip('pymilvus')
    pytest.importorskip('milvus_lite')
    rows = [row for row in world.rows if row['modality'] == 'visible']
    with galleries.open_gallery(str(world.folder / 'gallery.db'), world.inferencer) as gallery:
        galleries.add_rows(gallery, world.inferencer, rows)
        yield Searcher(gallery, world.inferencer)


@pytest.fixture(scope='session')
def features(world):
    """The features file of a test on these data."""
    samples, _ = galleries.predict_rows(world.inferencer.model, world.rows, 64)
    feature_set = FeatureSet.from_rows(
        samples, features=np.stack([s.feature.numpy() for s in samples])
    )
    feature_set.save(world.folder / 'features.npz')
    return world.folder / 'features.npz'


@pytest.fixture(scope='session')
def evaluation(world, features):
    return Evaluation(features, world.cfg)


@pytest.fixture(scope='session')
def url(searcher, evaluation):
    """The address of the one page that all tests ask."""
    pytest.importorskip('gradio')
    with quiet_gradio() as gradio:
        page = build_page(gradio, searcher, evaluation)
        yield serve(page, block=False)
        page.close()


@pytest.fixture(scope='session')
def upload():
    """``upload(path)``: a picture as a browser sends it."""

    def send(path) -> dict:
        with open(path, 'rb') as file:
            data = base64.b64encode(file.read()).decode()
        return dict(name=str(path), data=f'data:image/png;base64,{data}')

    return send
