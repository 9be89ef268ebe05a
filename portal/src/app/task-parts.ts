// What stands around a task: its bar with clock and actions, what there is to read, the curtain of a pause, the end.
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { ClaimedTask } from "./documents";
import { noteThread } from "./notes";
import { countdown, duration } from "./time";
import type { Shortcut } from "./view";
import type { Reading } from "./work-clock";

const HURRY_MS = 60_000;

/** Title, clock, and a button for each action that has one. */
export function taskBar(task: ClaimedTask, reading: Reading, actions: Shortcut[]): TemplateResult {
  const hurry = task.running && reading.leftMs < HURRY_MS;
  return html`<div class="task-bar">
    <div class="task-title">
      <h1>${task.title}</h1>
      <span class="quiet small">${task.description} · <span class="guideline">Guideline ${task.guideline_version}</span></span>
    </div>
    <span class="clock">
      <span class="timer ${hurry ? "hurry" : ""}" role="timer" aria-label="Time left">${countdown(reading.leftMs)}</span>
      <span class="quiet small">${task.running ? `${duration(reading.workedS)} of work` : "paused"}</span>
    </span>
    <div class="task-actions">${repeat(actions, ({ keys }) => keys[0], actionButton)}</div>
    ${statementBar(task)}
  </div>`;
}

function actionButton({ keys, button, off, run }: Shortcut): TemplateResult | typeof nothing {
  if (button === undefined) return nothing;
  const key = keys[0] ?? "";
  return html`<button
    type="button"
    class="button ${button === SUBMIT_AND_NEXT ? "primary" : ""}"
    aria-keyshortcuts=${key.replace("Ctrl", "Control")}
    title=${`Key: ${key}`}
    ?disabled=${off === true}
    @click=${run}
  >
    ${button}
  </button>`;
}

export const SUBMIT_AND_NEXT = "Submit and next";

/** What submitting signs, beside the button that does. */
export function statementBar(task: ClaimedTask): TemplateResult | typeof nothing {
  if (task.statement === "") return nothing;
  return html`<p class="statement" role="note" aria-label="What you sign by submitting">
    <span class="quiet small">By submitting you sign:</span> <q>${task.statement}</q>
  </p>`;
}

/** The thread with the lead; a lead's comment on a returned answer stands out. */
export function taskNotes(task: ClaimedTask): TemplateResult | typeof nothing {
  const count = task.notes.length;
  if (count === 0) return nothing;
  return html`<details class="notice ${task.returned ? "warm" : "plain"}" open>
    <summary>${task.returned ? "Returned by the lead" : count === 1 ? "1 note" : `${count} notes`}</summary>
    ${noteThread(task.notes)}
  </details>`;
}

/** What the template asked for and did not get. */
export function missingParts(notices: string[]): TemplateResult | typeof nothing {
  if (notices.length === 0) return nothing;
  return html`<details class="notice warm" open>
    <summary>${notices.length === 1 ? "One thing" : `${notices.length} things`} in this task did not load</summary>
    <ul>
      ${notices.map((text) => html`<li>${text}</li>`)}
    </ul>
  </details>`;
}

/** In front of a paused task. */
export function curtain(reading: Reading, wasAway: boolean, goOn: () => void): TemplateResult {
  return html`<div class="curtain">
    <div role="status">
      <h2>Paused</h2>
      <p class="quiet">
        ${wasAway ? "You were away for over a minute. " : ""}The clock stands still and the task stays yours; it goes back to the others
        in ${duration(Math.max(0, reading.endsMs / 1000))} if you do not go on.
      </p>
    </div>
    <button type="button" class="button primary" @click=${goOn}>Go on <kbd aria-hidden="true">p</kbd></button>
  </div>`;
}

/** After the task, however it ended. */
export function ending(tone: "good" | "warm", title: string, detail: string, next: () => void): TemplateResult {
  return html`<main class="state">
    <div class="sign ${tone}" aria-hidden="true">${tone === "good" ? "✓" : "!"}</div>
    <div role="status">
      <h1>${title}</h1>
      <p class="quiet">${detail}</p>
    </div>
    <p class="actions">
      <button type="button" class="button primary" data-first @click=${next}>Next task <kbd aria-hidden="true">n</kbd></button>
      <a class="button" href="#/">All tasks</a>
    </p>
  </main>`;
}
