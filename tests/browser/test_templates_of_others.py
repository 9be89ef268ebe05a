"""Templates written as AWS's samples are: loose JSON, no names, own styles and scripts, plain inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect
from tests.browser.drawing import HEIGHT, PICTURE, SCRIPT, WIDTH, Canvas, close_to

SIZE = {"height": HEIGHT, "width": WIDTH}
INSTRUCTIONS = """
  <full-instructions header="Instructions">
    <ol><li><strong>Look</strong> at the image.</li><li><strong>Draw</strong> a box.</li></ol>
  </full-instructions>
  <short-instructions><p>Draw boxes around all objects</p></short-instructions>
"""


def test_boxes_with_values_written_by_a_loop(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        f"""{SCRIPT}
<crowd-form>
  <crowd-bounding-box
    name="boundingBox"
    src="{{{{ task.input.taskObject | grant_read_access }}}}"
    header="Draw boxes around the requested items"
    labels="[{{% for label in task.input.labels %}}'{{{{ label }}}}',{{% endfor %}}]"
    initial-value="[
      {{% for box in task.input.manifestLine.my-boxes.annotations %}}
        {{% capture class_id %}}{{{{ box.class_id }}}}{{% endcapture %}}
        {{% assign label = task.input.manifestLine.my-boxes-metadata.class-map[class_id] %}}
        {{
          label: '{{{{ label }}}}',
          left: {{{{ box.left }}}}, top: {{{{ box.top }}}}, // pixels
          width: {{{{ box.width }}}}, height: {{{{ box.height }}}},
        }},
      {{% endfor %}}
    ]"
  >{INSTRUCTIONS}</crowd-bounding-box>
