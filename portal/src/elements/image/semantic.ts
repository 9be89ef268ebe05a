// crowd-semantic-segmentation: every pixel belongs to at most one label.
import { type Answer, html, jsonAttribute, type TemplateResult } from "overread-kit";
import { type Given, isThing, SegmentationTool, type Thing } from "./segmentation";

export class CrowdSemanticSegmentation extends SegmentationTool {
  protected override given(): Given | null {
    const value = jsonAttribute(this, "initial-value");
    if (typeof value !== "object" || value === null) return null;
    const { labelMappings, src } = value as { labelMappings?: Record<string, { color?: unknown }>; src?: unknown };
    const given = Object.entries(labelMappings ?? {}).map(([label, mapping]) => ({ label, color: String(mapping?.color) }));
    const known = given.filter(isThing);
    const others = this.firstThings().filter((thing) => !known.some(({ label }) => label === thing.label));
    const things = [...known, ...others.map((thing) => distinct(thing, known))];
    return typeof src === "string" && src !== "" ? { src, things } : null;
  }

  protected override firstThings(): readonly Thing[] {
    return this.labels.map((label, index) => ({ label, color: super.colorAt(index) }));
  }

  protected override colorAt(index: number): string {
    const label = this.labels[index];
    return this.things.find((thing) => thing.label === label)?.color ?? super.colorAt(index);
  }

  protected override thingToPaint(): number {
    const label = this.currentLabel();
    return this.things.findIndex((thing) => thing.label === label) + 1;
  }

  protected override colorToPaint(): string {
    return this.colorAt(this.label);
  }

  protected override described(used: readonly Thing[]): Answer {
    return { labelMappings: Object.fromEntries(used.map(({ label, color }) => [label, { color }])) };
  }

  protected override list(): TemplateResult {
    return html``;
  }
}

/** The thing, in a colour that none of `taken` has. */
function distinct(thing: Thing, taken: readonly Thing[]): Thing {
  let color = thing.color;
  while (taken.some((other) => other.color.toLowerCase() === color.toLowerCase())) {
    color = `#${((Number.parseInt(color.slice(1), 16) + 0x2f4b1d) % 0x1000000).toString(16).padStart(6, "0")}`;
  }
  return { ...thing, color };
}
