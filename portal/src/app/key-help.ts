// The dialog that lists the keys of what is shown now.
import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { allShortcuts, type Shortcut, View } from "./view";

const NAMES: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑" };

export class KeyHelp extends View {
  static override properties: PropertyDeclarations = { listed: { state: true } };

  declare listed: Shortcut[];

  constructor() {
    super();
    this.listed = [];
  }

  open(): void {
    this.listed = allShortcuts().filter(({ off }) => off !== true);
    this.querySelector("dialog")?.showModal();
  }

  protected override render(): TemplateResult {
    return html`<dialog class="card keys" aria-labelledby="keys-title">
      <form method="dialog">
        <h2 id="keys-title">Keys</h2>
        <dl>
          ${this.listed.map(
            ({ keys, label }) => html`<div>
              <dt>${keys.flatMap((key) => key.split("+")).map((key) => html`<kbd>${NAMES[key] ?? key}</kbd>`)}</dt>
              <dd>${label}</dd>
            </div>`,
          )}
          ${this.listed.some(({ keys }) => keys.includes("Ctrl+Enter"))
            ? html`<div>
                <dt><kbd>1</kbd>…<kbd>0</kbd></dt>
                <dd>Choose an answer, where the page numbers them</dd>
              </div>`
            : nothing}
        </dl>
        <button class="button">Close</button>
      </form>
    </dialog>`;
  }
}
