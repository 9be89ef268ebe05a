// What a reviewer is told about a qualification: still to be shown, passed, failed, over.
import { html, nothing, type TemplateResult } from "lit";
import type { QualificationState } from "./documents";
import { absolute } from "./time";

export function qualificationBanner(one: QualificationState): TemplateResult | typeof nothing {
  const title = one.title || one.name;
  const score = one.score === null ? "" : ` You had ${Math.round(one.score * 100)} % right.`;
  switch (one.state) {
    case "none":
      return banner("warm", `“${title}” begins with a short test of ${one.questions} tasks. They come first in your list.`);
    case "in-test":
      return banner("warm", `Test for “${title}”: ${one.answered} of ${one.questions} tasks done.`);
    case "failed":
      return banner("bad", `The test for “${title}” is not passed.${score}${again(one)}`);
    case "expired":
      return banner("warm", `Your qualification for “${title}” is over. The test comes first in your list again.`);
    case "passed":
      return one.score === null ? nothing : banner("good", `You are qualified for “${title}”${one.valid_until === null ? "" : ` until ${absolute(one.valid_until)}`}.${score}`);
  }
}

function again({ repeat_at }: QualificationState): string {
  return repeat_at === null ? " You can try again: the questions come first in your list." : ` You can try again from ${absolute(repeat_at)}.`;
}

function banner(tone: string, text: string): TemplateResult {
  return html`<p class="notice ${tone}" role="status">${text}</p>`;
}
