// One labeling job as a lead changes it: pause and stop, numbers, instructions, and new jobs after its pattern.
import { html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from "lit";
import { api } from "./api";
import { type Asking, askDialog, showAsked } from "./ask-dialog";
import type { Subset, WholeLabelingJob } from "./documents";
import { isFinished, isRunning, progressBar, progressInWords, statusBadge } from "./labeling-parts";
import { labelingAddress, queueAddress } from "./routes";
import { View } from "./view";

const RENEW_MS = 5000;
const LONGEST_INSTRUCTIONS = 50_000;
const NAME_PATTERN = "[a-zA-Z0-9](-*[a-zA-Z0-9])*";

export class LabelingJobView extends View {
  static override properties: PropertyDeclarations = {
    name: { attribute: false },
    job: { state: true },
    fault: { state: true },
    said: { state: true },
    asking: { state: true },
    counted: { state: true },
  };

  declare name: string;
  declare job: WholeLabelingJob | null;
  declare fault: string;
  declare said: string;
  declare asking: Asking | null;
  declare counted: string;
  private timer = 0;

  constructor() {
    super();
    this.job = null;
    this.fault = "";
    this.said = "";
    this.asking = null;
    this.counted = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = window.setInterval(() => {
      if (!document.hidden && this.job !== null && !isFinished(this.job)) void this.renew();
    }, RENEW_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearInterval(this.timer);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("name")) return;
    this.job = null;
    this.counted = "";
    void this.renew();
  }

  protected override updated(): void {
    if (this.asking !== null) showAsked(this);
  }

  /** The figures as they are now; what is being typed stays. */
  private async renew(): Promise<void> {
    const asked = this.name;
    try {
      const found = await api.labelingJob(asked);
      if (asked === this.name) this.job = found;
    } catch (error) {
      this.fault = this.explain(error);
    }
  }

  private async act(action: () => Promise<WholeLabelingJob>, said: (job: WholeLabelingJob) => string): Promise<boolean> {
    try {
      const job = await action();
      if (job.name === this.name) this.job = job;
      else location.hash = labelingAddress(job.name);
      this.said = said(job);
      this.fault = "";
      return true;
    } catch (error) {
      this.said = "";
      this.fault = this.explain(error);
      return false;
    }
  }

  private readonly pause = () => this.act(() => api.pauseJob(this.name, !this.job?.paused), (job) => (job.paused ? "Nobody is offered its tasks now." : "Its tasks are offered again."));

  private readonly stop = () => {
    this.asking = {
      title: `Stop ${this.name} for good?`,
      detail: "What people have labeled is kept and written. The job cannot be started again, and its name is used.",
      label: "",
      confirm: "Stop the job",
      silent: true,
      run: async () => void (await this.act(() => api.stopJob(this.name), () => "The job stops; who has begun may finish.")),
    };
  };

  private readonly change = async (event: Event): Promise<void> => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const settings = { workers: Number(given.get("workers")), time_limit_s: Number(given.get("time_limit_s")) };
    await this.act(() => api.changeJob(this.name, settings), (job) => `From now on ${job.workers} label each object, within ${job.time_limit_s} s.`);
  };

  private readonly instruct = async (event: Event): Promise<void> => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => (given.has(name) ? String(given.get(name)) : null);
    await this.act(
      () => api.instruct(this.name, { short: text("short"), full: text("full") }),
      () => "Whoever begins a task now reads the new instructions.",
    );
  };

  private readonly like = async (event: Event): Promise<void> => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(given.get(name) ?? "").trim();
    const wanted = { name: text("name"), manifest: text("manifest"), title: text("title"), workers: Number(given.get("workers")) };
    await this.act(() => api.jobLike(this.name, wanted), (job) => `${job.name} has begun.`);
  };

  private readonly count = async (): Promise<void> => {
    try {
      const { objects } = await api.countAgain(this.name, this.subset());
      this.counted = `${objects} ${objects === 1 ? "object" : "objects"}`;
      this.fault = "";
    } catch (error) {
      this.counted = "";
      this.fault = this.explain(error);
    }
  };

  private readonly again = async (event: Event): Promise<void> => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const wanted = { ...this.subset(), name: String(given.get("name") ?? "").trim(), workers: Number(given.get("workers")) };
    await this.act(() => api.labelAgain(this.name, wanted), (job) => `${job.name} labels them again.`);
  };

  private subset(): Subset {
    const given = new FormData(this.querySelector<HTMLFormElement>("form.again") ?? undefined);
    const below = String(given.get("below") ?? "");
    return { failed: given.has("failed"), below: below === "" ? null : Number(below), classes: given.getAll("class").map(String) };
  }

  protected override render(): TemplateResult {
    const job = this.job;
    return html`<main class="list wide">
      <p class="small"><a class="back" href="#/lead/labeling">← Labeling jobs</a></p>
      ${job === null ? html`<h1>${this.name}</h1>` : this.head(job)}
      ${this.fault === "" ? nothing : html`<p class="notice bad" role="alert">${this.fault}</p>`}
      ${this.said === "" ? nothing : html`<p class="notice good" role="status">${this.said}</p>`}
      ${job === null ? html`<p class="quiet" role="status">${this.fault === "" ? "Loading…" : ""}</p>` : this.page(job)}
      ${this.asking === null ? nothing : askDialog(this.asking, () => (this.asking = null))}
    </main>`;
  }

  private head(job: WholeLabelingJob): TemplateResult {
    return html`<div class="list-head">
      <div>
        <h1>${job.title}</h1>
        <p class="quiet small">${job.name} · team ${job.team} · label <code>${job.label_attribute}</code></p>
      </div>
      ${statusBadge(job)}
      ${isRunning(job)
        ? html`<button type="button" class="button" @click=${this.pause}>${job.paused ? "Resume" : "Pause"}</button>
            <button type="button" class="button danger" @click=${this.stop}>Stop</button>`
        : nothing}
    </div>`;
  }

  private page(job: WholeLabelingJob): TemplateResult {
    return html`<section class="card thread" aria-label="Progress">
        ${progressBar(job)}
        <p>${progressInWords(job)}</p>
        ${job.failure_reason === "" ? nothing : html`<p class="notice bad">${job.failure_reason}</p>`}
        <p class="quiet small">Objects: <code>${job.manifest}</code>${isFinished(job) ? html`<br />Labels: <code>${job.output_manifest}</code>` : nothing}</p>
        ${isRunning(job) ? html`<p class="links"><a href=${queueAddress(job.queue, "open")}>Open tasks</a> <a href=${queueAddress(job.queue, "flagged")}>Flagged</a></p>` : nothing}
      </section>
      ${isRunning(job) ? this.settings(job) : nothing} ${job.status === "InProgress" ? this.instructions(job) : nothing}
      ${isFinished(job) ? this.repetition(job) : nothing} ${this.another(job)}`;
  }

  private settings(job: WholeLabelingJob): TemplateResult {
    return html`<form class="card invite" aria-labelledby="settings-title" @submit=${this.change}>
      <h2 id="settings-title">Redundancy and time</h2>
      <label>People an object <input name="workers" type="number" min="1" max="9" required .defaultValue=${String(job.workers)} /></label>
      <label>Seconds a task <input name="time_limit_s" type="number" min="30" max="28800" required .defaultValue=${String(job.time_limit_s)} /></label>
      <button class="button primary">Change</button>
    </form>`;
  }

  private instructions(job: WholeLabelingJob): TemplateResult {
    const { short, full } = job.instructions;
    if (short === null && full === null) return html`<p class="quiet small more">The worker template of this job has no instructions that could be edited here.</p>`;
    const field = (name: string, label: string, text: string | null) =>
      text === null ? nothing : html`<label>${label} <textarea name=${name} rows="5" maxlength=${LONGEST_INSTRUCTIONS} .defaultValue=${text}></textarea></label>`;
    return html`<form class="card instructions" aria-labelledby="instructions-title" @submit=${this.instruct}>
      <h2 id="instructions-title">Instructions</h2>
      <p class="quiet small">HTML. Tasks that somebody has begun or answered keep the instructions that they had; each answer tells which ones its author read.</p>
      ${field("short", "Always in view", short)} ${field("full", "On demand", full)}
      <p class="actions"><button class="button primary">Put in force</button></p>
    </form>`;
  }

  private repetition(job: WholeLabelingJob): TemplateResult {
    return html`<form class="card instructions again" aria-labelledby="again-title" @submit=${this.again} @change=${() => (this.counted = "")}>
      <h2 id="again-title">Label some objects again</h2>
      <p class="quiet small">A new job over the objects that fit any of this, without their labels. <code>overread label merge --prefer later</code> joins both.</p>
      <fieldset>
        <legend>Which objects</legend>
        <label class="choice"><input type="checkbox" name="failed" /> without a label (${job.failed})</label>
        ${job.categories.map((label) => html`<label class="choice"><input type="checkbox" name="class" value=${label} /> labeled ${label}</label>`)}
      </fieldset>
      <label>Less sure than <input name="below" type="number" min="0.01" max="1" step="0.01" placeholder="0.8" /></label>
      <label>Name of the new job <input name="name" required maxlength="63" pattern=${NAME_PATTERN} autocomplete="off" .defaultValue=${`${job.name}-again`.slice(0, 63)} /></label>
      <label>People an object <input name="workers" type="number" min="1" max="9" required .defaultValue=${String(job.workers)} /></label>
      <p class="actions">
        <button class="button primary">Label them again</button>
        <button type="button" class="button" @click=${this.count}>How many are these?</button>
        <span role="status">${this.counted}</span>
      </p>
    </form>`;
  }

  private another(job: WholeLabelingJob): TemplateResult {
    return html`<form class="card instructions" aria-labelledby="like-title" @submit=${this.like}>
      <h2 id="like-title">New job like this one</h2>
      <p class="quiet small">The same team, template, functions and label over other objects.</p>
      <label>Name <input name="name" required maxlength="63" pattern=${NAME_PATTERN} autocomplete="off" /></label>
      <label>Title of its tasks <input name="title" maxlength="128" autocomplete="off" .defaultValue=${job.title} /></label>
      <label>Manifest <input name="manifest" required maxlength="1024" pattern="s3://.+/.+" placeholder="s3://bucket/folder/input.manifest" autocomplete="off" .defaultValue=${job.manifest} /></label>
      <label>People an object <input name="workers" type="number" min="1" max="9" required .defaultValue=${String(job.workers)} /></label>
      <p class="actions"><button class="button primary">Start it</button></p>
    </form>`;
  }
}
