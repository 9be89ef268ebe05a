// A lead's queues: backlog, ages, throughput and agreement, renewed every few seconds.
import { html, nothing, svg, type PropertyDeclarations, type TemplateResult } from "lit";
import { api } from "./api";
import type { Overview, Queue } from "./documents";
import { listShortcuts } from "./items";
import { queueAddress } from "./routes";
import { duration } from "./time";
import { type Shortcut, View } from "./view";

const RENEW_MS = 5000;

export class LeadOverview extends View {
  static override properties: PropertyDeclarations = { overview: { state: true }, fault: { state: true } };

  declare overview: Overview | null;
  declare fault: string;
  private timer = 0;

  constructor() {
    super();
    this.overview = null;
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
      this.overview = await api.overview();
      this.fault = "";
    } catch (error) {
      this.fault = this.explain(error);
    }
  }

  private async pause(queue: Queue): Promise<void> {
    try {
      await api.pauseQueue(queue.flow_definition, !queue.paused);
      await this.renew();
    } catch (error) {
      this.fault = this.explain(error);
    }
  }

  protected override render(): TemplateResult {
    const queues = this.overview?.queues ?? [];
    const most = Math.max(1, ...queues.map((queue) => queue.open));
    return html`<main class="list wide">
      <div class="list-head">
        <div>
          <h1>Backlog</h1>
          <p class="quiet" role="status">${this.summary(queues)}</p>
        </div>
      </div>
      ${this.fault === "" ? nothing : html`<p class="notice bad" role="alert">${this.fault}</p>`}
      ${this.overview !== null && queues.length === 0 ? html`<p class="quiet">Your teams have no queues.</p>` : nothing}
      <ul class="queues">
        ${queues.map((queue) => this.queue(queue, most))}
      </ul>
    </main>`;
  }

  private summary(queues: Queue[]): string {
    if (this.overview === null) return "Loading…";
    const sum = (part: (queue: Queue) => number) => queues.reduce((total, queue) => total + part(queue), 0);
    return `${sum((q) => q.open)} open, ${sum((q) => q.overdue)} overdue, ${sum((q) => q.flagged)} flagged, ${sum((q) => q.completed_24h)} completed in 24 hours`;
  }

  private queue(queue: Queue, most: number): TemplateResult {
    const name = queue.flow_definition;
    const { pairs, share } = queue.agreement;
    return html`<li class="card queue">
      <div class="queue-head">
        <div>
          <h2><a href=${queueAddress(name, "open")} data-item>${queue.title}</a></h2>
          <p class="quiet small">${name} · team ${queue.team.split("/").pop()}</p>
        </div>
        ${queue.paused ? html`<span class="badge warm">Paused by ${queue.paused_by}</span>` : nothing}
        <button type="button" class="button" aria-label=${`${queue.paused ? "Resume" : "Pause"} ${queue.title}`} @click=${() => this.pause(queue)}>
          ${queue.paused ? "Resume" : "Pause"}
        </button>
      </div>
      ${bar(queue, most)}
      <dl class="figures">
        ${figure("Open", queue.open, `${queue.claimed} in work`)} ${figure("Overdue", queue.overdue, "past deadline or availability", queue.overdue > 0)}
        ${figure("Flagged", queue.flagged, "wait for your reply", queue.flagged > 0)}
        ${figure("Oldest", duration(queue.oldest_age_s), `median ${duration(queue.median_age_s)}`)}
        ${figure("Completed", queue.completed_24h, `in 24 h, ${queue.completed_1h} in the last hour`)}
        ${figure("Work on one", duration(queue.median_worked_s), "median")}
        ${figure("Agreement", share === null ? "–" : `${Math.round(share * 100)} %`, pairs === 0 ? "no pairs of answers yet" : `of ${pairs} ${pairs === 1 ? "pair" : "pairs"} of answers`, false, share)}
      </dl>
      <p class="links">
        <a href=${queueAddress(name, "open")}>Open tasks</a>
        <a href=${queueAddress(name, "flagged")}>Flagged</a>
        <a href=${queueAddress(name, "ended")}>Ended</a>
      </p>
    </li>`;
  }
}

function figure(label: string, value: string | number, detail: string, alarming = false, share: number | null = null): TemplateResult {
  return html`<div class=${alarming ? "late" : ""}>
    <dt>${label}</dt>
    <dd>
      <strong>${value}</strong>
      ${share === null ? nothing : meter(share)}
      <span class="quiet small">${detail}</span>
    </dd>
  </div>`;
}

function meter(share: number): TemplateResult {
  return html`<svg class="bar meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
    <rect class="bar-ground" width="100" height="4"></rect>
    ${svg`<rect class="bar-work" width=${100 * share} height="4"></rect>`}
  </svg>`;
}

/** The backlog as a bar: in work, waiting, and of the waiting ones the overdue. */
function bar(queue: Queue, most: number): TemplateResult {
  const width = (count: number) => (100 * count) / most;
  const overdue = Math.min(queue.overdue, queue.waiting);
  const label = `${queue.open} open: ${queue.claimed} in work, ${queue.waiting} waiting, ${queue.overdue} overdue`;
  return html`<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label=${label}>
    <rect class="bar-ground" width="100" height="4"></rect>
    ${svg`<rect class="bar-work" width=${width(queue.claimed)} height="4"></rect>
      <rect class="bar-wait" x=${width(queue.claimed)} width=${width(queue.waiting - overdue)} height="4"></rect>
      <rect class="bar-late" x=${width(queue.claimed + queue.waiting - overdue)} width=${width(overdue)} height="4"></rect>`}
  </svg>`;
}
