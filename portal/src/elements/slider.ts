// crowd-slider: a number between two limits.
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Answer, AnswerSource } from "./answer";
import { flagAttribute, textAttribute } from "./attributes";
import { CrowdElement, look } from "./base";

export class CrowdSlider extends CrowdElement implements AnswerSource {
  static override styles = [
    look,
    css`
      :host {
        margin: 0.75rem 0;
        max-width: 40rem;
      }
      .line {
        display: flex;
        align-items: center;
        gap: 0.75rem;
      }
      .track {
        position: relative;
        flex: 1;
        display: grid;
        align-items: center;
      }
      .track > * {
        grid-area: 1 / 1;
      }
      progress {
        width: 100%;
        height: 0.375rem;
        opacity: 0.4;
        accent-color: var(--accent);
        pointer-events: none;
      }
      input[type="range"] {
        width: 100%;
        margin: 0;
        accent-color: var(--accent);
      }
      input[type="number"] {
        width: 6rem;
        padding: 0.375rem 0.5rem;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
        background: var(--field);
        color: var(--ink);
        font: inherit;
      }
      output {
        min-width: 3ch;
        font-variant-numeric: tabular-nums;
        font-weight: 600;
      }
      .labels {
        position: relative;
        height: 1.5rem;
        color: var(--quiet);
        font-size: 0.875rem;
      }
      .labels:not(:has(*)) {
        display: none;
      }
    `,
  ];
  static override properties: PropertyDeclarations = { value: { state: true }, moved: { state: true } };

  declare value: number;
  /** Whether somebody chose the value. */
  declare moved: boolean;

  constructor() {
    super();
    this.value = 0;
    this.moved = false;
  }

  get disabled(): boolean {
    return flagAttribute(this, "disabled");
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.moved && this.value === 0) this.resetAnswer();
  }

  protected override attributesChanged(names: ReadonlySet<string>): void {
    if (!this.moved && ["value", "min", "max"].some((name) => names.has(name))) this.resetAnswer();
  }

  answerFragment(): Answer | null {
    return this.name === "" || this.disabled ? null : { [this.name]: this.value };
  }

  check(): string {
    const isUnset = flagAttribute(this, "required") && !this.disabled && !this.moved && textAttribute(this, "value") === "";
    return this.showFault(isUnset ? "Please choose a value." : "");
  }

  resetAnswer(): void {
    const [least, most] = [this.number("min", 0), this.number("max", 100)];
    this.value = Math.min(Math.max(this.number("value", least), least), Math.max(least, most));
    this.moved = false;
  }

  draftState(): unknown {
    return this.moved ? this.value : null;
  }

  restoreDraft(state: unknown): void {
    if (typeof state !== "number" || !Number.isFinite(state)) return;
    this.value = state;
    this.moved = true;
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>("input")?.focus();
  }

  private number(name: string, otherwise: number): number {
    const value = Number.parseFloat(textAttribute(this, name));
    return Number.isFinite(value) ? value : otherwise;
  }

  private readonly moves = (event: Event): void => {
    event.stopPropagation();
    const value = (event.target as HTMLInputElement).valueAsNumber;
    if (!Number.isFinite(value)) return;
    this.value = Math.min(Math.max(value, this.number("min", 0)), this.number("max", 100));
    this.moved = true;
    this.changed();
  };

  protected override render(): TemplateResult {
    const name = this.getAttribute("aria-label") ?? (textAttribute(this, "label") || this.name || "Value");
    const [least, most, step] = [this.number("min", 0), this.number("max", 100), this.number("step", 1)];
    const second = textAttribute(this, "secondary-progress");
    const isEditable = flagAttribute(this, "editable");
    const field = (type: "range" | "number"): TemplateResult => html`<input
      type=${type}
      min=${least}
      max=${most}
      step=${step}
      .value=${String(this.value)}
      aria-label=${name}
      ?disabled=${this.disabled}
      @input=${this.moves}
      @change=${(event: Event) => event.stopPropagation()}
    />`;
    return html`<div class="line">
        <div class="track">
          ${second === ""
            ? nothing
            : html`<progress aria-hidden="true" max=${most - least} value=${this.number("secondary-progress", least) - least}></progress>`}
          ${field("range")}
        </div>
        ${isEditable ? field("number") : html`<output aria-hidden="true">${this.value}</output>`}
      </div>
      <div class="labels"><slot></slot></div>
      ${this.faultLine()}`;
  }
}

/** A text under the slider at a value of its scale. */
export class CrowdSliderLabel extends CrowdElement {
  static override styles = [
    look,
    css`
      :host {
        position: absolute;
        translate: -50% 0;
        white-space: nowrap;
        font-size: inherit;
        color: inherit;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    const slider = this.closest("crowd-slider");
    const limit = (name: string, otherwise: number): number => {
      const value = Number.parseFloat(slider === null ? "" : textAttribute(slider, name));
      return Number.isFinite(value) ? value : otherwise;
    };
    const [least, most] = [limit("min", 0), limit("max", 100)];
    const position = Number.parseFloat(textAttribute(this, "position"));
    const share = (Math.min(Math.max(Number.isFinite(position) ? position : least, least), most) - least) / (most - least || 1);
    this.style.left = `${100 * share}%`;
  }

  protected override render(): TemplateResult {
    return html`<slot></slot>`;
  }
}
