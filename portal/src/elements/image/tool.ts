// An image desk on which shapes are drawn: by mouse, touch or keyboard, with undo, each in a list.
import {
  type Answer,
  html,
  jsonAttribute,
  nothing,
  type PropertyDeclarations,
  repeat,
  svg,
  type SVGTemplateResult,
  type TemplateResult,
} from "overread-kit";
import { ImageDesk, type Press } from "./desk";
import { asPoints, bounds, distance, type Point, shifted } from "./geometry";
import { History } from "./history";
import type { Kind, Outline, Shape } from "./shapes";

const DRAGGED_PX = 4;
const CLOSING_PX = 10;
const MOST_TAGS = 60;

type Hold =
  | { readonly what: "shape"; readonly shape: Shape; readonly from: Point }
  | { readonly what: "handle"; readonly shape: Shape; readonly handle: number; readonly from: Point }
  | { readonly what: "drawing"; readonly from: Point };

export abstract class ShapeTool extends ImageDesk {
  static override properties: PropertyDeclarations = {
    shapes: { state: true },
    selected: { state: true },
    drawn: { state: true },
    pointer: { state: true },
  };

  declare shapes: readonly Shape[];
  declare selected: number | null;
  /** The points of the shape that is being drawn. */
  declare drawn: readonly Point[] | null;
  declare pointer: Point | null;

  protected abstract readonly kind: Kind;
  private readonly history = new History<readonly Shape[]>([]);
  private initial: readonly Shape[] | null = null;
  private hold: Hold | null = null;
  private lastId = 0;

  constructor() {
    super();
    this.shapes = [];
    this.selected = null;
    this.drawn = null;
    this.pointer = null;
  }

  override get value(): Answer {
    const modified = this.initial === null ? {} : { initialValueModified: !isSame(this.shapes, this.initial) };
    return { ...this.kind.write(this.shapes), inputImageProperties: this.imageProperties(), ...modified };
  }

  protected readable(outlines: Outline[]): Outline[] {
    return outlines;
  }

  override resetAnswer(): void {
    this.initial = null;
    this.cancel();
    this.selected = null;
    let shapes: readonly Shape[] = [];
    try {
      const given = jsonAttribute(this, "initial-value");
      if (given !== undefined) {
        shapes = this.readable(this.kind.read(given)).map((outline) => this.named(outline));
        this.initial = shapes;
      }
    } catch {
      this.fault = "The shapes that came with this task cannot be read.";
    }
    this.history.reset(shapes);
    this.shapes = shapes;
  }

  override draftState(): unknown {
    if (isSame(this.shapes, this.initial ?? [])) return null;
    return this.shapes.map(({ label, points }) => ({ label, points }));
  }

  override restoreDraft(state: unknown): void {
    if (!Array.isArray(state)) return;
    const outlines = state.flatMap((item: unknown) => {
      const { label, points } = (item ?? {}) as Record<string, unknown>;
      const read = asPoints(points);
      const fits = read !== null && read.length >= this.kind.fewest && read.length <= this.kind.most;
      return typeof label === "string" && fits ? [this.named({ label, points: read })] : [];
    });
    this.history.reset(outlines);
    this.shapes = outlines;
  }

  protected override problem(): string {
    return this.drawn === null ? "" : `Finish or cancel the ${this.kind.word} that you began.`;
  }

  private named(outline: Outline): Shape {
    this.lastId += 1;
    return { ...outline, id: this.lastId };
  }

  // Changes, all of which can be undone.

  private commit(shapes: readonly Shape[], said: string): void {
    this.history.push(shapes);
    this.shapes = shapes;
    this.tell(said);
    this.changed();
  }

  private finish(points: readonly Point[]): void {
    const shape = this.named({ label: this.currentLabel(), points });
    this.drawn = null;
    this.hold = null;
    this.selected = shape.id;
    this.commit([...this.shapes, shape], `${this.titled(shape)} added; ${this.shapes.length + 1} in all`);
  }

  private replace(shape: Shape, said: string): void {
    this.commit(this.shapes.map((other) => (other.id === shape.id ? shape : other)), said);
  }

  private erase(shape: Shape): void {
    this.selected = null;
    this.commit(this.shapes.filter((other) => other.id !== shape.id), `${this.titled(shape)} deleted`);
  }

  protected override step(direction: "undo" | "redo"): void {
    if (direction === "undo" && this.drawn !== null) {
      this.takeBack();
      return;
    }
    this.shapes = direction === "undo" ? this.history.undo() : this.history.redo();
    if (!this.shapes.some((shape) => shape.id === this.selected)) this.selected = null;
    this.tell(direction === "undo" ? "Undone" : "Redone");
    this.changed();
  }

