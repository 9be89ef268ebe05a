// crowd-entity-annotation: spans of a text and their labels.
import {
  type Answer,
  type AnswerSource,
  CrowdElement,
  css,
  dialog,
  dialogLook,
  html,
  isTyping,
  jsonAttribute,
  look,
  nothing,
  ownsDigits,
  type PropertyDeclarations,
  region,
  shortcutKey,
  slotRegions,
  type TemplateResult,
  textAttribute,
} from "overread-kit";
import { colorOf } from "../image/colors";
import { History } from "../image/history";
import { inserted, overlapping, readSpans, type Span, trimmed, wordFrom } from "./spans";

interface Label {
  readonly label: string;
  readonly short: string;
  readonly full: string;
}

class CrowdEntityAnnotation extends CrowdElement implements AnswerSource {
  static override styles = [
    look,
    dialogLook,
    css`
      :host {
        container-type: inline-size;
        margin-bottom: 1.25rem;
      }
      .header {
        margin: 0 0 0.75rem;
        font-size: 1.375rem;
        line-height: 1.3;
        font-weight: 650;
        text-wrap: balance;
      }
      .layout,
      .panel {
        display: grid;
        align-content: start;
        gap: 1rem;
        min-width: 0;
      }
      .text {
        min-height: 8rem;
        max-height: 70vh;
        overflow: auto;
        padding: 1rem 1.25rem;
        border: 1px solid var(--line);
        border-radius: 0.625rem;
        background: var(--surface);
        font-size: 1.0625rem;
        line-height: 2.1;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        cursor: text;
      }
      .text::selection,
      .text *::selection,
      .chosen {
        background: color-mix(in srgb, var(--color, var(--accent)) 35%, transparent);
      }
      mark {
        padding: 0.125rem 0;
        border-bottom: 0.1875rem solid var(--color);
        border-radius: 0.1875rem;
        background: color-mix(in srgb, var(--color) 18%, transparent);
        color: inherit;
        cursor: pointer;
      }
      mark.last::after {
        content: attr(data-tag);
        margin-left: 0.25rem;
        padding: 0 0.3rem;
        border-radius: 0.25rem;
        background: var(--color);
        color: #ffffff;
        font-size: 0.6875rem;
        font-weight: 700;
        vertical-align: 0.125rem;
        user-select: none;
      }
      mark.selected {
        outline: 2px solid var(--color);
      }
      .caret {
        border-left: 2px solid var(--accent);
        margin-right: -2px;
      }
      .bar {
        display: flex;
        gap: 0.375rem;
        margin-bottom: 0.5rem;
      }
      .bar button,
      .row button,
      .row select {
        min-height: 2.25rem;
        padding: 0.25rem 0.75rem;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
        background: var(--surface);
        color: var(--ink);
        font: inherit;
        font-size: 0.9375rem;
      }
      .bar button:disabled {
        opacity: 0.45;
        cursor: default;
      }
      fieldset {
        display: grid;
        gap: 0.25rem;
        margin: 0;
        padding: 0;
        border: 0;
      }
      legend,
      .title {
        margin: 0 0 0.375rem;
        padding: 0;
        color: var(--quiet);
        font-size: 0.8125rem;
        font-weight: 650;
        letter-spacing: 0.04em;
        text-transform: uppercase;
      }
      .choice {
        display: flex;
        align-items: center;
        gap: 0.625rem;
        min-height: 2.25rem;
        padding: 0.25rem 0.625rem;
        border: 1px solid transparent;
        border-radius: 0.5rem;
        cursor: pointer;
        overflow-wrap: anywhere;
      }
      .choice:has(:checked) {
        border-color: var(--line);
        background: var(--accent-soft);
        font-weight: 600;
      }
      .choice input {
        flex: none;
        margin: 0;
        accent-color: var(--accent);
      }
      .choice span {
        flex: 1;
      }
      .swatch {
        flex: none;
        width: 0.875rem;
        height: 0.875rem;
        border-radius: 0.25rem;
        background: var(--color);
      }
      kbd {
        padding: 0 0.4rem;
        border: 1px solid var(--line);
        border-radius: 0.3rem;
        color: var(--quiet);
        font: 600 0.75rem/1.5 ui-monospace, Consolas, monospace;
      }
      .rows {
        display: grid;
        gap: 0.125rem;
        max-height: 18rem;
        margin: 0;
        padding: 0;
        overflow: auto;
        list-style: none;
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.375rem;
      }
      .row .name {
        flex: 1;
        display: flex;
        align-items: center;
        gap: 0.5rem;
        min-width: 8rem;
        border-color: transparent;
        background: none;
        text-align: left;
      }
      .row .name[aria-pressed="true"] {
        border-color: var(--line);
        background: var(--accent-soft);
        font-weight: 600;
      }
      .short {
        padding: 0.875rem 1rem;
        border-radius: 0.75rem;
        background: var(--hover);
        color: var(--quiet);
        font-size: 0.9375rem;
      }
      .none,
      .keys {
        margin: 0;
        color: var(--quiet);
        font-size: 0.9375rem;
      }
      .keys dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 0.25rem 0.75rem;
        margin: 0.5rem 0 0;
      }
      .keys dd {
        margin: 0;
      }
      .unseen {
        position: absolute;
        width: 1px;
        height: 1px;
        margin: 0;
        overflow: hidden;
        clip-path: inset(50%);
        white-space: nowrap;
      }
      @container (min-width: 52rem) {
        .layout {
          grid-template-columns: minmax(0, 1fr) minmax(15rem, 19rem);
        }
      }
    `,
  ];
  static override properties: PropertyDeclarations = {
    spans: { state: true },
    label: { state: true },
    selected: { state: true },
    caret: { state: true },
    anchor: { state: true },
    status: { state: true },
  };

