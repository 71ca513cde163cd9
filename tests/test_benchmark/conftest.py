"""Lines of cells that nobody has run."""

import numpy as np
import pytest

from mmvireid.benchmark import sign


@pytest.fixture
def make_line():
    """``make_line('configs/a/a_synthetic.py', r1=40, seed=1)``: a line, with its hash.

    Forty people, four queries each, three trials; people are hard or easy whatever the config.
    """

    def build(config, r1=40.0, seed=0, rules='published', spread=0.02, **changes):
        ids = list(range(40))
        name = f'{config.rpartition("/")[2].removesuffix(".py")}.{rules}.small.seed{seed}'
        random = np.random.default_rng([seed, len(config)])
        person = np.linspace(-0.2, 0.2, 40) + r1 / 100 + spread * random.standard_normal(40)
        sums = (4 * person).round(3)
        mean = round(float(100 * sums.sum() / 160), 4)
        figures = dict(R1=mean, R5=80.0, R10=90.0, R20=95.0, mAP=mean, mINP=mean / 2)
        identities = dict(
            setting='sysu/all-1shot',
            asked='a',
            galleries='g',
            ids=ids,
            queries=[4.0] * 40,
            R1=sums.tolist(),
            mAP=sums.tolist(),
        )
        line = dict(
            config=config,
            rules=rules,
            size='small',
            seed=seed,
            variant='',
            options={},
            name=name,
            config_hash='c0ffee',
            commit='abc',
            protocol=dict(
                protocol='sysu',
                test_data=dict(dataset='synthetic_sysu', size='small', seed=0),
                gallery='seeded',
                num_trials=3,
                distance='cosine',
                flip=False,
                rerank=False,
                selection='epoch 5',
            ),
            trials={'sysu/all-1shot': {key: [value] * 3 for key, value in figures.items()}},
            identities=identities,
            seconds=dict(train=60.0, test=6.0),
            peak_memory_gib=dict(resident=1.0),
            machine=dict(cpu='a processor', torch='2.6'),
        )
        return sign(line | changes)

    return build
