"""Every element of this release in a real browser: what it takes, what it gives, and when it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'


def form(body: str) -> str:
    return f"{SCRIPT}<crowd-form>{body}</crowd-form>"


def test_everything_merges_into_one_answer(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        form(
            """
            <crowd-radio-group>
              <crowd-radio-button name="risk" value="low">Low</crowd-radio-button>
              <crowd-radio-button name="risk" value="high" checked>High</crowd-radio-button>
            </crowd-radio-group>
            <crowd-checkbox name="seen" value="blurry">Blurry</crowd-checkbox>
            <crowd-checkbox name="seen" value="dark" checked>Dark</crowd-checkbox>
            <crowd-checkbox name="agree">Agree</crowd-checkbox>
            <crowd-input name="email" label="Email"></crowd-input>
            <crowd-input name="empty" label="Empty"></crowd-input>
            <crowd-input name="preset" label="Preset" value="kept"></crowd-input>
            <crowd-text-area name="notes" label="Notes"></crowd-text-area>
            <crowd-text-area name="silent" label="Silent"></crowd-text-area>
            <input type="hidden" name="version" value="{{ task.input.version }}">
            <label>Plain <input type="text" name="plain"></label>
            <label><input type="radio" name="rating" value="good">Good</label>
            <label><input type="radio" name="rating" value="bad">Bad</label>
            <label>Pick
              <select name="pick"><option value="a">A</option><option value="b">B</option></select></label>
            <textarea name="area" aria-label="Area">x</textarea>
            <input name="off" value="1" disabled><input value="no name">
            """
        ),
        version=7,
    )
    frame = at_desk.frame
    frame.get_by_role("radio", name="Low").check()
    frame.get_by_role("checkbox", name="Blurry").check()
    frame.get_by_label("Email").fill("a@b.example")
    frame.get_by_label("Notes").fill("line 1\nline 2")
    frame.get_by_label("Plain").fill("text")
    frame.get_by_label("Good").check()
    frame.get_by_label("Pick").select_option("b")
    assert at_desk.submit() == {
        "risk": {"low": True, "high": False},
        "seen": {"blurry": True, "dark": True},
        "agree": {"on": False},
        "email": "a@b.example",
        "preset": "kept",
        "notes": "line 1\nline 2",
        "version": "7",
        "plain": "text",
        "rating": {"good": True, "bad": False},
        "pick": "b",
        "area": "x",
    }


@pytest.mark.parametrize(
    "categories",
    [
        """'["low risk", "it&apos;s high"]'""",
        """"['low risk', 'it\\'s high']\"""",
        """"[&quot;low risk&quot;, &quot;it&#39;s high&quot;]\"""",
        """"[ 'low risk', /* or */ `it's high`.x ]\"""",
        """"{{ task.input.labels | to_json | escape }}\"""",
        """"{{ task.input.labels }}\"""",
    ],
)
def test_categories_are_read_as_people_write_them(desk: Callable[..., Any], categories: str) -> None:
    at_desk = desk(
        form(f'<crowd-classifier name="risk" header="Risk" categories={categories}></crowd-classifier>'),
        labels=["low risk", "it's high"],
    )
    if "`" in categories:
        expect(at_desk.frame.get_by_role("alert")).to_be_visible()
        return
    at_desk.frame.get_by_role("radio", name="it's high").check()
    assert at_desk.submit() == {"risk": {"label": "it's high"}}


def test_loose_json_with_comments_and_trailing_commas(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        form(
            """<crowd-classifier name="risk" header="Risk" initial-value="b"
                 categories="['a', // the first
                              'b',]"></crowd-classifier>"""
        )
    )
    expect(at_desk.frame.get_by_role("radio", name="b")).to_be_checked()
    assert at_desk.submit() == {"risk": {"label": "b"}}


def test_a_classifier_must_be_answered(desk: Callable[..., Any]) -> None:
    at_desk = desk(form("<crowd-classifier name='c' categories=\"['a','b']\" header='H'></crowd-classifier>"))
    at_desk.frame.get_by_role("button", name="Submit").click()
    expect(at_desk.frame.get_by_text("Choose one of the answers.")).to_be_visible()
    assert at_desk.lab.loop("loop-1").answers == ()
    at_desk.frame.get_by_role("radio", name="a").check()
    expect(at_desk.frame.get_by_text("Choose one of the answers.")).to_have_count(0)
    at_desk.submit()


PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw=="


def test_an_image_classifier_with_and_without_comment(desk: Callable[..., Any]) -> None:
    template = form(
        f"""<crowd-image-classifier name="verify" src="{PIXEL}" header="Right?" categories="['yes','no']">
          <short-instructions>Look.</short-instructions>
          <full-instructions header="How">Look twice.</full-instructions>
          <worker-comment header="Why" placeholder="Say why"></worker-comment>
        </crowd-image-classifier>"""
    )
    silent = desk(template)
    silent.frame.get_by_role("radio", name="yes").check()
    assert silent.submit() == {"verify": {"label": "yes"}}
    talking = desk(template)
    assert talking.frame.locator("img").evaluate("image => image.naturalWidth") == 1
    talking.frame.get_by_role("radio", name="no").check()
    talking.frame.get_by_label("Why").fill("second dog has no box")
    assert talking.submit() == {"verify": {"label": "no", "workerComment": "second dog has no box"}}


def test_an_image_that_does_not_load_is_said_so(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        form(
            """<crowd-image-classifier name="v" src="data:image/png;base64,AAAA" categories="['a']"
                 header="H"></crowd-image-classifier>"""
        )
    )
    expect(at_desk.frame.get_by_text("The image could not be loaded")).to_be_visible()


