"""Faults of a use case, review aside."""

from __future__ import annotations

from tests.unit.config.broken import (
    LOANS,
    Broken,
    prediction,
    routing,
    use_case,
)
from tests.unit.config.conftest import changed

USE_CASES: dict[str, Broken] = {
    # Prediction
    "prediction": Broken(
        changed(
            "    prediction:\n      source: sagemaker-endpoint\n      model: models/loans.tar.gz",
            "    prediction: []",
        ),
        "prediction",
        f"{LOANS}.prediction",
        "a list",
        "`source`",
    ),
    "source": Broken(
        changed("source: sagemaker-endpoint\n      model: models/loans.tar.gz", "source: bedrock"),
        "bedrock",
        f"{LOANS}.prediction.source",
        "'bedrock'",
        "`sagemaker-endpoint` or `caller`",
    ),
    "model_not_there": Broken(
        changed("models/loans.tar.gz", "models/none.tar.gz"),
        "none.tar.gz",
        f"{LOANS}.prediction.model",
        "the text 'models/none.tar.gz'",
        "`make setup`",
        "there is no file",
    ),
    "model_no_archive": Broken(
        changed("loans.tar.gz", "loans.zip"), "zip", f"{LOANS}.prediction.model", "loans.zip", ".tar.gz"
    ),
    "model_missing": Broken(
        changed("\n      model: models/loans.tar.gz", ""),
        "prediction:",
        f"{LOANS}.prediction.model",
        "nothing",
        "a model archive",
        "required with source sagemaker-endpoint",
    ),
    "model_of_a_caller": Broken(
        changed("sagemaker-endpoint", "caller"),
        "model:",
        f"{LOANS}.prediction.model",
        "loans.tar.gz",
        "leave it out",
        "no meaning with source caller",
    ),
    "label_path": Broken(
        prediction("label: 'a b'"),
        "a b",
        f"{LOANS}.prediction.label",
        "'a b'",
        "JMESPath",
        "does not compile",
    ),
    "confidence_path": Broken(
        prediction("confidence: '['"),
        "'['",
        f"{LOANS}.prediction.confidence",
        "'['",
        "JMESPath",
        "does not compile",
    ),
    "instance_type": Broken(
        prediction("instance_type: m5.large"),
        "m5",
        f"{LOANS}.prediction.instance_type",
        "'m5.large'",
        "ml.m5.large",
    ),
    "instance_count": Broken(
        prediction("instance_count: 0\n      max_instance_count: 2"),
        "instance_count: 0",
        f"{LOANS}.prediction.instance_count",
        "'0'",
        "from 1 to 100",
    ),
    "max_instance_count": Broken(
        prediction("max_instance_count: 101"),
        "101",
        f"{LOANS}.prediction.max_instance_count",
        "'101'",
        "1 to 100",
    ),
    "max_below_count": Broken(
        prediction("instance_count: 3\n      max_instance_count: 2"),
        "max_instance_count",
        f"{LOANS}.prediction.max_instance_count",
        "2",
        "from 3 to 100",
    ),
    # Labels, input, mode, data
    "labels": Broken(changed("[approve, decline]", "{}"), "labels", f"{LOANS}.labels", "a mapping", "a list"),
    "input": Broken(
        changed("      withheld: [sex]", "      - sex"), "- sex", f"{LOANS}.input", "a list", "`withheld`"
    ),
    "withheld": Broken(
        changed("[sex]", "[7]"), "withheld", f"{LOANS}.input.withheld[0]", "the integer '7'", "a text"
    ),
    "mode": Broken(use_case("mode: off"), "mode: off", f"{LOANS}.mode", "'off'", "`live` or `shadow`"),
    "data": Broken(
        changed("    data:\n      class: personal", "    data: personal"),
        "data",
        f"{LOANS}.data",
        "'personal'",
        "`class`",
    ),
    "data_class": Broken(
        changed("class: personal", "class: secret"), "secret", f"{LOANS}.data.class", "'secret'", "`personal`"
    ),
    # Routing
    "routing": Broken(
        changed("    routing:\n      threshold: 0.9", "    routing: 0.9"),
        "routing",
        f"{LOANS}.routing",
        "'0.9'",
        "`threshold`",
    ),
    "label_thresholds": Broken(
        routing("label_thresholds: {approve: 2}"),
        "approve: 2",
        f"{LOANS}.routing.label_thresholds.approve",
        "the integer '2'",
        "a number in [0, 1]",
    ),
    "label_thresholds_list": Broken(
        routing("label_thresholds: [0.9]"),
        "[0.9]",
        f"{LOANS}.routing.label_thresholds",
        "a list",
        "a mapping",
    ),
    "label_thresholds_twice": Broken(
        routing("label_thresholds: {approve: 0.1, approve: 0.2}"),
        "0.2",
        f"{LOANS}.routing.label_thresholds.approve",
        "'0.2'",
        "once",
    ),
    "label_thresholds_unknown": Broken(
        routing("label_thresholds: {maybe: 0.9}"),
        "maybe",
        f"{LOANS}.routing.label_thresholds.maybe",
        "'maybe'",
        "`approve`, `decline`",
    ),
    "always_review": Broken(
        routing("always_review: 1"),
        "always",
        f"{LOANS}.routing.always_review",
        "the integer '1'",
        "`true` or `false`",
    ),
    "rules": Broken(routing("rules: {}"), "rules", f"{LOANS}.routing.rules", "a mapping", "a list"),
    "rule_is_a_text": Broken(
        routing("rules: [high]"), "rules", f"{LOANS}.routing.rules[0]", "'high'", "the keys `name`, `when`"
    ),
    "rule_name": Broken(
        routing("rules: [{name: High, when: 'true'}]"),
        "High",
        f"{LOANS}.routing.rules[0].name",
        "'High'",
        "lower-case",
    ),
    "rule_name_twice": Broken(
        routing("rules: [{name: a, when: 'x'}, {name: a, when: 'y'}]"),
        "rules",
        f"{LOANS}.routing.rules[1].name",
        "'a'",
        "no other rule",
    ),
    "rule_when": Broken(
        routing("rules: [{name: a, when: 'input.amount > 10000'}]"),
        "10000",
        f"{LOANS}.routing.rules[0].when",
        "'input.amount > 10000'",
        "JMESPath",
        "does not compile",
    ),
    "rule_on_a_withheld_field": Broken(
        routing('rules: [{name: a, when: "length(input.sex) > `1` && input.amount"}]'),
        "input.sex",
        f"{LOANS}.routing.rules[0].when",
        "input.sex",
        "input.withheld does not name",
    ),
    "spot_check_probability": Broken(
        routing("spot_check_probability: 2 %"),
        "2 %",
        f"{LOANS}.routing.spot_check_probability",
        "'2 %'",
        "[0, 1]",
    ),
}
