"""Faults of a use case's review."""

from __future__ import annotations

from tests.unit.config.broken import (
    LOANS,
    Broken,
    public,
    review,
)
from tests.unit.config.conftest import VALID, changed

REVIEWS: dict[str, Broken] = {
    # Review
    "review_of_use_case": Broken(
        changed(VALID[VALID.index("    review:") : VALID.index("    data:")], "    review: readers\n"),
        "review:",
        f"{LOANS}.review",
        "'readers'",
        "`team`",
    ),
    "review_team": Broken(
        changed("team: readers", "team: writers"), "writers", f"{LOANS}.review.team", "'writers'", "`readers`"
    ),
    "template": Broken(
        changed("pages/loans.html", "pages/none.html"),
        "none.html",
        f"{LOANS}.review.template",
        "'pages/none.html'",
        "existing file",
    ),
    "title": Broken(
        changed("title: Loan", "title: 7"), "title", f"{LOANS}.review.title", "'7'", "a text", "quotes"
    ),
    "description": Broken(
        changed("Read it again.", "x" * 256), "xxx", f"{LOANS}.review.description", "x", "1 to 255 characters"
    ),
    "keywords": Broken(
        review("keywords: [a, b, c, d, e, f]"), "keywords", f"{LOANS}.review.keywords", "a list", "0 to 5"
    ),
    "keyword": Broken(
        review("keywords: [high-value]"),
        "high",
        f"{LOANS}.review.keywords[0]",
        "'high-value'",
        "letters and digits",
    ),
    "task_count": Broken(
        review("task_count: 4"), "task_count", f"{LOANS}.review.task_count", "the integer '4'", "from 1 to 3"
    ),
    "time_limit_s": Broken(
        review("time_limit_s: 29"), "29", f"{LOANS}.review.time_limit_s", "'29'", "from 30 to 28800"
    ),
    "availability_s": Broken(
        review("availability_s: 864001"),
        "864001",
        f"{LOANS}.review.availability_s",
        "'864001'",
        "from 1 to 864000",
    ),
    "availability_of_a_public_task": Broken(
        public(review("price_usd: 0.036\n      availability_s: 43201")),
        "43201",
        f"{LOANS}.review.availability_s",
        "43201",
        "from 1 to 43200",
    ),
    "answer": Broken(review("answer: label"), "answer", f"{LOANS}.review.answer", "'label'", "`label`"),
    "answer_label": Broken(
        review("answer: {label: '&'}"), "answer", f"{LOANS}.review.answer.label", "'&'", "JMESPath"
    ),
    "answer_reason_code": Broken(
        review("answer: {reason_code: 'a['}"),
        "answer",
        f"{LOANS}.review.answer.reason_code",
        "'a['",
        "JMESPath",
    ),
    "answer_cannot_decide": Broken(
        review("answer: {cannot_decide: 'a =='}"),
        "answer",
        f"{LOANS}.review.answer.cannot_decide",
        "'a =='",
        "JMESPath",
    ),
    "blind": Broken(review("blind: maybe"), "blind", f"{LOANS}.review.blind", "'maybe'", "`true` or `false`"),
    "show_prediction_to_caller": Broken(
        review("show_prediction_to_caller: 0"),
        "show",
        f"{LOANS}.review.show_prediction_to_caller",
        "'0'",
        "`true`",
    ),
    "max_generations": Broken(
        review("max_generations: 0"), "max_gen", f"{LOANS}.review.max_generations", "'0'", "from 1 to 20"
    ),
    "on_delete": Broken(
        review("on_delete: force"), "force", f"{LOANS}.review.on_delete", "'force'", "`refuse` or `drain`"
    ),
    "price_usd": Broken(
        public(review("price_usd: 0.05")), "0.05", f"{LOANS}.review.price_usd", "the number '0.05'", "0.048"
    ),
    "price_nan": Broken(
        public(review("price_usd: nan")), "nan", f"{LOANS}.review.price_usd", "'nan'", "0.048", "ladder"
    ),
    "price_no_number": Broken(
        public(review("price_usd: cheap")),
        "cheap",
        f"{LOANS}.review.price_usd",
        "'cheap'",
        "0.048",
        "dollars",
    ),
    "price_is_a_list": Broken(
        public(review("price_usd: [0.036]")),
        "[0.036]",
        f"{LOANS}.review.price_usd",
        "a list",
        "0.048",
        "dollars",
    ),
    "price_missing": Broken(
        public(VALID),
        "review:",
        f"{LOANS}.review.price_usd",
        "nothing",
        "0.012",
        "required with a public team",
    ),
    "price_without_the_public": Broken(
        review("price_usd: 0.036"), "price_usd", f"{LOANS}.review.price_usd", "0.036", "leave it out"
    ),
    "public_team_and_personal_data": Broken(
        public(review("price_usd: 0.036\n      availability_s: 600")).replace(
            "class: free-of-personal-data", "class: personal"
        ),
        "team:",
        f"{LOANS}.review.team",
        "'readers'",
        "a private or vendor team",
        "personal",
    ),
}