  private takeBack(): void {
    const points = (this.drawn ?? []).slice(0, -1);
    this.drawn = points.length === 0 ? null : points;
  }

  private select(shape: Shape | null): void {
    this.selected = shape?.id ?? null;
    if (shape) {
      const box = bounds(shape.points);
      this.view.reveal({ x: box.left + box.width / 2, y: box.top + box.height / 2 });
      this.tell(`${this.titled(shape)} selected`);
    }
  }

  private get current(): Shape | undefined {
    return this.shapes.find((shape) => shape.id === this.selected);
  }

  // Mouse, pen and touch.

  protected override press(press: Press): void {
    const target = press.event.composedPath()[0];
    const handle = target instanceof Element ? target.getAttribute("data-handle") : null;
    const current = this.current;
    if (this.drawn !== null && !this.kind.isDragged) return; // the release places the next point
    if (handle !== null && current) {
      this.hold = { what: "handle", shape: current, handle: Number(handle), from: press.at };
      return;
    }
    const shape = press.event.shiftKey ? undefined : this.pressed(target);
    this.hold = shape ? { what: "shape", shape, from: press.at } : { what: "drawing", from: press.at };
    if (shape) this.select(shape);
  }

  /**
   * The shape that a press takes hold of. Inside a box that is not selected a drag begins a new one:
   * it is taken by its edge, or selected by a click.
   */
  private pressed(target: EventTarget | undefined): Shape | undefined {
    if (!(target instanceof Element)) return undefined;
    const shape = this.shapes.find((other) => String(other.id) === target.getAttribute("data-shape"));
    const isTaken = target.classList.contains("edge") || shape?.id === this.selected || !this.kind.isDragged;
    return isTaken ? shape : undefined;
  }

  protected override drag(press: Press): void {
    if (this.drawn !== null) this.pointer = press.at;
    const hold = this.hold;
    if (hold === null || this.size === null) return;
    if (hold.what === "drawing") {
      if (this.kind.isDragged && this.isFar(hold.from, press.at)) this.drawn = [hold.from, press.at];
      return;
    }
    const by = { x: press.at.x - hold.from.x, y: press.at.y - hold.from.y };
    const points =
      hold.what === "handle"
        ? this.kind.reshape(hold.shape.points, hold.handle, press.at)
        : this.isFar(hold.from, press.at)
          ? shifted(hold.shape.points, by, this.size)
          : hold.shape.points;
    this.shapes = this.shapes.map((other) => (other.id === hold.shape.id ? { ...other, points } : other));
  }

  protected override release(press: Press): void {
    const hold = this.hold;
    this.hold = null;
    if (hold?.what === "shape" || hold?.what === "handle") {
      const moved = this.shapes.find((shape) => shape.id === hold.shape.id);
      if (moved && !isSame([moved], [hold.shape])) this.replaceMoved(hold.shape, moved);
      return;
    }
    if (this.kind.isDragged) this.releaseDragged(press, hold);
    else this.point(press.at);
  }

  private replaceMoved(before: Shape, after: Shape): void {
    this.shapes = this.shapes.map((shape) => (shape.id === before.id ? before : shape));
    this.replace(after, `${this.titled(after)} changed`);
  }

  private releaseDragged(press: Press, hold: Hold | null): void {
    if (hold && this.isFar(hold.from, press.at)) {
      this.finish([hold.from, press.at]);
      return;
    }
    this.drawn = null;
    this.select((this.kind.isFilled ? this.under(press.at) : undefined) ?? null);
  }

  /** The smallest shape around a point: what somebody means who clicks into nested ones. */
  private under(at: Point): Shape | undefined {
    const area = (shape: Shape): number => {
      const box = bounds(shape.points);
      return box.width * box.height;
    };
    return this.shapes
      .filter((shape) => {
        const box = bounds(shape.points);
        const inX = at.x >= box.left && at.x <= box.left + box.width;
        return inX && at.y >= box.top && at.y <= box.top + box.height;
      })
      .sort((a, b) => area(a) - area(b))[0];
  }

  private isFar(from: Point, to: Point): boolean {
    return distance(from, to) >= this.reach(DRAGGED_PX);
  }

  /** One more point of what is drawn; the first or the last one once more finishes it. */
  private point(at: Point): void {
    const drawn = this.drawn ?? [];
    const [first] = drawn;
    const last = drawn.at(-1);
    const closes = first !== undefined && drawn.length > 2 && distance(first, at) <= this.reach(CLOSING_PX);
    const repeats = last !== undefined && distance(last, at) < this.reach(2);
    if (drawn.length >= this.kind.fewest && (closes || repeats)) {
      this.finish(drawn);
      return;
    }
    if (repeats) return;
    this.selected = null;
    const points = [...drawn, at];
    if (points.length >= this.kind.most) {
      this.finish(points);
    } else {
      this.drawn = points;
      this.tell(`Point ${points.length} at ${at.x}, ${at.y}`);
    }
  }

