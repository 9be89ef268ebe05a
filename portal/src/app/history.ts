// What the reviewer answered, the newest first.
import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { api } from "./api";
import type { HistoryAnswer } from "./documents";
import { absolute, duration } from "./time";
import { View } from "./view";

const CANNOT_DECIDE = "cannot-decide"; // as a category of a template

export class HistoryView extends View {
  static override properties: PropertyDeclarations = {
    answers: { state: true },
    cursor: { state: true },
    fault: { state: true },
  };

  declare answers: HistoryAnswer[] | null;
  declare cursor: string;
  declare fault: string;

  constructor() {
    super();
    this.answers = null;
    this.cursor = "";
    this.fault = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.more();
  }

  private async more(): Promise<void> {
    try {
      const page = await api.history(this.cursor);
      this.answers = [...(this.answers ?? []), ...page.answers];
      this.cursor = page.next_cursor;
      this.fault = "";
    } catch (error) {
      this.fault = this.explain(error);
    }
  }

  protected override render(): TemplateResult {
    return html`<main class="list wide">
      <div class="list-head"><h1>Your history</h1></div>
      ${this.fault === "" ? nothing : html`<p class="notice bad" role="alert">${this.fault}</p>`}
      ${this.answers?.length === 0 ? html`<p class="quiet">You have not answered anything yet.</p>` : nothing}
      ${this.answers?.length ? this.table(this.answers) : nothing}
      ${this.cursor === "" ? nothing : html`<p class="more"><button type="button" class="button" @click=${this.more}>Show more</button></p>`}
    </main>`;
  }

  private table(answers: HistoryAnswer[]): TemplateResult {
    return html`<div class="card scroll" tabindex="0" role="region" aria-label="Your answers">
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Task</th>
            <th scope="col">Your answer</th>
            <th scope="col">Work</th>
            <th scope="col">Guideline</th>
            <th scope="col">Task now</th>
          </tr>
        </thead>
        <tbody>
          ${answers.map(
            (answer) => html`<tr>
              <td><time datetime=${answer.submitted_at}>${absolute(answer.submitted_at)}</time></td>
              <td>${answer.title}</td>
              <td>${choicesInWords(answer.choices, answer.cannot_decide)}</td>
              <td>${duration(answer.worked_s)}</td>
              <td class="small">${answer.guideline_version}</td>
              <td>${answer.status}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }
}

/** `decision: approve · reason: income`. */
export function choicesInWords(choices: Record<string, string>, cannotDecide: boolean): string {
  if (cannotDecide) return "Cannot decide";
  const parts = Object.entries(choices).map(([name, choice]) => `${name}: ${choice === CANNOT_DECIDE ? "cannot decide" : choice}`);
  return parts.length === 0 ? "–" : parts.join(" · ");
}