  declare spans: readonly Span[];
  declare label: number;
  declare selected: Span | null;
  /** Where the keyboard is in the text, and where its selection began; null before it was used. */
  declare caret: number | null;
  declare anchor: number | null;
  declare status: string;

  private names: readonly Label[] = [];
  private points: readonly string[] = [];
  private isStarted = false;
  private readonly history = new History<readonly Span[]>([]);

  constructor() {
    super();
    this.spans = [];
    this.label = 0;
    this.selected = null;
    this.caret = null;
    this.anchor = null;
    this.status = "";
  }

  protected override get nameByDefault(): string {
    return this.localName;
  }

  get labels(): string[] {
    return this.names.map((name) => name.label);
  }

  set labels(labels: readonly unknown[]) {
    this.setAttribute("labels", JSON.stringify(labels));
  }

  get value(): Answer {
    return { entities: this.spans.map(({ label, start, end }) => ({ endOffset: end, label, startOffset: start })) };
  }

  override get takesDigits(): boolean {
    return this.names.length > 1;
  }

  get hasInstructions(): boolean {
    return region(this, "full-instructions") !== undefined;
  }

  openInstructions(): void {
    const dialog = this.renderRoot.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    slotRegions(this, ["short-instructions", "full-instructions"], () => this.requestUpdate());
    if (!this.isStarted) this.start();
    document.addEventListener("keydown", this.pickLabel);
  }

  private start(): void {
    this.isStarted = true;
    this.fault = "";
    try {
      this.names = readLabels(jsonAttribute(this, "labels"));
    } catch {
      this.fault = `<${this.localName}> needs a list of labels in the attribute "labels"`;
    }
    this.points = Array.from(this.getAttribute("text") ?? "");
    this.resetAnswer();
  }

