// One task: the template in its sandbox, the countdown, and what becomes of the answer.
import { html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from "lit";
import type { Enveloped, FrameMessage, PageMessage } from "../frame/channel";
import { api, Problem, type ClaimedTask } from "./api";
import { taskAddress } from "./task-list";
import { countdown } from "./time";
import { View } from "./view";

const HURRY_MS = 60_000;

type Phase =
  | { name: "claiming" }
  | { name: "open"; task: ClaimedTask }
  | { name: "done"; verb: string }
  | { name: "over"; title: string; detail: string };

export class TaskPage extends View {
  static override properties: PropertyDeclarations = {
    taskId: { attribute: false },
    phase: { state: true },
    left: { state: true },
    notices: { state: true },
    unsent: { state: true },
    confirming: { state: true },
  };

  declare taskId: string;
  declare phase: Phase;
  declare left: number;
  declare notices: string[];
  declare unsent: string;
  declare confirming: boolean;
  private frameNonce = "";
  private clockSkew = 0;
  private timer = 0;

  constructor() {
    super();
    this.phase = { name: "claiming" };
    this.left = 0;
    this.notices = [];
    this.unsent = "";
    this.confirming = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("message", this.heard);
    this.timer = window.setInterval(() => this.tick(), 500);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("message", this.heard);
    window.clearInterval(this.timer);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("taskId")) void this.claim();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has("phase")) return;
    if (this.phase.name === "done" || this.phase.name === "over") {
      this.querySelector<HTMLElement>("[data-first]")?.focus();
    }
  }

  private async claim(): Promise<void> {
    const taskId = this.taskId;
    Object.assign(this, { phase: { name: "claiming" }, notices: [], unsent: "", confirming: false });
    try {
      const task = await api.claim(taskId);
      if (taskId !== this.taskId) return;
      this.frameNonce = crypto.randomUUID();
      this.clockSkew = Date.parse(task.now) - Date.now();
      this.phase = { name: "open", task };
      this.tick();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) this.dispatchEvent(new CustomEvent("signed-out", { bubbles: true }));
    const titles: Record<number, string> = {
      0: "No connection",
      404: "This task is gone",
      409: "This task is not free",
      410: "This task is over",
    };
    this.phase = { name: "over", title: titles[error.status] ?? error.title, detail: sentence(error.message) };
  }

  private tick(): void {
    if (this.phase.name !== "open") return;
    this.left = Date.parse(this.phase.task.deadline_at) - (Date.now() + this.clockSkew);
    if (this.left > 0) return;
    this.phase = {
      name: "over",
      title: "Your time for this task is over",
      detail: "Nothing was submitted. The task is open to reviewers again.",
    };
  }

  private readonly heard = (event: MessageEvent<Enveloped<FrameMessage> | null>): void => {
    const frame = this.querySelector("iframe");
    const message = event.data;
    if (!frame || event.source !== frame.contentWindow || message?.overread !== this.frameNonce) return;
    switch (message.type) {
      case "submit":
        void this.submit(message.answer);
        break;
      case "blocked":
        this.note(`Blocked: ${shortened(message.address)} (the template asks for it, this portal does not allow it)`);
        break;
      case "unsupported":
        this.note(`Not drawn: <${shortened(message.element)}>, an element that these pages do not know`);
        break;
      case "broken":
        this.note(`A script of the template failed: ${shortened(message.message)}`);
        break;
    }
  };

  private note(text: string): void {
    if (!this.notices.includes(text) && this.notices.length < 20) this.notices = [...this.notices, text];
  }

  private tellFrame(message: PageMessage): void {
    const target = this.querySelector("iframe")?.contentWindow;
    target?.postMessage({ ...message, overread: this.frameNonce }, "*"); // the frame's origin is opaque
  }

  private async submit(answer: Record<string, unknown>): Promise<void> {
    if (this.phase.name !== "open") return;
    try {
      await api.answer(this.taskId, answer);
      this.tellFrame({ type: "accepted" });
      this.phase = { name: "done", verb: "Answer saved" };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 409 || error.status === 410 || error.status === 401) {
        this.fail(error);
        return;
      }
      this.unsent = `${sentence(error.message)} Your answer is still here: submit it again.`;
      this.tellFrame({ type: "refused", message: "Not submitted. Please try again." });
    }
  }

  private async giveBack(decline: boolean): Promise<void> {
    try {
      await (decline ? api.decline(this.taskId) : api.release(this.taskId));
      if (decline) this.phase = { name: "done", verb: "Task declined" };
      else location.hash = "#/";
    } catch (error) {
      this.fail(error);
    }
  }

  private async next(): Promise<void> {
    try {
      const { tasks } = await api.tasks();
      const [following] = tasks.filter((task) => task.task_id !== this.taskId);
      location.hash = following ? taskAddress(following) : "#/";
    } catch (error) {
      this.fail(error);
    }
  }

  protected override render(): TemplateResult {
    switch (this.phase.name) {
      case "claiming":
        return html`<main class="state"><p class="quiet" role="status">Opening the task…</p></main>`;
      case "open":
        return this.open(this.phase.task);
      case "done":
        return this.state("good", "✓", this.phase.verb, "The next one is ready when you are.");
      case "over":
        return this.state("warm", "!", this.phase.title, this.phase.detail);
    }
  }

  private state(tone: string, sign: string, title: string, detail: string): TemplateResult {
    return html`<main class="state">
      <div class="sign ${tone}" aria-hidden="true">${sign}</div>
      <div role="status">
        <h1>${title}</h1>
        <p class="quiet">${detail}</p>
      </div>
      <p class="actions">
        <button type="button" class="button primary" data-first @click=${this.next}>Next task</button>
        <a class="button" href="#/">All tasks</a>
      </p>
    </main>`;
  }

  private open(task: ClaimedTask): TemplateResult {
    const hurry = this.left < HURRY_MS;
    return html`<main class="task-page">
      <div class="task-bar">
        <div class="task-title">
          <h1>${task.title}</h1>
          <span class="quiet small">${task.description}</span>
        </div>
        <span class="timer ${hurry ? "hurry" : ""}" role="timer" aria-label="Time left">${countdown(this.left)}</span>
        <div class="task-actions">
          <button type="button" class="button" @click=${() => this.giveBack(false)}>Put back</button>
          <button type="button" class="button" @click=${() => (this.confirming = true)}>Decline</button>
        </div>
      </div>
      ${this.confirming ? this.confirmation() : nothing}
      ${this.unsent === "" ? nothing : html`<p class="notice bad" role="alert">${this.unsent}</p>`}
      ${this.notices.length === 0
        ? nothing
        : html`<details class="notice warm" open>
            <summary>${this.notices.length === 1 ? "One thing" : `${this.notices.length} things`} in this task did not load</summary>
            <ul>
              ${this.notices.map((text) => html`<li>${text}</li>`)}
            </ul>
          </details>`}
      <iframe
        title=${`Task: ${task.title}`}
        sandbox="allow-scripts allow-forms"
        referrerpolicy="no-referrer"
        src=${`${task.frame_url}#${this.frameNonce}`}
      ></iframe>
    </main>`;
  }

  private confirmation(): TemplateResult {
    return html`<div class="notice warm confirm" role="alertdialog" aria-label="Decline this task?">
      <span>Decline this task? You will not see it again; another reviewer will.</span>
      <span class="actions">
        <button type="button" class="button" @click=${() => this.giveBack(true)}>Yes, decline</button>
        <button type="button" class="button" @click=${() => (this.confirming = false)}>Keep it</button>
      </span>
    </div>`;
  }
}

function shortened(text: unknown): string {
  const plain = String(text);
  return plain.length > 120 ? `${plain.slice(0, 117)}…` : plain;
}

function sentence(text: string): string {
  if (text === "") return "";
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
