"""One picture: a person in a pose, in front of a camera."""

import cv2
import numpy as np
from numpy.random import Generator

from .cameras import Camera, background, camera_look, record
from .canvas import Canvas
from .figure import Pose, draw_figure
from .person import make_person
from .seeding import Stream, generator

#: Pictures are painted this many times larger and averaged down, against jagged edges.
OVERSAMPLING = 2


def render_picture(seed: int, person_id: int, camera: Camera, index: int) -> np.ndarray:
    """Render one picture. It is a function of its arguments alone.

    Args:
        seed: Seed of the data set, not negative.
        person_id: Identity number, not negative.
        camera: Camera that takes the picture.
        index: Number of the picture among those of this person and camera.

    Returns:
        uint8 picture, blue-green-red, about 128 x 64 pixels (the size varies as a detector's boxes
        do), shape (H, W, 3); three equal channels in infrared.

    Example:
        >>> camera = Camera(1, 'visible', room=1)
        >>> render_picture(0, 7, camera, 1).shape[2]
        3
    """
    rng = generator(seed, Stream.IMAGE, person_id, *camera.key, index)
    look = camera_look(seed, camera)
    pose = _pose(rng, look.facing)
    height = int(rng.integers(118, 140))
    width = int(height * rng.uniform(0.44, 0.54))
    size = np.array([height, width])
    canvas = _canvas(rng, seed, camera, size * OVERSAMPLING, look.perspective)
    draw_figure(canvas, make_person(seed, person_id), pose, camera.modality)
    _occlude(canvas, rng)
    pixels = cv2.resize(canvas.pixels, (width, height), interpolation=cv2.INTER_AREA)
    return record(pixels.reshape(height, width, -1), camera, look, rng)


def render_jpeg(seed: int, person_id: int, camera: Camera, index: int) -> bytes:
    """The JPEG file of one picture; arguments as in :func:`render_picture`."""
    picture = render_picture(seed, person_id, camera, index)
    quality = camera_look(seed, camera).jpeg_quality
    return cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _pose(rng: Generator, facing: float) -> Pose:
    """Mostly towards or away from the camera as usual there, sometimes sideways."""
    turn = rng.choice([0.0, np.pi, np.pi / 2, -np.pi / 2], p=[0.5, 0.2, 0.15, 0.15])
    return Pose(
        yaw=facing + turn + rng.normal(0, 0.25),
        phase=rng.uniform(0, 2 * np.pi),
        stride=rng.uniform(0.1, 0.45),
        arm_swing=rng.uniform(0.1, 0.45),
    )


def _canvas(rng: Generator, seed: int, camera: Camera, size, perspective: float) -> Canvas:
    """Background, and a crop around the person that is not exact."""
    height, width = size
    scale = height * rng.uniform(0.86, 0.97)
    top = (height - scale) * rng.uniform(0.2, 0.9)
    centre = width * (0.5 + rng.normal(0, 0.05))
    return Canvas(
        background(seed, camera, size, top + scale, rng),
        scale,
        (centre, top),
        lean=rng.normal(0, 0.025),
        perspective=max(0.0, perspective + rng.normal(0, 0.03)),
        light=rng.uniform(-1, 1),
    )


def _occlude(canvas: Canvas, rng: Generator) -> None:
    """Sometimes hide a part of the person behind a pole or a low object."""
    if rng.random() > 0.18:
        return
    height, width, channels = canvas.pixels.shape
    tone = rng.uniform(0.15, 0.8, channels).astype(np.float32)
    if rng.random() < 0.5:
        left, wide = int(rng.uniform(0, 0.9) * width), int(rng.uniform(0.08, 0.2) * width)
        canvas.pixels[:, left : left + wide] = tone
    else:
        top = int(rng.uniform(0.68, 0.9) * height)
        left = int(rng.uniform(-0.4, 0.5) * width)
        canvas.pixels[top:, max(left, 0) : left + int(0.9 * width)] = tone
