// An image desk on which pixels are painted: by polygon, brush and eraser.
import {
  type Answer,
  html,
  nothing,
  type PropertyDeclarations,
  svg,
  type SVGTemplateResult,
  type TemplateResult,
} from "overread-kit";
import { channels } from "./colors";
import { ImageDesk, type Press } from "./desk";
import { distance, type Point } from "./geometry";
import { readMask } from "./given-mask";
import { around, Mask, type Patch, type Rectangle } from "./mask";

type Tool = "polygon" | "brush" | "eraser";

/** What can be painted: its colour and label. Its number in the mask is its place in the list, from 1. */
export interface Thing {
  readonly label: string;
  readonly color: string;
}

interface Step<Extra> {
  readonly patch: Patch | null;
  readonly before: Extra;
  readonly after: Extra;
}

/** A mask that is to be read: its address, and the colours of the things in it. */
export interface Given {
  readonly src: string;
  readonly things: readonly Thing[];
}

const MOST_STEPS = 60;
const MOST_DRAFT = 1_500_000; // characters of a mask that is kept as a draft
const CLOSING_PX = 10;
const TOOLS: readonly (readonly [Tool, string, string])[] = [
  ["polygon", "Polygon", "g"],
  ["brush", "Brush", "b"],
  ["eraser", "Eraser", "e"],
];

export abstract class SegmentationTool extends ImageDesk {
  static override properties: PropertyDeclarations = {
    tool: { state: true },
    brush: { state: true },
    things: { state: true },
    drawn: { state: true },
    pointer: { state: true },
    isPending: { state: true },
    isPainting: { state: true },
  };

  declare tool: Tool;
  /** The brush's radius in pixels of the screen: it stays as large as it looks. */
  declare brush: number;
  declare things: readonly Thing[];
  declare drawn: readonly Point[] | null;
  declare pointer: Point | null;
  declare isPending: boolean;
  /** Whether the keyboard's cross paints where it goes. */
  declare isPainting: boolean;

  private readonly canvas = document.createElement("canvas");
  protected mask: Mask | null = null;
  private past: Step<readonly Thing[]>[] = [];
  private future: Step<readonly Thing[]>[] = [];
  private stroke: { before: Uint8Array; touched: Rectangle | null; last: Point; things: readonly Thing[] } | null = null;
  private revision = 0;
  private initialRevision: number | null = null;
  private written: { revision: number; png: string; counts: Uint32Array } | null = null;
  private draft: Given | null = null;

  constructor() {
    super();
    this.tool = "polygon";
    this.brush = 14;
    this.things = [];
    this.drawn = null;
    this.pointer = null;
    this.isPending = false;
    this.isPainting = false;
  }

  /** The mask that came with the task, or null. */
  protected abstract given(): Given | null;
  /** What can be painted before anything is. */
  protected abstract firstThings(): readonly Thing[];
  /** The number that the next polygon or stroke paints; may add a thing. */
  protected abstract thingToPaint(): number;
  /** The part of the answer beside picture and size: of the things that have pixels. */
  protected abstract described(used: readonly Thing[]): Answer;

  override get value(): Answer {
    const { png, counts } = this.write();
    const used = this.things.filter((_, index) => (counts[index + 1] ?? 0) > 0);
    const modified = this.initialRevision === null ? {} : { initialValueModified: this.revision !== this.initialRevision };
    return {
      inputImageProperties: this.imageProperties(),
      ...this.described(used),
      labeledImage: { pngImageData: png },
      ...modified,
    };
  }

  private write(): { png: string; counts: Uint32Array } {
    if (this.written?.revision !== this.revision) {
      const png = this.mask === null ? "" : this.canvas.toDataURL("image/png").slice("data:image/png;base64,".length);
      this.written = { revision: this.revision, png, counts: this.mask?.counts() ?? new Uint32Array(1) };
    }
    return this.written;
  }

  override resetAnswer(): void {
    this.cancel();
    this.past = [];
    this.future = [];
    this.initialRevision = null;
    this.things = this.firstThings();
    if (this.size) this.imageLoaded();
  }

