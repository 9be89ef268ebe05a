// A lead's labeling jobs: how far each is.
import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { api } from "./api";
import type { LabelingJob, LabelingJobs } from "./documents";
import { listShortcuts } from "./items";
import { isRunning, progressBar, progressInWords, statusBadge } from "./labeling-parts";
import { labelingAddress, queueAddress } from "./routes";
import { duration, relative } from "./time";
import { type Shortcut, View } from "./view";

const RENEW_MS = 5000;

export class LabelingList extends View {
  static override properties: PropertyDeclarations = { listed: { state: true }, fault: { state: true } };

  declare listed: LabelingJobs | null;
  declare fault: string;
  private timer = 0;

  constructor() {
    super();
    this.listed = null;
    this.fault = "";
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
    return listShortcuts(this);
  }

  private async renew(): Promise<void> {
    try {
      this.listed = await api.labelingJobs();
      this.fault = "";
    } catch (error) {
      this.fault = this.explain(error);
    }
  }

  private async pause(job: LabelingJob): Promise<void> {
    try {
      await api.pauseJob(job.name, !job.paused);
      await this.renew();
    } catch (error) {
      this.fault = this.explain(error);
    }
  }

  protected override render(): TemplateResult {
    const jobs = this.listed?.jobs ?? [];
    const now = Date.parse(this.listed?.now ?? "");
    return html`<main class="list wide">
      <div class="list-head">
        <div>
          <h1>Labeling jobs</h1>
          <p class="quiet" role="status">${this.listed === null ? "Loading…" : `${jobs.filter(isRunning).length} running, ${jobs.length} in all`}</p>
        </div>
      </div>
      ${this.fault === "" ? nothing : html`<p class="notice bad" role="alert">${this.fault}</p>`}
      ${this.listed !== null && jobs.length === 0
        ? html`<p class="quiet">Your teams have no labeling jobs. The first one comes from a deployment or from <code>overread label start</code>.</p>`
        : nothing}
      <ul class="queues">
        ${jobs.map((job) => this.job(job, now))}
      </ul>
    </main>`;
  }

  private job(job: LabelingJob, now: number): TemplateResult {
    return html`<li class="card queue">
      <div class="queue-head">
        <div>
          <h2><a href=${labelingAddress(job.name)} data-item>${job.title}</a></h2>
          <p class="quiet small">${job.name} · team ${job.team} · begun ${relative(job.created_at, now)}</p>
        </div>
        ${statusBadge(job)}
        ${isRunning(job)
          ? html`<button type="button" class="button" aria-label=${`${job.paused ? "Resume" : "Pause"} ${job.name}`} @click=${() => this.pause(job)}>
              ${job.paused ? "Resume" : "Pause"}
            </button>`
          : nothing}
      </div>
      ${progressBar(job)}
      <p class="small">${progressInWords(job)} · ${job.workers} ${job.workers === 1 ? "person" : "people"} an object · ${duration(job.time_limit_s)} a task at most</p>
      ${job.failure_reason === "" ? nothing : html`<p class="notice bad">${job.failure_reason}</p>`}
      <p class="links">
        <a href=${labelingAddress(job.name)}>Change and repeat</a>
        ${isRunning(job) ? html`<a href=${queueAddress(job.queue, "open")}>Open tasks</a>` : nothing}
      </p>
    </li>`;
  }
}
