// One task as a lead sees it: input, answers side by side, notes, and what a lead can do.
import { html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from "lit";
import { api } from "./api";
import { askDialog, type Asking, showAsked } from "./ask-dialog";
import type { LeadTask, Person } from "./documents";
import { noteThread } from "./notes";
import { queueAddress } from "./routes";
import { absolute, duration } from "./time";
import { View } from "./view";

export class LeadTaskView extends View {
  static override properties: PropertyDeclarations = {
    taskId: { attribute: false },
    task: { state: true },
    people: { state: true },
    asking: { state: true },
    fault: { state: true },
  };

  declare taskId: string;
  declare task: LeadTask | null;
  declare people: Person[];
  declare asking: Asking | null;
  declare fault: string;

  constructor() {
    super();
    this.task = null;
    this.people = [];
    this.asking = null;
    this.fault = "";
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("taskId")) void this.load();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("asking") && this.asking !== null) showAsked(this);
  }

  private async load(): Promise<void> {
    this.task = null;
    try {
      const [task, people] = await Promise.all([api.leadTask(this.taskId), api.people()]);
      this.task = task;
      this.people = people.people.filter((person) => person.state === "active");
      this.fault = "";
    } catch (error) {
      this.fault = this.explain(error);
    }
  }

  private async act(action: () => Promise<unknown>): Promise<void> {
    let fault = "";
    try {
      await action();
    } catch (error) {
      fault = this.explain(error);
    }
    try {
      this.task = await api.leadTask(this.taskId); // also after a refusal, which others' doings may explain
    } catch (error) {
      fault ||= this.explain(error);
    }
    this.fault = fault;
  }

  private returning(person: string, name: string): Asking {
    return {
      title: `Return the answer of ${name}?`,
      detail: "The answer is taken out and kept on record; its author gets the task again, with your comment.",
      label: "Comment",
      confirm: "Return",
      run: (text) => this.act(() => api.returnAnswer(this.taskId, person, text)),
    };
  }

  private stopping(): Asking {
    return {
      title: "Stop this task?",
      detail: "Nobody else gets it. Who has begun may still answer. This cannot be undone.",
      label: "",
      confirm: "Stop the task",
      silent: true,
      run: () => this.act(() => api.stop(this.taskId)),
    };
  }

  private replying(): Asking {
    return {
      title: "Reply",
      detail: "Who asked or flagged last reads it; everybody who gets the task, when nobody did.",
      label: "Your words",
      confirm: "Send",
      run: (text) => this.act(() => api.reply(this.taskId, text)),
    };
  }

  protected override render(): TemplateResult {
    const task = this.task;
    return html`<main class="list wide">
      ${task ? html`<p class="small"><a class="back" href=${queueAddress(task.flow_definition, "open")}>← ${task.title}</a></p>` : nothing}
      ${this.fault === "" ? nothing : html`<p class="notice bad" role="alert">${this.fault}</p>`}
      ${task === null ? (this.fault === "" ? html`<p class="quiet" role="status">Loading…</p>` : nothing) : this.page(task)}
      ${this.asking === null ? nothing : askDialog(this.asking, () => (this.asking = null))}
    </main>`;
  }

  private page(task: LeadTask): TemplateResult {
    const open = task.status === "InProgress" || task.status === "Stopping";
    return html`<div class="list-head">
        <div>
          <h1 class="task-name">${task.task_id}</h1>
          <p class="quiet small">${task.description} · guideline ${task.guideline_version}</p>
        </div>
        ${open ? this.actions(task) : nothing}
      </div>
      <dl class="card figures">
        ${fact("Status", task.status === "InProgress" ? (task.held ? "Open, on hold" : "Open") : task.status, task.failure_reason)}
        ${fact("Priority", task.priority, "")} ${fact("Asked", absolute(task.created_at), `${duration(task.age_s)} old`)}
        ${fact("Due", task.deadline_at === null ? "–" : absolute(task.deadline_at), `expires ${absolute(task.expires_at)}`)}
        ${fact("Answers", `${task.answers.length} of ${task.seats}`, task.returned_answers === 0 ? "" : `${task.returned_answers} returned`)}
        ${fact("In work by", task.claims.map((claim) => `${claim.name}${claim.paused ? " (paused)" : ""}`).join(", ") || "–", task.assigned_to ? `assigned to ${task.assigned_to.name}` : "")}
      </dl>
      <div class="columns">
        <section class="card" aria-labelledby="input-title">
          <h2 id="input-title">Input</h2>
          <pre tabindex="0">${JSON.stringify(task.input, null, 2)}</pre>
        </section>
        ${task.answers.map((answer, index) => this.answer(task, answer, index, open))}
      </div>
      <section class="card thread" aria-labelledby="notes-title">
        <h2 id="notes-title">Notes</h2>
        ${task.notes.length === 0 ? html`<p class="quiet">Nobody asked or flagged anything.</p>` : noteThread(task.notes)}
        ${open ? html`<p><button type="button" class="button" @click=${() => (this.asking = this.replying())}>Reply</button></p>` : nothing}
      </section>`;
  }

  private actions(task: LeadTask): TemplateResult {
    return html`<div class="task-actions">
      <label class="assign"
        >Assign to
        <select @change=${(event: Event) => void this.assign(event.target as HTMLSelectElement)}>
          <option value="" ?selected=${task.assigned_to === null}>everybody</option>
          ${this.assignable(task).map(
            (person) => html`<option value=${person.person} ?selected=${task.assigned_to?.person === person.person}>${person.name}</option>`,
          )}
        </select>
      </label>
      <button type="button" class="button" @click=${() => this.act(() => api.hold(this.taskId, !task.held))}>
        ${task.held ? "Offer again" : "Hold"}
      </button>
      <button type="button" class="button danger" @click=${() => (this.asking = this.stopping())}>Stop</button>
    </div>`;
  }

  private assignable({ assigned_to }: LeadTask): { person: string; name: string }[] {
    const listed = this.people.some(({ person }) => person === assigned_to?.person);
    return assigned_to === null || listed ? this.people : [assigned_to, ...this.people];
  }

  private async assign(select: HTMLSelectElement): Promise<void> {
    await this.act(() => api.assign(this.taskId, select.value === "" ? null : select.value));
    select.value = this.task?.assigned_to?.person ?? ""; // refused: as it was
  }

  private answer(task: LeadTask, answer: LeadTask["answers"][number], index: number, open: boolean): TemplateResult {
    return html`<section class="card" aria-label=${`Answer of ${answer.name}`}>
      <h2>${answer.name}${answer.cannot_decide ? html` <span class="badge warm">Cannot decide</span>` : nothing}</h2>
      <p class="quiet small">${absolute(answer.submitted_at)} · ${duration(answer.worked_s)} of work</p>
      <pre tabindex="0">${JSON.stringify(task.contents?.[index], null, 2)}</pre>
      ${open
        ? html`<p><button type="button" class="button" @click=${() => (this.asking = this.returning(answer.person, answer.name))}>Return with comment</button></p>`
        : nothing}
    </section>`;
  }
}

function fact(label: string, value: string, detail: string): TemplateResult {
  return html`<div>
    <dt>${label}</dt>
    <dd>
      <strong>${value}</strong>
      ${detail === "" ? nothing : html`<span class="quiet small">${detail}</span>`}
    </dd>
  </div>`;
}
