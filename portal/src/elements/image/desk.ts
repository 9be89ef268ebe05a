// An image to work on: in view with zoom and pan, labels to choose from, instructions and tools beside it.
import {
  type Answer,
  type AnswerSource,
  CrowdElement,
  dialog,
  html,
  isTyping,
  listAttribute,
  nothing,
  ownsDigits,
  type PropertyDeclarations,
  region,
  shortcutKey,
  slotRegions,
  type TemplateResult,
  textAttribute,
} from "overread-kit";
import { colorOf } from "./colors";
import { deskLook } from "./desk-look";
import { inside, type Point, type Size } from "./geometry";
import { View } from "./view";

const STEP_PX = 10;
const LONG_STEP_PX = 60;
const ARROWS: Record<string, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** Where a press began or went on: in the image's pixels, inside it. */
export interface Press {
  readonly at: Point;
  readonly event: PointerEvent;
}

export abstract class ImageDesk extends CrowdElement implements AnswerSource {
  static override styles = deskLook;
  static override properties: PropertyDeclarations = {
    label: { state: true },
    size: { state: true },
    cursor: { state: true },
    status: { state: true },
    isBroken: { state: true },
    isHand: { state: true },
  };

  declare label: number;
  declare size: Size | null;
  declare cursor: Point | null;
  declare status: string;
  declare isBroken: boolean;
  declare isHand: boolean;

  protected readonly view = new View(() => this.place());
  private names: string[] = [];
  private isStarted = false;
  private readonly touches = new Map<number, Point>();
  private holding: "tool" | "view" | null = null;
  private observer: ResizeObserver | null = null;

  constructor() {
    super();
    this.label = 0;
    this.size = null;
    this.cursor = null;
    this.status = "";
    this.isBroken = false;
    this.isHand = false;
  }

  protected override get nameByDefault(): string {
    return this.localName;
  }

  get labels(): string[] {
    return this.names;
  }

  set labels(names: string[]) {
    this.names = names.map(String);
    this.requestUpdate();
  }

  abstract get value(): Answer;
  abstract resetAnswer(): void;
  abstract draftState(): unknown;
  abstract restoreDraft(state: unknown): void;

  /** What the reviewer draws, over the image. */
  protected abstract overlay(): TemplateResult;
  /** The drawn things as a list. */
  protected abstract list(): TemplateResult;
  /** Buttons of the tool. */
  protected abstract buttons(): TemplateResult;
  /** What each key does, in the order of use. */
  protected abstract keys(): readonly (readonly [string, string])[];
  protected abstract press(press: Press): void;
  protected abstract drag(press: Press): void;
  protected abstract release(press: Press): void;
  /** Give up what is being drawn. */
  protected abstract cancel(): void;
  /** The tool's own keys; whether it took this one. */
  protected abstract pressedKey(event: KeyboardEvent): boolean;

  protected layer(): TemplateResult | typeof nothing {
    return nothing;
  }

  protected imageLoaded(): void {}

  protected problem(): string {
    return "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    slotRegions(this, ["short-instructions", "full-instructions"], () => this.requestUpdate());
    if (!this.isStarted) this.start();
    const viewport = this.renderRoot?.querySelector(".viewport"); // there already when the element is moved
    if (viewport) this.observer?.observe(viewport);
    document.addEventListener("keydown", this.pickLabel);
  }

  private start(): void {
    this.isStarted = true;
    try {
      this.names = listAttribute(this, "labels");
    } catch (error) {
      this.fault = error instanceof Error ? error.message : String(error);
    }
    this.resetAnswer();
  }

  protected override attributesChanged(names: ReadonlySet<string>): void {
    const isTold = ["labels", "initialvalue", "keys"].some((name) => names.has(name));
    if (isTold && this.draftState() === null) this.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer?.disconnect();
    document.removeEventListener("keydown", this.pickLabel);
  }

  protected override firstUpdated(): void {
    const viewport = this.viewport();
    if (!viewport) return;
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(viewport);
    viewport.addEventListener("wheel", this.wheel, { passive: false });
  }

  answerFragment(): Answer | null {
    return { [this.name]: this.value };
  }

  check(): string {
    if (this.isBroken) return this.showFault("The image could not be loaded. Decline the task if it stays away.");
    if (this.size === null) return this.showFault("The image is still being loaded.");
    return this.showFault(this.problem());
  }

  override focus(): void {
    this.viewport()?.focus();
  }

  get hasInstructions(): boolean {
    return region(this, "full-instructions") !== undefined;
  }

  openInstructions(): void {
    const dialog = this.renderRoot.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }

  override get takesDigits(): boolean {
    return this.names.length > 1;
  }

  /** `inputImageProperties` of the answer. */
  protected imageProperties(): Answer {
    return { height: this.size?.height ?? 0, width: this.size?.width ?? 0 };
  }

  protected colorOfLabel(label: string): string {
    const index = this.names.indexOf(label);
    return index < 0 ? "#5b6673" : this.colorAt(index);
  }

  protected colorAt(index: number): string {
    return colorOf(index);
  }

