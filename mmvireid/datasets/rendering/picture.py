"""One picture: a person in a pose, in front of a camera."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator

from .cameras import Camera, Exposure, background, camera_look, draw_exposure, record
from .canvas import Canvas
from .figure import draw_figure
from .moment import OVERSAMPLING, Moment, draw_moment
from .person import INDEPENDENT, make_person
from .seeding import Stream, generator


def render_picture(
    seed: int,
    person_id: int,
    camera: Camera,
    index: int,
    sensor: Camera | None = None,
    tones: str = INDEPENDENT,
) -> np.ndarray:
    """Render one picture. It is a function of its arguments alone.

    Args:
        seed: Seed of the data set, not negative.
        person_id: Identity number, not negative.
        camera: Camera that the person passes: it decides room, perspective and usual facing.
        index: Number of the picture among those of this person and camera.
        sensor: Camera that takes the picture; ``None`` for that camera. Any other one takes the
            same moment from the same place: what is in the picture stays, pixel by pixel; tones,
            light, blur and noise are those of the other camera.
        tones: See :func:`.person.make_person`.

    Returns:
        uint8 picture, blue-green-red, about 128 x 64 pixels (the size varies as a detector's boxes
        do), shape (H, W, 3); three equal channels in infrared.

    Example:
        >>> camera, other = Camera(1, 'visible', room=1), Camera(3, 'infrared', room=2)
        >>> visible = render_picture(0, 7, camera, 1)
        >>> render_picture(0, 7, camera, 1, other).shape == visible.shape
        True
    """
    sensor = sensor or camera
    moment, exposure, rng = draw_picture(seed, person_id, camera, index, sensor)
    canvas = _canvas(seed, moment, replace(camera, modality=sensor.modality))
    draw_figure(canvas, make_person(seed, person_id, tones), moment.pose, sensor.modality)
    if moment.occluder is not None:
        left, top, right, bottom = moment.occluder.box
        canvas.pixels[top:bottom, left:right] = np.array(moment.occluder.tone, np.float32)
    height, width = (length // OVERSAMPLING for length in moment.size)
    pixels = cv2.resize(canvas.pixels, (width, height), interpolation=cv2.INTER_AREA)
    look = camera_look(seed, sensor)
    return record(pixels.reshape(height, width, -1), look, exposure, rng)


def render_jpeg(
    seed: int,
    person_id: int,
    camera: Camera,
    index: int,
    sensor: Camera | None = None,
    tones: str = INDEPENDENT,
) -> bytes:
    """The JPEG file of one picture; arguments as in :func:`render_picture`."""
    picture = render_picture(seed, person_id, camera, index, sensor, tones)
    quality = camera_look(seed, sensor or camera).jpeg_quality
    return cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def draw_picture(
    seed: int, person_id: int, camera: Camera, index: int, sensor: Camera
) -> tuple[Moment, Exposure, Generator]:
    """Everything about a picture that is drawn; arguments as in :func:`render_picture`.

    Returns:
        What is in front of the camera, how it is exposed, and the generator of its noise.
    """
    rng = generator(seed, Stream.IMAGE, person_id, *camera.key, index)
    moment = draw_moment(rng, camera.modality, camera_look(seed, camera))
    if sensor != camera:
        rng = generator(seed, Stream.SENSOR, person_id, *camera.key, index, *sensor.key)
        moment = moment.seen_by(rng, sensor.modality)
    return moment, draw_exposure(rng, sensor.modality, camera_look(seed, sensor)), rng


def _canvas(seed: int, moment: Moment, camera: Camera) -> Canvas:
    # of numpy's kind, so that coordinates are computed in float64: a seed's pictures stay as bytes
    scale, x, y = np.array([moment.scale, *moment.origin])
    return Canvas(
        background(seed, camera, moment.size, y + scale, moment.place),
        scale,
        (x, y),
        moment.lean,
        moment.perspective,
        moment.light,
    )
