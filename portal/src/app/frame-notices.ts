// What did not work inside a task's frame, in words for the reviewer.
import type { FrameMessage } from "../frame/channel";

const LONGEST = 120;

type Trouble = Extract<FrameMessage, { type: "blocked" | "missing" | "unsupported" | "broken" }>;

/** One line about what the frame reports; empty for what is none of these. */
export function noticeOf(message: Trouble): string {
  switch (message.type) {
    case "blocked":
      return `Blocked: ${shortened(message.address)} (the template asks for it, this portal does not allow it)`;
    case "missing":
      return `Not loaded: ${shortened(withoutQuery(message.address))} (it does not exist, or may not be read)`;
    case "unsupported":
      return `Not drawn: <${shortened(message.element)}>, an element that these pages do not know`;
    case "broken":
      return `A script of the template failed: ${shortened(message.message)}`;
    default:
      return ""; // a template can post anything
  }
}

/** Without what is behind a question mark: the signature of an address that was signed. */
function withoutQuery(address: unknown): string {
  return String(address).replace(/[?#].*$/s, "");
}

export function shortened(text: unknown): string {
  const plain = String(text);
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST - 3)}…` : plain;
}
