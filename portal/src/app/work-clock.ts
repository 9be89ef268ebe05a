// The clock of a claimed task: what is left, how long was worked, and the pause when nobody looks.
import type { ClaimedTask } from "./documents";

/** A tab that nobody has looked at for so long is paused. */
export const HIDDEN_PAUSE_MS = 60_000;

export interface Reading {
  /** Time to work that is left. */
  leftMs: number;
  workedS: number;
  /** When the claim ends if nobody does anything; while it is paused, that is later than `leftMs`. */
  endsMs: number;
}

/** Reads the clock of a task that the service described at `task.now`, `since` that moment here. */
export function readClock(task: ClaimedTask, since: number, now: number): Reading {
  const passed = now - since;
  const endsMs = Date.parse(task.claim_deadline_at) - Date.parse(task.now) - passed;
  const workedS = task.worked_s + (task.running ? passed / 1000 : 0);
  // A pause gets all its time at once and gives back on resuming what it did not need: show what is left to work.
  const leftMs = task.running ? endsMs : Math.min(endsMs, (task.time_limit_s - workedS) * 1000);
  return { leftMs, workedS, endsMs };
}

/** Calls back once the tab has been hidden for HIDDEN_PAUSE_MS. */
export class HiddenWatch {
  private timer = 0;

  constructor(private readonly away: () => void) {}

  start(): void {
    document.addEventListener("visibilitychange", this.changed);
  }

  stop(): void {
    document.removeEventListener("visibilitychange", this.changed);
    window.clearTimeout(this.timer);
  }

  private readonly changed = (): void => {
    window.clearTimeout(this.timer);
    if (document.hidden) this.timer = window.setTimeout(this.away, HIDDEN_PAUSE_MS);
  };
}
