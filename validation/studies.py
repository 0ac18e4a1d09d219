"""Do the tests over people keep their level, and what do they find?

    python validation/studies.py [--studies 400] [--output docs/validation/studies.md]

Generated scores of people, not recordings: 33 signals that go together (a common factor of half the
variance), with heavy tails (t with 5 degrees of freedom). One signal differs by d standard
deviations.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bitbox.study.group_tests import GroupTest, against_zero, between

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


TESTS: dict[str, Callable[[np.random.Generator, int, float, int], GroupTest]] = {
    "against chance, or same people in two conditions": one_sample,
    "two groups": two_groups,
    "two groups, the second half as large and twice as varied": unequal,
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
    error = np.sqrt(0.05 * 0.95 / options.studies)
    lines += [
        "",
        f"{options.studies} studies a cell: the standard error of a level is {error:.3f}.",
    ]
    options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
