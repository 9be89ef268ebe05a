// crowd-classifier and crowd-image-classifier: one choice among categories, beside what is to be judged.
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Answer, AnswerSource } from "./answer";
import { flagAttribute, listAttribute, textAttribute } from "./attributes";
import { CrowdElement, look, ownsDigits, region, shortcutKey, slotRegions } from "./base";
import { isTyping } from "../frame/typing";
import { dialog, dialogLook } from "./dialog";

const classifierLook = css`
  :host {
    container-type: inline-size;
    margin-bottom: 1.25rem;
  }
  .layout {
    display: grid;
    gap: 1.25rem;
  }
  .header {
    margin: 0 0 1rem;
    font-size: 1.375rem;
    line-height: 1.3;
    font-weight: 650;
    text-wrap: balance;
  }
  .panel {
    display: grid;
    align-content: start;
    gap: 1rem;
  }
  .short {
    padding: 0.875rem 1rem;
    border-radius: 0.75rem;
    background: var(--hover);
    color: var(--quiet);
    font-size: 0.9375rem;
  }
  fieldset {
    display: grid;
    gap: 0.5rem;
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend {
    padding: 0;
    margin-bottom: 0.5rem;
    color: var(--quiet);
    font-size: 0.8125rem;
    font-weight: 650;
    letter-spacing: 0.04em;
    text-transform: uppercase;
  }
  .many {
    grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr));
  }
  .many legend,
  .many .wide {
    grid-column: 1 / -1;
  }
  .choice {
    display: flex;
    align-items: center;
    gap: 0.75rem;
    min-height: 2.75rem;
    padding: 0.5rem 0.875rem;
    border: 1px solid var(--line);
    border-radius: 0.625rem;
    background: var(--surface);
    cursor: pointer;
    overflow-wrap: anywhere;
    transition:
      background 0.12s,
      border-color 0.12s;
  }
  .choice:hover {
    background: var(--hover);
  }
  .choice:has(:checked) {
    border-color: var(--accent);
    background: var(--accent-soft);
    box-shadow: inset 0 0 0 1px var(--accent);
    font-weight: 600;
  }
  .choice:has(:focus-visible) {
    outline: 3px solid color-mix(in srgb, var(--accent) 65%, transparent);
    outline-offset: 2px;
  }
  .choice input {
    flex: none;
    width: 1.125rem;
    height: 1.125rem;
    margin: 0;
    accent-color: var(--accent);
    outline: none;
  }
  .choice span {
    flex: 1;
  }
  kbd {
    padding: 0 0.4rem;
    border: 1px solid var(--line);
    border-radius: 0.3rem;
    color: var(--quiet);
    font: 600 0.75rem/1.5 ui-monospace, Consolas, monospace;
  }
  .picture {
    display: block;
    max-width: 100%;
    max-height: 70vh;
    margin: 0 auto;
    border-radius: 0.5rem;
  }
  .missing {
    padding: 2rem;
    border: 1px dashed var(--line);
    border-radius: 0.5rem;
    text-align: center;
    color: var(--bad);
  }
  @container (min-width: 52rem) {
    .layout {
      grid-template-columns: minmax(0, 1fr) minmax(16rem, 20rem);
    }
    .panel {
      position: sticky;
      top: 1rem;
    }
  }
  @container (max-width: 30rem) {
    kbd {
      display: none;
    }
  }
`;

abstract class SingleChoice extends CrowdElement implements AnswerSource {
  static override styles = [look, dialogLook, classifierLook];
  static override properties: PropertyDeclarations = { chosen: { state: true } };

  declare chosen: string | null;
  private options: string[] = [];
  private optionsFault = "";

  constructor() {
    super();
    this.chosen = null;
  }

  get name(): string {
    return textAttribute(this, "name") || this.localName;
  }

  get value(): Answer {
    return this.chosen === null ? {} : { label: this.chosen };
  }

  get categories(): string[] {
    return this.options;
  }

  protected abstract target(): TemplateResult;

