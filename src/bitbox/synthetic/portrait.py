"""The portrait that is set in motion: a photograph cut into a mesh with depth.

The photograph is scikit-image's astronaut (Eileen Collins, NASA, public domain). Its 478 face
points were measured once with MediaPipe Face Mesh, see `measure_mesh`, and are kept as numbers, so
that rendering does not depend on the tracker that it is there to test.

Coordinates are pixels of the photograph (512 x 512), x to the right, y down, z away from the
camera and on the same scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.system.extras import need

FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]

N_FACE = 468
#: Points of the face's outline, clockwise from the top of the forehead.
OUTLINE = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
#: Inner edge of the lower lip without its corners, from the subject's right to left.
LOWER_LIP_EDGE = (95, 88, 178, 87, 14, 317, 402, 318, 324)
#: Distance between the outer eye corners of an adult in millimetres, which sets the scale.
EYE_CORNERS_MM = 90.0

#: The head turns about this point between the ears (x, y, z).
PIVOT = np.array([227.0, 122.0, 48.0])
#: MediaPipe's depth is shallow: with this factor the tip of the nose is 47 mm before the plane of
#: the outer eye corners, about as far as on an adult's face.
_RELIEF = 1.2
#: Depth from which on points count as the sides of the head.
_SIDE = 12.0
_SILHOUETTE_DEPTH = 60.0
_HAIR_CENTRE = (227.0, 78.0)
_HAIR_RADII = (77.0, 68.0)
_TEETH_GAP = 1.1


@dataclass(frozen=True, eq=False)
class Portrait:
    """A photograph with its mesh.

    Parameters
    ----------
    vertices : ndarray, shape (V, 3)
        The first 468 are MediaPipe's face points; then come the edge of the upper teeth (9) and
        points around the face.
    triangles : ndarray of int32, shape (F, 3)
        Corners of the triangles that the photograph is cut into.
    head : ndarray, shape (V,)
        How far each point goes with the head: 1 on it, 0 on the body.
    image : ndarray of uint8, shape (512, 512, 3)
        The photograph.
    matte : ndarray of uint8, shape (512, 512)
        255 on the person, 0 behind.
    backdrop : ndarray of uint8, shape (512, 512, 3)
        The photograph's backdrop without the person.
    """

    vertices: FloatArray
    triangles: NDArray[np.int32]
    head: FloatArray
    image: Image
    matte: Image
    backdrop: Image

    @property
    def pixels_per_mm(self) -> float:
        """Pixels of the photograph that one millimetre of the face takes."""
        across = self.vertices[263] - self.vertices[33]
        return float(np.linalg.norm(across) / EYE_CORNERS_MM)


@lru_cache(maxsize=1)
def portrait() -> Portrait:
    """Return the portrait; made once a process.

    Raises
    ------
    BackendError
        If the libraries of the video extra are not installed.
    """
    need("Rendering faces", "cv2", "skimage.data")
    import skimage.data

    image: Image = np.ascontiguousarray(skimage.data.astronaut())
    face = _softened(face_mesh()[:N_FACE])
    teeth = _teeth(face)
    around = _around(face)
    depth = _depth(face, around)
    vertices = np.concatenate([face, teeth, np.column_stack([around, depth])])
    matte = _matte(image)
    triangles = _triangles(vertices[:, :2], matte)
    vertices[:, 2] = _evened(vertices[:, 2], triangles)
    return Portrait(
        vertices=vertices,
        triangles=triangles,
        head=_head_weight(face, vertices[:, :2]),
        image=image,
        matte=matte,
        backdrop=_backdrop(image, matte),
    )


def face_mesh() -> FloatArray:
    """Return the portrait's 478 face points, shape (478, 3)."""
    text = resources.files("bitbox.synthetic").joinpath("portrait_mesh.csv").read_text("utf-8")
    return np.array([[float(v) for v in line.split(",")] for line in text.split()])


def measure_mesh() -> FloatArray:
    """Measure the 478 face points anew with MediaPipe; how `portrait_mesh.csv` was made.

    Returns
    -------
    ndarray, shape (478, 3)
    """
    import cv2
    import mediapipe
    import skimage.data

    left, top, size, zoom = 110, 0, 240, 4
    crop = skimage.data.astronaut()[top : top + size, left : left + size]
    crop = cv2.resize(crop, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LANCZOS4)
    options = {"static_image_mode": True, "refine_landmarks": True, "max_num_faces": 1}
    with mediapipe.solutions.face_mesh.FaceMesh(**options) as tracker:
        found = tracker.process(crop).multi_face_landmarks[0].landmark
    points = np.array([[p.x, p.y, p.z] for p in found]) * size
    placed: FloatArray = points + np.array([left, top, 0.0])
    return placed


def as_image(values: NDArray[Any]) -> Image:
    """Return grey levels rounded and cut off at 0 and 255."""
    image: Image = np.clip(np.round(values), 0, 255).astype(np.uint8)
    return image