  protected override imageLoaded(): void {
    if (this.size === null) return;
    this.mask = new Mask(this.size);
    this.canvas.width = this.size.width;
    this.canvas.height = this.size.height;
    this.revision += 1;
    let given: Given | null = null;
    try {
      given = this.given();
    } catch {
      this.fault = "The mask that came with this task cannot be read.";
    }
    if (given) void this.read(given, "initial");
    if (this.draft) void this.read(this.draft, "draft");
    this.draft = null;
  }

  private async read(given: Given, kind: "initial" | "draft"): Promise<void> {
    const mask = this.mask;
    if (mask === null) return;
    this.isPending = true;
    try {
      await readMask(given.src, mask, given.things.map((thing) => thing.color));
      this.things = given.things;
      this.revision += 1;
      if (kind === "initial") this.initialRevision = this.revision;
      this.show({ left: 0, top: 0, right: mask.size.width, bottom: mask.size.height });
      this.isPending = false;
    } catch {
      this.fault = "The mask that came with this task could not be loaded. Decline the task if it stays away.";
    }
  }

  protected override problem(): string {
    if (this.isPending) return "The mask that came with this task is not there yet.";
    return this.drawn === null ? "" : "Finish or cancel the polygon that you began.";
  }

  override draftState(): unknown {
    if (this.mask === null || this.past.length === 0) return null;
    const { png } = this.write();
    return png.length > MOST_DRAFT ? null : { png, things: this.things };
  }

  override restoreDraft(state: unknown): void {
    const { png, things } = (state ?? {}) as { png?: unknown; things?: unknown };
    if (typeof png !== "string" || !Array.isArray(things)) return;
    const read = things.filter(isThing);
    const draft = { src: `data:image/png;base64,${png}`, things: read };
    if (this.mask === null) this.draft = draft;
    else void this.read(draft, "draft");
  }

  // Changes, all of which can be undone.

  private begin(at: Point): void {
    if (this.mask === null) return;
    this.stroke = { before: this.mask.pixels.slice(), touched: null, last: at, things: this.things };
  }

  private paint(rectangle: Rectangle): void {
    if (this.stroke) this.stroke.touched = around(this.stroke.touched, rectangle);
    this.show(rectangle);
  }

  private end(said: string): void {
    const stroke = this.stroke;
    this.stroke = null;
    if (stroke === null || this.mask === null) return;
    const { touched } = stroke;
    const patch = touched && touched.right > touched.left && touched.bottom > touched.top ? this.mask.patch(stroke.before, touched) : null;
    this.note({ patch, before: stroke.things, after: this.things }, said);
  }

  private note(step: Step<readonly Thing[]>, said: string): void {
    this.past.push(step);
    if (this.past.length > MOST_STEPS) this.past.shift();
    this.future = [];
    this.revision += 1;
    this.tell(said);
    this.requestUpdate();
    this.changed();
  }

  /** Other things, without a change of pixels. */
  protected setThings(things: readonly Thing[], said: string): void {
    const before = this.things;
    this.things = things;
    this.showAll();
    this.note({ patch: null, before, after: things }, said);
  }

  protected clearThing(number: number, said: string): void {
    if (this.mask === null) return;
    this.begin({ x: 0, y: 0 });
    this.paint(this.mask.clear(number));
    this.end(said);
  }

  protected override step(direction: "undo" | "redo"): void {
    if (direction === "undo" && this.drawn !== null) {
      this.takeBack();
      return;
    }
    const step = (direction === "undo" ? this.past : this.future).pop();
    if (step === undefined || this.mask === null) return;
    (direction === "undo" ? this.future : this.past).push(step);
    this.things = direction === "undo" ? step.before : step.after;
    if (step.patch) this.mask.apply(step.patch, direction === "undo" ? "before" : "after");
    this.revision += 1;
    this.showAll();
    this.tell(direction === "undo" ? "Undone" : "Redone");
    this.changed();
  }

  private takeBack(): void {
    const points = (this.drawn ?? []).slice(0, -1);
    this.drawn = points.length === 0 ? null : points;
  }