  protected override cancel(): void {
    if (this.hold && this.hold.what !== "drawing") this.shapes = this.history.state;
    this.hold = null;
    this.drawn = null;
  }

  // Keyboard.

  protected override pressedKey(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const target = event.composedPath()[0];
    const handle = target instanceof Element ? target.getAttribute("data-handle") : null;
    return this.drawingKey(event) || this.selectionKey(event, handle === null ? null : Number(handle));
  }

  private drawingKey(event: KeyboardEvent): boolean {
    const isFinishing = event.key === "Enter" && this.drawn !== null && this.drawn.length >= this.kind.fewest;
    if (isFinishing && !this.kind.isDragged) this.finish(this.drawn ?? []);
    else if ((event.key === "Enter" || event.key === " ") && this.cursor !== null) this.point(this.cursor);
    else if (event.key === "Escape" && (this.drawn !== null || this.hold !== null)) this.cancel();
    else if (event.key === "Backspace" && this.drawn !== null) this.takeBack();
    else return false;
    return true;
  }

  private selectionKey(event: KeyboardEvent, handle: number | null): boolean {
    const shape = this.current;
    if (!shape || this.size === null || this.drawn !== null) return false;
    const by = this.nudge(event);
    const isDeletion = event.key === "Delete" || event.key === "Backspace";
    if (by && handle !== null) this.nudgeHandle(shape, handle, by);
    else if (by) this.replace({ ...shape, points: shifted(shape.points, by, this.size) }, this.titled(shape));
    else if (isDeletion && handle !== null && this.kind.without(shape.points, handle) !== shape.points)
      this.replace({ ...shape, points: this.kind.without(shape.points, handle) }, "Point deleted");
    else if (isDeletion) this.erase(shape);
    else if (event.key === "Escape") {
      this.select(null);
      this.focus();
    } else return false;
    return true;
  }

  private nudgeHandle(shape: Shape, handle: number, by: Point): void {
    const at = this.kind.handles(shape.points)[handle];
    if (!at || !this.size) return;
    const [to] = shifted([at], by, this.size);
    if (to) this.replace({ ...shape, points: this.kind.reshape(shape.points, handle, to) }, `${to.x}, ${to.y}`);
  }

  protected override cursorMoved(at: Point): void {
    this.pointer = at;
  }

  protected override keys(): readonly (readonly [string, string])[] {
    const drawing: [string, string][] = this.kind.isDragged
      ? [["Space", `begin and end a ${this.kind.word} at the cross`]]
      : [["Space", "set a point at the cross"]];
    if (this.kind.most > 2) drawing.push(["Enter", `finish the ${this.kind.word}`], ["Backspace", "take the last point back"]);
    return [
      ["Arrows", `move the cross (Shift far, Alt a pixel), or the selected ${this.kind.word}`],
      ...drawing,
      ["Tab", "go to the corners of what is selected"],
      ["Delete", `delete what is selected`],
      ["Esc", "cancel, or select nothing"],
      ["Ctrl+Z", "undo (Ctrl+Shift+Z: redo)"],
      ["+ − Home", "zoom in, out, to the whole image"],
      ["Shift+press", "draw on top of another"],
    ];
  }

  // What it looks like.

  private titled(shape: Shape): string {
    const place = this.shapes.findIndex((other) => other.id === shape.id) + 1 || this.shapes.length + 1;
    return `${this.kind.word} ${place}${shape.label === "" ? "" : `, ${shape.label}`}`;
  }

  protected override buttons(): TemplateResult {
    const isDrawing = this.drawn !== null;
    const canFinish = (this.drawn?.length ?? 0) >= this.kind.fewest && !this.kind.isDragged;
    return html`
      <button type="button" ?disabled=${!this.history.canUndo && !isDrawing} title="Ctrl+Z" @click=${() => this.step("undo")}>
        Undo
      </button>
      <button type="button" ?disabled=${!this.history.canRedo} title="Ctrl+Shift+Z" @click=${() => this.step("redo")}>Redo</button>
      <button
        type="button"
        ?disabled=${!this.current}
        title="Delete"
        @click=${() => this.current && this.erase(this.current)}
      >
        Delete
      </button>
      ${isDrawing && !this.kind.isDragged
        ? html`<button type="button" ?disabled=${!canFinish} @click=${() => this.finish(this.drawn ?? [])}>
              Finish ${this.kind.word}
            </button>
            <button type="button" @click=${() => this.cancel()}>Cancel</button>`
        : nothing}
    `;
  }

