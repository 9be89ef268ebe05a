// How a labeling job is shown: its status in words, and its progress as a bar.
import { html, svg, type TemplateResult } from "lit";
import type { LabelingJob } from "./documents";

const WORDS: Record<LabelingJob["status"], string> = {
  Initializing: "Begins",
  InProgress: "In progress",
  Completed: "Completed",
  Failed: "Failed",
  Stopping: "Stops",
  Stopped: "Stopped",
};

export const isRunning = (job: LabelingJob) => job.status === "Initializing" || job.status === "InProgress";
export const isFinished = (job: LabelingJob) => job.status === "Completed" || job.status === "Stopped";

export function statusBadge(job: LabelingJob): TemplateResult {
  if (job.status === "Failed") return html`<span class="badge bad">Failed</span>`;
  if (job.paused && isRunning(job)) return html`<span class="badge warm">Paused</span>`;
  return html`<span class="badge plain">${WORDS[job.status]}</span>`;
}

/** `12 of 40 labeled, 1 failed`. */
export function progressInWords(job: LabelingJob): string {
  if (job.objects === 0) return job.status === "Initializing" ? "its manifest is being read" : "no objects";
  const failed = job.failed > 0 ? `, ${job.failed} failed` : "";
  const passed = job.passed > 0 ? `, ${job.passed} needed nobody` : "";
  return `${job.labeled} of ${job.objects - job.passed} labeled${failed}${passed}`;
}

export function progressBar(job: LabelingJob): TemplateResult {
  const width = (count: number) => (100 * count) / Math.max(1, job.objects - job.passed);
  return html`<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label=${progressInWords(job)}>
    <rect class="bar-ground" width="100" height="4"></rect>
    ${svg`<rect class="bar-work" width=${width(job.labeled)} height="4"></rect>
      <rect class="bar-late" x=${width(job.labeled)} width=${width(job.failed)} height="4"></rect>`}
  </svg>`;
}
