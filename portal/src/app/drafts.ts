// Unfinished answers over a reload, in this browser tab only; nothing of them outlives the tab or the session.
import type { Draft } from "../frame/channel";

const PREFIX = "overread draft ";

function place(person: string, taskId: string): string {
  return `${PREFIX}${person} ${taskId}`;
}

/** The draft of that person for that task. */
export function loadDraft(person: string, taskId: string): Draft | null {
  try {
    const text = sessionStorage.getItem(place(person, taskId));
    return text === null ? null : (JSON.parse(text) as Draft);
  } catch {
    return null; // storage is off, or holds something else
  }
}

/** Keep it; whether there was room. */
export function saveDraft(person: string, taskId: string, draft: Draft): boolean {
  try {
    sessionStorage.setItem(place(person, taskId), JSON.stringify(draft));
    return true;
  } catch {
    return false;
  }
}

/** Forget the draft of one task. */
export function dropDraft(person: string, taskId: string): void {
  try {
    sessionStorage.removeItem(place(person, taskId));
  } catch {
    // storage is off: there is none
  }
}

/** Forget all drafts, of everybody. */
export function dropAllDrafts(): void {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
  } catch {
    // storage is off: there are none
  }
}