  private showAll(): void {
    if (this.size) this.show({ left: 0, top: 0, right: this.size.width, bottom: this.size.height });
  }

  private show(rectangle: Rectangle): void {
    const context = this.canvas.getContext("2d");
    if (!context || this.mask === null || rectangle.right <= rectangle.left || rectangle.bottom <= rectangle.top) return;
    const colors = new Uint32Array(256);
    this.things.forEach(({ color }, index) => {
      const [red, green, blue] = channels(color) ?? [0, 0, 0];
      colors[index + 1] = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    });
    context.putImageData(this.mask.image(rectangle, colors), rectangle.left, rectangle.top);
  }

  // Mouse, pen and touch.

  private get radius(): number {
    return Math.max(0.5, this.reach(this.brush));
  }

  private numberToPaint(): number {
    return this.tool === "eraser" ? 0 : this.thingToPaint();
  }

  protected override press(press: Press): void {
    if (this.mask === null || this.isPending || this.tool === "polygon") return;
    this.begin(press.at);
    this.dab(press.at);
  }

  private painting = 0;

  private dab(at: Point): void {
    if (this.mask === null || this.stroke === null) return;
    if (this.stroke.touched === null) this.painting = this.numberToPaint();
    this.paint(this.mask.stroke(this.stroke.last, at, this.radius, this.painting));
    this.stroke.last = at;
  }

  protected override drag(press: Press): void {
    this.pointer = press.at;
    if (this.stroke) this.dab(press.at);
  }

  protected override release(press: Press): void {
    if (this.stroke) this.end(this.tool === "eraser" ? "Erased" : "Painted");
    else if (this.tool === "polygon" && !this.isPending) this.point(press.at);
  }

  private point(at: Point): void {
    const drawn = this.drawn ?? [];
    const [first] = drawn;
    const last = drawn.at(-1);
    const closes = first !== undefined && drawn.length > 2 && distance(first, at) <= this.reach(CLOSING_PX);
    const repeats = last !== undefined && distance(last, at) < this.reach(2);
    if (drawn.length > 2 && (closes || repeats)) this.fill();
    else if (!repeats) {
      this.drawn = [...drawn, at];
      this.tell(`Point ${drawn.length + 1} at ${at.x}, ${at.y}`);
    }
  }

  private fill(): void {
    const outline = this.drawn;
    if (outline === null || outline.length < 3 || this.mask === null) return;
    this.drawn = null;
    this.begin(outline[0] as Point);
    this.paint(this.mask.fill(outline, this.thingToPaint()));
    this.end("Polygon filled");
  }

  protected override cancel(): void {
    const stroke = this.stroke;
    this.stroke = null;
    this.drawn = null;
    this.isPainting = false;
    if (stroke === null || this.mask === null) return;
    this.mask.pixels.set(stroke.before);
    this.things = stroke.things;
    this.showAll();
  }

  // Keyboard.

  protected override pressedKey(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const tool = TOOLS.find(([, , key]) => key === event.key)?.[0];
    if (tool) this.choose(tool);
    else if (event.key === "[" || event.key === "]") this.resize(event.key === "]" ? 1.25 : 0.8);
    else if (event.key === " " && this.cursor) this.atCursor(this.cursor);
    else if (event.key === "Enter" && this.tool === "polygon" && this.drawn) this.fill();
    else if (event.key === "Enter" && this.tool !== "polygon" && this.cursor) this.togglePainting(this.cursor);
    else if (event.key === "Backspace" && this.drawn) this.takeBack();
    else if (event.key === "Escape" && (this.drawn || this.stroke)) this.cancel();
    else return false;
    return true;
  }

  private choose(tool: Tool): void {
    if (this.stroke) this.end("Painted");
    this.drawn = null;
    this.isPainting = false;
    this.tool = tool;
  }

  private resize(factor: number): void {
    this.brush = Math.min(Math.max(this.brush * factor, 1), 120);
  }

