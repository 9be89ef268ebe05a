// crowd-rekognition-detect-moderation-labels: which kinds of unwanted content a picture shows.
import type { Answer } from "./answer";
import { jsonAttribute } from "./attributes";
import { CrowdImageClassifierMultiSelect } from "./classifier";

const KEY = "AWS/Rekognition/DetectModerationLabels/Image/V3";

/** A category as the task gave it, whatever else stands in it. */
interface Category extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly parentName: string;
}

export class CrowdRekognitionDetectModerationLabels extends CrowdImageClassifierMultiSelect {
  private kinds: readonly Category[] = [];

  override get name(): string {
    return KEY;
  }

  override get value(): Answer {
    const chosen = this.isExcluded ? [] : this.kinds.filter((kind) => this.chosen.includes(titled(kind)));
    return { ModerationLabels: chosen.map((kind) => ({ ...kind })) };
  }

  protected override readCategories(): string[] {
    const value = jsonAttribute(this, "categories") ?? [];
    if (!Array.isArray(value)) throw new TypeError(`<${this.localName}> needs a list in the attribute "categories"`);
    this.kinds = value.map(readCategory);
    return this.kinds.map(titled);
  }
}

function readCategory(item: unknown): Category {
  if (typeof item !== "object" || item === null) return { name: String(item), parentName: "" };
  const { name, parentName } = item as Record<string, unknown>;
  return { ...item, name: String(name ?? ""), parentName: String(parentName ?? "") };
}

function titled({ name, parentName }: Category): string {
  return parentName === "" ? name : `${parentName}: ${name}`;
}