def _softened(face: FloatArray) -> FloatArray:
    """Return the face as deep as a face is, its outline evened out.

    At its edge the face falls back almost along the line of sight; where neighbours there differ
    in depth, the edge of a turned head would look like a saw.
    """
    out = face.copy()
    out[:, 2] *= _RELIEF
    ring = list(OUTLINE)
    depth = np.concatenate([out[ring[-3:], 2], out[ring, 2], out[ring[:3], 2]])
    out[ring, 2] = np.convolve(depth, np.array([1, 2, 3, 4, 3, 2, 1]) / 16, mode="valid")
    return out


def _teeth(face: FloatArray) -> FloatArray:
    """Return points on the lower edge of the upper teeth: they stay when the jaw opens."""
    edge = face[list(LOWER_LIP_EDGE)]
    teeth: FloatArray = edge + np.array([0, -_TEETH_GAP, 4.0])
    return teeth


def paint_mouth(image: Image, scale: float) -> Image:
    """Return an enlarged photograph with a thin dark line under the teeth.

    It is what widens to an open mouth when lip and teeth part.

    Parameters
    ----------
    image : ndarray of uint8, shape (512 scale, 512 scale, 3)
        The photograph, enlarged.
    scale : float
        By how much.
    """
    import cv2

    face = face_mesh()
    lip, teeth = face[list(LOWER_LIP_EDGE), :2], _teeth(face)[:, :2]
    # a little wider than the gap, so that no colour of teeth and lip bleeds into it
    band = np.concatenate([teeth - np.array([0, 0.3]), (lip + np.array([0, 0.2]))[::-1]])
    fraction = 16  # fillPoly takes whole pixels: draw on a finer scale
    finer = np.round(((band + 0.5) * scale - 0.5) * fraction).astype(np.int32)
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [finer], 255, lineType=cv2.LINE_AA, shift=4)
    share = mask[..., None].astype(np.float32) / 255
    dark = np.array([48, 14, 14], np.float32)
    return as_image(image + share * (dark - image))


def _around(face: FloatArray) -> FloatArray:
    """Return points outside the face, shape (n, 2): dense around the head, coarse elsewhere."""
    import cv2

    outline = face[list(OUTLINE), :2]
    contour = outline.astype(np.float32).reshape(-1, 1, 2)
    rings = np.concatenate([_offset(outline, distance) for distance in (4.0, 9.0)])
    fine = np.stack(np.meshgrid(np.arange(128, 329, 8), np.arange(-16, 233, 8)), -1).reshape(-1, 2)
    coarse = np.stack(np.meshgrid(np.arange(-64, 609, 32), np.arange(-96, 609, 32)), -1)
    away = np.array([-cv2.pointPolygonTest(contour, (float(x), float(y)), True) for x, y in fine])
    coarse = coarse.reshape(-1, 2)
    inside = (coarse >= [128, -16]).all(axis=1) & (coarse <= [328, 232]).all(axis=1)
    points: FloatArray = np.concatenate([rings, fine[away > 13], coarse[~inside]]).astype(float)
    return points


def _offset(outline: FloatArray, distance: float) -> FloatArray:
    """Return a closed line at a distance outside another, with twice as many points."""
    count = len(outline)
    dense = np.empty((2 * count, 2))
    dense[::2] = outline
    dense[1::2] = (outline + np.roll(outline, -1, axis=0)) / 2
    along = np.roll(dense, -2, axis=0) - np.roll(dense, 2, axis=0)
    outwards = np.column_stack([along[:, 1], -along[:, 0]])
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    moved: FloatArray = dense + distance * outwards
    return moved


