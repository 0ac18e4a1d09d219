"""What the mesh carries at best: ``python -m validation.humans.ceiling FOLDER``.

With the films of calibration and development people in FOLDER, those of the latter of ``--parts 0
1``. For each development person and each part, what the skin does is learnt as
``tools/learn_surface.py`` does it, but from the person's own other part as well, which counts `OWN`
times. Nobody's recording is measured like that, for it takes the person's true skin. What is
missed of an aim even so is not in a linear mixture of the mesh, however many people are learnt
from; and what is missed beside it, is what people differ in.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from tools import learn_surface
from tools.learn_surface import Sums
from validation.humans import judge

from bitbox.face_backend import skin

OWN = 20.0


def sums_of(paths: list[Path]) -> Sums:
    """Return what is learnt from films."""
    found = []
    for path in paths:
        for form, count in (("refined", 1.0), ("raw", learn_surface.PLAIN)):
            film = learn_surface.read(path, form)
            times = count * learn_surface.COUNTS.get(film.performance, 1.0)
            found.append(learn_surface.sums(film).times(times))
    return learn_surface.total(found)


def recordings(folder: Path) -> Iterator[judge.Recording]:
    """Yield the films of the development people, each measured as learnt from others and itself."""
    others = sums_of(sorted((folder / "calibration").glob("*.npz")))
    mine = sorted((folder / "development").glob("*.npz"))
    learnt = skin.learnt
    for name in sorted({path.stem.split("_")[0] for path in mine}):
        own = [path for path in mine if path.stem.split("_")[0] == name]
        parts = [path for path in own if path.stem.endswith("1")]
        for some, rest in ((parts, set(own) - set(parts)), (set(own) - set(parts), parts)):
            every = learn_surface.total([others, sums_of(sorted(rest)).times(OWN)])
            found = learn_surface.reduced(every, learn_surface.fitted(every)).astype(float)

            def instead(what: str, found: judge.FloatArray = found) -> judge.FloatArray:
                return found if what == "surface_map" else learnt(what)

            skin.learnt = instead  # type: ignore[assignment]
            try:
                yield from [judge.read(path) for path in sorted(some)]
            finally:
                skin.learnt = learnt


def main() -> None:
    """Print the table of the aims."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="where films and measurements are kept")
    films = list(recordings(parser.parse_args().folder))
    print("\n".join(judge.judged(films)[0]))


if __name__ == "__main__":
    main()
