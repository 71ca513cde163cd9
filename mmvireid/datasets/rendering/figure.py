"""Drawing one pedestrian: a jointed figure in three dimensions, painted part by part."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from .canvas import Canvas
from .person import Person, Surface

KNEE_SHARE = 0.52  # of the leg that is thigh
ANKLE = 0.955
SHOULDER = 0.185
FAR = -0.04  # an arm beyond this depth is hidden by the trunk
_CIRCLE = np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 20, endpoint=False)])


@dataclass(frozen=True)
class Pose:
    """How a person stands in front of a camera.

    Args:
        yaw: Facing in radians: 0 towards the camera, pi away from it, +-pi/2 sideways.
        phase: Walking phase in radians.
        stride: Amplitude of the legs' swing in radians, 0 = standing.
        arm_swing: Amplitude of the arms' swing in radians.
    """

    yaw: float
    phase: float
    stride: float
    arm_swing: float


class Arm(NamedTuple):
    """Joints of an arm as the camera sees them: (across, down, towards the camera)."""

    shoulder: np.ndarray
    elbow: np.ndarray
    hand: np.ndarray


class Leg(NamedTuple):
    """Joints of a leg as the camera sees them: (across, down, towards the camera)."""

    hip: np.ndarray
    knee: np.ndarray
    ankle: np.ndarray
    toes: np.ndarray


def draw_figure(canvas: Canvas, person: Person, pose: Pose, modality: str) -> None:
    """Paint a person onto a canvas, the far parts first.

    The outlines and the places of the two tones of a pattern do not depend on the modality.

    Args:
        canvas: Painted in place.
        person: Who.
        pose: How the person stands.
        modality: ``'visible'`` or ``'infrared'``.
    """
    _Figure(canvas, person, pose, modality).draw()


def _ellipse(centre, across: float, down: float) -> np.ndarray:
    return np.asarray(centre)[:2] + _CIRCLE * (across, down)


def _below(point: np.ndarray, distance: float) -> np.ndarray:
    return point + np.array([0, distance, 0])


def _limb(start, end, start_radius: float, end_radius: float) -> np.ndarray:
    """Outline of a tapered capsule between two points of the picture."""
    points = np.concatenate([
        _ellipse(start, start_radius, start_radius),
        _ellipse(end, end_radius, end_radius),
    ])  # fmt: skip
    return cv2.convexHull(points.astype(np.float32))[:, 0]


class _Figure:
    """One drawing of one person; points are (across, down, towards the camera)."""

    def __init__(self, canvas: Canvas, person: Person, pose: Pose, modality: str) -> None:
        self.canvas, self.person, self.pose, self.modality = canvas, person, pose, modality
        self.cos, self.sin = np.cos(pose.yaw), np.sin(pose.yaw)
        self.hip = 1 - person.leg

    def view(self, left: float, down: float, forward: float) -> np.ndarray:
        """A point of the body (to its left, down, forward) as the camera sees it."""
        return np.array([
            left * self.cos + forward * self.sin, down, forward * self.cos - left * self.sin
        ])  # fmt: skip

    def half_width(self, across: float, deep: float) -> float:
        """Half the width that an ellipse around the body's axis shows to the camera."""
        return float(np.hypot(across * self.cos, deep * self.sin)) * self.person.girth

    def paint(self, surface: Surface, *outlines: np.ndarray, radius: float = 0.1) -> None:
        """Paint one part, the union of some outlines, as a cylinder of the given radius."""
        centre = float(np.mean(np.concatenate(outlines)[:, 0]))

        def weight(across: np.ndarray, down: np.ndarray) -> np.ndarray | None:
            azimuth = np.arcsin(np.clip((across - centre) / radius, -1, 1)) - self.pose.yaw
            return surface.pattern.weight(azimuth, radius, down)

        self.canvas.paint(outlines, surface.tones(self.modality), weight)

    def draw(self) -> None:
        arms = sorted((self.arm(side) for side in (-1, 1)), key=lambda arm: arm.elbow[2])
        legs = sorted((self.leg(side) for side in (-1, 1)), key=lambda leg: leg.knee[2])
        far_arms = [arm for arm in arms if arm.elbow[2] < FAR]
        bag_is_far = self.bag_centre()[2] < 0
        if bag_is_far:
            self.draw_bag()
        for arm in far_arms:
            self.draw_arm(arm)
        if self.cos > 0:
            self.draw_long_hair()
        for leg in legs:
            self.draw_leg(leg)
        self.draw_trunk()
        self.draw_head()
        for arm in arms[len(far_arms) :]:
            self.draw_arm(arm)
        if self.cos <= 0:
            self.draw_long_hair()
        self.draw_straps()
        if not bag_is_far:
            self.draw_bag()

    # -- limbs

    def leg(self, side: int) -> Leg:
        """The left (1) or right (-1) leg; a leg that swings back bends its knee."""
        swing = self.pose.stride * np.sin(self.pose.phase) * side
        bend = self.pose.stride * (0.3 + max(0.0, np.cos(self.pose.phase) * side))
        thigh = (ANKLE - self.hip) * KNEE_SHARE
        shin = (ANKLE - self.hip) - thigh
        across = 0.05 * self.person.girth * side
        knee = (across, self.hip + thigh * np.cos(swing), thigh * np.sin(swing))
        angle = swing - bend
        ankle = (across, knee[1] + shin * np.cos(angle), knee[2] + shin * np.sin(angle))
        toes = (across * 1.15, ankle[1] + 0.03, ankle[2] + 0.08)
        hip = self.view(across, self.hip, 0)
        return Leg(hip, self.view(*knee), self.view(*ankle), self.view(*toes))

    def draw_leg(self, leg: Leg) -> None:
        person, (hip, knee, ankle, toes) = self.person, leg
        thick, thin = 0.05 * person.girth, 0.026 * person.girth
        self.paint(
            person.skin, _limb(hip, knee, thick, thin * 1.3), _limb(knee, ankle, thin * 1.3, thin)
        )
        self.paint(person.shoes, _limb(_below(ankle, 0.015), toes, 0.024, 0.017))
        if person.bottom == 'trousers':
            self.draw_trouser_leg(leg)

    def draw_trouser_leg(self, leg: Leg) -> None:
        person, (hip, knee, ankle, _) = self.person, leg
        thick, cuff = 0.058 * person.girth, 0.034 * person.girth * person.bottom_flare
        middle = (thick + cuff) / 2
        reach = (person.bottom_hem - self.hip) / (ANKLE - self.hip)
        end = hip + min(1.0, reach / KNEE_SHARE) * (knee - hip)
        outlines = [_limb(hip, end, thick, middle)]
        if reach > KNEE_SHARE:
            end = knee + (reach - KNEE_SHARE) / (1 - KNEE_SHARE) * (ankle - knee)
            outlines.append(_limb(knee, end, middle, cuff))
        self.paint(person.lower, *outlines, radius=thick)

    def arm(self, side: int) -> Arm:
        """The left (1) or right (-1) arm; it swings against the leg of its side."""
        swing = -self.pose.arm_swing * np.sin(self.pose.phase) * side
        across = (self.person.shoulder - 0.008) * self.person.girth * side
        elbow = (across * 1.16, SHOULDER + 0.175 * np.cos(swing), 0.175 * np.sin(swing))
        angle = swing + 0.25
        hand = (across * 1.2, elbow[1] + 0.17 * np.cos(angle), elbow[2] + 0.17 * np.sin(angle))
        top = self.view(across * 0.95, SHOULDER + 0.03, 0)
        return Arm(top, self.view(*elbow), self.view(*hand))

    def draw_arm(self, arm: Arm) -> None:
        person, (shoulder, elbow, hand) = self.person, arm
        thick, thin = 0.034 * person.girth, 0.022 * person.girth
        self.paint(
            person.skin, _limb(shoulder, elbow, thick * 0.8, thin), _limb(elbow, hand, thin, thin)
        )
        if person.sleeve == 1:
            wrist = elbow + 0.88 * (hand - elbow)
            sleeve = (
                _limb(shoulder, elbow, thick, thick * 0.9), _limb(elbow, wrist, thick * 0.9, thin)
            )  # fmt: skip
            self.paint(person.sleeves, *sleeve, radius=thick)
        elif person.sleeve:
            end = shoulder + 2 * person.sleeve * (elbow - shoulder)
            self.paint(person.sleeves, _limb(shoulder, end, thick, thick), radius=thick)

    # -- trunk and head

    def trunk_outline(self, levels) -> np.ndarray:
        """Outline through (down, half width, half depth) levels around the body's axis."""
        widths = [(self.half_width(across, deep), down) for down, across, deep in levels]
        right = [(width, down) for width, down in widths]
        left = [(-width, down) for width, down in reversed(widths)]
        return np.array(right + left)

    def draw_trunk(self) -> None:
        person, hip = self.person, self.hip
        neck = _limb((0, 0.1), (0.0, 0.18), 0.026 * person.girth, 0.035 * person.girth)
        self.paint(person.skin, neck)
        lower = [(hip - 0.06, 0.085, 0.065), (hip, 0.1, 0.075), (hip + 0.05, 0.1, 0.075)]
        if person.bottom == 'skirt':
            flare = person.bottom_flare
            lower[2:] = [(person.bottom_hem, 0.1 * flare, 0.09 * flare)]
        self.paint(person.lower, self.trunk_outline(lower), radius=self.half_width(0.1, 0.1))
        shoulder, hem = person.shoulder, max(person.top_hem, hip + 0.02)
        across = 0.1 * person.top_flare
        upper = [
            (0.15, 0.035, 0.035), (0.165, shoulder * 0.6, 0.045), (0.185, shoulder * 0.92, 0.055),
            (0.22, shoulder, 0.065),
            (0.3, shoulder * 0.93, 0.075), (0.42, 0.09, 0.068), (hem, across, 0.8 * across),
        ]  # fmt: skip
        self.paint(person.top, self.trunk_outline(upper), radius=self.half_width(0.11, 0.11))

    def draw_head(self) -> None:
        person = self.person
        size = person.head
        centre = self.view(0, 0.072, 0.012)
        across, down = 0.047 * size, 0.064 * size
        style = person.hair_style
        if style == 'hood':
            self.paint(person.hair, _ellipse(_below(centre, 0.015), across * 1.4, down * 1.2))
        if style == 'bun':
            bun = self.view(0, 0.022, -0.045)
            self.paint(person.hair, _ellipse(bun, 0.03 * size, 0.028 * size))
        covered = person.skin if style == 'bald' else person.hair
        self.paint(covered, _ellipse(centre, across, down))
        if self.cos > -0.45:
            facing = min(1.0, 0.62 + 0.38 * self.cos)
            face = self.view(0, 0.088, 0.03)
            self.paint(person.skin, _ellipse(face, across * 0.82 * facing, down * 0.72))
        if style == 'cap':
            crown = _ellipse(_below(centre, -0.02), across * 1.12, down * 0.72)
            brim = _limb(_below(centre, -0.004), self.view(0, 0.062, 0.075), 0.014, 0.01)
            self.paint(person.hair, crown, brim)

    def draw_long_hair(self) -> None:
        if self.person.hair_style == 'long':
            top, end = self.view(0, 0.07, -0.012), self.view(0, 0.22, -0.05)
            size = self.person.head
            self.paint(self.person.hair, _limb(top, end, 0.05 * size, 0.058 * size))

    # -- luggage

    def bag_centre(self) -> np.ndarray:
        person = self.person
        if person.bag == 'backpack':
            return self.view(0, 0.31, -0.1 * person.girth)
        if person.bag == 'shoulder':
            return self.view(0.13 * person.girth, 0.54, 0.02)
        hand = self.arm(-1).hand
        return _below(hand, 0.03 + person.bag_size)

    def draw_bag(self) -> None:
        person, size = self.person, self.person.bag_size
        centre = self.bag_centre()
        if person.bag == 'backpack':
            width = float(np.hypot(1.15 * size * self.cos, 0.06 * self.sin))
            height = 0.09 + 0.6 * size
        elif person.bag == 'none':
            return
        else:
            width, height = float(np.hypot(0.05 * self.cos, 1.1 * size * self.sin)), size
        corners = np.sign(_CIRCLE) * np.abs(_CIRCLE) ** 0.4
        self.paint(person.luggage, centre[:2] + corners * (width, height))

    def draw_straps(self) -> None:
        person = self.person
        if person.bag == 'backpack' and self.cos > 0.2:
            for side in (-1, 1):
                across = side * 0.7 * person.shoulder * person.girth
                ends = self.view(across, 0.18, 0.05), self.view(across, 0.36, 0.07)
                self.paint(person.luggage, _limb(*ends, 0.013, 0.013))
        if person.bag == 'shoulder':
            depth = 0.07 if self.cos > 0 else -0.07
            ends = self.view(-0.07, 0.18, depth), self.view(0.12 * person.girth, 0.5, depth / 2)
            self.paint(person.luggage, _limb(*ends, 0.011, 0.011))