  protected override attributesChanged(names: ReadonlySet<string>): void {
    const isTold = ["labels", "initialvalue", "text"].some((name) => names.has(name));
    if (isTold && !this.history.canUndo) this.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.pickLabel);
  }

  answerFragment(): Answer | null {
    return { [this.name]: this.value };
  }

  check(): string {
    return this.showFault("");
  }

  resetAnswer(): void {
    let spans: readonly Span[] = [];
    try {
      spans = readSpans(jsonAttribute(this, "initial-value"), this.points.length);
    } catch {
      this.fault = "The entities that came with this task cannot be read.";
    }
    this.history.reset(spans);
    this.spans = spans;
    this.selected = null;
  }

  draftState(): unknown {
    return this.history.canUndo ? this.value : null;
  }

  restoreDraft(state: unknown): void {
    const { entities } = (state ?? {}) as { entities?: unknown };
    this.spans = readSpans(entities, this.points.length);
    this.history.reset(this.spans);
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>(".text")?.focus();
  }

  private commit(spans: readonly Span[], said: string): void {
    this.history.push(spans);
    this.spans = spans;
    this.status = said;
    this.changed();
  }

  /** Label a range; spans in its way make room. */
  private mark(from: number, to: number): void {
    const range = trimmed(this.points, from, to);
    const label = this.names[this.label]?.label;
    this.anchor = null;
    if (range === null || label === undefined) return;
    const span = { label, ...range };
    const others = overlapping(this.spans, range);
    this.selected = span;
    this.commit(inserted(this.spans.filter((other) => !others.includes(other)), span), `${this.quoted(span)} is ${label}`);
  }

  private erase(span: Span): void {
    this.selected = null;
    this.commit(this.spans.filter((other) => other !== span), `${this.quoted(span)} is no entity any more`);
  }

  private relabel(span: Span, label: string): void {
    const changed = { ...span, label };
    this.selected = changed;
    this.commit(this.spans.map((other) => (other === span ? changed : other)), `${this.quoted(span)} is ${label}`);
  }

  private step(direction: "undo" | "redo"): void {
    this.spans = direction === "undo" ? this.history.undo() : this.history.redo();
    this.selected = null;
    this.status = direction === "undo" ? "Undone" : "Redone";
    this.changed();
  }

  private quoted({ start, end }: Span): string {
    return this.points.slice(start, end).join("");
  }

  // Mouse and touch: the browser's own selection.

  private readonly pointed = (event: PointerEvent): void => {
    const range = selectedRange(this.renderRoot as ShadowRoot);
    const from = range && offsetIn(range.startContainer, range.startOffset);
    const to = range && offsetIn(range.endContainer, range.endOffset);
    if (typeof from === "number" && typeof to === "number" && from !== to) {
      this.mark(from, to);
      document.getSelection()?.removeAllRanges();
      return;
    }
    const mark = event.composedPath().find((target): target is HTMLElement => target instanceof HTMLElement && target.localName === "mark");
    const start = Number(mark?.dataset["span"] ?? -1);
    this.selected = this.spans.find((span) => span.start === start) ?? null;
    this.caret = typeof to === "number" ? to : this.caret;
    this.anchor = null;
  };

  // Keyboard: a caret of its own.

  private readonly keydown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey) return;
    if (this.command(event) || this.moved(event) || this.acted(event)) event.preventDefault();
  };

  private command(event: KeyboardEvent): boolean {
    if (!(event.ctrlKey || event.metaKey)) return false;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return false;
    this.step(key === "y" || event.shiftKey ? "redo" : "undo");
    return true;
  }

  private moved(event: KeyboardEvent): boolean {
    const at = this.caret ?? 0;
    const isWord = event.ctrlKey || event.metaKey;
    const places: Record<string, () => number> = {
      ArrowLeft: () => (isWord ? wordFrom(this.points, at, -1) : at - 1),
      ArrowRight: () => (isWord ? wordFrom(this.points, at, 1) : at + 1),
      ArrowUp: () => at - 80,
      ArrowDown: () => at + 80,
      Home: () => 0,
      End: () => this.points.length,
    };
    const place = places[event.key];
    if (place === undefined) return false;
    this.anchor = event.shiftKey ? (this.anchor ?? at) : null;
    this.caret = Math.min(Math.max(place(), 0), this.points.length);
    this.selected = event.shiftKey ? null : (this.spans.find(({ start, end }) => start <= (this.caret ?? 0) && (this.caret ?? 0) < end) ?? null);
    this.status = this.heard();
    void this.updateComplete.then(() => this.renderRoot.querySelector(".caret")?.scrollIntoView({ block: "nearest" }));
    return true;
  }

  private heard(): string {
    const [caret, anchor] = [this.caret ?? 0, this.anchor];
    if (anchor !== null) return `${this.points.slice(Math.min(caret, anchor), Math.max(caret, anchor)).join("")} selected`;
    return this.selected ? `${this.quoted(this.selected)}, ${this.selected.label}` : (this.points[caret] ?? "end of the text");
  }

  private acted(event: KeyboardEvent): boolean {
    const isDeletion = event.key === "Delete" || event.key === "Backspace";
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && this.anchor !== null && this.caret !== null) this.mark(this.anchor, this.caret);
    else if (isDeletion && this.selected) this.erase(this.selected);
    else if (event.key === "Escape") {
      this.anchor = null;
      this.selected = null;
    } else return false;
    return true;
  }

  private readonly pickLabel = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (!event.composedPath().includes(this) && !ownsDigits(this)) return;
    const index = this.names.findIndex((_, position) => shortcutKey(position) === event.key);
    if (index < 0) return;
    event.preventDefault();
    this.choose(index);
  };

  /** The label for what is marked next, and at once for what the keyboard has selected. */
  private choose(index: number): void {
    this.label = index;
    if (this.anchor !== null && this.caret !== null) this.mark(this.anchor, this.caret);
  }

  // What it looks like.

  private colorOfLabel(label: string): string {
    const index = this.names.findIndex((name) => name.label === label);
    return index < 0 ? "#5b6673" : colorOf(index);
  }

  protected override render(): TemplateResult {
    const header = textAttribute(this, "header");
    const full = region(this, "full-instructions");
    return html`
      ${header === "" ? nothing : html`<h1 class="header">${header}</h1>`}
      <div class="layout">
        <div>
          <div class="bar" role="toolbar" aria-label="Tools">
            <button type="button" ?disabled=${!this.history.canUndo} title="Ctrl+Z" @click=${() => this.step("undo")}>Undo</button>
            <button type="button" ?disabled=${!this.history.canRedo} title="Ctrl+Shift+Z" @click=${() => this.step("redo")}>
              Redo
            </button>
            <button
              type="button"
              ?disabled=${this.selected === null}
              title="Delete"
              @click=${() => this.selected && this.erase(this.selected)}
            >
              Delete
            </button>
          </div>
          <div
            class="text"
            tabindex="0"
            role="application"
            aria-label="Text: select with the mouse, or with Shift and arrow keys and then Enter"
            aria-describedby="content"
            @keydown=${this.keydown}
            @pointerup=${this.pointed}
          >${this.pieces()}</div>
          <p class="unseen" id="content">${this.points.join("")}</p>
          ${this.faultLine()}
        </div>
        <div class="panel">
          ${this.labelChoice()} ${this.list()}
          <div class="short" ?hidden=${!region(this, "short-instructions") && !full}>
            <slot name="short-instructions"></slot>
            ${full
              ? html`<button class="link" type="button" @click=${this.openInstructions}>Full instructions</button>`
              : nothing}
          </div>
          <details class="keys">
            <summary>Keys</summary>
            <dl>
              <dt><kbd>Arrows</kbd></dt><dd>move in the text (Ctrl: by words; Shift: select)</dd>
              <dt><kbd>Enter</kbd></dt><dd>label what is selected (or a digit: with that label)</dd>
              <dt><kbd>Delete</kbd></dt><dd>remove the entity under the caret</dd>
              <dt><kbd>Ctrl+Z</kbd></dt><dd>undo (Ctrl+Shift+Z: redo)</dd>
            </dl>
          </details>
        </div>
      </div>
      <slot></slot>
      <p class="unseen" role="status">${this.status}</p>
      ${dialog(full?.getAttribute("header") || "Instructions", html`<slot name="full-instructions"></slot>`)}
    `;
  }

  /** The text in pieces: cut at the ends of spans, of the keyboard's selection, and at its caret. */
  private pieces(): TemplateResult[] {
    const [caret, anchor] = [this.caret, this.anchor];
    const cuts = new Set([0, this.points.length, ...this.spans.flatMap(({ start, end }) => [start, end])]);
    if (caret !== null) cuts.add(caret);
    if (anchor !== null) cuts.add(anchor);
    const places = Array.from(cuts).sort((one, other) => one - other);
    const pieces = places.slice(0, -1).map((start, index) => {
      const end = places[index + 1] ?? this.points.length;
      const isChosen = caret !== null && anchor !== null && start >= Math.min(caret, anchor) && end <= Math.max(caret, anchor);
      const before = caret === start ? html`<i class="caret"></i>` : nothing;
      return html`${before}${this.piece(start, end, isChosen)}`;
    });
    if (caret === this.points.length) pieces.push(html`<i class="caret"></i>`);
    return pieces;
  }

  private piece(start: number, end: number, isChosen: boolean): TemplateResult {
    const text = this.points.slice(start, end).join("");
    const span = this.spans.find((other) => other.start <= start && end <= other.end);
    const chosen = isChosen ? "chosen" : "";
    if (!span) return html`<span class=${chosen} data-start=${start}>${text}</span>`;
    const isLast = end === span.end ? "last" : "";
    const name = this.names.find(({ label }) => label === span.label);
    return html`<mark
      class="${chosen} ${isLast} ${span === this.selected ? "selected" : ""}"
      data-start=${start}
      data-span=${span.start}
      data-tag=${name?.short ?? span.label}
      style=${`--color:${this.colorOfLabel(span.label)}`}
      >${text}</mark
    >`;
  }

  private labelChoice(): TemplateResult {
    return html`<fieldset>
      <legend>Label</legend>
      ${this.names.map(
        (name, index) => html`<label class="choice">
          <input type="radio" name="label" .checked=${this.label === index} @change=${() => this.choose(index)} />
          <i class="swatch" style=${`--color:${colorOf(index)}`}></i>
          <span>${name.full}</span>
          ${shortcutKey(index) === "" ? nothing : html`<kbd aria-hidden="true">${shortcutKey(index)}</kbd>`}
        </label>`,
      )}
    </fieldset>`;
  }

  private list(): TemplateResult {
    return html`<div>
      <h2 class="title">${this.spans.length === 1 ? "1 entity" : `${this.spans.length} entities`}</h2>
      ${this.spans.length === 0 ? html`<p class="none">Nothing is marked yet.</p>` : nothing}
      <ol class="rows">
        ${this.spans.map((span) => this.row(span))}
      </ol>
    </div>`;
  }

  private row(span: Span): TemplateResult {
    const isSelected = span === this.selected;
    const text = this.quoted(span);
    const labels = this.labels.includes(span.label) ? this.labels : [span.label, ...this.labels];
    return html`<li class="row">
      <button
        class="name"
        type="button"
        aria-pressed=${isSelected ? "true" : "false"}
        @click=${() => (this.selected = isSelected ? null : span)}
      >
        <i class="swatch" style=${`--color:${this.colorOfLabel(span.label)}`}></i>${text}
      </button>
      ${isSelected
        ? html`<select
              aria-label=${`Label of ${text}`}
              @change=${(event: Event) => this.relabel(span, (event.target as HTMLSelectElement).value)}
            >
              ${labels.map((label) => html`<option value=${label} ?selected=${label === span.label}>${label}</option>`)}
            </select>
            <button type="button" aria-label=${`Delete ${text}`} @click=${() => this.erase(span)}>Delete</button>`
        : nothing}
    </li>`;
  }
}

