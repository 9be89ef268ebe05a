// A dialog over the task, for instructions.
import { css, html, type TemplateResult } from "lit";

export const dialogLook = css`
  dialog {
    width: min(44rem, calc(100vw - 2rem));
    max-height: min(80vh, 48rem);
    padding: 0;
    border: 1px solid var(--line);
    border-radius: 0.875rem;
    background: var(--surface);
    color: var(--ink);
    box-shadow: 0 1.5rem 4rem rgb(0 0 0 / 30%);
  }
  dialog::backdrop {
    background: rgb(10 16 24 / 45%);
  }
  dialog header {
    position: sticky;
    top: 0;
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 1rem;
    padding: 0.875rem 1.25rem;
    border-bottom: 1px solid var(--line);
    background: var(--surface);
  }
  dialog h2 {
    margin: 0;
    font-size: 1.125rem;
    font-weight: 650;
  }
  dialog .close {
    width: 2.25rem;
    height: 2.25rem;
    border: 1px solid var(--line);
    border-radius: 0.5rem;
    background: none;
    color: inherit;
    font-size: 1.125rem;
    line-height: 1;
  }
  dialog .body {
    padding: 1rem 1.25rem 1.5rem;
  }
`;

/** The dialog's markup; open it with `showModal()`. */
export function dialog(title: string, body: TemplateResult): TemplateResult {
  return html`<dialog aria-label=${title}>
    <header>
      <h2>${title}</h2>
      <button class="close" type="button" aria-label="Close" @click=${closeDialog}>✕</button>
    </header>
    <div class="body">${body}</div>
  </dialog>`;
}

function closeDialog(event: Event): void {
  (event.currentTarget as HTMLElement).closest("dialog")?.close();
}