  protected currentLabel(): string {
    return this.names[this.label] ?? "";
  }

  /** Screen pixels as pixels of the image, at the present zoom. */
  protected reach(pixels: number): number {
    return pixels / this.view.scale;
  }

  protected tell(text: string): void {
    this.status = text;
  }

  protected viewport(): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>(".viewport");
  }

  private measure(): void {
    const viewport = this.viewport();
    if (viewport && this.size) {
      this.view.resize({ width: viewport.clientWidth, height: viewport.clientHeight }, this.size);
    }
  }

  private place(): void {
    const viewport = this.viewport();
    viewport?.style.setProperty("--x", `${this.view.x}px`);
    viewport?.style.setProperty("--y", `${this.view.y}px`);
    viewport?.style.setProperty("--k", String(this.view.scale));
    viewport?.classList.toggle("near", this.view.scale >= 4);
  }

  private readonly loaded = (event: Event): void => {
    const image = event.target as HTMLImageElement;
    this.size = { width: image.naturalWidth, height: image.naturalHeight };
    this.isBroken = false;
    this.imageLoaded();
    void this.updateComplete.then(() => this.measure());
  };

  private at(event: MouseEvent): Point {
    const box = this.viewport()?.getBoundingClientRect();
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
  }

  private onImage(event: PointerEvent): Press {
    const at = this.view.toImage(this.at(event));
    return { at: this.size ? inside(at, this.size) : at, event };
  }

  private readonly down = (event: PointerEvent): void => {
    if (this.size === null || event.button > 1) return;
    this.touches.set(event.pointerId, this.at(event));
    this.viewport()?.setPointerCapture(event.pointerId);
    if (this.touches.size > 1) {
      if (this.holding === "tool") this.cancel();
      this.holding = "view";
      return;
    }
    this.cursor = null;
    const moves = this.isHand || event.button === 1;
    this.holding = moves ? "view" : "tool";
    if (moves) event.preventDefault();
    else this.press(this.onImage(event));
  };

  private readonly move = (event: PointerEvent): void => {
    if (this.size === null) return;
    const before = this.touches.get(event.pointerId);
    if (this.holding === "view" && before) {
      this.moveView(event, before);
    } else {
      this.drag(this.onImage(event));
    }
    if (before) this.touches.set(event.pointerId, this.at(event));
  };

  private moveView(event: PointerEvent, before: Point): void {
    const now = this.at(event);
    const other = Array.from(this.touches).find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const spread = Math.hypot(now.x - other.x, now.y - other.y) / Math.max(Math.hypot(before.x - other.x, before.y - other.y), 1);
      this.view.zoom(Math.log(spread) / Math.log(1.25), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
      this.view.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    } else {
      this.view.pan(now.x - before.x, now.y - before.y);
    }
  }

  private readonly up = (event: PointerEvent): void => {
    if (!this.touches.delete(event.pointerId)) return;
    const held = this.holding;
    if (this.touches.size === 0) this.holding = null;
    if (held !== "tool") return;
    if (event.type === "pointercancel") this.cancel();
    else this.release(this.onImage(event));
  };

  private readonly wheel = (event: WheelEvent): void => {
    if (this.size === null) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.view.zoom(-event.deltaY / 100, this.at(event));
    } else if (!this.view.isFitted) {
      event.preventDefault();
      this.view.pan(-event.deltaX, -event.deltaY);
    }
  };

  private readonly keydown = (event: KeyboardEvent): void => {
    if (this.size === null || event.defaultPrevented || isTyping(event)) return;
    if (event.key === " " && this.cursor === null) {
      event.preventDefault(); // the first press shows where the next ones draw
      this.cursor = { x: Math.round(this.size.width / 2), y: Math.round(this.size.height / 2) };
      this.tell(`${this.cursor.x}, ${this.cursor.y}`);
      return;
    }
    if (this.pressedKey(event) || this.viewKey(event) || this.cursorKey(event)) {
      event.preventDefault();
    }
  };

  private readonly commanded = (event: KeyboardEvent): void => {
    if (!event.defaultPrevented && !isTyping(event) && this.command(event)) event.preventDefault();
  };

  /** Ctrl+Z and its like. */
  private command(event: KeyboardEvent): boolean {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return false;
    const key = event.key.toLowerCase();
    if (key === "z") this.step(event.shiftKey ? "redo" : "undo");
    else if (key === "y") this.step("redo");
    else return false;
    return true;
  }

  protected abstract step(direction: "undo" | "redo"): void;

  private viewKey(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "+" || event.key === "=") this.view.zoom(1, this.cursorOnScreen());
    else if (event.key === "-") this.view.zoom(-1, this.cursorOnScreen());
    else if (event.key === "Home") this.view.fit();
    else return false;
    return true;
  }

  private cursorOnScreen(): Point | undefined {
    if (this.cursor === null) return undefined;
    return { x: this.cursor.x * this.view.scale + this.view.x, y: this.cursor.y * this.view.scale + this.view.y };
  }

  /** Arrow keys move the cross by which the keyboard draws. */
  private cursorKey(event: KeyboardEvent): boolean {
    const direction = ARROWS[event.key];
    if (direction === undefined || event.ctrlKey || event.metaKey || this.size === null) return false;
    const pixels = event.altKey ? 0 : this.reach(event.shiftKey ? LONG_STEP_PX : STEP_PX);
    const length = Math.max(1, Math.round(pixels));
    const from = this.cursor ?? { x: Math.round(this.size.width / 2), y: Math.round(this.size.height / 2) };
    this.cursor = inside({ x: from.x + direction.x * length, y: from.y + direction.y * length }, this.size);
    this.view.reveal(this.cursor);
    this.tell(`${this.cursor.x}, ${this.cursor.y}`);
    this.cursorMoved(this.cursor);
    return true;
  }

  protected cursorMoved(_at: Point): void {}

  /** The direction of an arrow key times its length; null for other keys. */
  protected nudge(event: KeyboardEvent): Point | null {
    const direction = ARROWS[event.key];
    if (direction === undefined || event.ctrlKey || event.metaKey || event.altKey) return null;
    const length = event.shiftKey ? 10 : 1;
    return { x: direction.x * length, y: direction.y * length };
  }

  private readonly pickLabel = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (!event.composedPath().includes(this) && !ownsDigits(this)) return;
    const index = this.names.findIndex((_, position) => shortcutKey(position) === event.key);
    if (index < 0) return;
    event.preventDefault();
    this.chooseLabel(index);
  };

  protected chooseLabel(index: number): void {
    this.label = index;
    this.tell(`Label ${this.currentLabel()}`);
  }

  protected override render(): TemplateResult {
    const header = textAttribute(this, "header");
    const full = region(this, "full-instructions");
    return html`
      ${header === "" ? nothing : html`<h1 class="header">${header}</h1>`}
      <div class="layout" @keydown=${this.commanded}>
        <div class="work">
          <div class="bar" role="toolbar" aria-label="Tools">${this.buttons()}${this.viewButtons()}</div>
          ${this.stage()} ${this.faultLine()}
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
              ${this.keys().map(([key, does]) => html`<dt><kbd>${key}</kbd></dt><dd>${does}</dd>`)}
            </dl>
          </details>
        </div>
      </div>
      <slot></slot>
      <p class="unseen" role="status">${this.status}</p>
      ${dialog(full?.getAttribute("header") || "Instructions", html`<slot name="full-instructions"></slot>`)}
    `;
  }

  private stage(): TemplateResult {
    const header = textAttribute(this, "header");
    if (this.isBroken) {
      return html`<p class="missing" role="alert">The image could not be loaded. Decline the task if it stays away.</p>`;
    }
    return html`<div
      class="viewport ${this.isHand ? "hand" : ""}"
      tabindex="0"
      role="application"
      aria-label=${`${header || "Image"}: draw with the mouse, or with arrow keys, space and enter`}
      @keydown=${this.keydown}
      @pointerdown=${this.down}
      @pointermove=${this.move}
      @pointerup=${this.up}
      @pointercancel=${this.up}
      @contextmenu=${(event: Event) => event.preventDefault()}
    >
      <div class="plane">
        <img
          class="image"
          src=${textAttribute(this, "src")}
          alt=${header || "The image to work on"}
          draggable="false"
          decoding="async"
          @load=${this.loaded}
          @error=${() => (this.isBroken = true)}
        />
        ${this.layer()}
      </div>
      ${this.overlay()}
      ${this.cursor
        ? html`<div class="cross" style=${`--cx:${this.cursor.x + 0.5};--cy:${this.cursor.y + 0.5}`} aria-hidden="true"></div>`
        : nothing}
      ${this.size === null ? html`<p class="loading">Loading the image…</p>` : nothing}
    </div>`;
  }

  private viewButtons(): TemplateResult {
    return html`<span class="gap"></span>
      <button
        type="button"
        aria-pressed=${this.isHand ? "true" : "false"}
        title="Move the image (or drag with the middle button)"
        @click=${() => (this.isHand = !this.isHand)}
      >
        Move
      </button>
      <button type="button" aria-label="Zoom out" title="Zoom out (-)" @click=${() => this.view.zoom(-1)}>−</button>
      <button type="button" aria-label="Zoom in" title="Zoom in (+)" @click=${() => this.view.zoom(1)}>+</button>
      <button type="button" title="The whole image (Home)" @click=${() => this.view.fit()}>Fit</button>`;
  }

  private labelChoice(): TemplateResult | typeof nothing {
    if (this.names.length === 0) return nothing;
    return html`<fieldset>
      <legend>Label</legend>
      ${this.names.map(
        (name, index) => html`<label class="choice">
          <input type="radio" name="label" .checked=${this.label === index} @change=${() => this.chooseLabel(index)} />
          <i class="swatch" style=${`--color:${this.colorAt(index)}`}></i>
          <span>${name}</span>
          ${shortcutKey(index) === "" ? nothing : html`<kbd aria-hidden="true">${shortcutKey(index)}</kbd>`}
        </label>`,
      )}
    </fieldset>`;
  }
}
