// One task: the template in its sandbox, its clock and notes, and what becomes of the answer.
import { html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from "lit";
import { type FrameMessage, PAGE_KEYS } from "../frame/channel";
import { api, Problem } from "./api";
import { askDialog, type Asking, showAsked } from "./ask-dialog";
import type { ClaimedTask } from "./documents";
import { dropDraft, loadDraft, saveDraft } from "./drafts";
import { FrameLink } from "./frame-link";
import { noticeOf, shortened } from "./frame-notices";
import { taskAddress } from "./routes";
import * as askings from "./task-askings";
import { curtain, ending, missingParts, SUBMIT_AND_NEXT, taskBar, taskNotes } from "./task-parts";
import { press, type Shortcut, View } from "./view";
import { HiddenWatch, readClock } from "./work-clock";

const SAID_FOR_MS = 6000;
/** How often to look whether the lead has replied. */
const RENEW_MS = 10_000;
const MOST_NOTICES = 20;
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
    said: { state: true },
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
  declare said: string;
  declare asking: Asking | null;
  declare hasInstructions: boolean;
  declare wasAway: boolean;
  private timer = 0;
  private renewed = 0;
  private busy = false;
  private readonly attention = new HiddenWatch(() => void this.awayTooLong());
  private readonly link = new FrameLink(
    () => this.querySelector("iframe"),
    (message) => this.heard(message),
  );

  constructor() {
    super();
    this.phase = { name: "claiming" };
    this.now = Date.now();
    this.notices = [];
    this.unsent = "";
    this.said = "";
    this.asking = null;
    this.hasInstructions = false;
    this.wasAway = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.link.listen();
    this.attention.start();
    this.timer = window.setInterval(() => this.tick(), 500);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.link.stop();
    this.attention.stop();
    window.clearInterval(this.timer);
  }

  override shortcuts(): Shortcut[] {
    if (this.phase.name === "done" || this.phase.name === "over") {
      return [{ keys: ["n"], label: "Next task", run: () => void this.next() }];
    }
    if (this.phase.name !== "open") return [];
    const { running } = this.phase.task;
    const pause = { keys: ["p"], button: running ? "Pause" : "Go on", label: running ? "Pause" : "Go on", run: () => void this.pauseOrResume() };
    const putBack = { keys: ["u"], button: "Put back", label: "Put the task back", run: () => void this.release() };
    if (!running) return [pause, putBack];
    const ask = (keys: string, button: string, label: string, asking: Asking) => ({
      keys: [keys],
      button,
      label,
      run: () => (this.asking = asking),
    });
    return [
      {
        keys: ["i"],
        button: "Instructions",
        label: "Instructions",
        off: !this.hasInstructions,
        run: () => this.link.tell({ type: "instructions" }),
      },
      pause,
      ask("c", "Cannot decide", "Cannot decide", askings.cannotDecide((reason) => this.giveUp(reason))),
      ask("a", "Ask", "Ask the lead", askings.question((text) => this.tellLead("question", text))),
      ask("f", "Flag", "Flag to the lead", askings.flag((text) => this.tellLead("flag", text))),
      putBack,
      ask("d", "Decline", "Decline the task", askings.decline(() => this.act(() => api.decline(this.taskId), "Task declined"))),
      { keys: ["Ctrl+Enter"], label: "Submit the answer", run: () => this.link.tell({ type: "submit", next: false }) },
      { keys: ["Ctrl+Shift+Enter"], button: SUBMIT_AND_NEXT, label: "Submit, then the next task", run: () => this.link.tell({ type: "submit", next: true }) },
    ];
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("taskId")) void this.claim();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("asking") && this.asking !== null) showAsked(this);
    if (!changed.has("phase")) return;
    const before = changed.get("phase");
    const { phase } = this;
    if (phase.name === "done" || phase.name === "over") this.querySelector<HTMLElement>("[data-first]")?.focus();
    if (phase.name !== "open" || before?.name !== "open" || phase.task.running === before.task.running) return;
    this.querySelector<HTMLElement>(phase.task.running ? "iframe" : ".curtain button")?.focus();
  }

  // The claim and its clock

  private async claim(): Promise<void> {
    const taskId = this.taskId;
    Object.assign(this, { phase: { name: "claiming" }, notices: [], unsent: "", asking: null, hasInstructions: false, wasAway: false });
    try {
      const task = await api.claim(taskId);
      if (taskId !== this.taskId) return;
      this.link.renew();
      this.show(task);
    } catch (error) {
      if (taskId === this.taskId) this.fail(error);
    }
  }

  private show(task: ClaimedTask): void {
    this.renewed = Date.now();
    this.phase = { name: "open", task, since: this.renewed };
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
    if (readClock(this.phase.task, this.phase.since, this.now).endsMs > 0) {
      if (this.now - this.renewed > RENEW_MS) void this.renew();
      return;
    }
    this.phase = {
      name: "over",
      title: "Your time for this task is over",
      detail: "Nothing was submitted. The task is open to reviewers again.",
    };
  }

  /** While a question is open: claiming again what one holds changes nothing and tells what the lead said. */
  private async renew(): Promise<void> {
    const before = this.phase;
    if (before.name !== "open" || this.busy || document.hidden || !before.task.notes.some(({ mine }) => mine)) return;
    this.renewed = this.now;
    try {
      const task = await api.claim(this.taskId);
      if (this.phase === before) this.show(task);
    } catch (error) {
      if (this.phase === before && !(error instanceof Problem && error.status === 0)) this.fail(error);
    }
  }

  private async pauseOrResume(): Promise<void> {
    if (this.phase.name !== "open" || this.busy) return;
    this.busy = true;
    this.wasAway = false;
    this.unsent = "";
    try {
      this.show(this.phase.task.running ? await api.pause(this.taskId) : await api.resume(this.taskId));
    } catch (error) {
      this.failUnlessPassing(error, "The clock was not changed: try again.");
    } finally {
      this.busy = false;
    }
  }

  private async awayTooLong(): Promise<void> {
    if (this.phase.name !== "open" || !this.phase.task.running) return;
    await this.pauseOrResume();
    this.wasAway = true;
  }

  // The frame

  private heard(message: FrameMessage): void {
    switch (message.type) {
      case "ready":
        this.frameIsReady(message.instructions === true);
        break;
      case "draft":
        if (this.phase.name === "open" && typeof message.draft === "object") saveDraft(this.person, this.taskId, message.draft);
        break;
      case "key":
        if (PAGE_KEYS.has(message.key) && !document.querySelector("dialog[open]")) press(message.key);
        break;
      case "submit":
        void this.submit(message.answer, message.next === true);
        break;
      default:
        this.note(noticeOf(message));
    }
  }

  private frameIsReady(hasInstructions: boolean): void {
    this.hasInstructions = hasInstructions;
    const draft = loadDraft(this.person, this.taskId);
    if (draft !== null) this.link.tell({ type: "restore", draft });
    // Digits pick an answer at once, without a way through the bar.
    if (document.activeElement === document.body) this.querySelector("iframe")?.focus();
  }

  private note(text: string): void {
    if (text !== "" && !this.notices.includes(text) && this.notices.length < MOST_NOTICES) this.notices = [...this.notices, text];
  }

  // What becomes of the task

  private async submit(answer: Record<string, unknown>, next: boolean): Promise<void> {
    if (this.phase.name !== "open" || this.busy) return;
    this.busy = true;
    try {
      await api.answer(this.taskId, answer);
    } catch (error) {
      this.failUnlessPassing(error, "Your answer is still here: submit it again.");
      this.link.tell({ type: "refused", message: "Not submitted. Please try again." });
      return;
    } finally {
      this.busy = false;
    }
    this.link.tell({ type: "accepted" });
    this.done("Answer saved");
    if (!next) return;
    this.say("Answer saved. This is the next task.");
    await this.next();
  }

  /** What may pass keeps the task open, with the problem above it; everything else ends it here. */
  private failUnlessPassing(error: unknown, advice: string): void {
    if (!(error instanceof Problem)) throw error;
    if ([401, 404, 409, 410].includes(error.status) || error.slug === "person-disabled") this.fail(error);
    else this.unsent = `${error.message} ${advice}`;
  }

  private say(text: string): void {
    this.said = text;
    window.setTimeout(() => (this.said = ""), SAID_FOR_MS);
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
      this.failUnlessPassing(error, "Please try again.");
    }
  }

  private giveUp(reason: string): Promise<void> {
    return this.act(() => api.cannotDecide(this.taskId, reason), "Saved: cannot decide");
  }

  private async tellLead(kind: "question" | "flag", text: string): Promise<void> {
    try {
      const { notes } = await api.note(this.taskId, kind, text);
      if (this.phase.name === "open") this.phase = { ...this.phase, task: { ...this.phase.task, notes } };
    } catch (error) {
      this.failUnlessPassing(error, `The lead has not got it: “${shortened(text)}”`);
    }
  }

  private async release(): Promise<void> {
    try {
      await api.release(this.taskId);
      location.hash = "#/";
    } catch (error) {
      this.failUnlessPassing(error, "Please try again.");
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

  // The page

  protected override render(): TemplateResult {
    switch (this.phase.name) {
      case "claiming":
        return html`<main class="state"><p class="quiet" role="status">Opening the task…</p></main>`;
      case "open":
        return this.open(this.phase.task, this.phase.since);
      case "done":
        return ending("good", this.phase.verb, "The next one is ready when you are.", () => void this.next());
      case "over":
        return ending("warm", this.phase.title, this.phase.detail, () => void this.next());
    }
  }

  private open(task: ClaimedTask, since: number): TemplateResult {
    const reading = readClock(task, since, this.now);
    return html`<main class="task-page">
      ${taskBar(task, reading, this.shortcuts())}
      ${this.said === "" ? nothing : html`<p class="notice good" role="status">${this.said}</p>`}
      ${this.unsent === "" ? nothing : html`<p class="notice bad" role="alert">${this.unsent}</p>`}
      ${taskNotes(task)} ${missingParts(this.notices)}
      ${task.running ? nothing : curtain(reading, this.wasAway, () => void this.pauseOrResume())}
      <iframe
        class=${task.running ? "" : "away"}
        title=${`Task: ${task.title}`}
        sandbox="allow-scripts allow-forms"
        referrerpolicy="no-referrer"
        src=${this.link.address(task.frame_url)}
      ></iframe>
      ${this.asking === null ? nothing : askDialog(this.asking, () => (this.asking = null))}
    </main>`;
  }
}
