// A form's fields as a draft, and a draft back into the same form.
import type { Draft } from "../frame/channel";
import { isAnswerSource, isPlainControl } from "./answer";

/** What is filled in. Fields are told apart by their place, tag and name: a draft fits the page that it came from. */
export function collectDraft(form: Element): Draft {
  const draft: Draft = {};
  for (const [key, field] of fields(form)) {
    const state = isAnswerSource(field) ? field.draftState() : plainState(field);
    if (state !== null && state !== undefined) draft[key] = state;
  }
  return draft;
}

/** Fill in what a draft holds. */
export function restoreDraft(form: Element, draft: Draft): void {
  for (const [key, field] of fields(form)) {
    if (!Object.hasOwn(draft, key)) continue;
    if (isAnswerSource(field)) field.restoreDraft(draft[key]);
    else if (isPlainControl(field)) restorePlain(field, draft[key]);
  }
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

function* fields(form: Element): Generator<[string, Element]> {
  let place = 0;
  for (const element of form.querySelectorAll("*")) {
    if (!isAnswerSource(element) && !isPlainControl(element)) continue;
    yield [`${place} ${element.localName} ${element.getAttribute("name") ?? ""}`, element];
    place += 1;
  }
}

function plainState(field: Element): unknown {
  if (!isPlainControl(field)) return null;
  if (field instanceof HTMLInputElement) {
    if (field.type === "password" || field.type === "file" || field.type === "hidden") return null;
    if (field.type === "radio" || field.type === "checkbox") return field.checked;
  }
  if (field instanceof HTMLSelectElement) return Array.from(field.options, (option) => option.selected);
  return field.value;
}

function restorePlain(field: Element, state: unknown): void {
  if (field instanceof HTMLSelectElement) {
    if (!Array.isArray(state)) return;
    Array.from(field.options).forEach((option, index) => (option.selected = state[index] === true));
  } else if (field instanceof HTMLInputElement && (field.type === "radio" || field.type === "checkbox")) {
    if (typeof state === "boolean") field.checked = state;
  } else if ((field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) && typeof state === "string") {
    field.value = state;
  }
}
