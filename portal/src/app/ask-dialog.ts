// A dialog that asks for a few words before something happens.
import { html, nothing, type TemplateResult } from "lit";
import { submitKey } from "../frame/typing";

export interface Asking {
  title: string;
  detail: string;
  label: string;
  confirm: string;
  /** Nothing to write: only to confirm. */
  silent?: boolean;
  run: (text: string) => Promise<void>;
}

const LONGEST = 1000;

function submitByKey(event: KeyboardEvent): void {
  if (submitKey(event) !== "") (event.currentTarget as HTMLFormElement).requestSubmit();
}

/** The dialog's markup; it is open while it is rendered. */
export function askDialog(asking: Asking, close: () => void): TemplateResult {
  const submit = async (event: Event) => {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).querySelector("textarea");
    const text = field?.value.trim() ?? "";
    if (!asking.silent && text === "") {
      field?.focus();
      return;
    }
    close();
    await asking.run(text);
  };
  const closed = (event: Event) => {
    if (!(event.target as HTMLDialogElement).open) close(); // not when it is open again, for something else
  };
  return html`<dialog class="card ask" aria-labelledby="ask-title" @close=${closed}>
    <form @submit=${submit} @keydown=${submitByKey}>
      <h2 id="ask-title">${asking.title}</h2>
      <p class="quiet">${asking.detail}</p>
      ${asking.silent
        ? nothing
        : html`<label
            >${asking.label}
            <textarea rows="4" maxlength=${LONGEST} required></textarea>
          </label>`}
      <p class="actions">
        <button class="button primary">${asking.confirm}</button>
        <button type="button" class="button" @click=${close}>Back</button>
      </p>
    </form>
  </dialog>`;
}

/** Open what `askDialog` rendered inside `host`. */
export function showAsked(host: Element): void {
  const dialog = host.querySelector<HTMLDialogElement>("dialog.ask");
  if (dialog && !dialog.open) dialog.showModal();
}
