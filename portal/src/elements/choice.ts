// What every choice among categories shares: the options with their keys, beside what is to be judged.
import JSON5 from "json5";
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { isTyping } from "../frame/typing";
import type { Answer, AnswerSource } from "./answer";
import { jsonAttribute, listAttribute, textAttribute } from "./attributes";
import { CrowdElement, look, ownsDigits, region, shortcutKey, slotRegions } from "./base";
import { dialog, dialogLook } from "./dialog";

const choiceLook = css`
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

export abstract class CategoryChoice extends CrowdElement implements AnswerSource {
  static override styles = [look, dialogLook, choiceLook];
  static override properties: PropertyDeclarations = { chosen: { state: true } };

  declare chosen: readonly string[];
  /** Whether several categories can be chosen together. */
  protected abstract readonly isMultiple: boolean;
  private options: string[] = [];
  /** The category that excludes all others; empty when there is none. */
  private exclusion = "";
  private optionsFault = "";

  constructor() {
    super();
    this.chosen = [];
  }

  protected override get nameByDefault(): string {
    return this.localName;
  }

  get value(): Answer {
    const chosen = this.options.filter((option) => this.chosen.includes(option));
    if (this.isMultiple) return { labels: chosen };
    return chosen.length === 0 ? {} : { label: chosen[0] };
  }

  get categories(): string[] {
    return this.options;
  }

  set categories(categories: readonly unknown[]) {
    this.setAttribute("categories", JSON.stringify(categories));
    this.readOptions();
  }

  protected abstract target(): TemplateResult;

  override connectedCallback(): void {
    super.connectedCallback();
    this.readOptions();
    slotRegions(this, ["classification-target", "short-instructions", "full-instructions", "worker-comment"], () =>
      this.requestUpdate(),
    );
    if (this.chosen.length === 0) this.resetAnswer();
    document.addEventListener("keydown", this.pickByKey);
  }

  private readOptions(): void {
    this.optionsFault = "";
    try {
      this.options = this.readCategories();
      this.exclusion = exclusionText(this);
      if (this.exclusion !== "" && !this.options.includes(this.exclusion)) this.options.push(this.exclusion);
    } catch (error) {
      this.optionsFault = String(error instanceof Error ? error.message : error);
    }
    this.chosen = this.known(this.chosen);
    this.requestUpdate();
  }

  protected override attributesChanged(names: ReadonlySet<string>): void {
    if (!["categories", "exclusioncategory", "initialvalue"].some((name) => names.has(name))) return;
    this.readOptions();
    if (this.chosen.length === 0) this.resetAnswer();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.pickByKey);
  }

  protected readCategories(): string[] {
    return listAttribute(this, "categories");
  }

  /** Whether the category that excludes all others is chosen. */
  protected get isExcluded(): boolean {
    return this.exclusion !== "" && this.chosen.includes(this.exclusion);
  }

  answerFragment(): Answer | null {
    return this.chosen.length === 0 ? null : { [this.name]: this.value };
  }

  check(): string {
    const wanted = this.isMultiple ? "Choose at least one of the answers." : "Choose one of the answers.";
    return this.showFault(this.chosen.length === 0 ? wanted : "");
  }

  resetAnswer(): void {
    const text = textAttribute(this, "initial-value");
    this.chosen = this.options.includes(text) ? [text] : this.isMultiple ? this.known(readList(text)) : [];
  }

  draftState(): unknown {
    return this.chosen.length === 0 ? null : this.chosen;
  }

  restoreDraft(state: unknown): void {
    if (Array.isArray(state)) this.chosen = this.known(state);
  }

  private known(categories: readonly unknown[]): string[] {
    return this.options.filter((option) => categories.includes(option));
  }

  override get takesDigits(): boolean {
    return true;
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>("input")?.focus();
  }

  private pick(category: string): void {
    if (!this.isMultiple) this.chosen = [category];
    else if (this.chosen.includes(category)) this.chosen = this.chosen.filter((other) => other !== category);
    else if (category === this.exclusion) this.chosen = [category];
    else this.chosen = [...this.chosen.filter((other) => other !== this.exclusion), category];
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
    this.renderRoot.querySelectorAll<HTMLElement>(".choice input")[index]?.focus();
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
        <legend>${this.isMultiple ? "All that apply" : "Your answer"}</legend>
        ${this.options.map(
          (category, index) => html`<label class="choice ${short && category.length > 8 ? "wide" : ""}">
            <input
              type=${this.isMultiple ? "checkbox" : "radio"}
              name="choice"
              .checked=${this.chosen.includes(category)}
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

/** `{ text: 'None apply' }`, or the bare text. */
function exclusionText(element: Element): string {
  const value = jsonAttribute(element, "exclusion-category");
  if (typeof value === "string") return value;
  const { text } = (value ?? {}) as { text?: unknown };
  return typeof text === "string" ? text : "";
}

function readList(text: string): unknown[] {
  try {
    const value: unknown = text.trim() === "" ? [] : JSON5.parse(text);
    return Array.isArray(value) ? value : [value];
  } catch {
    return [];
  }
}
