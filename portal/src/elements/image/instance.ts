// crowd-instance-segmentation: each thing has a colour of its own; labels may repeat.
import { type Answer, html, jsonAttribute, nothing, type PropertyDeclarations, type TemplateResult } from "overread-kit";
import { colorOf } from "./colors";
import { MOST_THINGS } from "./mask";
import { type Given, isThing, SegmentationTool, type Thing } from "./segmentation";
import { asRecords } from "./shapes";

export class CrowdInstanceSegmentation extends SegmentationTool {
  static override properties: PropertyDeclarations = { selected: { state: true } };

  /** The number of the instance that the brush goes on with; null: the next stroke begins a new one. */
  declare selected: number | null;

  constructor() {
    super();
    this.selected = null;
  }

  protected override given(): Given | null {
    const value = jsonAttribute(this, "initial-value");
    if (typeof value !== "object" || value === null) return null;
    const { instances, src } = value as { instances?: unknown; src?: unknown };
    const things = asRecords(instances).filter((item): item is Record<string, unknown> & Thing => isThing(item));
    return typeof src === "string" && src !== "" ? { src, things: things.map(({ label, color }) => ({ label, color })) } : null;
  }

  protected override firstThings(): readonly Thing[] {
    this.selected = null;
    return [];
  }

  protected override thingToPaint(): number {
    if (this.tool === "brush" && this.selected !== null && this.selected <= this.things.length) return this.selected;
    if (this.things.length >= MOST_THINGS) {
      this.tell(`At most ${MOST_THINGS} instances`);
      return this.things.length;
    }
    this.things = [...this.things, { label: this.currentLabel(), color: this.freeColor() }];
    this.selected = this.things.length;
    return this.things.length;
  }

  private freeColor(): string {
    const taken = new Set(this.things.map((thing) => thing.color.toLowerCase()));
    let index = this.things.length;
    while (taken.has(colorOf(index))) index += 1;
    return colorOf(index);
  }

  protected override colorToPaint(): string {
    const current = this.selected === null || this.tool === "polygon" ? undefined : this.things[this.selected - 1];
    return current?.color ?? this.freeColor();
  }

  protected override chooseLabel(index: number): void {
    super.chooseLabel(index);
    this.selected = null;
  }

  /** Labels have no colour of their own here. */
  protected override colorAt(): string {
    return "transparent";
  }

  protected override described(used: readonly Thing[]): Answer {
    return { instances: used.map(({ label, color }) => ({ color, label })) };
  }

  protected override list(): TemplateResult {
    return html`<div>
      <h2 class="title">${this.things.length === 1 ? "1 instance" : `${this.things.length} instances`}</h2>
      ${this.things.length === 0 ? html`<p class="none">Nothing is marked yet.</p>` : nothing}
      <ol class="rows">
        ${this.things.map((thing, index) => this.row(thing, index + 1))}
      </ol>
      ${this.selected === null
        ? nothing
        : html`<button class="link" type="button" @click=${() => (this.selected = null)}>Paint a new instance</button>`}
    </div>`;
  }

  private row(thing: Thing, number: number): TemplateResult {
    const isSelected = this.selected === number;
    const labels = this.labels.includes(thing.label) ? this.labels : [thing.label, ...this.labels];
    return html`<li class="row">
      <button
        class="name"
        type="button"
        aria-pressed=${isSelected ? "true" : "false"}
        @click=${() => (this.selected = isSelected ? null : number)}
      >
        <i class="swatch" style=${`--color:${thing.color}`}></i>
        ${number} ${thing.label}
      </button>
      ${isSelected
        ? html`<select
              aria-label=${`Label of instance ${number}`}
              @change=${(event: Event) => this.relabel(number, (event.target as HTMLSelectElement).value)}
            >
              ${labels.map((label) => html`<option value=${label} ?selected=${label === thing.label}>${label}</option>`)}
            </select>
            <button type="button" aria-label=${`Erase instance ${number}`} @click=${() => this.clearThing(number, `Instance ${number} erased`)}>
              Erase
            </button>`
        : nothing}
    </li>`;
  }

  private relabel(number: number, label: string): void {
    const things = this.things.map((thing, index) => (index + 1 === number ? { ...thing, label } : thing));
    this.setThings(things, `Now ${label}`);
  }
}
