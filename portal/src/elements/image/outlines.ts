// crowd-polygon, crowd-polyline and crowd-line: outlines by their corners.
import { nothing, svg, textAttribute, jsonAttribute } from "overread-kit";
import { channels } from "./colors";
import { asPoints, type Point } from "./geometry";
import { type Kind, listUnder, type Outline, type Shape } from "./shapes";
import { ShapeTool } from "./tool";

interface Terms {
  readonly word: string;
  readonly many: string;
  readonly key: "polygons" | "polylines" | "lines";
  readonly fewest: number;
  readonly most: number;
}

function outlineKind({ word, many, key, fewest, most }: Terms): Kind {
  const isClosed = key === "polygons";
  return {
    word,
    many,
    fewest,
    most,
    isDragged: most === 2,
    isFilled: isClosed,
    read: (value) => listUnder(value, key).flatMap((item) => outline(item, fewest, most)),
    write: (shapes) => ({ [key]: shapes.map(written) }),
    draw: (points, classes, id) => {
      const path = points.map((point) => `${point.x},${point.y}`).join(" ");
      return isClosed && points.length >= fewest
        ? svg`<polygon data-shape=${id ?? nothing} class=${classes} points=${path}></polygon>`
        : svg`<polyline data-shape=${id ?? nothing} class=${`${classes} open`} points=${path}></polyline>`;
    },
    handles: (points) => points,
    reshape: (points, handle, to) => points.map((point, index) => (index === handle ? to : point)),
    without: (points, handle) => (points.length > fewest ? points.filter((_, index) => index !== handle) : points),
  };
}

function outline(item: Record<string, unknown>, fewest: number, most: number): Outline[] {
  const points = asPoints(item["vertices"]);
  if (points === null || points.length < fewest || points.length > most) return [];
  return [{ label: String(item["label"] ?? ""), points }];
}

function written(shape: Shape): { label: string; vertices: readonly Point[] } {
  return { label: shape.label, vertices: shape.points.map(({ x, y }) => ({ x, y })) };
}

const POLYGON = outlineKind({ word: "polygon", many: "polygons", key: "polygons", fewest: 3, most: Infinity });
const POLYLINE = outlineKind({ word: "polyline", many: "polylines", key: "polylines", fewest: 2, most: Infinity });
const LINE = outlineKind({ word: "line", many: "lines", key: "lines", fewest: 2, most: 2 });

export class CrowdPolygon extends ShapeTool {
  protected override readonly kind = POLYGON;
}

/** Lines whose labels may bring their own colours. */
abstract class ColoredLines extends ShapeTool {
  protected override colorAt(index: number): string {
    const colors = textAttribute(this, "label-colors") === "" ? [] : jsonAttribute(this, "label-colors");
    const own = Array.isArray(colors) ? String(colors[index] ?? "") : "";
    return channels(own) ? own : super.colorAt(index);
  }
}

export class CrowdPolyline extends ColoredLines {
  protected override readonly kind = POLYLINE;
}

export class CrowdLine extends ColoredLines {
  protected override readonly kind = LINE;
}
