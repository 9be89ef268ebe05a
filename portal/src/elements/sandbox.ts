// What scripts of templates expect of a page and the sandbox does not give: alert, confirm, and a store.
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { CrowdElement, look } from "./base";
import { dialog, dialogLook } from "./dialog";

/** A message of the template, over the page; `agree` is what its second button does. */
export class SandboxMessage extends CrowdElement {
  static override styles = [
    look,
    dialogLook,
    css`
      p {
        margin: 0 0 1rem;
        white-space: pre-line;
        overflow-wrap: anywhere;
      }
      .body button {
        min-height: 2.5rem;
        margin-right: 0.5rem;
        padding: 0.4375rem 1.25rem;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
        background: var(--surface);
        color: var(--ink);
        font-weight: 600;
      }
      .body .primary {
        border-color: var(--accent);
        background: var(--accent);
        color: var(--accent-ink);
      }
    `,
  ];
  static override properties: PropertyDeclarations = { message: { state: true }, agree: { state: true } };

  declare message: string;
  declare agree: (() => void) | null;

  constructor() {
    super();
    this.message = "";
    this.agree = null;
  }

  protected override firstUpdated(): void {
    const shown = this.renderRoot.querySelector("dialog");
    shown?.addEventListener("close", () => this.remove());
    shown?.showModal();
  }

  private readonly close = (): void => this.renderRoot.querySelector("dialog")?.close();

  private readonly accept = (): void => {
    this.close();
    this.agree?.();
  };

  protected override render(): TemplateResult {
    return dialog(
      "Message",
      html`<p>${this.message}</p>
        <button class="primary" type="button" autofocus @click=${this.accept}>OK</button>
        ${this.agree ? html`<button type="button" @click=${this.close}>Cancel</button>` : nothing}`,
    );
  }
}

/** The texts that somebody has said yes to and that a script will ask again. */
const agreed = new Set<string>();

/** Give a sandboxed page what is missing; a page of its own has all of it. */
export function furnish(): void {
  if (window.parent === window) return;
  window.alert = (message: unknown) => say(String(message ?? ""), null);
  window.confirm = (message: unknown) => ask(String(message ?? ""), window.event);
  for (const store of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(window, store, { configurable: true, value: memory() });
  }
}

function say(message: string, agree: (() => void) | null): void {
  document.body.append(Object.assign(document.createElement("overread-message") as SandboxMessage, { message, agree }));
}

/** No at first, for nothing can wait here; after a yes the same press or submission is done again, and finds it. */
function ask(message: string, event: Event | undefined): boolean {
  if (agreed.delete(message)) return true;
  const origin = event?.composedPath()[0];
  say(message, () => {
    agreed.add(message);
    if (event?.type === "submit") (origin as Partial<HTMLFormElement> | undefined)?.requestSubmit?.();
    else if (event?.type === "click" && origin instanceof HTMLElement) origin.click();
  });
  return false;
}

/** A store that ends with the page. */
function memory(): Storage {
  const kept = new Map<string, string>();
  return {
    get length() {
      return kept.size;
    },
    key: (index) => Array.from(kept.keys())[index] ?? null,
    getItem: (key) => kept.get(String(key)) ?? null,
    setItem: (key, value) => void kept.set(String(key), String(value)),
    removeItem: (key) => void kept.delete(String(key)),
    clear: () => kept.clear(),
  };
}
