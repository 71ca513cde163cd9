"""What can be read from features by a linear rule, on images that it was not fitted to."""

from collections.abc import Callable

import numpy as np

from mmvireid.errors import InvalidValueError, from_extra

#: Strength of the probe: the inverse of its weight decay, on standardised features.
STRENGTH = 0.1
#: Fits a rule to features (N, D) and labels (N,), and says the labels of other features (M, D).
Probe = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def linear_probe() -> Probe:
    """scikit-learn's logistic regression on standardised features.

    Their means and deviations are those of the features that it is fitted to. Each label weighs the
    same, however many images have it.

    Raises:
        RuntimeError: If scikit-learn is missing, so that this is known before any long work.
    """
    with from_extra('linear_probe', 'scikit-learn', 'analysis'):
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

    def fit_and_tell(features: np.ndarray, labels: np.ndarray, others: np.ndarray) -> np.ndarray:
        rule = LogisticRegression(C=STRENGTH, class_weight='balanced', max_iter=1000)
        return make_pipeline(StandardScaler(), rule).fit(features, labels).predict(others)

    return fit_and_tell


def held_out_accuracy(
    probe: Probe, features: np.ndarray, labels: np.ndarray, folds: np.ndarray
) -> float:
    r"""How well a probe tells labels of images that it was not fitted to.

    Every fold is told by a probe that is fitted to the other ones. With C labels, and N_c images
    of label c, of which n_c are told right,

    .. math::
        \text{accuracy} = \frac{1}{C} \sum_c \frac{n_c}{N_c}

    so that telling one label always, or guessing, gives 1 / C, however unequal the labels are.

    Args:
        probe: See :func:`linear_probe`.
        features: Shape (N, D).
        labels: Shape (N,).
        folds: Fold of every image, at least two different ones, shape (N,).

    Returns:
        The balanced accuracy in percent.

    Raises:
        ValueError: If without a fold fewer than two labels are left to fit to.

    Example:
        >>> def nearest(features, labels, others):
        ...     return labels[np.abs(others[:, None, 0] - features[None, :, 0]).argmin(axis=1)]
        >>> features = np.array([[0.0], [1.0], [0.1], [0.9]])
        >>> float(held_out_accuracy(nearest, features, np.array([0, 1, 0, 1]), np.arange(4) // 2))
        100.0
    """
    told = np.empty_like(labels)
    for fold in np.unique(folds):
        held_out = folds == fold
        if len(np.unique(labels[~held_out])) < 2:
            raise InvalidValueError(
                f'held_out_accuracy: `labels` has {np.unique(labels[~held_out])} outside of fold '
                f'{fold}, expected at least two different ones. Use more images.'
            )
        told[held_out] = probe(features[~held_out], labels[~held_out], features[held_out])
    right = told == labels
    return float(100 * np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def folds_of_images(
    person_ids: np.ndarray, rng: np.random.Generator, num_folds: int = 5
) -> np.ndarray:
    """Deal the images of each person out to folds, so that everyone is in every other fold too.

    Args:
        person_ids: Shape (N,).
        rng: Shuffles the images of a person.
        num_folds: Their number.

    Returns:
        Fold of every image, int64, shape (N,).
    """
    folds = np.empty(len(person_ids), np.int64)
    for person_id in np.unique(person_ids):
        rows = rng.permutation(np.flatnonzero(person_ids == person_id))
        folds[rows] = np.arange(len(rows)) % num_folds
    return folds


def folds_of_people(
    person_ids: np.ndarray, rng: np.random.Generator, num_folds: int = 5
) -> np.ndarray:
    """Deal people out to folds: nobody is in two of them.

    Args:
        person_ids: Shape (N,).
        rng: Shuffles the people.
        num_folds: Their number at most; there are no more than people.

    Returns:
        Fold of every image, int64, shape (N,).
    """
    ids, rows = np.unique(person_ids, return_inverse=True)
    return (rng.permutation(len(ids)) % num_folds)[rows]
