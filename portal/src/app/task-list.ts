// The reviewer's tasks: own ones first, then the oldest; renewed every few seconds.
import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { api, Problem, type Task } from "./api";
import { duration, relative } from "./time";
import { View } from "./view";

const RENEW_MS = 4000;

export class TaskListView extends View {
  static override properties: PropertyDeclarations = { tasks: { state: true }, now: { state: true }, problem: { state: true } };

  declare tasks: Task[] | null;
  declare now: number;
  declare problem: Problem | null;
  private timer = 0;

  constructor() {
    super();
    this.tasks = null;
    this.now = Date.now();
    this.problem = null;
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

  private async renew(): Promise<void> {
    try {
      const list = await api.tasks();
      this.tasks = list.tasks;
      this.now = Date.parse(list.now);
      this.problem = null;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401) this.dispatchEvent(new CustomEvent("signed-out", { bubbles: true }));
      this.problem = error;
    }
  }

  protected override render(): TemplateResult {
    const tasks = this.tasks;
    const first = tasks?.[0];
    return html`<main class="list">
      <div class="list-head">
        <div>
          <h1>Your tasks</h1>
          <p class="quiet" role="status">${this.summary()}</p>
        </div>
        ${first
          ? html`<a class="button primary" href=${taskAddress(first)}>
              ${first.claimed_by_me ? "Continue" : "Start the next one"}
            </a>`
          : nothing}
      </div>
      ${this.problem ? html`<p class="notice bad" role="alert">${this.problem.message} Trying again…</p>` : nothing}
      ${tasks?.length === 0 ? this.empty() : nothing}
      <ul class="tasks">
        ${tasks?.map((task) => this.row(task))}
      </ul>
    </main>`;
  }

  private summary(): string {
    if (this.tasks === null) return "Loading…";
    const count = this.tasks.length;
    return count === 0 ? "Nothing to review" : `${count} ${count === 1 ? "task waits" : "tasks wait"} for a second reading`;
  }

  private empty(): TemplateResult {
    return html`<div class="empty">
      <div class="mark large" aria-hidden="true"></div>
      <h2>All caught up</h2>
      <p class="quiet">New tasks appear here by themselves.</p>
    </div>`;
  }

  private row(task: Task): TemplateResult {
    return html`<li>
      <a class="task card" href=${taskAddress(task)} data-task=${task.task_id}>
        <span class="task-main">
          <strong>${task.title}</strong>
          <span class="quiet">${task.description}</span>
          ${task.keywords.length === 0
            ? nothing
            : html`<span class="chips">${task.keywords.map((word) => html`<span class="chip">${word}</span>`)}</span>`}
        </span>
        <span class="task-side quiet small">
          ${task.claimed_by_me ? html`<span class="badge">In your hands</span>` : nothing}
          <span title=${task.created_at}>Asked ${relative(task.created_at, this.now)}</span>
          <span title=${task.expires_at}>Expires ${relative(task.expires_at, this.now)}</span>
          <span>${duration(task.time_limit_s)} to answer</span>
        </span>
        <span class="go" aria-hidden="true">→</span>
      </a>
    </li>`;
  }
}

export function taskAddress(task: { task_id: string }): string {
  return `#/tasks/${encodeURIComponent(task.task_id)}`;
}
