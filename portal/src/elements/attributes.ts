// Attributes as AWS reads them: kebab or camel case, and JSON that people write by hand.
import JSON5 from "json5";

/** The attribute's text under either spelling; HTML lowers the case of `initialValue`. */
export function textAttribute(element: Element, name: string): string {
  return element.getAttribute(name) ?? element.getAttribute(name.replaceAll("-", "")) ?? "";
}

/** Whether a flag is set: present, and not written as `false`. */
export function flagAttribute(element: Element, name: string): boolean {
  const lower = name.replaceAll("-", "");
  const value = element.getAttribute(name) ?? element.getAttribute(lower);
  return value !== null && value.trim().toLowerCase() !== "false";
}

/** The attribute as JSON in its loose form (single quotes, bare keys, trailing commas, comments); undefined if empty. */
export function jsonAttribute(element: Element, name: string): unknown {
  const text = textAttribute(element, name).trim();
  if (text === "") return undefined;
  const value = parsed(text);
  return typeof value === "string" && /^\s*[[{]/.test(value) ? parsed(value) : value; // a text of JSON, made JSON again
}

function parsed(text: string): unknown {
  try {
    return JSON5.parse(text);
  } catch (error) {
    if (!/&(?:[a-z]+|#\d+);/i.test(text)) throw error;
    return JSON5.parse(decodeEntities(text)); // escaped twice by its author
  }
}

/** A list of texts, or of objects with a `label`; anything else in the attribute is an error that names the element. */
export function listAttribute(element: Element, name: string): string[] {
  const value = jsonAttribute(element, name) ?? [];
  const texts = Array.isArray(value) ? value.map(labelOf) : null;
  if (texts?.every((item) => ["string", "number", "boolean"].includes(typeof item))) return texts.map(String);
  throw new TypeError(`<${element.localName}> needs a list of texts in the attribute "${name}"`);
}

function labelOf(item: unknown): unknown {
  return typeof item === "object" && item !== null ? (item as { label?: unknown }).label : item;
}

function decodeEntities(text: string): string {
  return new DOMParser().parseFromString(text, "text/html").documentElement.textContent ?? text;
}
