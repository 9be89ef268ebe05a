// The thread between reviewers and leads about a task.
import { html, nothing, type TemplateResult } from "lit";
import type { Note } from "./documents";
import { absolute } from "./time";

const KINDS: Record<Note["kind"], string> = {
  question: "asks",
  flag: "flags the task",
  reply: "replies",
  return: "returns the answer",
};

export function noteThread(notes: Note[]): TemplateResult | typeof nothing {
  if (notes.length === 0) return nothing;
  return html`<ol class="notes" aria-label="Notes">
    ${notes.map(
      (note) => html`<li class="note ${note.role} ${note.kind}">
        <p class="small quiet">
          <strong>${note.mine ? "You" : note.author}</strong> ${verb(note)} · <time datetime=${note.at}>${absolute(note.at)}</time>
        </p>
        <p class="note-text">${note.text}</p>
      </li>`,
    )}
  </ol>`;
}

function verb(note: Note): string {
  const said = KINDS[note.kind];
  if (!note.mine) return said;
  return said.replace(/^asks/, "ask").replace(/^flags/, "flag").replace(/^replies/, "reply").replace(/^returns/, "return");
}
