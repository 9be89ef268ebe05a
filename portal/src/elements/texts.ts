// crowd-input and crowd-text-area: texts under a name, left out of the answer when empty.
import { css, html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from "lit";
import type { Answer, AnswerSource } from "./answer";
import { flagAttribute, textAttribute } from "./attributes";
import { CrowdElement, look } from "./base";

const textLook = css`
  :host {
    margin: 0.75rem 0;
    max-width: 40rem;
  }
  .label {
    display: block;
    margin-bottom: 0.25rem;
    font-size: 0.9375rem;
    font-weight: 550;
  }
  input,
  textarea {
    width: 100%;
    padding: 0.5625rem 0.75rem;
    border: 1px solid var(--line);
    border-radius: 0.5rem;
    background: var(--field);
    color: var(--ink);
    font: inherit;
  }
  textarea {
    display: block;
    resize: vertical;
  }
  [aria-invalid="true"] {
    border-color: var(--bad);
  }
  ::placeholder {
    color: var(--quiet);
    opacity: 1;
  }
  .count {
    margin: 0.25rem 0 0;
    color: var(--quiet);
    font-size: 0.8125rem;
    text-align: right;
    font-variant-numeric: tabular-nums;
  }
`;

abstract class TextField extends CrowdElement implements AnswerSource {
  static override styles = [look, textLook];
  static override properties: PropertyDeclarations = { value: { state: true } };

  declare value: string;
  private touched = false;

  constructor() {
    super();
    this.value = "";
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
    if (this.value === "" && !this.touched) this.value = textAttribute(this, "value");
  }

  protected override attributesChanged(names: ReadonlySet<string>): void {
    if (names.has("value") && !this.touched) this.value = textAttribute(this, "value");
  }

  protected override firstUpdated(changed: PropertyValues): void {
    super.firstUpdated(changed);
    if (flagAttribute(this, "auto-focus")) this.focus();
  }

  answerFragment(): Answer | null {
    return this.name === "" || this.disabled || this.value === "" ? null : { [this.name]: this.value };
  }

  check(): string {
    return this.showFault(this.disabled ? "" : this.problem());
  }

  resetAnswer(): void {
    this.value = textAttribute(this, "value");
    this.fault = "";
  }

  draftState(): unknown {
    return this.value === "" ? null : this.value;
  }

  restoreDraft(state: unknown): void {
    if (typeof state === "string") this.value = state;
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>("input, textarea")?.focus();
  }

  protected abstract control(): HTMLInputElement | HTMLTextAreaElement | null;

  private problem(): string {
    const own = textAttribute(this, "error-message");
    if (this.value === "") return flagAttribute(this, "required") ? own || "Please fill this in." : "";
    const minimum = this.limit("min-length");
    if (minimum !== null && this.value.length < minimum) return own || `At least ${minimum} characters, please.`;
    const maximum = this.limit("max-length");
    if (maximum !== null && this.value.length > maximum) return own || `At most ${maximum} characters, please.`;
    const pattern = this.pattern();
    if (pattern && !Array.from(this.value).every((character) => pattern.test(character))) {
      return own || "Some of these characters are not allowed here.";
    }
    const control = this.control();
    return control && !control.validity.valid ? own || control.validationMessage : "";
  }

  /** The allowed single characters; an unreadable pattern allows all. */
  private pattern(): RegExp | null {
    const text = textAttribute(this, "allowed-pattern");
    if (text === "") return null;
    try {
      return new RegExp(`^(?:${text})$`, "u");
    } catch {
      return null;
    }
  }

  protected limit(name: string): number | null {
    const number = Number.parseInt(textAttribute(this, name), 10);
    return Number.isFinite(number) && number >= 0 ? number : null;
  }

  protected readonly typed = (event: Event): void => {
    event.stopPropagation();
    this.touched = true;
    this.value = (event.target as HTMLInputElement | HTMLTextAreaElement).value;
    this.changed();
    if (flagAttribute(this, "auto-validate")) this.check();
  };

  protected readonly guarded = (event: InputEvent): void => {
    const pattern = this.pattern();
    if (!pattern || event.data === null || event.isComposing) return;
    if (!Array.from(event.data).every((character) => pattern.test(character))) event.preventDefault();
  };

  /** What stands inside comes below: `<crowd-input/>` takes in all that follows. */
  protected labelled(control: TemplateResult): TemplateResult {
    const label = textAttribute(this, "label");
    return html`<label
        >${label === "" ? nothing : html`<span class="label">${label}</span>`}${control}</label
      >${this.faultLine()}<slot></slot>`;
  }

  protected accessibleName(): string | typeof nothing {
    return textAttribute(this, "label") === "" ? textAttribute(this, "placeholder") || this.name : nothing;
  }
}

const INPUT_TYPES = new Set(["text", "email", "number", "tel", "url", "date", "time", "datetime-local", "month", "week", "password", "search", "color"]);

export class CrowdInput extends TextField {
  protected override control(): HTMLInputElement | null {
    return this.renderRoot.querySelector("input");
  }

  protected override render(): TemplateResult {
    const type = textAttribute(this, "type").toLowerCase();
    return this.labelled(
      html`<input
        type=${INPUT_TYPES.has(type) ? type : "text"}
        .value=${this.value}
        aria-label=${this.accessibleName()}
        aria-invalid=${this.fault === "" ? "false" : "true"}
        placeholder=${textAttribute(this, "placeholder")}
        maxlength=${this.limit("max-length") ?? nothing}
        ?disabled=${this.disabled}
        @input=${this.typed}
        @beforeinput=${this.guarded}
      />`,
    );
  }
}

export class CrowdTextArea extends TextField {
  protected override control(): HTMLTextAreaElement | null {
    return this.renderRoot.querySelector("textarea");
  }

  protected override updated(): void {
    const area = this.control();
    const rows = this.limit("rows") ?? 2;
    const most = this.limit("max-rows") ?? Math.max(rows, 12);
    if (!area) return;
    area.rows = rows;
    while (area.scrollHeight > area.clientHeight && area.rows < most) area.rows += 1;
  }

  protected override render(): TemplateResult {
    const maximum = this.limit("max-length");
    return html`${this.labelled(
      html`<textarea
        rows=${this.limit("rows") ?? 2}
        .value=${this.value}
        aria-label=${this.accessibleName()}
        aria-invalid=${this.fault === "" ? "false" : "true"}
        placeholder=${textAttribute(this, "placeholder")}
        maxlength=${maximum ?? nothing}
        ?disabled=${this.disabled}
        @input=${this.typed}
        @beforeinput=${this.guarded}
      ></textarea>`,
    )}${flagAttribute(this, "char-counter")
      ? html`<p class="count">${this.value.length}${maximum === null ? "" : ` / ${maximum}`}</p>`
      : nothing}`;
  }
}
