// crowd-textract-analyze-document: a form's keys and values, read by Textract, made right by a reviewer.
import {
  type Answer,
  css,
  flagAttribute,
  html,
  jsonAttribute,
  nothing,
  type PropertyDeclarations,
  repeat,
  svg,
  type SVGTemplateResult,
  type TemplateResult,
} from "overread-kit";
import { type Block, blocksOf, type Box, emptyPair, lowerCamel, type Pair, pairsOf, type Side } from "./blocks";
import { ImageDesk, type Press } from "./desk";
import { distance, type Point } from "./geometry";
import { History } from "./history";
import { asRecords } from "./shapes";

const KEY = "AWS/Textract/AnalyzeDocument/Forms/V1";
const DRAGGED_PX = 4;
const COLORS: Record<Side, string> = { key: "#1f77b4", value: "#2ca02c" };

interface ImportantKey {
  readonly name: string;
  readonly aliases: readonly string[];
}

interface Chosen {
  readonly number: number;
  readonly side: Side;
}

export class CrowdTextractAnalyzeDocument extends ImageDesk {
  static override styles = [
    ...ImageDesk.styles,
    css`
      .pairs {
        display: grid;
        gap: 0.75rem;
        max-height: 60vh;
        margin: 0;
        padding: 0.25rem;
        overflow: auto;
        list-style: none;
      }
      .pair {
        display: grid;
        gap: 0.375rem;
        padding: 0.625rem 0.75rem;
        border: 1px solid var(--line);
        border-radius: 0.625rem;
      }
      .pair.chosen {
        border-color: var(--accent);
        background: var(--accent-soft);
      }
      .pair input {
        width: 100%;
        padding: 0.375rem 0.625rem;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
        background: var(--field);
        color: var(--ink);
        font: inherit;
      }
      .pair input[readonly] {
        border-color: transparent;
        background: none;
        font-weight: 600;
      }
      .tools {
        display: flex;
        gap: 0.75rem;
        font-size: 0.875rem;
      }
      .wanted {
        color: var(--quiet);
        font-size: 0.8125rem;
      }
    `,
  ];
  static override properties: PropertyDeclarations = {
    pairs: { state: true },
    chosen: { state: true },
    drawn: { state: true },
  };

  declare pairs: readonly Pair[];
  /** The box that a drag on the page draws anew. */
  declare chosen: Chosen | null;
  declare drawn: readonly [Point, Point] | null;

  private blocks: readonly Block[] = [];
  private first: readonly Pair[] = [];
  private wanted: readonly ImportantKey[] = [];
  private readonly history = new History<readonly Pair[]>([]);
  private from: Point | null = null;

  constructor() {
    super();
    this.pairs = [];
    this.chosen = null;
    this.drawn = null;
  }

  override get name(): string {
    return KEY;
  }

  override get value(): Answer {
    return { blocks: blocksOf(this.blocks, this.first, this.pairs) };
  }

  private get hasFixedKeys(): boolean {
    return flagAttribute(this, "no-key-edit");
  }

  private get hasFixedBoxes(): boolean {
    return flagAttribute(this, "no-geometry-edit");
  }

  override resetAnswer(): void {
    try {
      this.blocks = asRecords(lowerCamel(jsonAttribute(this, "initial-value") ?? []));
      this.wanted = asRecords(jsonAttribute(this, "keys") ?? []).map(importantKey);
    } catch {
      this.fault = "What Textract read cannot be shown. Please decline the task.";
    }
    this.first = pairsOf(this.blocks);
    this.pairs = this.first;
    this.history.reset(this.pairs);
    this.chosen = null;
    this.drawn = null;
  }

  override draftState(): unknown {
    return this.history.canUndo ? this.pairs : null;
  }

  override restoreDraft(state: unknown): void {
    if (!Array.isArray(state) || !state.every(isPair)) return;
    this.pairs = state;
    this.history.reset(state);
  }

  private commit(pairs: readonly Pair[], said: string): void {
    this.history.push(pairs);
    this.pairs = pairs;
    this.tell(said);
    this.changed();
  }

  private edit(pair: Pair, side: Side, change: { text?: string; box?: Box }): void {
    const changed = { ...pair, [side]: { ...pair[side], ...change } };
    this.commit(this.pairs.map((other) => (other.number === pair.number ? changed : other)), "Changed");
  }