def _depth(face: FloatArray, around: FloatArray) -> FloatArray:
    """Return depths around the face: from the face's edge smoothly back to the silhouette."""
    from scipy.interpolate import RBFInterpolator

    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    ring = np.column_stack([np.cos(turn), np.sin(turn)])
    known = [face[:, :2]]
    depths = [face[:, 2]]
    for size in (1.0, 1.3, 1.8):
        points = ring * _HAIR_RADII * np.float64(size) + _HAIR_CENTRE
        points = points[points[:, 1] < 150]
        known.append(points)
        depths.append(np.full(len(points), _SILHOUETTE_DEPTH))
    # below the jaw the neck lies behind the face
    neck = np.stack(np.meshgrid(np.arange(150, 311, 16), np.arange(196, 261, 16)), -1)
    known.append(neck.reshape(-1, 2).astype(float))
    depths.append(np.full(neck.size // 2, _SILHOUETTE_DEPTH))
    surface = RBFInterpolator(
        np.concatenate(known), np.concatenate(depths), kernel="linear", smoothing=8.0, neighbors=60
    )
    found: FloatArray = np.clip(surface(around), -25, _SILHOUETTE_DEPTH)
    return found


def _head_weight(face: FloatArray, points: FloatArray) -> FloatArray:
    """Return 1 on the head, falling to 0 over the neck; 1 around the hair."""
    import cv2

    outline = face[list(OUTLINE), :2].astype(np.float32).reshape(-1, 1, 2)
    below = np.array(
        [-cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in points]
    )
    near = 1 - _step((below - 2) / 40)
    above = 1 - _step((points[:, 1] - 125) / 35)
    weight: FloatArray = np.maximum(near, above)
    return weight


def _step(x: FloatArray) -> FloatArray:
    x = np.clip(x, 0, 1)
    smooth: FloatArray = x * x * (3 - 2 * x)
    return smooth


def _triangles(points: FloatArray, matte: Image) -> NDArray[np.int32]:
    """Return the triangles in which something of the person is seen."""
    from scipy.spatial import Delaunay

    triangles: NDArray[np.int32] = Delaunay(points).simplices.astype(np.int32)
    low = np.clip(np.floor(points[triangles].min(axis=1)).astype(int) - 1, 0, 511)
    high = np.clip(np.ceil(points[triangles].max(axis=1)).astype(int) + 2, 1, 512)
    boxes = np.column_stack([low, high])
    seen = [bool(matte[top:bottom, left:right].any()) for left, top, right, bottom in boxes]
    kept: NDArray[np.int32] = triangles[np.array(seen)]
    return kept


def _evened(depth: FloatArray, triangles: NDArray[np.int32]) -> FloatArray:
    """Return depths evened out among neighbours at the sides of the head; the face stays."""
    from scipy.sparse import coo_matrix

    pairs = np.concatenate([triangles[:, [a, b]] for a in range(3) for b in range(3) if a != b])
    count = len(depth)
    ones = np.ones(len(pairs))
    near = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count)).tocsr()
    near.data[:] = 1.0
    neighbours = np.maximum(np.asarray(near.sum(axis=1)).ravel(), 1.0)
    out = depth.copy()
    side = np.clip((depth - _SIDE) / 10, 0, 1)
    side[np.bincount(pairs[:, 0], minlength=count) == 0] = 0
    for _ in range(4):
        out += 0.6 * side * (near @ out / neighbours - out)
    return out


#: A rough outline of body and helmet, inside which GrabCut looks for the exact one.
_BODY = (
    *((118, 158), (132, 146), (262, 158), (286, 176), (303, 205), (310, 236), (334, 246)),
    *((352, 280), (364, 342)),
    *((420, 338), (470, 370), (500, 430), (505, 512), (18, 512), (18, 400), (30, 320)),
    *((52, 272), (84, 236), (116, 208)),
)


def _matte(image: Image) -> Image:
    """Return where the person is: 255, 0 behind, soft at the edge."""
    import cv2

    sure, maybe = np.zeros((2, 512, 512), np.uint8)
    body = np.array(_BODY, np.int32)
    head = ((228, 84), (150, 146), 0)
    cv2.fillPoly(sure, [body], 1)
    sure = cv2.erode(sure, np.ones((21, 21), np.uint8), borderValue=1)
    cv2.ellipse(sure, ((227, 88), (112, 112), 0), 1, -1)
    cv2.fillPoly(maybe, [body], 1)
    maybe = cv2.dilate(maybe, np.ones((9, 9), np.uint8))
    cv2.ellipse(maybe, (head[0], (170, 166), 0), 1, -1)
    label = np.where(sure > 0, cv2.GC_FGD, np.where(maybe > 0, cv2.GC_PR_FGD, cv2.GC_BGD))
    label = label.astype(np.uint8)
    cv2.setRNGSeed(1)
    behind, before = np.zeros((1, 65)), np.zeros((1, 65))
    bgr: Any = image[..., ::-1].copy()
    cv2.grabCut(bgr, label, None, behind, before, 4, cv2.GC_INIT_WITH_MASK)
    person = ((label == cv2.GC_FGD) | (label == cv2.GC_PR_FGD)).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(person)
    if count > 1:
        person = (parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    person = cv2.morphologyEx(person, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    soft = cv2.GaussianBlur(person * np.float32(255), (0, 0), 1.2)
    return as_image(soft)


def _backdrop(image: Image, matte: Image) -> Image:
    """Return the mottled wall behind the person, carried on smoothly to where it is hidden."""
    import cv2

    wall = np.zeros((512, 512), np.float32)
    wall[0:250, 100:355] = 1  # between the flag and the rocket
    wall *= cv2.dilate(matte, np.ones((15, 15), np.uint8)) < 8
    colour = image.astype(np.float32) * wall[..., None]
    known = np.zeros((512, 512, 3), np.float32)
    weight = np.zeros((512, 512, 1), np.float32)
    for sigma, share in ((6, 1.0), (24, 1e-2), (80, 1e-4), (200, 1e-6)):
        known += share * cv2.GaussianBlur(colour, (0, 0), sigma)
        weight += share * cv2.GaussianBlur(wall, (0, 0), sigma)[..., None]
    smooth = cv2.GaussianBlur(known / np.maximum(weight, 1e-12), (0, 0), 12)
    return as_image(smooth)


def pupil_distance() -> float:
    """Return the distance between the pupils in pixels of the photograph."""
    mesh = face_mesh()
    return float(np.linalg.norm(mesh[468, :2] - mesh[473, :2]))
