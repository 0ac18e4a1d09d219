"""Light and shade: a compiled loop over the pixels of a picture.

The head is lit by a key light that throws shadows, a fill light, and light from everywhere. Skin
lets light through: it is bright beyond where it would be dark, most so in red (wrap lighting).
What shines is where the light and the eye want it (Blinn and Phong), and stays there when the skin
moves.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from bitbox.system.kernel_cache import compiled

Float32 = NDArray[np.float32]
_kernel = functools.partial(compiled, nogil=True, fastmath=True)

#: Columns of what the vertices carry: normal, place, place on the base, shade, place in the shadow.
NORMAL, PLACE, BASE, OPEN, SHADOW, N_CARRIED = 0, 3, 6, 9, 10, 13
#: Numbers that a frame is lit by: key (direction, colour), fill (direction, colour), ambient,
#: gloss, lips pressed, lips wet, how dark shadows are, a band of shade (depth, phase).
KEY, KEY_COLOUR, FILL, FILL_COLOUR, AMBIENT, GLOSS = 0, 3, 6, 9, 12, 15
PRESSED, WET, DARKNESS, BAND_DEPTH, BAND_PHASE, N_LIGHT = 16, 17, 18, 19, 20, 21
#: The look of somebody beside the skin: shirt, eyes, frame of the glasses, skin without texture.
SHIRT, IRIS, FRAME, PLAIN, EYE_X, EYE_Y, EYE_Z, N_LOOK = 0, 3, 6, 9, 12, 13, 14, 15
#: What a surface is like at a place: its colour, how open to the sky, how much and how sharply it
#: shines, how far light gets under it; and, for skin, what its textures say there.
OPENED, SHINY, SHARP, SOFT, TEXEL, FOLD, N_GROUND = 3, 4, 5, 6, 7, 14, 17
Paint = tuple[Float32, Float32, Float32, Float32]


@_kernel
def _texel(texture: Float32, at: tuple[float, float], out: Float32, first: int) -> None:
    """Write what a texture is like at a place, in between its pixels, from a column on."""
    u, v = at
    rows, columns = texture.shape[0] - 2, texture.shape[1] - 2
    u, v = min(max(u, 0.0), columns), min(max(v, 0.0), rows)
    i, j = int(v), int(u)
    p, q = np.float32(v - i), np.float32(u - j)
    one = np.float32(1)
    w00, w01, w10, w11 = (one - p) * (one - q), (one - p) * q, p * (one - q), p * q
    for k in range(texture.shape[2]):
        out[first + k] = (
            w00 * texture[i, j, k]
            + w01 * texture[i, j + 1, k]
            + w10 * texture[i + 1, j, k]
            + w11 * texture[i + 1, j + 1, k]
        )


@_kernel
def _lit(shadow: Float32, x: float, y: float, near: float) -> float:
    """Return how much of the key light arrives, 0 to 1, from five looks at the shadow map."""
    i, j = int(y + 0.5), int(x + 0.5)
    if i < 2 or j < 2 or i >= shadow.shape[0] - 2 or j >= shadow.shape[1] - 2:
        return 1.0
    limit = near + np.float32(3)
    seen = 0
    seen += shadow[i, j] < limit
    seen += shadow[i - 2, j] < limit
    seen += shadow[i + 2, j] < limit
    seen += shadow[i, j - 2] < limit
    seen += shadow[i, j + 2] < limit
    return float(0.2 * seen)


@_kernel
def _skin(
    at: tuple[float, float], value: Float32, paint: Paint, lamp: Float32, ground: Float32
) -> None:
    """Write what skin is like at a place of its texture, and turn its normal by its folds."""
    skin, folds, look, turn = paint
    _texel(skin, at, ground, TEXEL)
    _texel(folds, at, ground, FOLD)
    lip = ground[TEXEL + 4]
    dark = np.float32(1) - min(ground[FOLD + 2], np.float32(0.7))
    pressed, wet = lamp[PRESSED] * lip, lamp[WET] * lip
    for k in range(3):
        ground[k] = ground[TEXEL + k] * (dark if k > 0 else np.sqrt(dark))
        # blood is pressed out of lips: paler, more like the skin around
        ground[k] += pressed * (np.float32(0.85) * look[PLAIN + k] - ground[k])
    ground[SHINY] = ground[TEXEL + 3] * (1 - lip) + lip * (np.float32(0.35) + np.float32(1.6) * wet)
    ground[SHARP] = np.float32(16) + 30 * wet
    # slopes along the base face's x and y are turned with the head
    gx, gy = ground[TEXEL + 5] + ground[FOLD], -(ground[TEXEL + 6] + ground[FOLD + 1])
    for k in range(3):
        value[k] -= turn[k, 0] * gx + turn[k, 1] * gy


@_kernel
def _eye(side: float, value: Float32, look: Float32, ground: Float32) -> None:
    """Write what an eye is like: pupil, iris and white, by the angle from its axis."""
    x = value[BASE] - side * look[EYE_X]
    y, z = value[BASE + 1] - look[EYE_Y], value[BASE + 2] - look[EYE_Z]
    size = np.sqrt(x * x + y * y + z * z)
    aside = np.sqrt(x * x + y * y) / size
    ground[0], ground[1], ground[2] = 0.72, 0.66, 0.62
    if z > 0 and aside < 0.48:
        ring = 0.55 + 0.45 * min(1.0, (0.48 - aside) / 0.06)
        if aside < 0.2:
            ring = 0.06
        ring *= 1 + 0.2 * np.sin(19 * np.arctan2(y, x)) * np.sin(31 * aside)
        for k in range(3):
            ground[k] = look[IRIS + k] * ring
    ground[OPENED] = 0.55 + 0.35 * min(1.0, max(0.0, 0.6 - 3.2 * y / size))
    ground[SHINY], ground[SHARP], ground[SOFT] = 2.2, 180, 0.4


@_kernel
def _other(kind: int, look: Float32, ground: Float32) -> None:
    """Write what teeth, tongue and the frame of glasses are like."""
    if kind <= 4:
        ground[0], ground[1], ground[2] = 0.62, 0.55, 0.45
        ground[OPENED], ground[SHINY], ground[SHARP] = 0.45, 0.5, 40
    elif kind == 5:
        ground[0], ground[1], ground[2] = 0.32, 0.08, 0.08
        ground[OPENED], ground[SHINY] = 0.4, 0.4
    else:
        for k in range(3):
            ground[k] = look[FRAME + k]
        ground[OPENED], ground[SHINY], ground[SHARP], ground[SOFT] = 1, 1, 60, 0


@_kernel
def _body(
    at: tuple[float, float], value: Float32, paint: Paint, lamp: Float32, ground: Float32
) -> None:
    """Write what the body is like: a shirt, skin with its texture, or plain skin."""
    skin, _, look, _ = paint
    x, y, z = value[BASE], value[BASE + 1], value[BASE + 2]
    if y < 5.62 + 0.45 * max(0.0, abs(x) - 0.55) + 0.4 * max(0.0, 0.3 - z):
        for k in range(3):
            ground[k] = look[SHIRT + k]
        ground[SOFT] = 0.3
    elif at[0] < 0 or at[1] < 0 or at[0] >= skin.shape[1] or at[1] >= skin.shape[0]:
        for k in range(3):
            ground[k] = look[PLAIN + k]
    else:
        _skin(at, value, paint, lamp, ground)


@_kernel
def _mirrored(value: Float32, view: tuple[float, float, float], lamp: Float32, at: int) -> float:
    """Return the cosine of the angle by which a lamp's reflection misses the eye, halved."""
    x, y, z = lamp[at] + view[0], lamp[at + 1] + view[1], lamp[at + 2] + view[2]
    size = np.sqrt(x * x + y * y + z * z)
    return float((value[0] * x + value[1] * y + value[2] * z) / size)