  private add(key: string): void {
    const number = Math.max(0, ...this.pairs.map((pair) => pair.number), this.first.length) + 1;
    this.chosen = this.hasFixedBoxes ? null : { number, side: "value" };
    this.commit([...this.pairs, emptyPair(number, key)], "Pair added");
    void this.updateComplete.then(() => {
      const inputs = this.renderRoot.querySelectorAll<HTMLInputElement>(`[data-pair="${number}"] input:not([readonly])`);
      inputs[key === "" ? 0 : inputs.length - 1]?.focus();
    });
  }

  private removePair(pair: Pair): void {
    if (this.chosen?.number === pair.number) this.chosen = null;
    this.commit(this.pairs.filter((other) => other !== pair), "Pair removed");
  }

  protected override step(direction: "undo" | "redo"): void {
    this.pairs = direction === "undo" ? this.history.undo() : this.history.redo();
    this.tell(direction === "undo" ? "Undone" : "Redone");
    this.changed();
  }

  // On the page: a click chooses a pair, a drag draws the chosen box anew.

  protected override press(press: Press): void {
    this.from = press.at;
  }

  protected override drag(press: Press): void {
    const isDrawing = this.from !== null && this.chosen !== null && !this.hasFixedBoxes;
    if (isDrawing && this.from && distance(this.from, press.at) >= this.reach(DRAGGED_PX)) this.drawn = [this.from, press.at];
  }

  protected override release(press: Press): void {
    const drawn = this.drawn;
    this.from = null;
    this.drawn = null;
    if (drawn === null) {
      this.chooseAt(press.at);
      return;
    }
    this.putBox(drawn[0], press.at);
  }

  private putBox(one: Point, other: Point): void {
    const pair = this.pairs.find(({ number }) => number === this.chosen?.number);
    if (!pair || !this.chosen || !this.size) return;
    const { width, height } = this.size;
    const box = {
      left: Math.min(one.x, other.x) / width,
      top: Math.min(one.y, other.y) / height,
      width: Math.abs(one.x - other.x) / width,
      height: Math.abs(one.y - other.y) / height,
    };
    this.edit(pair, this.chosen.side, { box });
  }

  private chooseAt(at: Point): void {
    const hit = this.pairs.flatMap((pair) =>
      (["value", "key"] as const).filter((side) => this.covers(pair[side].box, at)).map((side) => ({ number: pair.number, side })),
    )[0];
    this.chosen = hit ?? null;
    if (hit) void this.updateComplete.then(() => this.renderRoot.querySelector(".pair.chosen")?.scrollIntoView({ block: "nearest" }));
  }

  private covers(box: Box | null, at: Point): boolean {
    if (box === null || this.size === null) return false;
    const [x, y] = [at.x / this.size.width, at.y / this.size.height];
    return x >= box.left && x <= box.left + box.width && y >= box.top && y <= box.top + box.height;
  }

  protected override cancel(): void {
    this.from = null;
    this.drawn = null;
  }

