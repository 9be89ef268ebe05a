// Whether a key belongs to what somebody is writing.

const NOT_WRITTEN_IN = new Set(["radio", "checkbox", "button", "submit", "reset", "range", "color", "file", "image"]);

/** Whether the event comes from a field that takes text, or from an open list of options. */
export function isTyping(event: KeyboardEvent): boolean {
  const origin = event.composedPath()[0];
  if (!(origin instanceof HTMLElement)) return false;
  if (origin.isContentEditable || origin instanceof HTMLTextAreaElement || origin instanceof HTMLSelectElement) return true;
  return origin instanceof HTMLInputElement && !NOT_WRITTEN_IN.has(origin.type);
}

/** Whether the event is a plain key: no modifier but Shift, nobody's yet, not part of a text. */
export function isPlainKey(event: KeyboardEvent): boolean {
  const modified = event.ctrlKey || event.metaKey || event.altKey;
  return !event.defaultPrevented && !modified && !event.isComposing && !event.repeat && !isTyping(event);
}

/** `Ctrl+Enter` or `Ctrl+Shift+Enter` (with the command key too); empty for every other key. */
export function submitKey(event: KeyboardEvent): "" | "Ctrl+Enter" | "Ctrl+Shift+Enter" {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.altKey || event.repeat) return "";
  return event.shiftKey ? "Ctrl+Shift+Enter" : "Ctrl+Enter";
}