  protected override overlay(): TemplateResult {
    return html`<svg>
      <g class="scene">
        ${repeat(this.shapes, (shape) => shape.id, (shape) => this.drawing(shape))} ${this.halfDrawn()}
      </g>
    </svg>`;
  }

  private drawing(shape: Shape): SVGTemplateResult {
    const isSelected = shape.id === this.selected;
    const box = bounds(shape.points);
    const isTagged = isSelected || this.shapes.length <= MOST_TAGS;
    const points = shape.points;
    return svg`<g class=${isSelected ? "selected" : ""} style=${`--color:${this.colorOfLabel(shape.label)}`}>
      ${this.kind.draw(points, "under")}
      <g>${this.marked(shape)}</g>
      ${isTagged && shape.label !== "" ? svg`<text class="tag" x=${box.left} y=${box.top} dy="-0.5em">${shape.label}</text>` : nothing}
      ${isSelected ? this.kind.handles(points).map((point, index) => this.handle(shape, point, index)) : nothing}
    </g>`;
  }

  /** The outline that can be seen, and a wider one that can be hit; both know their shape. */
  private marked(shape: Shape): SVGTemplateResult {
    return svg`${this.kind.draw(shape.points, "shape", shape.id)}${this.kind.draw(shape.points, "edge", shape.id)}`;
  }

  private handle(shape: Shape, point: Point, index: number): SVGTemplateResult {
    return svg`<circle
      class="handle"
      data-handle=${index}
      tabindex="0"
      role="button"
      aria-label=${`Corner ${index + 1} of ${this.titled(shape)}: ${point.x}, ${point.y}`}
      cx=${point.x}
      cy=${point.y}
    ></circle>`;
  }

  private halfDrawn(): SVGTemplateResult | typeof nothing {
    if (this.drawn === null) return nothing;
    const next = this.pointer && !(this.kind.isDragged && this.hold) ? [this.pointer] : [];
    const points = [...this.drawn, ...next].slice(0, this.kind.most);
    return svg`<g style=${`--color:${this.colorOfLabel(this.currentLabel())}`}>
      ${this.kind.draw(points, "under")} ${this.kind.draw(points, "shape")}
      ${this.kind.isDragged ? nothing : this.drawn.map((point) => svg`<circle class="handle" cx=${point.x} cy=${point.y}></circle>`)}
    </g>`;
  }

  protected override list(): TemplateResult {
    return html`<div>
      <h2 class="title">${this.shapes.length === 1 ? `1 ${this.kind.word}` : `${this.shapes.length} ${this.kind.many}`}</h2>
      ${this.shapes.length === 0 ? html`<p class="none">Nothing is marked yet.</p>` : nothing}
      <ol class="rows">
        ${repeat(this.shapes, (shape) => shape.id, (shape, index) => this.row(shape, index))}
      </ol>
    </div>`;
  }

  private row(shape: Shape, index: number): TemplateResult {
    const isSelected = shape.id === this.selected;
    return html`<li
      class="row"
      @keydown=${(event: KeyboardEvent) => event.key === "Delete" && this.erase(shape)}
    >
      <button class="name" type="button" aria-pressed=${isSelected ? "true" : "false"} @click=${() => this.select(isSelected ? null : shape)}>
        <i class="swatch" style=${`--color:${this.colorOfLabel(shape.label)}`}></i>
        ${index + 1} ${shape.label}
      </button>
      ${isSelected ? this.rowTools(shape) : nothing}
    </li>`;
  }

  private rowTools(shape: Shape): TemplateResult {
    const labels = this.labels.includes(shape.label) ? this.labels : [shape.label, ...this.labels];
    return html`<select
        aria-label=${`Label of ${this.titled(shape)}`}
        @change=${(event: Event) => this.relabel(shape, (event.target as HTMLSelectElement).value)}
      >
        ${labels.map((label) => html`<option value=${label} ?selected=${label === shape.label}>${label}</option>`)}
      </select>
      <button type="button" aria-label=${`Delete ${this.titled(shape)}`} @click=${() => this.erase(shape)}>Delete</button>`;
  }

  private relabel(shape: Shape, label: string): void {
    const current = this.shapes.find((other) => other.id === shape.id);
    if (current) this.replace({ ...current, label }, `Now ${label}`);
  }
}

function isSame(one: readonly Shape[], other: readonly Shape[]): boolean {
  return JSON.stringify(one.map(plain)) === JSON.stringify(other.map(plain));
}

function plain({ label, points }: Shape): unknown {
  return [label, points.map(({ x, y }) => [x, y])];
}