@pytest.mark.parametrize(
    ("element", "typed", "message"),
    [
        ("<crowd-input name='x' label='X' required></crowd-input>", "", "Please fill this in."),
        ("<crowd-text-area name='x' label='X' required></crowd-text-area>", "", "Please fill this in."),
        ("<crowd-input name='x' label='X' min-length='3'></crowd-input>", "ab", "At least 3 characters"),
        ("<crowd-input name='x' label='X' type='email'></crowd-input>", "nobody", "@"),
        (
            "<crowd-input name='x' label='X' required error-message='Own words'></crowd-input>",
            "",
            "Own words",
        ),
        ("<crowd-checkbox name='x' required>X</crowd-checkbox>", None, "Please tick this box"),
    ],
)
def test_what_is_missing_or_malformed_is_not_submitted(
    desk: Callable[..., Any], element: str, typed: str | None, message: str
) -> None:
    at_desk = desk(form(element))
    if typed is not None:
        at_desk.frame.get_by_label("X").fill(typed)
    at_desk.frame.get_by_role("button", name="Submit").click()
    expect(at_desk.frame.locator(".fault", has_text=message)).to_be_visible()
    assert at_desk.lab.loop("loop-1").answers == ()


def test_allowed_pattern_keeps_other_keys_out(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        form("<crowd-input name='x' label='X' allowed-pattern='[0-9]' auto-validate></crowd-input>")
    )
    at_desk.frame.get_by_label("X").press_sequentially("1a2b")
    assert at_desk.submit() == {"x": "12"}


def test_a_required_plain_select_is_required(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        form(
            "<select name='r' required aria-label='R'><option value=''>-</option><option>a</option></select>"
        )
    )
    at_desk.frame.get_by_role("button", name="Submit").click()
    expect(at_desk.frame.get_by_text("Something is still missing.")).to_be_visible()
    at_desk.frame.get_by_label("R").select_option("a")
    assert at_desk.submit() == {"r": "a"}


def test_own_buttons_replace_the_automatic_one(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        form(
            """<crowd-input name="x" label="X" value="old"></crowd-input>
               <crowd-button form-action="reset">Start over</crowd-button>
               <crowd-button form-action="submit" variant="primary">Submit it</crowd-button>"""
        )
    )
    expect(at_desk.frame.get_by_role("button")).to_have_count(2)
    at_desk.frame.get_by_label("X").fill("new")
    at_desk.frame.get_by_role("button", name="Start over").click()
    assert at_desk.submit() == {"x": "old"}


def test_scripts_can_hold_back_and_submit_themselves(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        form('<crowd-input name="x" label="X"></crowd-input><p id="log"></p>')
        + """<script>
          const form = document.querySelector("crowd-form");
          document.addEventListener("all-crowd-elements-ready", () => { log.textContent += "ready "; });
          form.onsubmit = (event) => {
            const input = document.querySelector("crowd-input");
            log.textContent += "onsubmit:" + input.value + " ";
            if (input.value !== "") return;
            event.preventDefault();
            input.value = "by script";
            setTimeout(() => form.submit(), 50);
          };
        </script>"""
    )
    expect(at_desk.frame.locator("#log")).to_have_text("ready ")
    assert at_desk.submit() == {"x": "by script"}


def test_tabs_show_one_part_and_open_the_one_with_a_fault(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        form(
            """<crowd-tabs>
              <crowd-tab header="First"><p>Page one</p></crowd-tab>
              <crowd-tab header="Second"><crowd-input name="x" label="X" required></crowd-input></crowd-tab>
            </crowd-tabs>"""
        )
    )
    frame = at_desk.frame
    expect(frame.get_by_text("Page one")).to_be_visible()
    expect(frame.get_by_label("X")).to_be_hidden()
    frame.get_by_role("button", name="Submit").click()
    expect(frame.get_by_label("X")).to_be_focused()
    frame.get_by_role("tab", name="Second").press("ArrowRight")
    expect(frame.get_by_text("Page one")).to_be_visible()
    frame.get_by_role("tab", name="First").press("ArrowLeft")
    frame.get_by_label("X").fill("filled")
    assert at_desk.submit() == {"x": "filled"}


def test_instructions_open_in_a_dialog_and_cards_show_their_heading(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        form(
            """<crowd-instructions link-text="Read me" link-type="button">
                 <short-summary>Short.</short-summary>
                 <detailed-instructions>All the details.</detailed-instructions>
                 <positive-example>Good one</positive-example>
                 <negative-example>Bad one</negative-example>
               </crowd-instructions>
               <crowd-card heading="The case">Inside the card</crowd-card>"""
        )
    )
    expect(at_desk.frame.get_by_text("All the details.")).to_be_hidden()
    at_desk.frame.get_by_role("button", name="Read me").click()
    for text in ("Short.", "All the details.", "Good one", "Bad one"):
        expect(at_desk.frame.get_by_text(text)).to_be_visible()
    at_desk.frame.get_by_role("button", name="Close").click()
    expect(at_desk.frame.get_by_text("All the details.")).to_be_hidden()
    expect(at_desk.frame.get_by_role("heading", name="The case")).to_be_visible()
    assert at_desk.submit() == {}


def test_an_unknown_element_is_named_in_its_place_and_above_the_task(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        form("<crowd-text-ranking name='b'></crowd-text-ranking><crowd-input name='x'></crowd-input>")
    )
    expect(at_desk.frame.get_by_text("This part of the task cannot be shown.")).to_be_visible()
    expect(at_desk.frame.locator("code")).to_have_text("<crowd-text-ranking>")
    expect(at_desk.page.locator(".notice")).to_contain_text("<crowd-text-ranking>")