  override connectedCallback(): void {
    super.connectedCallback();
    try {
      this.options = listAttribute(this, "categories");
    } catch (error) {
      this.optionsFault = String(error instanceof Error ? error.message : error);
    }
    slotRegions(this, ["classification-target", "short-instructions", "full-instructions", "worker-comment"], () =>
      this.requestUpdate(),
    );
    this.resetAnswer();
    document.addEventListener("keydown", this.pickByKey);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.pickByKey);
  }

  answerFragment(): Answer | null {
    return this.chosen === null ? null : { [this.name]: this.value };
  }

  check(): string {
    return this.showFault(this.chosen === null ? "Choose one of the answers." : "");
  }

  resetAnswer(): void {
    const initial = textAttribute(this, "initial-value");
    this.chosen = this.options.includes(initial) ? initial : null;
  }

  draftState(): unknown {
    return this.chosen;
  }

  restoreDraft(state: unknown): void {
    if (typeof state === "string" && this.options.includes(state)) this.chosen = state;
  }

  override get takesDigits(): boolean {
    return true;
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>("input")?.focus();
  }

  private pick(category: string): void {
    this.chosen = category;
    this.changed();
  }

  private readonly pickByKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (!ownsDigits(this)) return;
    const index = this.options.findIndex((_, position) => shortcutKey(position) === event.key);
    const category = this.options[index];
    if (category === undefined) return;
    event.preventDefault();
    this.pick(category);
    this.renderRoot.querySelectorAll<HTMLElement>("input[type=radio]")[index]?.focus();
  };

  protected override render(): TemplateResult {
    const header = textAttribute(this, "header");
    const full = region(this, "full-instructions");
    return html`
      ${header === "" ? nothing : html`<h1 class="header">${header}</h1>`}
      <div class="layout">
        <div class="target">${this.target()}</div>
        <div class="panel">
          ${this.choices()}
          <div class="short" ?hidden=${!region(this, "short-instructions")}>
            <slot name="short-instructions"></slot>
            ${full
              ? html`<button class="link" type="button" @click=${this.openInstructions}>Full instructions</button>`
              : nothing}
          </div>
          ${this.extra()}
        </div>
      </div>
      ${dialog(full?.getAttribute("header") || "Instructions", html`<slot name="full-instructions"></slot>`)}
    `;
  }

  protected extra(): TemplateResult | typeof nothing {
    return nothing;
  }

  private choices(): TemplateResult {
    if (this.optionsFault !== "") return html`<p class="fault" role="alert">${this.optionsFault}</p>`;
    const short = this.options.length > 6 && this.options.every((option) => option.length <= 14);
    return html`<div>
      <fieldset class=${short ? "many" : ""}>
        <legend>Your answer</legend>
        ${this.options.map(
          (category, index) => html`<label class="choice ${short && category.length > 8 ? "wide" : ""}">
            <input
              type="radio"
              name="choice"
              .checked=${this.chosen === category}
              @change=${() => this.pick(category)}
            />
            <span>${category === "cannot-decide" ? "Cannot decide" : category}</span>
            ${shortcutKey(index) === "" ? nothing : html`<kbd aria-hidden="true">${shortcutKey(index)}</kbd>`}
          </label>`,
        )}
      </fieldset>
      ${this.faultLine()}
    </div>`;
  }

  get hasInstructions(): boolean {
    return region(this, "full-instructions") !== undefined;
  }

  openInstructions(): void {
    const dialog = this.renderRoot.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }
}

export class CrowdClassifier extends SingleChoice {
  protected override target(): TemplateResult {
    return html`<slot name="classification-target"></slot>`;
  }
}

export class CrowdImageClassifier extends SingleChoice {
  static override properties: PropertyDeclarations = { broken: { state: true }, comment: { state: true } };

  declare broken: boolean;
  declare comment: string;

  constructor() {
    super();
    this.broken = false;
    this.comment = "";
  }

  override get value(): Answer {
    const comment = this.comment.trim();
    return comment === "" ? super.value : { ...super.value, workerComment: comment };
  }

  override resetAnswer(): void {
    super.resetAnswer();
    this.comment = "";
  }

  override draftState(): unknown {
    return { chosen: this.chosen, comment: this.comment };
  }

  override restoreDraft(state: unknown): void {
    if (typeof state !== "object" || state === null) return;
    const { chosen, comment } = state as Record<string, unknown>;
    super.restoreDraft(chosen);
    if (typeof comment === "string") this.comment = comment;
  }

  protected override target(): TemplateResult {
    const source = textAttribute(this, "src");
    if (this.broken) {
      return html`<p class="missing" role="alert">The image could not be loaded. Decline the task if it stays away.</p>`;
    }
    const alt = textAttribute(this, "header") || "The image to judge";
    return html`<img class="picture" src=${source} alt=${alt} @error=${() => (this.broken = true)} />`;
  }

  protected override extra(): TemplateResult | typeof nothing {
    const comment = region(this, "worker-comment");
    if (!comment) return nothing;
    const label = comment.getAttribute("header") || comment.getAttribute("link-text") || "Add a comment";
    return html`<label class="comment"
      >${label}
      <textarea
        rows="2"
        .value=${this.comment}
        placeholder=${comment.getAttribute("placeholder") ?? ""}
        ?disabled=${flagAttribute(comment, "disabled")}
        @input=${(event: Event) => (this.comment = (event.target as HTMLTextAreaElement).value)}
      ></textarea>
    </label>`;
  }

  static override styles = [
    ...SingleChoice.styles,
    css`
      .comment {
        display: grid;
        gap: 0.25rem;
        color: var(--quiet);
        font-size: 0.875rem;
      }
      textarea {
        padding: 0.5rem 0.75rem;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
        background: var(--field);
        color: var(--ink);
        font: inherit;
      }
    `,
  ];
}
