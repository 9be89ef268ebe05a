// The answer of a crowd-form: fragments of its elements and of plain named controls, merged by name.

export type Answer = Record<string, unknown>;

/** What a crowd element that takes part in the answer can do. */
export interface AnswerSource extends HTMLElement {
  /** The element's part of the answer; null when it has nothing to say. */
  answerFragment(): Answer | null;
  /** Why the answer cannot be submitted yet; empty when it can. Shows the reason on the element. */
  check(): string;
  /** Back to the state in which the page came. */
  resetAnswer(): void;
  /** What is filled in, for a draft; null when nothing is. */
  draftState(): unknown;
  /** Fill in what `draftState` gave; anything else is ignored. */
  restoreDraft(state: unknown): void;
}

export function isAnswerSource(element: Element): element is AnswerSource {
  return typeof (element as Partial<AnswerSource>).answerFragment === "function";
}

type PlainControl = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

export function isPlainControl(element: Element): element is PlainControl {
  return (
    element instanceof HTMLInputElement ||
    element instanceof HTMLSelectElement ||
    element instanceof HTMLTextAreaElement
  );
}

const WITHOUT_VALUE = new Set(["button", "submit", "reset", "image", "file"]);

/** The answer of everything inside `form`, in document order. */
export function collectAnswer(form: Element): Answer {
  const answer: Answer = {};
  for (const element of form.querySelectorAll("*")) {
    const fragment = isAnswerSource(element)
      ? element.answerFragment()
      : isPlainControl(element)
        ? plainFragment(element)
        : null;
    if (fragment !== null) mergeInto(answer, fragment);
  }
  return answer;
}

function plainFragment(control: PlainControl): Answer | null {
  if (control.name === "" || control.matches(":disabled")) return null;
  if (control instanceof HTMLInputElement) {
    if (WITHOUT_VALUE.has(control.type)) return null;
    if (control.type === "radio" || control.type === "checkbox") {
      return { [control.name]: { [control.value]: control.checked } };
    }
  }
  if (control instanceof HTMLSelectElement && control.multiple) {
    const chosen = Array.from(control.options, (option) => [option.value, option.selected] as const);
    return { [control.name]: Object.fromEntries(chosen) };
  }
  return { [control.name]: control.value };
}

function mergeInto(answer: Answer, fragment: Answer): void {
  for (const [name, value] of Object.entries(fragment)) {
    const before = Object.hasOwn(answer, name) ? answer[name] : undefined;
    const merged = isRecord(before) && isRecord(value) ? { ...before, ...value } : value;
    Object.defineProperty(answer, name, { value: merged, enumerable: true, configurable: true, writable: true });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
