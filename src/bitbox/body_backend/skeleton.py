"""The joints that are measured, what they are called, and which of them a limb joins."""

from __future__ import annotations

#: The 33 points of MediaPipe's Pose, in its order. Left is the subject's left.
JOINTS: tuple[str, ...] = (
    *("nose", "left_eye_inner", "left_eye", "left_eye_outer"),
    *("right_eye_inner", "right_eye", "right_eye_outer", "left_ear", "right_ear"),
    *("left_mouth", "right_mouth", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_pinky", "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("left_heel", "right_heel", "left_foot_index", "right_foot_index"),
)
PLACE: dict[str, int] = {name: number for number, name in enumerate(JOINTS)}


def sides(*names: str) -> tuple[tuple[int, int], ...]:
    """Return left and right of each of these joints, by number."""
    return tuple((PLACE[f"left_{name}"], PLACE[f"right_{name}"]) for name in names)


#: Left and right of the joints that most of what follows is made of.
SHOULDERS, ELBOWS, WRISTS, HIPS, KNEES, ANKLES, EARS = sides(
    *("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "ear")
)
HEELS, TOES, LITTLE, INDEX = sides("heel", "foot_index", "pinky", "index")
NOSE = PLACE["nose"]
#: Points of the head.
HEAD = tuple(range(11))

#: The parts of the body, and lines of joints that run through each; of arms and legs the last
#: joint need not be seen.
PARTS: dict[str, tuple[tuple[int, ...], ...]] = {
    "head": (HEAD,),
    "trunk": ((*SHOULDERS, *HIPS[::-1]),),
    "arms": tuple(zip(SHOULDERS, ELBOWS, WRISTS, INDEX, strict=True)),
    "legs": tuple(zip(HIPS, KNEES, ANKLES, TOES, strict=True)),
}
#: What is drawn of a skeleton: pairs of joints.
BONES: tuple[tuple[int, int], ...] = (
    *((SHOULDERS[0], SHOULDERS[1]), (HIPS[0], HIPS[1])),
    *((SHOULDERS[k], HIPS[k]) for k in (0, 1)),
    *(
        (line[n], line[n + 1])
        for part in ("arms", "legs")
        for line in PARTS[part]
        for n in range(3)
    ),
)
