// Base of the portal's views: Lit without a shadow root, so that one style sheet serves them all, and their keys.
import { LitElement } from "lit";
import { isPlainKey, submitKey } from "../frame/typing";
import { Problem } from "./api";

export interface Shortcut {
  keys: string[];
  label: string;
  /** What its button reads, where it has one beside the key. */
  button?: string;
  /** There, but not to be had now. */
  off?: boolean;
  run: () => void;
}

const views = new Set<View>();

export abstract class View extends LitElement {
  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    views.add(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    views.delete(this);
  }

  /** What the view does at a key, besides what its buttons do. */
  shortcuts(): Shortcut[] {
    return [];
  }

  /** A problem in words; somebody who is not signed in any more is shown the door. */
  protected explain(error: unknown): string {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401 || error.slug === "person-disabled") {
      this.dispatchEvent(new CustomEvent("signed-out", { bubbles: true, detail: error.slug === "person-disabled" ? error.message : "" }));
    }
    return error.message;
  }
}

/** The keys of everything that is shown now, the innermost view last. */
export function allShortcuts(): Shortcut[] {
  return Array.from(views).flatMap((view) => view.shortcuts());
}

/** Do what a key stands for; whether it stands for anything. */
export function press(key: string): boolean {
  const shortcut = allShortcuts()
    .reverse()
    .find(({ keys, off }) => off !== true && keys.includes(key));
  shortcut?.run();
  return shortcut !== undefined;
}

window.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  const submitting = submitKey(event);
  if (submitting !== "" && press(submitting)) event.preventDefault();
  if (!isPlainKey(event)) return;
  if (event.key === "Enter" && event.target !== document.body) return; // a link's or a button's own
  if (press(event.key)) event.preventDefault();
});