/** Labels as texts, or as objects with their display names. */
function readLabels(value: unknown): Label[] {
  if (!Array.isArray(value)) throw new TypeError("no list");
  return value.map((item: unknown) => {
    if (typeof item !== "object" || item === null) return { label: String(item), short: String(item), full: String(item) };
    const { label, shortDisplayName, fullDisplayName } = item as Record<string, unknown>;
    const name = String(label ?? "");
    return { label: name, short: String(shortDisplayName ?? name), full: String(fullDisplayName ?? name) };
  });
}

/** What the reader has selected inside a shadow tree; browsers differ in how they tell. */
function selectedRange(root: ShadowRoot): StaticRange | Range | null {
  const own = (root as ShadowRoot & { getSelection?: () => Selection | null }).getSelection?.();
  const selection = own ?? document.getSelection();
  if (!selection) return null;
  const composed = (selection as Selection & { getComposedRanges?: (options: object) => StaticRange[] }).getComposedRanges;
  if (!own && composed) return composed.call(selection, { shadowRoots: [root] })[0] ?? null;
  return selection.rangeCount > 0 ? selection.getRangeAt(0) : null;
}

/** The place in the text, in code points, of a place in the tree. */
function offsetIn(node: Node, offset: number): number | null {
  const piece = (node instanceof Element ? node : node.parentElement)?.closest<HTMLElement>("[data-start]");
  if (node.nodeType === Node.TEXT_NODE && piece) {
    return Number(piece.dataset["start"]) + Array.from((node.textContent ?? "").slice(0, offset)).length;
  }
  const next = node.childNodes[offset] ?? null;
  const after = next instanceof HTMLElement ? next : piece;
  if (after?.dataset["start"] === undefined) return null;
  return Number(after.dataset["start"]) + (after === piece && offset > 0 ? Array.from(after.textContent ?? "").length : 0);
}

customElements.define("crowd-entity-annotation", CrowdEntityAnnotation);
