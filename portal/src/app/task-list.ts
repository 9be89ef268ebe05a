// The reviewer's tasks in the order of the queue, renewed every few seconds.
import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { api, Problem } from "./api";
import type { Session, Task, TaskList } from "./documents";
import { listShortcuts } from "./items";
import { qualificationBanner } from "./qualification";
import { taskAddress } from "./routes";
import { duration, relative } from "./time";
import { type Shortcut, View } from "./view";

const RENEW_MS = 4000;
const ALL = "";

export class TaskListView extends View {
  static override properties: PropertyDeclarations = {
    session: { attribute: false },
    list: { state: true },
    problem: { state: true },
    queue: { state: true },
  };

  declare session: Session;
  declare list: TaskList | null;
  declare problem: Problem | null;
  declare queue: string;
  private timer = 0;

  constructor() {
    super();
    this.list = null;
    this.problem = null;
    this.queue = ALL;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.renew();
    this.timer = window.setInterval(() => {
      if (!document.hidden) void this.renew();
    }, RENEW_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearInterval(this.timer);
  }

  override shortcuts(): Shortcut[] {
    return [...listShortcuts(this), { keys: ["n"], label: "Start the next task", run: () => void this.next() }];
  }

  private async renew(): Promise<void> {
    try {
      this.list = await api.tasks();
      this.problem = null;
    } catch (error) {
      this.explain(error);
      if (error instanceof Problem) this.problem = error;
    }
  }

  private async next(): Promise<void> {
    const [first] = this.shown();
    if (this.queue !== ALL) {
      if (first) location.hash = taskAddress(first.task_id);
      return;
    }
    try {
      const claimed = await api.next();
      if (claimed.task_id === null) await this.renew();
      else location.hash = taskAddress(claimed.task_id);
    } catch (error) {
      this.explain(error);
      if (error instanceof Problem) this.problem = error;
    }
  }

  private shown(): Task[] {
    return (this.list?.tasks ?? []).filter((task) => this.queue === ALL || task.flow_definition === this.queue);
  }

  protected override render(): TemplateResult {
    const tasks = this.shown();
    return html`<main class="list">
      <div class="list-head">
        <div>
          <h1>Your tasks</h1>
          <p class="quiet" role="status">${this.summary(tasks.length)}</p>
        </div>
        ${tasks[0]
          ? html`<button type="button" class="button primary" @click=${this.next}>
              ${tasks[0].claimed_by_me ? "Continue" : "Start the next one"} <kbd aria-hidden="true">n</kbd>
            </button>`
          : nothing}
      </div>
      ${this.session.qualifications.map(qualificationBanner)}
      ${this.problem ? html`<p class="notice bad" role="alert">${this.problem.message} Trying again…</p>` : nothing}
      ${this.list?.paused_queues.map(
        ({ title }) => html`<p class="notice warm" role="status">“${title}” is paused by a lead. Its tasks wait.</p>`,
      )}
      ${this.filters()} ${this.list !== null && tasks.length === 0 ? empty() : nothing}
      <ul class="tasks">
        ${tasks.map((task) => this.row(task))}
      </ul>
    </main>`;
  }

  private summary(count: number): string {
    if (this.list === null) return "Loading…";
    if (count === 0) return "Nothing to review";
    return `${count} ${count === 1 ? "task waits" : "tasks wait"} for a second reading: yours first, then by urgency, deadline and age`;
  }

  private filters(): TemplateResult | typeof nothing {
    const titles = new Map(this.list?.tasks.map((task) => [task.flow_definition, task.title]));
    if (titles.size < 2) return nothing;
    return html`<div class="filters" role="group" aria-label="Show tasks of">
      ${[[ALL, "All"] as const, ...titles].map(
        ([name, title]) => html`<button
          type="button"
          class="filter"
          aria-pressed=${this.queue === name ? "true" : "false"}
          @click=${() => (this.queue = name)}
        >
          ${title}
        </button>`,
      )}
    </div>`;
  }

  private row(task: Task): TemplateResult {
    const now = Date.parse(this.list?.now ?? "");
    const late = task.deadline_at !== null && Date.parse(task.deadline_at) < now;
    return html`<li>
      <a class="task card" href=${taskAddress(task.task_id)} data-task=${task.task_id} data-item>
        <span class="task-main">
          <strong>${task.title}</strong>
          <span class="quiet">${task.description}</span>
          <span class="chips">${badges(task)}${task.keywords.map((word) => html`<span class="chip">${word}</span>`)}</span>
        </span>
        <span class="task-side quiet small">
          ${task.deadline_at === null
            ? nothing
            : html`<span class=${late ? "late" : ""} title=${task.deadline_at}>Due ${relative(task.deadline_at, now)}</span>`}
          <span title=${task.created_at}>Asked ${relative(task.created_at, now)}</span>
          <span title=${task.expires_at}>Expires ${relative(task.expires_at, now)} · ${duration(task.time_limit_s)} to answer</span>
        </span>
        <span class="go" aria-hidden="true">→</span>
      </a>
    </li>`;
  }
}

function badges(task: Task): TemplateResult[] {
  const found: [string, string][] = [];
  if (task.returned) found.push(["bad", "Returned to you"]);
  if (task.claimed_by_me) found.push(["warm", "In your hands"]);
  else if (task.assigned_to_me && !task.returned) found.push(["warm", "For you"]);
  if (task.priority === "urgent" || task.priority === "high") found.push(["bad", task.priority === "urgent" ? "Urgent" : "High priority"]);
  if (task.priority === "low") found.push(["plain", "Low priority"]);
  if (task.notes > 0) found.push(["plain", task.notes === 1 ? "1 note" : `${task.notes} notes`]);
  return found.map(([tone, text]) => html`<span class="badge ${tone}">${text}</span>`);
}

function empty(): TemplateResult {
  return html`<div class="empty">
    <div class="mark large" aria-hidden="true"></div>
    <h2>All caught up</h2>
    <p class="quiet">New tasks appear here by themselves.</p>
  </div>`;
}
