"""Drawing a textured triangle mesh: two plain loops, compiled."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from bitbox.system.kernel_cache import compiled

Float32 = NDArray[np.float32]
_kernel = functools.partial(compiled, nogil=True)


@_kernel
def draw_map(
    corners: NDArray[np.float64],
    triangles: NDArray[np.int32],
    texture: NDArray[np.float64],
    out: Float32,
) -> None:
    """Write, for every pixel of a mesh, where in the texture it comes from.

    Parameters
    ----------
    corners : ndarray, shape (V, 2)
        Position of each point on the canvas, in pixels.
    triangles : ndarray of int32, shape (F, 3)
        Points of each triangle, the farthest triangle first: later ones hide earlier ones.
    texture : ndarray, shape (V, 2)
        Position of each point in the texture, in pixels.
    out : ndarray of float32, shape (height, width, 2)
        Filled with texture positions, -1 where the mesh does not reach.
    """
    height, width = out.shape[0], out.shape[1]
    out[:] = -1.0
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay = corners[a, 0], corners[a, 1]
        bx, by = corners[b, 0] - ax, corners[b, 1] - ay
        cx, cy = corners[c, 0] - ax, corners[c, 1] - ay
        area = bx * cy - by * cx
        if abs(area) < 1e-9:
            continue
        left = max(0, int(np.ceil(ax + min(0.0, bx, cx))))
        right = min(width - 1, int(np.floor(ax + max(0.0, bx, cx))))
        top = max(0, int(np.ceil(ay + min(0.0, by, cy))))
        bottom = min(height - 1, int(np.floor(ay + max(0.0, by, cy))))
        u0, v0 = texture[a, 0], texture[a, 1]
        ub, vb = texture[b, 0] - u0, texture[b, 1] - v0
        uc, vc = texture[c, 0] - u0, texture[c, 1] - v0
        s_x, s_y, t_x, t_y = cy / area, -cx / area, -by / area, bx / area
        for y in range(top, bottom + 1):
            s_row, t_row = (y - ay) * s_y, (y - ay) * t_y
            for x in range(left, right + 1):
                s, t = (x - ax) * s_x + s_row, (x - ax) * t_x + t_row
                if s >= -1e-6 and t >= -1e-6 and s + t <= 1.000001:
                    out[y, x, 0] = u0 + s * ub + t * uc
                    out[y, x, 1] = v0 + s * vb + t * vc


@_kernel
def shade(source: Float32, texture: NDArray[np.uint8], canvas: NDArray[np.uint8]) -> None:
    """Lay a texture over a canvas where a map says so.

    Parameters
    ----------
    source : ndarray of float32, shape (height, width, 2)
        Texture position of every pixel, as `draw_map` writes it.
    texture : ndarray of uint8, shape (h, w, 4)
        Colour and opacity; colours are not multiplied by it. Read with bilinear interpolation.
    canvas : ndarray of uint8, shape (height, width, 3)
        What is behind; changed in place.
    """
    rows, columns = texture.shape[0] - 1, texture.shape[1] - 1
    one = np.uintp(1)
    for y in range(source.shape[0]):
        for x in range(source.shape[1]):
            u, v = source[y, x, 0], source[y, x, 1]
            if u < 0 or v < 0 or u >= columns or v >= rows:
                continue
            # unsigned, or each of the readings below would check for negative numbers
            i, j = np.uintp(v), np.uintp(u)
            below, right = i + one, j + one
            p, q = v - np.float32(i), u - np.float32(j)
            w11 = p * q
            w10, w01 = p - w11, q - w11
            w00 = np.float32(1) - p - w01
            opacity = np.float32(1 / 255) * (
                w00 * texture[i, j, 3]
                + w01 * texture[i, right, 3]
                + w10 * texture[below, j, 3]
                + w11 * texture[below, right, 3]
            )
            if opacity <= 0:
                continue
            for k in range(3):
                colour = (
                    w00 * texture[i, j, k]
                    + w01 * texture[i, right, k]
                    + w10 * texture[below, j, k]
                    + w11 * texture[below, right, k]
                )
                behind = np.float32(canvas[y, x, k])
                canvas[y, x, k] = np.uint8(behind + opacity * (colour - behind) + np.float32(0.5))
