// Points, boxes and outlines in natural pixels of an image.

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The nearest whole pixel inside the image. */
export function inside(point: Point, size: Size): Point {
  return { x: clamp(Math.round(point.x), size.width), y: clamp(Math.round(point.y), size.height) };
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}

export function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** The smallest upright box around points. */
export function bounds(points: readonly Point[]): { left: number; top: number; width: number; height: number } {
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

/** Points moved together, stopped at the image's edges without changing their shape. */
export function shifted(points: readonly Point[], by: Point, size: Size): Point[] {
  const box = bounds(points);
  const x = stopped(by.x, -box.left, size.width - box.left - box.width);
  const y = stopped(by.y, -box.top, size.height - box.top - box.height);
  return points.map((point) => ({ x: point.x + x, y: point.y + y }));
}

function stopped(value: number, least: number, most: number): number {
  // A shape that came from elsewhere and lies outside may only move towards the image.
  return Math.round(Math.min(Math.max(value, Math.min(least, 0)), Math.max(most, 0)));
}

export function asPoint(value: unknown): Point | null {
  if (typeof value !== "object" || value === null) return null;
  const { x, y } = value as Record<string, unknown>;
  const point = { x: Number(x), y: Number(y) };
  return Number.isFinite(point.x) && Number.isFinite(point.y) ? point : null;
}

/** All points of a list, or null when one of them is none. */
export function asPoints(value: unknown): Point[] | null {
  if (!Array.isArray(value)) return null;
  const points = value.map(asPoint);
  return points.every((point) => point !== null) ? points : null;
}