@_kernel
def _shine(
    ground: Float32,
    value: Float32,
    view: tuple[float, float, float],
    lamp: Float32,
    facts: tuple[float, float, float],
    pixel: Float32,
) -> None:
    """Add what shines: facts are key and fill on the surface, and how much of the key arrives."""
    key, fill, arrives = facts
    facing = max(value[0] * view[0] + value[1] * view[1] + value[2] * view[2], np.float32(0))
    edge = np.float32(0.35) + np.float32(0.65) * (1 - facing) ** 3
    strength = ground[SHINY] * lamp[GLOSS] * edge
    one, two = _mirrored(value, view, lamp, KEY), _mirrored(value, view, lamp, FILL)
    if one > 0.5 and key > 0:
        much = strength * np.exp(ground[SHARP] * np.log(one)) * arrives
        for k in range(3):
            pixel[k] += much * lamp[KEY_COLOUR + k]
    if two > 0.5 and fill > 0:
        much = strength * np.exp(ground[SHARP] * np.log(two))
        for k in range(3):
            pixel[k] += much * lamp[FILL_COLOUR + k]


@_kernel
def _arriving(value: Float32, lamp: Float32, shadow: Float32) -> float:
    """Return how much of the key light arrives, past what throws shadows."""
    x, y, near = value[SHADOW], value[SHADOW + 1], value[SHADOW + 2]
    arrives = 1 - lamp[DARKNESS] * (1 - _lit(shadow, x, y, near))
    if lamp[BAND_DEPTH] > 0:
        px, py = value[PLACE], value[PLACE + 1]
        wave = np.sin(0.021 * px + 0.013 * py + lamp[BAND_PHASE])
        arrives *= 1 - lamp[BAND_DEPTH] * min(max(3 * wave, 0.0), 1.0)
    return float(arrives)


