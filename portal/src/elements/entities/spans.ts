// Labelled spans of a text, by code points: they never overlap and stand in the order of the text.

export interface Span {
  readonly label: string;
  readonly start: number;
  readonly end: number;
}

/** The spans of an `initial-value` that fit a text of this length; what overlaps an earlier one is left out. */
export function readSpans(value: unknown, length: number): Span[] {
  if (!Array.isArray(value)) return [];
  const spans = value.flatMap((item: unknown) => {
    const { label, startOffset, endOffset } = (item ?? {}) as Record<string, unknown>;
    const [start, end] = [Number(startOffset), Number(endOffset)];
    const fits = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= length;
    return fits ? [{ label: String(label ?? ""), start, end }] : [];
  });
  return spans.reduce<Span[]>((kept, span) => (overlapping(kept, span).length === 0 ? inserted(kept, span) : kept), []);
}

/** The spans that share a code point with another. */
export function overlapping(spans: readonly Span[], { start, end }: Pick<Span, "start" | "end">): Span[] {
  return spans.filter((span) => span.start < end && start < span.end);
}

/** With one more span, in the order of the text. */
export function inserted(spans: readonly Span[], span: Span): Span[] {
  return [...spans, span].sort((one, other) => one.start - other.start);
}

/** A range without the white space at its ends; null when nothing else is in it. */
export function trimmed(points: readonly string[], from: number, to: number): { start: number; end: number } | null {
  let [start, end] = [Math.min(from, to), Math.max(from, to)];
  while (start < end && /\s/u.test(points[start] ?? "")) start += 1;
  while (start < end && /\s/u.test(points[end - 1] ?? "")) end -= 1;
  return start < end ? { start, end } : null;
}

/** Where the next word begins, or the one before, from a place in the text. */
export function wordFrom(points: readonly string[], at: number, step: 1 | -1): number {
  const isWord = (index: number): boolean => /[\p{L}\p{N}_]/u.test(points[index] ?? "");
  let place = at;
  if (step > 0) {
    while (place < points.length && isWord(place)) place += 1;
    while (place < points.length && !isWord(place)) place += 1;
  } else {
    while (place > 0 && !isWord(place - 1)) place -= 1;
    while (place > 0 && isWord(place - 1)) place -= 1;
  }
  return place;
}
