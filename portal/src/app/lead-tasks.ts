// The tasks of one queue as a lead sees them: open, flagged or ended.
import { html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from "lit";
import { api } from "./api";
import type { LeadTask, TaskState } from "./documents";
import { choicesInWords } from "./history";
import { listShortcuts } from "./items";
import { leadTaskAddress, queueAddress } from "./routes";
import { duration, relative } from "./time";
import { type Shortcut, View } from "./view";

const STATES: [TaskState, string][] = [
  ["open", "Open"],
  ["flagged", "Flagged"],
  ["ended", "Ended"],
];

export class LeadTasks extends View {
  static override properties: PropertyDeclarations = {
    flowDefinition: { attribute: false },
    state: { attribute: false },
    tasks: { state: true },
    cursor: { state: true },
    fault: { state: true },
  };

  declare flowDefinition: string;
  declare state: TaskState;
  declare tasks: LeadTask[] | null;
  declare cursor: string;
  declare fault: string;
  private now = 0;

  constructor() {
    super();
    this.tasks = null;
    this.cursor = "";
    this.fault = "";
  }

  override shortcuts(): Shortcut[] {
    return listShortcuts(this);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("flowDefinition") && !changed.has("state")) return;
    this.tasks = null;
    this.cursor = "";
    void this.more();
  }

  private async more(): Promise<void> {
    const asked = this.state;
    try {
      const page = await api.leadTasks(this.flowDefinition, asked, this.cursor);
      if (asked !== this.state) return;
      this.tasks = [...(this.tasks ?? []), ...page.tasks];
      this.cursor = page.next_cursor;
      this.now = Date.parse(page.now);
      this.fault = "";
    } catch (error) {
      this.fault = this.explain(error);
    }
  }

  protected override render(): TemplateResult {
    return html`<main class="list wide">
      <p class="small"><a class="back" href="#/lead">← Backlog</a></p>
      <div class="list-head">
        <div>
          <h1>${this.tasks?.[0]?.title ?? "Tasks"}</h1>
          <p class="quiet small">${this.flowDefinition}</p>
        </div>
      </div>
      <nav class="filters" aria-label="Show">
        ${STATES.map(
          ([state, label]) =>
            html`<a class="filter" href=${queueAddress(this.flowDefinition, state)} aria-current=${state === this.state ? "page" : nothing}>${label}</a>`,
        )}
      </nav>
      ${this.fault === "" ? nothing : html`<p class="notice bad" role="alert">${this.fault}</p>`}
      ${this.tasks === null && this.fault === "" ? html`<p class="quiet" role="status">Loading…</p>` : nothing}
      ${this.tasks?.length === 0 ? html`<p class="quiet">No ${this.state} tasks.</p>` : nothing}
      ${this.tasks?.length ? this.table(this.tasks) : nothing}
      ${this.cursor === "" ? nothing : html`<p class="more"><button type="button" class="button" @click=${this.more}>Show more</button></p>`}
    </main>`;
  }

  private table(tasks: LeadTask[]): TemplateResult {
    return html`<div class="card scroll" tabindex="0" role="region" aria-label="Tasks">
      <table>
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">Status</th>
            <th scope="col">Priority</th>
            <th scope="col">Age</th>
            <th scope="col">Due</th>
            <th scope="col">Who</th>
            <th scope="col">Answers</th>
          </tr>
        </thead>
        <tbody>
          ${tasks.map((task) => this.row(task))}
        </tbody>
      </table>
    </div>`;
  }

  private row(task: LeadTask): TemplateResult {
    const who = [
      ...task.claims.map((claim) => `${claim.name}${claim.paused ? " (paused)" : ""}`),
      ...(task.assigned_to && !task.claims.some((claim) => claim.person === task.assigned_to?.person) ? [`for ${task.assigned_to.name}`] : []),
    ];
    return html`<tr>
      <td><a href=${leadTaskAddress(task.task_id)} data-item>${task.task_id}</a></td>
      <td>
        ${task.status === "InProgress" ? "Open" : task.status} ${task.held ? html`<span class="badge warm">On hold</span>` : nothing}
        ${task.notes.length > 0 ? html`<span class="badge plain">${task.notes.length} ${task.notes.length === 1 ? "note" : "notes"}</span>` : nothing}
      </td>
      <td>${task.priority}</td>
      <td class="tight">${duration(task.age_s)}</td>
      <td class="tight">${relative(task.deadline_at ?? task.expires_at, this.now)}</td>
      <td>${who.length === 0 ? "–" : who.join(", ")}</td>
      <td>
        ${task.answers.length} of ${task.seats}
        ${task.answers.map((answer) => html`<br /><span class="quiet small">${choicesInWords(answer.choices, answer.cannot_decide)}</span>`)}
      </td>
    </tr>`;
  }
}
