"""Values of the wrong kind, and keys that are wrong in themselves."""

from __future__ import annotations

from tests.unit.config.broken import (
    LOANS,
    Broken,
    review,
    routing,
    top,
    use_case,
)
from tests.unit.config.conftest import VALID, changed

VALUES: dict[str, Broken] = {
    # What kinds of values there are
    "text_unquoted": Broken(
        changed("[approve, decline]", "[approve, no]"),
        "labels",
        f"{LOANS}.labels[1]",
        "the boolean 'no'",
        "a text of 1 to 128 characters",
        "quotes",
    ),
    "text_empty": Broken(
        changed("title: Loan", "title: ''"),
        "title",
        f"{LOANS}.review.title",
        "the text ''",
        "1 to 128 characters",
    ),
    "text_too_long": Broken(
        changed("title: Loan", "title: " + "x" * 129),
        "title",
        f"{LOANS}.review.title",
        "…",
        "1 to 128 characters",
        "129",
    ),
    "text_is_null": Broken(
        changed("title: Loan", "title:"), "title", f"{LOANS}.review.title", "nothing (null)", "a text"
    ),
    "text_is_a_list": Broken(
        changed("title: Loan", "title: [Loan]"), "title", f"{LOANS}.review.title", "a list", "a text"
    ),
    "number_nan": Broken(
        changed("0.9", ".nan"), "threshold", f"{LOANS}.routing.threshold", "the number '.nan'", "[0, 1]"
    ),
    "number_infinite": Broken(
        changed("0.9", ".inf"), "threshold", f"{LOANS}.routing.threshold", "the number '.inf'", "[0, 1]"
    ),
    "number_above": Broken(
        changed("0.9", "1.2"), "threshold", f"{LOANS}.routing.threshold", "the number '1.2'", "[0, 1]"
    ),
    "number_below": Broken(
        changed("0.9", "-0.1"), "threshold", f"{LOANS}.routing.threshold", "the number '-0.1'", "[0, 1]"
    ),
    "number_as_text": Broken(
        changed("0.9", "'0.9'"), "threshold", f"{LOANS}.routing.threshold", "the text '0.9'", "a number"
    ),
    "number_as_boolean": Broken(
        changed("0.9", "true"), "threshold", f"{LOANS}.routing.threshold", "the boolean 'true'", "a number"
    ),
    "integer_as_number": Broken(
        review("task_count: 1.5"),
        "task_count",
        f"{LOANS}.review.task_count",
        "the number '1.5'",
        "from 1 to 3",
    ),
    "integer_as_boolean": Broken(
        review("task_count: true"), "task_count", f"{LOANS}.review.task_count", "the boolean 'true'", "1 to 3"
    ),
    "integer_mistagged": Broken(
        review("task_count: !!int two"), "task_count", f"{LOANS}.review.task_count", "'two'", "from 1 to 3"
    ),
    "unknown_tag": Broken(
        changed("title: Loan", "title: !secret Loan"),
        "title",
        f"{LOANS}.review.title",
        "tagged !secret",
        "a text",
    ),
    "section_is_a_text": Broken(
        changed("    input:\n      withheld: [sex]", "    input: sex"),
        "input:",
        f"{LOANS}.input",
        "the text 'sex'",
        "the keys `withheld`",
    ),
    "list_is_a_text": Broken(
        changed("[sex]", "sex"), "withheld", f"{LOANS}.input.withheld", "the text 'sex'", "a list of"
    ),
    "list_repeats": Broken(
        changed("[sex]", "[sex, sex]"),
        "withheld",
        f"{LOANS}.input.withheld[1]",
        "the text 'sex'",
        "a text",
        "given twice",
    ),
    "list_too_short": Broken(
        changed("[approve, decline]", "[approve]"),
        "labels",
        f"{LOANS}.labels",
        "a list",
        "2 to 1000",
        "1 elements",
    ),
    "key_is_no_text": Broken(top("? [a, b]\n: 1"), "? [a", "?", "a list", "a text", "a key"),
    "key_given_twice": Broken(
        top("environment: twice"), "twice", "environment", "the text 'twice'", "once", "first on line 1"
    ),
    "name_given_twice": Broken(
        VALID + "  readers: {groups: [others]}\n",
        "{groups: [others]}",
        "teams.readers",
        "a mapping",
        "each key once",
        "is given twice",
    ),
    "key_unknown": Broken(
        routing("treshold: 0.5"),
        "treshold",
        f"{LOANS}.routing.treshold",
        "the key 'treshold'",
        "`threshold`",
        "did you mean `threshold`?",
    ),
    "key_unlike_any": Broken(
        routing("zzz: 0.5"), "zzz", f"{LOANS}.routing.zzz", "the key 'zzz'", "`threshold`", "is no setting"
    ),
    "key_missing": Broken(
        changed("      threshold: 0.9", "      always_review: true"),
        "routing:",
        f"{LOANS}.routing.threshold",
        "nothing",
        "a number in [0, 1]",
        "is required",
    ),
    "word_near": Broken(
        use_case("mode: shadows"),
        "shadows",
        f"{LOANS}.mode",
        "'shadows'",
        "`live` or `shadow`",
        "did you mean `shadow`",
    ),
}
