"""Plain loops, compiled: triangles into a depth buffer, and light onto what is seen."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from bitbox.system.kernel_cache import compiled

Float32 = NDArray[np.float32]
_kernel = functools.partial(compiled, nogil=True, fastmath=True)


@_kernel
def draw(
    corners: Float32,
    triangles: NDArray[np.int32],
    depth: Float32,
    which: NDArray[np.int32],
    mixture: Float32,
) -> None:
    """Draw triangles: what is nearest in each pixel, and where on its triangle.

    Parameters
    ----------
    corners : ndarray of float32, shape (n, 3)
        Pixels, and 1 / distance (perspective), larger is nearer.
    triangles : ndarray of int32, shape (m, 3)
    depth : ndarray of float32, shape (height, width)
        1 / distance of the nearest so far; 0 to begin with.
    which : ndarray of int32, shape (height, width)
        Number of the triangle.
    mixture : ndarray of float32, shape (height, width, 2)
        Weights of its second and third corner, right in perspective.
    """
    height, width = depth.shape
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay, az = corners[a, 0], corners[a, 1], corners[a, 2]
        bx, by, bz = corners[b, 0] - ax, corners[b, 1] - ay, corners[b, 2]
        cx, cy, cz = corners[c, 0] - ax, corners[c, 1] - ay, corners[c, 2]
        area = bx * cy - by * cx
        if abs(area) < 1e-7 or az <= 0 or bz <= 0 or cz <= 0:
            continue
        left = max(0, int(np.ceil(ax + min(0.0, bx, cx))))
        right = min(width - 1, int(np.floor(ax + max(0.0, bx, cx))))
        top = max(0, int(np.ceil(ay + min(0.0, by, cy))))
        bottom = min(height - 1, int(np.floor(ay + max(0.0, by, cy))))
        s_x, s_y, t_x, t_y = cy / area, -cx / area, -by / area, bx / area
        for y in range(top, bottom + 1):
            s_row, t_row = (y - ay) * s_y, (y - ay) * t_y
            for x in range(left, right + 1):
                s, t = (x - ax) * s_x + s_row, (x - ax) * t_x + t_row
                if s < -1e-5 or t < -1e-5 or s + t > 1.00001:
                    continue
                near = az + s * (bz - az) + t * (cz - az)
                if near > depth[y, x]:
                    depth[y, x] = near
                    which[y, x] = f
                    mixture[y, x, 0] = s * bz / near
                    mixture[y, x, 1] = t * cz / near


@_kernel
def draw_depth(corners: Float32, triangles: NDArray[np.int32], depth: Float32) -> None:
    """Draw how near triangles are (third column, larger is nearer), without perspective."""
    height, width = depth.shape
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay, az = corners[a, 0], corners[a, 1], corners[a, 2]
        bx, by, bz = corners[b, 0] - ax, corners[b, 1] - ay, corners[b, 2] - az
        cx, cy, cz = corners[c, 0] - ax, corners[c, 1] - ay, corners[c, 2] - az
        area = bx * cy - by * cx
        if abs(area) < 1e-7:
            continue
        left = max(0, int(np.ceil(ax + min(0.0, bx, cx))))
        right = min(width - 1, int(np.floor(ax + max(0.0, bx, cx))))
        top = max(0, int(np.ceil(ay + min(0.0, by, cy))))
        bottom = min(height - 1, int(np.floor(ay + max(0.0, by, cy))))
        s_x, s_y, t_x, t_y = cy / area, -cx / area, -by / area, bx / area
        for y in range(top, bottom + 1):
            s_row, t_row = (y - ay) * s_y, (y - ay) * t_y
            for x in range(left, right + 1):
                s, t = (x - ax) * s_x + s_row, (x - ax) * t_x + t_row
                if s >= -1e-5 and t >= -1e-5 and s + t <= 1.00001:
                    near = az + s * bz + t * cz
                    depth[y, x] = max(depth[y, x], near)


@_kernel
def normals_of(places: Float32, triangles: NDArray[np.int32], out: Float32) -> None:
    """Write the outward normals of all vertices: of their triangles, weighted by area."""
    out[:] = 0
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ux, uy, uz = (
            places[b, 0] - places[a, 0],
            places[b, 1] - places[a, 1],
            places[b, 2] - places[a, 2],
        )
        vx, vy, vz = (
            places[c, 0] - places[a, 0],
            places[c, 1] - places[a, 1],
            places[c, 2] - places[a, 2],
        )
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            out[corner, 0] += nx
            out[corner, 1] += ny
            out[corner, 2] += nz
    for k in range(len(out)):
        length = np.sqrt(out[k, 0] ** 2 + out[k, 1] ** 2 + out[k, 2] ** 2) + np.float32(1e-9)
        for axis in range(3):
            out[k, axis] /= length


@_kernel
def gather(
    which: NDArray[np.int32],
    mixture: Float32,
    triangles: NDArray[np.int32],
    values: Float32,
    out: Float32,
) -> None:
    """Mix values of the vertices (n, k) for each pixel: (height, width, k)."""
    for y in range(which.shape[0]):
        for x in range(which.shape[1]):
            f = which[y, x]
            if f < 0:
                continue
            s, t = mixture[y, x, 0], mixture[y, x, 1]
            r = np.float32(1) - s - t
            a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
            for k in range(values.shape[1]):
                out[y, x, k] = r * values[a, k] + s * values[b, k] + t * values[c, k]