@_kernel
def shade(
    seen: tuple[NDArray[np.int32], Float32],
    form: tuple[NDArray[np.int32], NDArray[np.uint8], Float32],
    carried: Float32,
    paint: Paint,
    light: tuple[Float32, Float32],
    out: Float32,
) -> None:
    """Write linear light for each pixel that shows something.

    Parameters
    ----------
    seen : (which, mixture)
        As `validation.humans.raster.draw` writes them.
    form : (triangles (m, 3), part (m,), texture (m, 3, 2) in pixels of the skin)
    carried : ndarray of float32, shape (n, N_CARRIED)
        What the vertices carry.
    paint : (skin, folds, look (N_LOOK,), rotation of the head (3, 3))
    light : (numbers (N_LIGHT,), shadow map)
    out : ndarray of float32, shape (height, width, 3)
    """
    which, mixture = seen
    triangles, part, texture = form
    lamp, shadow = light
    value = np.empty(carried.shape[1], dtype=np.float32)
    ground = np.empty(N_GROUND, dtype=np.float32)
    wrap = np.array([0.38, 0.22, 0.17], dtype=np.float32)
    for y in range(which.shape[0]):
        for x in range(which.shape[1]):
            f = which[y, x]
            if f < 0:
                continue
            s, t = mixture[y, x, 0], mixture[y, x, 1]
            r = np.float32(1) - s - t
            a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
            for k in range(carried.shape[1]):
                value[k] = r * carried[a, k] + s * carried[b, k] + t * carried[c, k]
            ground[OPENED], ground[SHINY], ground[SHARP], ground[SOFT] = value[OPEN], 0, 18, 1
            kind = part[f]
            if kind == 0:
                u = r * texture[f, 0, 0] + s * texture[f, 1, 0] + t * texture[f, 2, 0]
                v = r * texture[f, 0, 1] + s * texture[f, 1, 1] + t * texture[f, 2, 1]
                _body((u, v), value, paint, lamp, ground)
            elif kind <= 2:
                _eye(3.0 - 2.0 * kind, value, paint[2], ground)
            else:
                _other(kind, paint[2], ground)
            size = np.sqrt(value[0] ** 2 + value[1] ** 2 + value[2] ** 2) + np.float32(1e-9)
            for k in range(3):
                value[k] /= size
            arrives = _arriving(value, lamp, shadow)
            key = value[0] * lamp[KEY] + value[1] * lamp[KEY + 1] + value[2] * lamp[KEY + 2]
            fill = value[0] * lamp[FILL] + value[1] * lamp[FILL + 1] + value[2] * lamp[FILL + 2]
            sky = np.float32(0.75) - np.float32(0.25) * value[1]
            opened = ground[OPENED]
            for k in range(3):
                w = wrap[k] * ground[SOFT]
                one = max(key + w, np.float32(0)) / (1 + w)
                two = max(fill + w, np.float32(0)) / (1 + w)
                got = lamp[KEY_COLOUR + k] * one * arrives * (0.4 + 0.6 * opened)
                got += (lamp[FILL_COLOUR + k] * two + lamp[AMBIENT + k] * sky) * opened
                out[y, x, k] = ground[k] * got
            if ground[SHINY] > 0:
                px, py, pz = value[PLACE], value[PLACE + 1], value[PLACE + 2]
                away = np.sqrt(px * px + py * py + pz * pz)
                view = (-px / away, -py / away, -pz / away)
                _shine(ground, value, view, lamp, (key, fill, arrives), out[y, x])