  protected override pressedKey(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === " " && this.cursor && this.chosen && !this.hasFixedBoxes) this.corner(this.cursor);
    else if (event.key === "Enter" && this.cursor) this.chooseAt(this.cursor);
    else if (event.key === "Escape") {
      this.cancel();
      this.chosen = null;
    } else return false;
    return true;
  }

  /** The first corner by the keyboard, then the second. */
  private corner(at: Point): void {
    if (this.drawn === null) {
      this.drawn = [at, at];
    } else {
      const [first] = this.drawn;
      this.drawn = null;
      this.putBox(first, at);
    }
  }

  protected override cursorMoved(at: Point): void {
    if (this.drawn) this.drawn = [this.drawn[0], at];
  }

  protected override keys(): readonly (readonly [string, string])[] {
    const drawing: [string, string][] = this.hasFixedBoxes ? [] : [["Space", "one corner of the chosen box, then the other"]];
    return [
      ["Arrows", "move the cross (Shift far, Alt a pixel)"],
      ["Enter", "choose the pair under the cross"],
      ...drawing,
      ["Ctrl+Z", "undo (Ctrl+Shift+Z: redo)"],
      ["+ − Home", "zoom in, out, to the whole page"],
    ];
  }

  protected override buttons(): TemplateResult {
    return html`
      <button type="button" ?disabled=${!this.history.canUndo} title="Ctrl+Z" @click=${() => this.step("undo")}>Undo</button>
      <button type="button" ?disabled=${!this.history.canRedo} title="Ctrl+Shift+Z" @click=${() => this.step("redo")}>Redo</button>
    `;
  }

  protected override overlay(): TemplateResult {
    const { width = 0, height = 0 } = this.size ?? {};
    return html`<svg>
      <g class="scene">
        ${this.pairs.map((pair) => (["key", "value"] as const).map((side) => this.marked(pair, side, width, height)))}
        ${this.drawn ? svg`<g style=${`--color:${COLORS[this.chosen?.side ?? "value"]}`}>${rectangle(...this.drawn)}</g>` : nothing}
      </g>
    </svg>`;
  }

  private marked(pair: Pair, side: Side, width: number, height: number): SVGTemplateResult | typeof nothing {
    const { box } = pair[side];
    if (box === null) return nothing;
    const isChosen = this.chosen?.number === pair.number;
    return svg`<g class=${isChosen ? "selected" : ""} style=${`--color:${COLORS[side]}`}>
      <rect class="shape" x=${box.left * width} y=${box.top * height} width=${box.width * width} height=${box.height * height}></rect>
    </g>`;
  }

  protected override list(): TemplateResult {
    const missing = this.wanted.filter((key) => !this.pairs.some((pair) => isMeant(key, pair.key.text)));
    return html`<div>
      <h2 class="title">${this.pairs.length === 1 ? "1 key and value" : `${this.pairs.length} keys and values`}</h2>
      <ul class="pairs">
        ${repeat(this.pairs, (pair) => pair.number, (pair) => this.row(pair))}
      </ul>
      ${missing.map(
        (key) => html`<p class="wanted">
          Not found: ${key.name}
          <button class="link" type="button" @click=${() => this.add(key.name)}>Add it</button>
        </p>`,
      )}
      ${this.hasFixedKeys ? nothing : html`<button class="link" type="button" @click=${() => this.add("")}>Add a pair</button>`}
    </div>`;
  }

  private row(pair: Pair): TemplateResult {
    const isChosen = this.chosen?.number === pair.number;
    const title = pair.key.text || `Pair ${pair.number}`;
    const field = (side: Side, isFixed: boolean): TemplateResult => html`<input
      aria-label=${side === "key" ? `Key ${pair.number}` : `Value of ${title}`}
      .value=${pair[side].text}
      ?readonly=${isFixed}
      @focus=${() => (this.chosen = { number: pair.number, side })}
      @change=${(event: Event) => this.edit(this.now(pair), side, { text: (event.target as HTMLInputElement).value.trim() })}
    />`;
    const isNew = pair.key.id === "";
    return html`<li class="pair ${isChosen ? "chosen" : ""}" data-pair=${pair.number}>
      ${field("key", this.hasFixedKeys && !(isNew && pair.key.text === ""))} ${field("value", false)}
      <span class="tools">
        ${this.hasFixedBoxes ? nothing : (["key", "value"] as const).map((side) => this.boxButton(pair, side))}
        <button class="link" type="button" aria-label=${`Remove ${title}`} @click=${() => this.removePair(this.now(pair))}>Remove</button>
      </span>
    </li>`;
  }

  private boxButton(pair: Pair, side: Side): TemplateResult {
    const isChosen = this.chosen?.number === pair.number && this.chosen.side === side;
    return html`<button
      class="link"
      type="button"
      aria-pressed=${isChosen ? "true" : "false"}
      @click=${() => {
        this.chosen = { number: pair.number, side };
        this.focus();
      }}
    >
      ${pair[side].box ? "Redraw" : "Draw"} ${side}
    </button>`;
  }

  /** The pair as it is now: an event may come from an older picture of it. */
  private now(pair: Pair): Pair {
    return this.pairs.find((other) => other.number === pair.number) ?? pair;
  }
}

function rectangle(one: Point, other: Point): SVGTemplateResult {
  const [x, y] = [Math.min(one.x, other.x), Math.min(one.y, other.y)];
  return svg`<rect class="shape" x=${x} y=${y} width=${Math.abs(one.x - other.x)} height=${Math.abs(one.y - other.y)}></rect>`;
}

function importantKey(item: Record<string, unknown>): ImportantKey {
  const aliases = item["importantFormKeyAliases"];
  return { name: String(item["importantFormKey"] ?? ""), aliases: Array.isArray(aliases) ? aliases.map(String) : [] };
}

function isMeant(key: ImportantKey, text: string): boolean {
  const plain = (words: string): string => words.toLowerCase().replace(/[\s:*.]+/g, " ").trim();
  return [key.name, ...key.aliases].some((name) => plain(name) === plain(text));
}

function isPair(value: unknown): value is Pair {
  const { number, key, value: other } = (value ?? {}) as Partial<Pair>;
  return typeof number === "number" && typeof key?.text === "string" && typeof other?.text === "string";
}
