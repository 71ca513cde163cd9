"""What is known about a rendered picture because it was drawn."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from mmvireid.storage import new_file

from .cameras import camera_look, develop
from .layouts import Shot
from .moment import OVERSAMPLING
from .picture import draw_picture


@dataclass(frozen=True)
class Factors:
    """The factors of one picture. Lengths are in its pixels, angles in radians.

    Args:
        person_id: Who.
        camera_id: Number of the camera.
        modality: ``'visible'`` or ``'infrared'``.
        room: Number of the place that the camera looks at.
        outdoor: Whether that is outdoors.
        index: Number among the pictures of this person and camera, from 1.
        facing: ``'front'``, ``'side'`` or ``'back'``: the nearest to ``yaw``.
        yaw: Facing in [-pi, pi): 0 towards the camera, positive to the right of the picture.
        phase: Walking phase in [0, 2 pi).
        stride: Amplitude of the legs' swing.
        arm_swing: Amplitude of the arms' swing.
        height: Of the picture.
        width: Of the picture.
        scale: Height of the person.
        centre: Column of the person's middle, a share of the width.
        top: Row of the top of the head, a share of the height.
        lean: Sideways slant, pixels across per pixel down.
        perspective: How much larger the head appears than the feet.
        light: Where the light comes from: -1 left, 0 front, 1 right.
        brightness: What the sensor makes of a mid-grey surface in the middle of the picture, in
            [0, 1], the mean over its channels.
        blur: Standard deviation of the blur.
        noise: Standard deviation of the sensor's noise, in [0, 1].
        occluder: ``'none'``, ``'pole'`` or ``'object'``.
        hidden: Share of the picture that the occluder covers.
    """

    person_id: int
    camera_id: int
    modality: str
    room: int
    outdoor: bool
    index: int
    facing: str
    yaw: float
    phase: float
    stride: float
    arm_swing: float
    height: int
    width: int
    scale: float
    centre: float
    top: float
    lean: float
    perspective: float
    light: float
    brightness: float
    blur: float
    noise: float
    occluder: str
    hidden: float


def picture_factors(seed: int, shot: Shot) -> Factors:
    """The factors of one picture of a data set; nothing is rendered.

    Args:
        seed: Seed of the data set.
        shot: Which picture.
    """
    camera, look = shot.camera, camera_look(seed, shot.camera)
    moment, exposure, _ = draw_picture(seed, shot.person_id, camera, shot.index, camera)
    height, width = moment.size
    yaw = float((moment.pose.yaw + np.pi) % (2 * np.pi) - np.pi)
    grey = np.full((3, 3, len(exposure.gain)), 0.5, np.float32)
    return Factors(
        person_id=shot.person_id,
        camera_id=camera.camera_id,
        modality=camera.modality,
        room=camera.room,
        outdoor=camera.outdoor,
        index=shot.index,
        facing=('front', 'side', 'back')[round(abs(yaw) / (np.pi / 2))],
        yaw=yaw,
        phase=moment.pose.phase,
        stride=moment.pose.stride,
        arm_swing=moment.pose.arm_swing,
        height=height // OVERSAMPLING,
        width=width // OVERSAMPLING,
        scale=moment.scale / OVERSAMPLING,
        centre=moment.origin[0] / width,
        top=moment.origin[1] / height,
        lean=moment.lean,
        perspective=moment.perspective,
        light=moment.light,
        brightness=float(develop(grey, look, exposure)[1, 1].mean()),
        blur=exposure.blur,
        noise=look.noise,
        occluder='none' if moment.occluder is None else moment.occluder.kind,
        hidden=0.0 if moment.occluder is None else moment.occluder.area(width) / (height * width),
    )


def write_factors(path: Path, seed: int, shots: Sequence[Shot]) -> None:
    """Write a CSV file with a row per picture: its name, then :class:`Factors`."""
    with new_file(path) as draft, draft.open('w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['name', *(field.name for field in fields(Factors))])
        for shot in shots:
            values = asdict(picture_factors(seed, shot)).values()
            rounded = (round(v, 6) if isinstance(v, float) else v for v in values)
            writer.writerow([shot.path, *rounded])
