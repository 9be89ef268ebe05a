// crowd-radio-group, crowd-radio-button, crowd-checkbox and crowd-toggle-button: named booleans.
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Answer, AnswerSource } from "./answer";
import { flagAttribute } from "./attributes";
import { CrowdElement, look } from "./base";

const toggleLook = css`
  :host {
    margin: 0.25rem 0;
  }
  label {
    display: inline-flex;
    align-items: flex-start;
    gap: 0.625rem;
    padding: 0.25rem 0;
    cursor: pointer;
  }
  input {
    flex: none;
    width: 1.125rem;
    height: 1.125rem;
    margin: 0.1875rem 0 0;
    accent-color: var(--accent);
  }
  :host([disabled]) label {
    cursor: not-allowed;
    opacity: 0.55;
  }
`;

abstract class Toggle extends CrowdElement implements AnswerSource {
  static override styles = [look, toggleLook];
  static override properties: PropertyDeclarations = { checked: { state: true } };

  declare checked: boolean;
  private touched = false;
  protected abstract readonly kind: "radio" | "checkbox" | "switch";

  constructor() {
    super();
    this.checked = false;
  }

  get value(): string {
    return this.getAttribute("value") ?? "on";
  }

  set value(value: string) {
    this.setAttribute("value", value);
  }

  get disabled(): boolean {
    return flagAttribute(this, "disabled");
  }

  set disabled(disabled: boolean) {
    this.toggleAttribute("disabled", disabled);
    this.requestUpdate();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.checked && !this.touched) this.resetAnswer();
  }

  protected override attributesChanged(names: ReadonlySet<string>): void {
    if (names.has("checked") && !this.touched) this.resetAnswer();
  }

  answerFragment(): Answer | null {
    return this.name === "" || this.disabled ? null : { [this.name]: { [this.value]: this.checked } };
  }

  check(): string {
    const missing = flagAttribute(this, "required") && !this.disabled && !this.checked;
    return this.showFault(missing ? "Please tick this box to go on." : "");
  }

  resetAnswer(): void {
    this.checked = flagAttribute(this, "checked");
  }

  draftState(): unknown {
    return this.checked;
  }

  restoreDraft(state: unknown): void {
    if (typeof state === "boolean") this.checked = state;
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>("input")?.focus();
  }

  override click(): void {
    this.renderRoot.querySelector<HTMLElement>("input")?.click();
  }

  protected toggled(event: Event): void {
    event.stopPropagation();
    this.touched = true;
    this.checked = (event.target as HTMLInputElement).checked;
    this.changed();
  }

  protected override render(): TemplateResult {
    return html`<label>
        <input
          type=${this.kind === "switch" ? "checkbox" : this.kind}
          role=${this.kind === "switch" ? "switch" : nothing}
          aria-invalid=${flagAttribute(this, "invalid") ? "true" : nothing}
          .checked=${this.checked}
          ?disabled=${this.disabled}
          @change=${this.toggled}
          @input=${(event: Event) => event.stopPropagation()}
        />
        <span><slot></slot></span>
      </label>
      ${this.faultLine()}`;
  }
}

export class CrowdCheckbox extends Toggle {
  protected override readonly kind = "checkbox";
}

export class CrowdRadioButton extends Toggle {
  protected override readonly kind = "radio";

  override check(): string {
    return "";
  }

  protected override toggled(event: Event): void {
    const group = this.closest("crowd-radio-group");
    for (const other of group?.querySelectorAll<CrowdRadioButton>("crowd-radio-button") ?? []) {
      if (other !== this) other.checked = false;
    }
    super.toggled(event);
  }
}

export class CrowdToggleButton extends Toggle {
  static override styles = [
    ...Toggle.styles,
    css`
      input {
        appearance: none;
        width: 2.25rem;
        height: 1.25rem;
        border: 1px solid var(--quiet);
        border-radius: 0.625rem;
        background: var(--field);
        cursor: pointer;
        transition: background 0.12s;
      }
      input::before {
        content: "";
        display: block;
        width: 0.875rem;
        height: 0.875rem;
        margin: 0.125rem;
        border-radius: 50%;
        background: var(--quiet);
        transition: translate 0.12s;
      }
      input:checked {
        border-color: var(--accent);
        background: var(--accent);
      }
      input:checked::before {
        background: var(--accent-ink);
        translate: 1rem 0;
      }
      :host([invalid]) input {
        border-color: var(--bad);
      }
    `,
  ];
  protected override readonly kind = "switch";
}

/** Only one of its buttons can be on; arrow keys move among them. */
export class CrowdRadioGroup extends CrowdElement {
  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute("role", "radiogroup");
    this.addEventListener("keydown", this.move);
  }

  private readonly move = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const buttons = Array.from(this.querySelectorAll<CrowdRadioButton>("crowd-radio-button")).filter((b) => !b.disabled);
    const at = buttons.findIndex((button) => button === document.activeElement);
    const next = buttons[(at + step + buttons.length) % buttons.length];
    if (at < 0 || !next) return;
    event.preventDefault();
    next.focus();
    next.click();
  };

  protected override render(): TemplateResult {
    return html`<slot></slot>`;
  }
}
