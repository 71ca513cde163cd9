"""What is known about one image: the currency between data set, model and metric."""

from mmengine.structures import BaseDataElement

VISIBLE = 'visible'
INFRARED = 'infrared'
#: The two modalities, in the order in which a batch holds them.
MODALITIES = (VISIBLE, INFRARED)


class ReIDDataSample(BaseDataElement):
    """Annotations and predictions of one image.

    Data fields (plain Python scalars, so that a batch of samples costs no small tensors):

    - ``person_id`` (int): the data set's own identity number.
    - ``gt_label`` (int): training label in [0, C), -1 outside the training split.
    - ``camera_id`` (int): the data set's own camera number.
    - ``modality`` (str): ``'visible'`` or ``'infrared'``.
    - ``room`` (str): where the camera was, if the data set tells.
    - ``feature`` (Tensor): retrieval feature, float32, shape (D,); set by a model's ``predict``.
    - ``pred_label`` (int): predicted training label; set by ``predict`` of models that classify.
    - ``flip_feature`` (Tensor): the same of the mirrored image, when the model was asked for it.

    Meta information: ``name`` (path relative to the data root, its sorted order is the protocols'
    file-name order), ``img_path``, ``sample_idx``, ``block``, the batch block that a training image
    was drawn for, where the batch sampler makes several, ``view``, the name of the view of a drawn
    image, where the data preprocessor makes views (in training alone), and ``picture_box``, left,
    top, right and bottom (exclusive) of the picture within the image in pixels, where the rest may
    be padding.

    Example:
        >>> sample = ReIDDataSample(person_id=6, gt_label=0, camera_id=3, modality='infrared')
        >>> sample.camera_id
        3
    """
