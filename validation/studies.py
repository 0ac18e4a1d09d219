"""Do the tests over people keep their level, and what do they find?

    python validation/studies.py [--studies 400] [--output docs/validation/studies.md]

Generated scores of people, not recordings: 33 signals that go together (a common factor of half the
variance), with heavy tails (t with 5 degrees of freedom). One signal differs by d standard
deviations. Right pairings of people and models against wrong ones are tested in such scores, and in
generated signals, which are compared as those of a study are.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bitbox.analysis.options import Options
from bitbox.analysis.quick_z import quick_z
from bitbox.signals import Signals
from bitbox.study.group_tests import GroupTest, against_zero, between
from bitbox.study.pairing_test import Block, right_pairings
from bitbox.synthetic.signals import movements

SIGNALS = 33
PERMUTATIONS = 499
SEED = 20261128


def scores(random: np.random.Generator, people: int) -> np.ndarray:
    """Return scores of people, (people, signals), standard deviation 1."""
    common, own = (random.standard_t(5, (people, n)) for n in (1, SIGNALS))
    return np.sqrt(0.5 * 3 / 5) * (common + own)


def one_sample(random: np.random.Generator, people: int, d: float, seed: int) -> GroupTest:
    values = scores(random, people)
    values[:, 0] += d
    return against_zero(values, seed, PERMUTATIONS, intervals=False)


def two_groups(random: np.random.Generator, people: int, d: float, seed: int) -> GroupTest:
    first, second = scores(random, people), scores(random, people)
    first[:, 0] += d
    return between(first, second, seed, PERMUTATIONS, intervals=False)


def unequal(random: np.random.Generator, people: int, d: float, seed: int) -> GroupTest:
    first, second = scores(random, people), 2 * scores(random, people // 2)
    first[:, 0] += d
    return between(first, second, seed, PERMUTATIONS, intervals=False)


def right_against_wrong(random: np.random.Generator, people: int, d: float, seed: int) -> GroupTest:
    """Of every person with every model; people and models differ twice as much by themselves."""
    pairings = scores(random, people * people).reshape(people, people, SIGNALS)
    pairings += 2 * scores(random, people)[:, None] + 2 * scores(random, people)[None]
    pairings[range(people), range(people), 0] += d
    block = Block(pairings, range(people))
    return right_pairings([block], seed, PERMUTATIONS, intervals=False)


TESTS: dict[str, Callable[[np.random.Generator, int, float, int], GroupTest]] = {
    "against chance, or same people in two conditions": one_sample,
    "two groups": two_groups,
    "two groups, the second half as large and twice as varied": unequal,
    "right against wrong pairings": right_against_wrong,
}


def share(test: Callable[..., GroupTest], people: int, d: float, studies: int) -> np.ndarray:
    """Return in how many studies p and p_fwer of the first signal, and any p_fwer, are <= .05."""
    random = np.random.default_rng([SEED, people, int(10 * d)])
    found = np.zeros(3)
    for seed in range(studies):
        result = test(random, people, d, seed)
        small = result.p_fwer <= 0.05
        found += [result.p[0] <= 0.05, small[0], small.any()]
    return found / studies


#: Of studies of generated signals: seconds, frames a second, signals, how they are compared.
SECONDS, FPS, FEW = 40.0, 15.0, 4
HOW = Options(width=2.0, lag=1.2, polarity=False, threads=1)


def recording(random: np.random.Generator, tempo: float) -> np.ndarray:
    return movements("bursts", int(SECONDS * FPS), FEW, FPS, random, bandwidth=tempo, shared=0.3)


def following(
    random: np.random.Generator, model: np.ndarray, tempo: float, share: float
) -> np.ndarray:
    """Return who moves at a tempo and follows a model by 0.4 s with a share of the movement."""
    late = np.roll(model, round(0.4 * FPS), axis=0)
    return np.sqrt(1 - share**2) * recording(random, tempo) + share * late


def as_signals(values: np.ndarray) -> Signals:
    time = np.arange(len(values)) / FPS
    names = [f"s{k}" for k in range(values.shape[1])]
    return Signals(values, time, names, kind="expression", schema="synthetic", units="", backend="")


def block_of(participants: list[np.ndarray], models: list[np.ndarray], one_person: bool) -> Block:
    people, shown = [list(map(as_signals, some)) for some in (participants, models)]
    values = np.array([[list(quick_z(p, m, HOW).values()) for m in shown] for p in people])
    whole = np.concatenate([values.mean(axis=2, keepdims=True), values], axis=2)
    return Block(whole, range(len(models)), one_person)


def own_models(random: np.random.Generator, share: float) -> list[Block]:
    """Eight people and eight models, each of a tempo of its own."""
    tempi = random.uniform(0.5, 2.0, (2, 8))
    models = [recording(random, tempo) for tempo in tempi[0]]
    people = [
        following(random, model, tempo, share)
        for model, tempo in zip(models, tempi[1], strict=True)
    ]
    return [block_of(people, models, False)]


def own_content(random: np.random.Generator, share: float) -> list[Block]:
    """Four people who see the same four films, and move at the tempo of each."""
    tempi = [0.5, 0.8, 1.3, 2.0]
    models = [recording(random, tempo) for tempo in tempi]
    blocks = []
    for _ in range(4):
        people = [
            following(random, model, tempo, share)
            for model, tempo in zip(models, tempi, strict=True)
        ]
        blocks.append(block_of(people, models, True))
    return blocks


def of_signals(
    design: Callable[[np.random.Generator, float], list[Block]], share: float, studies: int
) -> np.ndarray:
    """Return in how many studies p of all signals together, and any p_fwer, are <= .05."""
    random = np.random.default_rng([SEED + 1, int(100 * share)])
    found = np.zeros(2)
    for seed in range(studies):
        blocks = design(random, share)
        parts = [
            right_pairings(
                [Block(b.scores[:, :, part], b.models, b.one_person) for b in blocks],
                seed,
                PERMUTATIONS,
                intervals=False,
            )
            for part in (slice(0, 1), slice(1, None))
        ]
        found += [parts[0].p[0] <= 0.05, (parts[1].p_fwer <= 0.05).any()]
    return found / studies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=400)
    here = Path(__file__).parents[1] / "docs" / "validation" / "studies.md"
    parser.add_argument("--output", type=Path, default=here)
    options = parser.parse_args()
    lines = [
        "| test | people (a group) | level, p | level, any p_fwer | power d = 0.5, p / p_fwer "
        "| power d = 0.8, p / p_fwer |",
        "|---|---|---|---|---|---|",
    ]
    for name, test in TESTS.items():
        for people in (20, 40, 80):
            none, medium, large = (share(test, people, d, options.studies) for d in (0.0, 0.5, 0.8))
            lines.append(
                f"| {name} | {people} | {none[0]:.3f} | {none[2]:.3f} "
                f"| {medium[0]:.2f} / {medium[1]:.2f} | {large[0]:.2f} / {large[1]:.2f} |"
            )
            print(lines[-1], flush=True)
    lines += [
        "",
        "| generated signals | level, all signals | level, any p_fwer "
        "| 2 % of the variance imitated, all signals / any p_fwer |",
        "|---|---|---|---|",
    ]
    for name, design in (
        ("eight people, each with an own model", own_models),
        ("four people, the same four films", own_content),
    ):
        none, some = (of_signals(design, share, options.studies) for share in (0.0, 0.02**0.5))
        lines.append(f"| {name} | {none[0]:.3f} | {none[1]:.3f} | {some[0]:.2f} / {some[1]:.2f} |")
        print(lines[-1], flush=True)
    error = np.sqrt(0.05 * 0.95 / options.studies)
    lines += [
        "",
        f"{options.studies} studies a cell: the standard error of a level is {error:.3f}.",
    ]
    options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
