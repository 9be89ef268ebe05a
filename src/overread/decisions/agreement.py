"""What several readers' answers come to together; their order does not matter."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from overread.decisions.record import SeatAnswer

DISAGREEMENT = "disagreement"
READERS = 3
"""The most that read one case: two, and a third where they disagree."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The label, or (then it is empty) why there is none in `code`; `needs_another` reader may settle it."""

    label: str
    code: str = ""
    needs_another: bool = False


def agree(answers: Collection[SeatAnswer]) -> Agreement:
    """One reader's label; of several, the label of two. One who gives none leaves the case undecided."""
    codes = sorted(answer.no_label_code for answer in answers if not answer.label)
    if codes:
        return Agreement(label="", code=codes[0])
    [(label, votes), *_] = Counter(sorted(answer.label for answer in answers)).most_common()
    if votes == len(answers) or votes > 1:
        return Agreement(label=label)
    return Agreement(label="", code=DISAGREEMENT, needs_another=len(answers) < READERS)
