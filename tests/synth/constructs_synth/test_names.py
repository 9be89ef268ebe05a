"""Names that change with the content, so that a change creates before it deletes."""

from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_s3 as s3

from overread_constructs import FlowDefinition, HumanTaskUi, PrivateWorkforce, Workteam

PAGE = "<crowd-form><crowd-input name='note'></crowd-input></crowd-form>"


def names(*, page: str = PAGE, title: str = "Loan", stack_name: str = "S", **props: Any) -> tuple[str, str]:
    """Names of a task UI and a flow definition in an app of their own."""
    stack = Stack(App(context={"aws:cdk:bundling-stacks": []}), stack_name)
    workforce = PrivateWorkforce.adopt(stack, "Workforce", workforce_name="default")
    ui = HumanTaskUi(stack, "Page", name_prefix="loans", template=page)
    flow = FlowDefinition(
        stack,
        "Review",
        name_prefix="loans",
        workteam=Workteam(stack, "T", name="t", description="x", workforce=workforce, groups=["g"]),
        human_task_ui=ui,
        output_bucket=s3.Bucket(stack, "Answers"),
        output_prefix="reviews/",
        title=title,
        description="Decide",
        availability=Duration.days(1),
        time_limit=Duration.minutes(30),
        **props,
    )
    return ui.human_task_ui_name, flow.flow_definition_name


def test_names_stay_the_same_while_the_content_does() -> None:
    assert names() == names(stack_name="Other")


def test_a_changed_template_renames_the_task_ui_and_the_flow_definition() -> None:
    before, after = names(), names(page=PAGE.replace("note", "reason"))
    assert before[0] != after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize("props", [{"title": "Card"}, {"task_count": 2}, {"keywords": ["x"]}], ids=str)
def test_a_changed_prop_renames_the_flow_definition_only(props: dict[str, Any]) -> None:
    before, after = names(), names(**props)
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_how_it_is_deleted_is_no_content() -> None:
    assert names() == names(on_delete="drain")
