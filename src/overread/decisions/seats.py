"""The seats of a review: who reads, in which of the two teams, and which take a place in the queue."""

from overread.decisions.record import TERMINAL, LoopEnd, QueueMove, Record, Seat, SeatAnswer
from overread.review.wire import loop_name
from overread.routing.policy import ReviewTerms

ONE_READER = ("",)
READERS = ("a", "b", "c")
SECOND_TEAM = ("e", "f", "g")
_TWO = 2


def first_seats(count: int, *, generation: int) -> tuple[Seat, ...]:
    """The seats that a review begins with, for one reader or two."""
    names = ONE_READER if count == 1 else READERS[:count]
    return tuple(Seat(name, generation) for name in names)


def second_team_seats(record: Record, *, generation: int) -> tuple[Seat, ...]:
    """One seat to settle what two people have labelled; two under the two-person rule where fewer have."""
    labels = sum(1 for answer in accepted(record) if answer.label)
    count = 2 if record.terms.two_person and labels < _TWO else 1
    return tuple(Seat(name, generation) for name in SECOND_TEAM[:count])


def is_of_second_team(seat_name: str) -> bool:
    """Whether the escalation's people sit there."""
    return seat_name in SECOND_TEAM


def group_of(record: Record, seat_name: str) -> tuple[Seat, ...]:
    """The seats whose answers are merged with this one's."""
    team = is_of_second_team(seat_name)
    return tuple(seat for seat in record.seats if is_of_second_team(seat.name) is team)


def answers_of(record: Record, seats: tuple[Seat, ...]) -> list[SeatAnswer] | None:
    """All answers of the seats, None while one is missing."""
    answers: list[SeatAnswer] = []
    for seat in seats:
        review = record.review_of(seat)
        if review is None or review.end is not LoopEnd.ANSWERED or review.answer is None:
            return None
        answers.append(review.answer)
    return answers


def accepted(record: Record) -> tuple[SeatAnswer, ...]:
    """Every answer that was accepted, whether or not the decision came out as it says."""
    return tuple(
        review.answer
        for review in record.reviews
        if review.end is LoopEnd.ANSWERED and review.answer is not None
    )


def third_seat(seat_name: str, *, generation: int) -> Seat:
    """The seat of the reader who settles a disagreement."""
    return Seat((SECOND_TEAM if is_of_second_team(seat_name) else READERS)[2], generation)


def seats_to_start(record: Record) -> tuple[Seat, ...]:
    """The empty seats of the team whose turn it is; none once the decision has come to its end."""
    if record.state in TERMINAL:
        return ()
    team = record.escalation is not None
    return tuple(seat for seat in record.empty_seats if is_of_second_team(seat.name) is team)


def loop_of(record: Record, seat: Seat) -> str:
    """The one name of the seat's human loop."""
    return loop_name(record.decision_id, generation=seat.generation, suffix=seat.name)


def flow_definition_of(terms: ReviewTerms, seat_name: str) -> str:
    """Whose task the seat is; empty when the policy names no second team."""
    if is_of_second_team(seat_name):
        return terms.escalation_flow_definition_arn
    if seat_name == "b" and terms.second_flow_definition_arn:
        return terms.second_flow_definition_arn
    return terms.flow_definition_arn


def places(record: Record) -> int:
    """Places that the decision holds in its team's queue: open human loops, and those that may be opened."""
    if record.terms.max_open is None:
        return 0
    held = [review for review in record.open_reviews if not is_of_second_team(review.seat)]
    reserved = [seat for seat in record.empty_seats if not is_of_second_team(seat.name)]
    return len(held) + (len(reserved) if record.is_admitted else 0)


def queue_move(before: Record, after: Record) -> QueueMove | None:
    """The places that a change takes or gives back."""
    moved = places(after) - places(before)
    if not moved:
        return None
    limit = max(after.terms.max_open or 0, moved)  # a pair of readers fits into every queue
    return QueueMove(queue=after.terms.queue, slots=moved, limit=limit)