</crowd-form>""",
        taskObject=PICTURE,
        labels=["Person", "Dog bowl"],
        manifestLine={
            "my-boxes": {"annotations": [{"class_id": 1, "left": 5, "top": 6, "width": 40, "height": 30}]},
            "my-boxes-metadata": {"class-map": {"0": "Person", "1": "Dog bowl"}},
        },
    )
    Canvas(at_desk)
    expect(at_desk.frame.get_by_role("radio", name="Dog bowl")).to_be_visible()
    assert at_desk.submit() == {
        "boundingBox": {
            "boundingBoxes": [{"height": 30, "label": "Dog bowl", "left": 5, "top": 6, "width": 40}],
            "inputImageProperties": SIZE,
            "initialValueModified": False,
        }
    }


def test_a_ready_handler_fills_in_and_a_submit_handler_refuses(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        f"""{SCRIPT}
<style>body {{ font-family: Georgia; }} .warn {{ color: #a00; display: none }}</style>
<crowd-form>
  <p class="warn" id="warn">Say something about the dog.</p>
  <crowd-input name="breed" id="breed" placeholder="Breed..." required></crowd-input>
  <p><input type="checkbox" name="tail" value="wags"> It wags</p>
  <select name="size"><option value="s">small</option><option value="l" selected>large</option></select>
  <crowd-button form-action="submit" variant="primary" id="go">Send</crowd-button>
</crowd-form>
<script>
  var seen = 0;
  document.addEventListener('all-crowd-elements-ready', function () {{
    document.getElementById('breed').value = 'unknown';
    document.querySelector('crowd-form').onsubmit = function (e) {{
      if (document.querySelector('crowd-input').value === 'unknown') {{
        e.preventDefault();
        document.getElementById('warn').style.display = 'block';
      }}
    }};
  }});
</script>"""
    )
    frame = at_desk.frame
    frame.get_by_role("button", name="Send").click()
    expect(frame.get_by_text("Say something about the dog.")).to_be_visible()
    assert at_desk.lab.loop("loop-1").answers == ()
    frame.get_by_role("textbox", name="Breed...").fill("Corgi")
    frame.get_by_role("checkbox").check()
    frame.get_by_role("button", name="Send").click()
    at_desk.page.get_by_role("heading", name="Answer saved").wait_for()
    import json

    (answer,) = at_desk.lab.loop("loop-1").answers
    assert json.loads(at_desk.lab.documents.get(answer.content_key)) == {
        "breed": "Corgi",
        "tail": {"wags": True},
        "size": "l",
    }


def test_a_classifier_without_a_name_and_with_escaped_categories(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        f"""{SCRIPT}
<crowd-form answer-format="flatten-objects">
  <crowd-classifier
    categories="{{{{ task.input.labels | to_json | escape }}}}"
    header="What type of a document is this?"
  >
    <classification-target>
      <p style="white-space: pre-wrap">{{{{ task.input.taskObject }}}}</p>
    </classification-target>
    {INSTRUCTIONS}
  </crowd-classifier>
</crowd-form>""",
        taskObject="Dear Sir & Madam, <b>hello</b>",
        labels=["letter", 'bill, or "invoice"'],
    )
    expect(at_desk.frame.get_by_text("Dear Sir & Madam, <b>hello</b>")).to_be_visible()
    at_desk.frame.get_by_role("radio", name='bill, or "invoice"').check()
    assert at_desk.submit() == {"crowd-classifier": {"label": 'bill, or "invoice"'}}


def test_ratings_in_tabs_with_names_made_by_a_loop(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        f"""{SCRIPT}
<crowd-form>
  <crowd-instructions link-text="View instructions" link-type="button">
    <short-summary><p>Rate them.</p></short-summary>
    <positive-example><p>Good</p></positive-example>
  </crowd-instructions>
  <crowd-tabs>
    {{% for pair in task.input.translationPairs %}}
    <crowd-tab header="Pair {{{{ forloop.index }}}}">
      <p>{{{{ pair.originalText }}}}</p>
      <crowd-text-area name="translation{{{{ forloop.index }}}}" value="{{{{ pair.translation }}}}">
      </crowd-text-area>
      <p><input type="radio" name="rating{{{{ forloop.index }}}}" value="agree" required> Agree
         <input type="radio" name="rating{{{{ forloop.index }}}}" value="disagree" required> Disagree</p>
    </crowd-tab>
    {{% endfor %}}
  </crowd-tabs>
</crowd-form>""",
        translationPairs=[
            {"originalText": "Guten Tag", "translation": "Good day"},
            {"originalText": "Tschüss", "translation": "By"},
        ],
    )
    frame = at_desk.frame
    frame.locator("input[name=rating1][value=agree]").check()
    frame.get_by_role("tab", name="Pair 2").click()
    frame.locator("input[name=rating2][value=disagree]").check()
    frame.locator("crowd-text-area[name=translation2] textarea").fill("Bye")
    assert at_desk.submit() == {
        "translation1": "Good day",
        "translation2": "Bye",
        "rating1": {"agree": True, "disagree": False},
        "rating2": {"agree": False, "disagree": True},
    }


def test_entities_with_labels_as_json_objects(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        f"""{SCRIPT}
<crowd-form>
  <crowd-entity-annotation
    name='annotatedResult'
    text='{{{{ task.input.text }}}}'
    labels='{{{{ task.input.labels | to_json }}}}'
    initial-value='{{{{ task.input.initialValue | to_json }}}}'
    header='Highlight parts of the text below'
  >
    <detailed-instructions>Highlight</detailed-instructions>
    <short-instructions>Highlight</short-instructions>
    <full-instructions header="x">Highlight</full-instructions>
  </crowd-entity-annotation>
</crowd-form>""",
        text="He said \"it's O'Hara & Sons\" in Cork",
        labels=[{"label": "org", "shortDisplayName": "ORG", "fullDisplayName": "Organisation"}],
        initialValue=[{"label": "org", "startOffset": 14, "endOffset": 27}],
    )
    expect(at_desk.frame.locator("mark")).to_have_text("O'Hara & Sons"[:13])
    assert at_desk.submit() == {
        "annotatedResult": {"entities": [{"endOffset": 27, "label": "org", "startOffset": 14}]}
    }


def test_keypoints_and_polygons_on_one_page_with_a_hidden_field(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        f"""{SCRIPT}
<crowd-form>
  <input type="hidden" name="taskVersion" value="{{{{ task.input.version }}}}">
  <crowd-keypoint src="{PICTURE}" labels="['nose','left eye']" header="Keypoints" name="pose"
    initialValue="[{{label: 'nose', x: 100, y: 100}}, {{label: 'tail', x: 1, y: 1}}]">
    {INSTRUCTIONS}</crowd-keypoint>
  <crowd-polygon src="{PICTURE}" labels='["roof",]' header="Roofs" name="roofs">{INSTRUCTIONS}</crowd-polygon>
</crowd-form>""",
        version=3,
    )
    expect(at_desk.frame.locator(".loading")).to_have_count(0)
    at_desk.frame.locator("crowd-polygon .viewport").focus()
    press = at_desk.page.keyboard.press
    for key in ("ArrowLeft", "Space", "Shift+ArrowRight", "Space", "Shift+ArrowDown", "Space", "Enter"):
        press(key)
    answer = at_desk.submit()
    assert answer["taskVersion"] == "3"
    assert answer["pose"] == {
        "keypoints": [{"label": "nose", "x": 100, "y": 100}],
        "inputImageProperties": SIZE,
        "initialValueModified": False,
    }
    (roof,) = answer["roofs"]["polygons"]
    assert roof["label"] == "roof"
    assert len(roof["vertices"]) == 3


def test_textracts_own_worker_template(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        f"""{SCRIPT}
{{% assign place = task.input.aiServiceRequest.document.s3Object %}}
{{% capture s3_uri %}}http://s3.amazonaws.com/{{{{ place.bucket }}}}/{{{{ place.name }}}}{{% endcapture %}}"""
        """
<crowd-form>
  <crowd-textract-analyze-document
      src="{{ task.input.picture }}"
      data-source="{{ s3_uri | grant_read_access }}"
      initial-value="{{ task.input.selectedAiServiceResponse.blocks }}"
      header="Review the key-value pairs on the right and correct them if they don't match."
      no-key-edit="" no-geometry-edit=""
      keys="{{ task.input.humanLoopContext.importantFormKeys }}"
      block-types='["KEY_VALUE_SET"]'>
    <short-instructions header="Instructions"><p>Click on a key-value block.</p></short-instructions>
    <full-instructions header="Instructions"></full-instructions>
  </crowd-textract-analyze-document>
</crowd-form>""",
        picture=PICTURE,
        aiServiceRequest={"document": {"s3Object": {"bucket": "forms", "name": "a form.png"}}},
        selectedAiServiceResponse={
            "blocks": [
                {
                    "blockType": "KEY_VALUE_SET",
                    "id": "k",
                    "entityTypes": ["KEY"],
                    "relationships": [{"type": "VALUE", "ids": ["v"]}, {"type": "CHILD", "ids": ["w"]}],
                    "geometry": {"boundingBox": {"left": 0.1, "top": 0.1, "width": 0.2, "height": 0.1}},
                },
                {"blockType": "KEY_VALUE_SET", "id": "v", "entityTypes": ["VALUE"], "geometry": {}},
                {"blockType": "WORD", "id": "w", "text": "Name:", "geometry": {}},
            ]
        },
        humanLoopContext={"importantFormKeys": [{"importantFormKey": "Name"}]},
    )
    at_desk.frame.get_by_label("Value of Name:").fill("Ada")
    at_desk.frame.get_by_label("Value of Name:").blur()
    Canvas(at_desk)
    blocks = at_desk.submit()["AWS/Textract/AnalyzeDocument/Forms/V1"]["blocks"]
    assert [block["id"] for block in blocks] == ["k", "v", "w", "v-text"]
    assert blocks[-1]["text"] == "Ada"


def test_two_tools_of_one_family_draw_in_their_own_pixels(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        f"""{SCRIPT}
<crowd-form>
  <crowd-bounding-box src="{PICTURE}" labels="['a','b']" header="First" name="first">
  {INSTRUCTIONS}</crowd-bounding-box>
  <crowd-radio-group>
    <crowd-radio-button name="opt-yes" value="yes">yes</crowd-radio-button>
    <crowd-radio-button name="opt-no" value="no">no</crowd-radio-button>
  </crowd-radio-group>
</crowd-form>"""
    )
    canvas = Canvas(at_desk)
    canvas.drag((10, 20), (200, 300))
    at_desk.frame.get_by_role("radio", name="yes").check()
    answer = at_desk.submit()
    assert answer["opt-yes"] == {"yes": True}
    assert answer["opt-no"] == {"no": False}
    (box,) = answer["first"]["boundingBoxes"]
    assert close_to(box["width"], 190)
    assert box["label"] == "a"