  private atCursor(at: Point): void {
    if (this.isPending || this.isPainting) return;
    if (this.tool === "polygon") {
      this.point(at);
    } else {
      this.begin(at);
      this.dab(at);
      this.end(this.tool === "eraser" ? "Erased" : "Painted");
    }
  }

  private togglePainting(at: Point): void {
    if (this.isPending) return;
    this.isPainting = !this.isPainting;
    if (this.isPainting) {
      this.begin(at);
      this.dab(at);
    } else {
      this.end("Painted");
    }
  }

  protected override cursorMoved(at: Point): void {
    this.pointer = at;
    if (this.isPainting) this.dab(at);
  }

  protected override keys(): readonly (readonly [string, string])[] {
    return [
      ["G B E", "polygon, brush, eraser"],
      ["[ ]", "a smaller, a larger brush"],
      ["Arrows", "move the cross (Shift far, Alt a pixel)"],
      ["Space", "set a corner, or paint, at the cross"],
      ["Enter", "fill the polygon; begin and end painting along the cross's way"],
      ["Esc", "cancel"],
      ["Ctrl+Z", "undo (Ctrl+Shift+Z: redo)"],
      ["+ − Home", "zoom in, out, to the whole image"],
    ];
  }

  // What it looks like.

  protected override layer(): TemplateResult {
    return html`${this.canvas}`;
  }

  protected override buttons(): TemplateResult {
    return html`
      ${TOOLS.map(
        ([tool, title, key]) => html`<button
          type="button"
          aria-pressed=${this.tool === tool ? "true" : "false"}
          title=${`${title} (${key.toUpperCase()})`}
          @click=${() => this.choose(tool)}
        >
          ${title}
        </button>`,
      )}
      ${this.tool === "polygon"
        ? nothing
        : html`<label class="size">
            Size
            <input
              type="range"
              min="1"
              max="120"
              .value=${String(Math.round(this.brush))}
              @input=${(event: Event) => (this.brush = Number((event.target as HTMLInputElement).value))}
            />
          </label>`}
      <button type="button" ?disabled=${this.past.length === 0 && !this.drawn} title="Ctrl+Z" @click=${() => this.step("undo")}>
        Undo
      </button>
      <button type="button" ?disabled=${this.future.length === 0} title="Ctrl+Shift+Z" @click=${() => this.step("redo")}>Redo</button>
      ${this.drawn
        ? html`<button type="button" ?disabled=${this.drawn.length < 3} @click=${() => this.fill()}>Fill polygon</button>
            <button type="button" @click=${() => this.cancel()}>Cancel</button>`
        : nothing}
    `;
  }

  protected override overlay(): TemplateResult {
    return html`<svg><g class="scene">${this.outline()}${this.brushMark()}</g></svg>`;
  }

  protected abstract colorToPaint(): string;

  private outline(): SVGTemplateResult | typeof nothing {
    if (this.drawn === null) return nothing;
    const points = [...this.drawn, ...(this.pointer ? [this.pointer] : [])].map(({ x, y }) => `${x},${y}`).join(" ");
    return svg`<g style=${`--color:${this.colorToPaint()}`}>
      <polyline class="under" points=${points}></polyline><polyline class="shape open" points=${points}></polyline>
      ${this.drawn.map((point) => svg`<circle class="handle" cx=${point.x} cy=${point.y}></circle>`)}
    </g>`;
  }

  private brushMark(): SVGTemplateResult | typeof nothing {
    if (this.tool === "polygon" || this.pointer === null) return nothing;
    const { x, y } = this.pointer;
    const color = this.tool === "eraser" ? "#ffffff" : this.colorToPaint();
    return svg`<g class="brush" style=${`--color:${color}`}>
      <circle class="under" cx=${x + 0.5} cy=${y + 0.5} r=${this.radius}></circle>
      <circle class="shape open" cx=${x + 0.5} cy=${y + 0.5} r=${this.radius}></circle>
    </g>`;
  }
}

export function isThing(value: unknown): value is Thing {
  const { label, color } = (value ?? {}) as Partial<Thing>;
  return typeof label === "string" && typeof color === "string" && channels(color) !== null;
}
