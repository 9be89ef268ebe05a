// What the frame does with the page around it: drafts go out, keys go out, instructions and submission come in.
import { hearPage, PAGE_KEYS, tellPage } from "../frame/channel";
import { isPlainKey, submitKey } from "../frame/typing";
import { collectDraft, restoreDraft } from "./drafts";
import { CrowdForm } from "./form";

const DRAFT_AFTER_MS = 400;

interface Instructions extends Element {
  readonly hasInstructions: boolean;
  openInstructions(): void;
}

/** Call once all elements are there. */
export function joinPage(): void {
  const form = document.querySelector("crowd-form");
  hearPage((message) => {
    if (message.type === "instructions") instructions()?.openInstructions();
    if (form instanceof CrowdForm && message.type === "submit") form.requestSubmit(message.next);
    if (form instanceof CrowdForm && message.type === "restore") restoreDraft(form, message.draft);
  });
  document.addEventListener("keydown", (event) => pressed(event, form));
  if (form) sendDrafts(form);
  tellPage({ type: "ready", instructions: instructions() !== undefined });
}

function pressed(event: KeyboardEvent, form: Element | null): void {
  const submitting = submitKey(event);
  if (submitting !== "" && form instanceof CrowdForm) {
    event.preventDefault();
    form.requestSubmit(submitting === "Ctrl+Shift+Enter");
  } else if (isPlainKey(event) && !document.querySelector("dialog[open]")) {
    if (event.key === "i" && instructions()) {
      event.preventDefault();
      instructions()?.openInstructions();
    } else if (PAGE_KEYS.has(event.key)) {
      tellPage({ type: "key", key: event.key });
    }
  }
}

function sendDrafts(form: Element): void {
  let timer = 0;
  for (const kind of ["input", "change"]) {
    form.addEventListener(kind, () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => tellPage({ type: "draft", draft: collectDraft(form) }), DRAFT_AFTER_MS);
    });
  }
}

function instructions(): Instructions | undefined {
  return Array.from(document.querySelectorAll("*")).find(
    (element): element is Instructions => (element as Partial<Instructions>).hasInstructions === true,
  );
}
