"""Recordings and a table for a study, and what a study left."""

from __future__ import annotations

from pathlib import Path

from bitbox.provenance import hash_file
from bitbox.synthetic.signals import imitated_pair
from bitbox.workflow.settings import Settings

QUICK = Settings(n_surrogates=19)


def recordings(folder: Path, people: int, broken: int = 0) -> Path:
    """Write the recordings of some people, each in two conditions, and their manifest."""
    rows = ["id,group,condition,session,age,participant,model"]
    model = imitated_pair(4, duration=40, seed=99).model.to_parquet(folder / "model.parquet")
    for k in range(people):
        for session in ("1", "2"):
            pair = imitated_pair(
                4, imitated=3 if k % 2 else 1, duration=40, seed=2 * k + int(session)
            )
            pair.participant.to_parquet(folder / f"p{k}_{session}.parquet")
            pair.model.to_parquet(folder / f"m{k}_{session}.parquet")
            for condition, file in (("own", f"m{k}_{session}.parquet"), ("other", model.name)):
                said = f"p{k},{'ab'[k % 2]},{condition},{session},{5 + k}"
                rows.append(f"{said},p{k}_{session}.parquet,{file}")
    for k in range(broken):
        (folder / f"p{k}_1.parquet").write_bytes(b"PAR1 cut off")
    path = folder / "manifest.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def content(folder: Path) -> dict[str, str]:
    """Return the hash of every file but what SPSS reads, which holds the time."""
    return {
        path.relative_to(folder).as_posix(): hash_file(path)
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".sav" and not path.name.startswith(".")
    }
