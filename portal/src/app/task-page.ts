// One task: the template in its sandbox, its clock and notes, and what becomes of the answer.
import { html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from "lit";
import type { Enveloped, FrameMessage, PageMessage } from "../frame/channel";
import { api, Problem } from "./api";
import { askDialog, type Asking, showAsked } from "./ask-dialog";
import type { ClaimedTask, Note } from "./documents";
import { dropDraft, loadDraft, saveDraft } from "./drafts";
import { noteThread } from "./notes";
import { taskAddress } from "./routes";
import { countdown, duration } from "./time";
import { press, type Shortcut, View } from "./view";
import { HiddenWatch, readClock } from "./work-clock";

const HURRY_MS = 60_000;
const TITLES: Record<number, string> = {
  0: "No connection",
  404: "This task is gone",
  409: "This task is not free",
  410: "This task is over",
};

type Phase =
  | { name: "claiming" }
  | { name: "open"; task: ClaimedTask; since: number }
  | { name: "done"; verb: string }
  | { name: "over"; title: string; detail: string };

export class TaskPage extends View {
  static override properties: PropertyDeclarations = {
    taskId: { attribute: false },
    person: { attribute: false },
    phase: { state: true },
    now: { state: true },
    notices: { state: true },
    unsent: { state: true },
    asking: { state: true },
    hasInstructions: { state: true },
    wasAway: { state: true },
  };

  declare taskId: string;
  declare person: string;
  declare phase: Phase;
  declare now: number;
  declare notices: string[];
  declare unsent: string;
  declare asking: Asking | null;
  declare hasInstructions: boolean;
  declare wasAway: boolean;
  private frameNonce = "";
  private timer = 0;
  private readonly attention = new HiddenWatch(() => void this.awayTooLong());

  constructor() {
    super();
    this.phase = { name: "claiming" };
    this.now = Date.now();
    this.notices = [];
    this.unsent = "";
    this.asking = null;
    this.hasInstructions = false;
    this.wasAway = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("message", this.heard);
    this.attention.start();
    this.timer = window.setInterval(() => this.tick(), 500);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("message", this.heard);
    this.attention.stop();
    window.clearInterval(this.timer);
  }

  override shortcuts(): Shortcut[] {
    if (this.phase.name === "done" || this.phase.name === "over") {
      return [{ keys: ["n"], label: "Next task", run: () => void this.next() }];
    }
    if (this.phase.name !== "open") return [];
    const instructions = { keys: ["i"], label: "Instructions", run: () => this.tellFrame({ type: "instructions" }) };
    return [
      ...(this.hasInstructions ? [instructions] : []),
      { keys: ["p"], label: this.phase.task.running ? "Pause" : "Go on", run: () => void this.pauseOrResume() },
      { keys: ["c"], label: "Cannot decide", run: () => this.ask(this.cannotDecide()) },
      { keys: ["a"], label: "Ask the lead", run: () => this.ask(this.noteFor("question")) },
      { keys: ["f"], label: "Flag to the lead", run: () => this.ask(this.noteFor("flag")) },
      { keys: ["u"], label: "Put the task back", run: () => void this.release() },
      { keys: ["d"], label: "Decline the task", run: () => this.ask(this.declining()) },
    ];
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("taskId")) void this.claim();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("asking") && this.asking !== null) showAsked(this);
    if (!changed.has("phase")) return;
    if (this.phase.name === "done" || this.phase.name === "over") this.querySelector<HTMLElement>("[data-first]")?.focus();
  }

  // The claim and its clock

  private async claim(): Promise<void> {
    const taskId = this.taskId;
    Object.assign(this, { phase: { name: "claiming" }, notices: [], unsent: "", asking: null, hasInstructions: false, wasAway: false });
    try {
      const task = await api.claim(taskId);
      if (taskId !== this.taskId) return;
      this.frameNonce = crypto.randomUUID();
      this.show(task);
    } catch (error) {
      this.fail(error);
    }
  }

  private show(task: ClaimedTask): void {
    this.phase = { name: "open", task, since: Date.now() };
    this.tick();
  }

  private fail(error: unknown): void {
    const detail = this.explain(error);
    if (!(error instanceof Problem)) return;
    this.phase = { name: "over", title: TITLES[error.status] ?? error.title, detail };
  }

  private tick(): void {
    this.now = Date.now();
    if (this.phase.name !== "open") return;
    if (readClock(this.phase.task, this.phase.since, this.now).leftMs > 0) return;
    this.phase = {
      name: "over",
      title: "Your time for this task is over",
      detail: "Nothing was submitted. The task is open to reviewers again.",
    };
  }

  private async pauseOrResume(): Promise<void> {
    if (this.phase.name !== "open") return;
    this.wasAway = false;
    try {
      this.show(this.phase.task.running ? await api.pause(this.taskId) : await api.resume(this.taskId));
    } catch (error) {
      this.fail(error);
    }
  }

  private async awayTooLong(): Promise<void> {
    if (this.phase.name !== "open" || !this.phase.task.running) return;
    await this.pauseOrResume();
    this.wasAway = true;
  }

  // The frame

  private readonly heard = (event: MessageEvent<Enveloped<FrameMessage> | null>): void => {
    const frame = this.querySelector("iframe");
    const message = event.data;
    if (!frame || event.source !== frame.contentWindow || message?.overread !== this.frameNonce) return;
    switch (message.type) {
      case "ready":
        this.frameIsReady(message.instructions === true);
        break;
      case "draft":
        if (this.phase.name === "open" && typeof message.draft === "object") saveDraft(this.person, this.taskId, message.draft);
        break;
      case "key":
        if (this.asking === null) press(String(message.key));
        break;
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

  private frameIsReady(hasInstructions: boolean): void {
    this.hasInstructions = hasInstructions;
    const draft = loadDraft(this.person, this.taskId);
    if (draft !== null) this.tellFrame({ type: "restore", draft });
  }

  private note(text: string): void {
    if (!this.notices.includes(text) && this.notices.length < 20) this.notices = [...this.notices, text];
  }

  private tellFrame(message: PageMessage): void {
    const target = this.querySelector("iframe")?.contentWindow;
    target?.postMessage({ ...message, overread: this.frameNonce }, "*"); // the frame's origin is opaque
  }

  // What becomes of the task

  private async submit(answer: Record<string, unknown>): Promise<void> {
    if (this.phase.name !== "open") return;
    try {
      await api.answer(this.taskId, answer);
      this.tellFrame({ type: "accepted" });
      this.done("Answer saved");
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 409 || error.status === 410 || error.status === 401) {
        this.fail(error);
        return;
      }
      this.unsent = `${error.message} Your answer is still here: submit it again.`;
      this.tellFrame({ type: "refused", message: "Not submitted. Please try again." });
    }
  }

  private done(verb: string): void {
    dropDraft(this.person, this.taskId);
    this.phase = { name: "done", verb };
    this.dispatchEvent(new CustomEvent("standing-changed", { bubbles: true }));
  }

  private async act(action: () => Promise<unknown>, verb: string): Promise<void> {
    try {
      await action();
      this.done(verb);
    } catch (error) {
      this.fail(error);
    }
  }

  private async release(): Promise<void> {
    try {
      await api.release(this.taskId);
      location.hash = "#/";
    } catch (error) {
      this.fail(error);
    }
  }

  private async next(): Promise<void> {
    try {
      const claimed = await api.next();
      location.hash = claimed.task_id === null ? "#/" : taskAddress(claimed.task_id);
    } catch (error) {
      this.fail(error);
    }
  }

  // Dialogs

  private ask(asking: Asking): void {
    this.asking = asking;
  }

  private cannotDecide(): Asking {
    return {
      title: "You cannot decide?",
      detail: "That is an answer too. Say why, so that the next person knows what is missing.",
      label: "Reason",
      confirm: "Submit “cannot decide”",
      run: (text) => this.act(() => api.cannotDecide(this.taskId, text), "Saved: cannot decide"),
    };
  }

  private declining(): Asking {
    return {
      title: "Decline this task?",
      detail: "You will not see it again; another reviewer will.",
      label: "",
      confirm: "Yes, decline",
      silent: true,
      run: () => this.act(() => api.decline(this.taskId), "Task declined"),
    };
  }

  private noteFor(kind: "question" | "flag"): Asking {
    const question = kind === "question";
    return {
      title: question ? "Ask the lead" : "Flag this task",
      detail: question ? "The lead answers here. You can go on meanwhile." : "Tell the lead what is wrong with it. The task stays yours.",
      label: question ? "Question" : "What is wrong",
      confirm: question ? "Ask" : "Flag",
      run: async (text) => {
        try {
          this.notesAre((await api.note(this.taskId, kind, text)).notes);
        } catch (error) {
          this.unsent = this.explain(error);
        }
      },
    };
  }

  private notesAre(notes: Note[]): void {
    if (this.phase.name === "open") this.phase = { ...this.phase, task: { ...this.phase.task, notes } };
  }

  // The page

  protected override render(): TemplateResult {
    switch (this.phase.name) {
      case "claiming":
        return html`<main class="state"><p class="quiet" role="status">Opening the task…</p></main>`;
      case "open":
        return this.open(this.phase.task, this.phase.since);
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
        <button type="button" class="button primary" data-first @click=${this.next}>
          Next task <kbd aria-hidden="true">n</kbd>
        </button>
        <a class="button" href="#/">All tasks</a>
      </p>
    </main>`;
  }

  private open(task: ClaimedTask, since: number): TemplateResult {
    return html`<main class="task-page">
      ${this.bar(task, since)} ${this.messages(task)}
      ${task.running ? nothing : this.curtain()}
      <iframe
        class=${task.running ? "" : "away"}
        title=${`Task: ${task.title}`}
        sandbox="allow-scripts allow-forms"
        referrerpolicy="no-referrer"
        src=${`${task.frame_url}#${this.frameNonce}`}
      ></iframe>
      ${this.asking === null ? nothing : askDialog(this.asking, () => (this.asking = null))}
    </main>`;
  }

  private bar(task: ClaimedTask, since: number): TemplateResult {
    const { leftMs, workedS } = readClock(task, since, this.now);
    const action = (label: string, key: string, run: () => void) =>
      html`<button type="button" class="button" aria-keyshortcuts=${key} title=${`Key ${key}`} @click=${run}>${label}</button>`;
    return html`<div class="task-bar">
      <div class="task-title">
        <h1>${task.title}</h1>
        <span class="quiet small">${task.description} · <span class="guideline">Guideline ${task.guideline_version}</span></span>
      </div>
      <span class="clock">
        <span class="timer ${leftMs < HURRY_MS ? "hurry" : ""}" role="timer" aria-label="Time left">${countdown(leftMs)}</span>
        <span class="quiet small">${task.running ? `${duration(workedS)} of work` : "paused"}</span>
      </span>
      <div class="task-actions">
        ${this.hasInstructions ? action("Instructions", "i", () => this.tellFrame({ type: "instructions" })) : nothing}
        ${action(task.running ? "Pause" : "Go on", "p", () => void this.pauseOrResume())}
        ${action("Cannot decide", "c", () => this.ask(this.cannotDecide()))}
        ${action("Ask", "a", () => this.ask(this.noteFor("question")))}
        ${action("Flag", "f", () => this.ask(this.noteFor("flag")))}
        ${action("Put back", "u", () => void this.release())}
        ${action("Decline", "d", () => this.ask(this.declining()))}
      </div>
    </div>`;
  }

  private messages(task: ClaimedTask): TemplateResult {
    const count = this.notices.length;
    return html`${this.unsent === "" ? nothing : html`<p class="notice bad" role="alert">${this.unsent}</p>`}
    ${task.notes.length === 0
      ? nothing
      : html`<details class="notice ${task.returned ? "warm" : "plain"}" open>
          <summary>${task.returned ? "Returned by the lead" : task.notes.length === 1 ? "1 note" : `${task.notes.length} notes`}</summary>
          ${noteThread(task.notes)}
        </details>`}
    ${count === 0
      ? nothing
      : html`<details class="notice warm" open>
          <summary>${count === 1 ? "One thing" : `${count} things`} in this task did not load</summary>
          <ul>
            ${this.notices.map((text) => html`<li>${text}</li>`)}
          </ul>
        </details>`}`;
  }

  private curtain(): TemplateResult {
    return html`<div class="curtain" role="status">
      <h2>Paused</h2>
      <p class="quiet">${this.wasAway ? "You were away for over a minute. " : ""}The clock stands still; the task stays yours.</p>
      <button type="button" class="button primary" @click=${this.pauseOrResume}>Go on <kbd aria-hidden="true">p</kbd></button>
    </div>`;
  }
}

function shortened(text: unknown): string {
  const plain = String(text);
  return plain.length > 120 ? `${plain.slice(0, 117)}…` : plain;
}
