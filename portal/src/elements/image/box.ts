// crowd-bounding-box: upright boxes by two corners.
import { nothing, svg } from "overread-kit";
import { bounds, type Point } from "./geometry";
import { asRecords, type Kind, type Outline } from "./shapes";
import { ShapeTool } from "./tool";

/** Corners and edges, clockwise from the top left: which sides each moves. */
const HANDLES: readonly (readonly [x: "left" | "right" | "", y: "top" | "bottom" | ""])[] = [
  ["left", "top"],
  ["", "top"],
  ["right", "top"],
  ["right", ""],
  ["right", "bottom"],
  ["", "bottom"],
  ["left", "bottom"],
  ["left", ""],
];

const BOX: Kind = {
  word: "box",
  many: "boxes",
  fewest: 2,
  most: 2,
  isDragged: true,
  isFilled: true,
  read: (value) => asRecords(value).flatMap(outline),
  write: (shapes) => ({
    boundingBoxes: shapes.map((shape) => {
      const { left, top, width, height } = bounds(shape.points);
      return { height, label: shape.label, left, top, width };
    }),
  }),
  draw: (points, classes, id) => {
    const { left, top, width, height } = bounds(points);
    return svg`<rect data-shape=${id ?? nothing} class=${classes} x=${left} y=${top} width=${width} height=${height}></rect>`;
  },
  handles: (points) => {
    const { left, top, width, height } = bounds(points);
    const xs = { left, "": left + width / 2, right: left + width };
    const ys = { top, "": top + height / 2, bottom: top + height };
    return HANDLES.map(([x, y]) => ({ x: xs[x], y: ys[y] }));
  },
  reshape: (points, handle, to) => {
    const { left, top, width, height } = bounds(points);
    const sides = { left, right: left + width, top, bottom: top + height };
    const [x, y] = HANDLES[handle] ?? ["", ""];
    if (x !== "") sides[x] = to.x;
    if (y !== "") sides[y] = to.y;
    return [
      { x: Math.min(sides.left, sides.right), y: Math.min(sides.top, sides.bottom) },
      { x: Math.max(sides.left, sides.right), y: Math.max(sides.top, sides.bottom) },
    ];
  },
  without: (points) => points,
};

function outline(item: Record<string, unknown>): Outline[] {
  const [left, top, width, height] = [item["left"], item["top"], item["width"], item["height"]].map(Number) as [number, number, number, number];
  if (![left, top, width, height].every(Number.isFinite) || width < 0 || height < 0) return [];
  const points: readonly Point[] = [
    { x: left, y: top },
    { x: left + width, y: top + height },
  ];
  return [{ label: String(item["label"] ?? ""), points }];
}

export class CrowdBoundingBox extends ShapeTool {
  protected override readonly kind = BOX;
}
