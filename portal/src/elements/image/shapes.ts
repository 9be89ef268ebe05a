// What the shape tools share: what a shape is, and what a kind of shape must know.
import type { Answer, SVGTemplateResult } from "overread-kit";
import type { Point } from "./geometry";

/** One drawn thing; its points are never changed in place. */
export interface Shape {
  readonly id: number;
  readonly label: string;
  readonly points: readonly Point[];
}

export type Outline = Omit<Shape, "id">;

/** A kind of shape: how it is begun, drawn, changed, read and written. */
export interface Kind {
  /** What a reviewer calls one. */
  readonly word: string;
  readonly many: string;
  readonly fewest: number;
  readonly most: number;
  /** Whether one press, drag and release makes it. */
  readonly isDragged: boolean;
  /** Whether a press inside it means it. */
  readonly isFilled: boolean;
  /** Shapes in an `initial-value`; those that are none are left out. */
  read(value: unknown): Outline[];
  /** The part of the answer beside `inputImageProperties`. */
  write(shapes: readonly Shape[]): Answer;
  /** Its outline, marked as the shape `id`'s; `points` may be fewer than a whole one while it is drawn. */
  draw(points: readonly Point[], classes: string, id?: number): SVGTemplateResult;
  /** Where it can be taken hold of. */
  handles(points: readonly Point[]): readonly Point[];
  /** With one handle elsewhere. */
  reshape(points: readonly Point[], handle: number, to: Point): readonly Point[];
  /** Without one handle's point; unchanged where it cannot be without. */
  without(points: readonly Point[], handle: number): readonly Point[];
}

export function asRecords(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is Record<string, unknown> => typeof item === "object" && item !== null);
}

/** The list itself, or the list under `key` of an object. */
export function listUnder(value: unknown, key: string): Record<string, unknown>[] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return asRecords((value as Record<string, unknown>)[key]);
  }
  return asRecords(value);
}
