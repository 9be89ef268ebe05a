// A mask: for every pixel of an image the number of what lies there, 0 for nothing. Edges are hard, never blended.
import type { Point, Size } from "./geometry";

/** A rectangle of the mask before and after a change. */
export interface Patch {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Most different things in one mask. */
export const MOST_THINGS = 255;

export class Mask {
  readonly pixels: Uint8Array;

  constructor(readonly size: Size) {
    this.pixels = new Uint8Array(size.width * size.height);
  }

  /** Paint the path of a round brush from one point to another; gives the rectangle that it touched. */
  stroke(from: Point, to: Point, radius: number, thing: number): Rectangle {
    const touched = this.clipped({
      left: Math.min(from.x, to.x) - radius,
      top: Math.min(from.y, to.y) - radius,
      right: Math.max(from.x, to.x) + radius + 1,
      bottom: Math.max(from.y, to.y) + radius + 1,
    });
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const length = dx * dx + dy * dy;
    const reach = (radius + 0.25) ** 2;
    for (let y = touched.top; y < touched.bottom; y += 1) {
      const row = y * this.size.width;
      for (let x = touched.left; x < touched.right; x += 1) {
        const along = length === 0 ? 0 : Math.min(Math.max(((x - from.x) * dx + (y - from.y) * dy) / length, 0), 1);
        const [ex, ey] = [x - from.x - along * dx, y - from.y - along * dy];
        if (ex * ex + ey * ey <= reach) this.pixels[row + x] = thing;
      }
    }
    return touched;
  }

  /** Paint every pixel whose centre lies inside the outline (even-odd); gives the rectangle that it touched. */
  fill(outline: readonly Point[], thing: number): Rectangle {
    const xs = outline.map((point) => point.x);
    const ys = outline.map((point) => point.y);
    const touched = this.clipped({
      left: Math.min(...xs),
      top: Math.min(...ys),
      right: Math.max(...xs) + 1,
      bottom: Math.max(...ys) + 1,
    });
    for (let y = touched.top; y < touched.bottom; y += 1) {
      const crossings = crossingsAt(outline, y + 0.5);
      for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
        const begin = Math.max(Math.ceil((crossings[pair] ?? 0) - 0.5), touched.left);
        const end = Math.min(Math.ceil((crossings[pair + 1] ?? 0) - 0.5), touched.right);
        if (begin < end) this.pixels.fill(thing, y * this.size.width + begin, y * this.size.width + end);
      }
    }
    return touched;
  }

  /** Every pixel of one thing becomes nothing. */
  clear(thing: number): Rectangle {
    for (let index = 0; index < this.pixels.length; index += 1) {
      if (this.pixels[index] === thing) this.pixels[index] = 0;
    }
    return { left: 0, top: 0, right: this.size.width, bottom: this.size.height };
  }

  /** What changed inside a rectangle since `before`, a copy of all pixels. */
  patch(before: Uint8Array, { left, top, right, bottom }: Rectangle): Patch {
    const [width, height] = [right - left, bottom - top];
    const cut = (from: Uint8Array): Uint8Array => {
      const part = new Uint8Array(width * height);
      for (let y = 0; y < height; y += 1) {
        const start = (top + y) * this.size.width + left;
        part.set(from.subarray(start, start + width), y * width);
      }
      return part;
    };
    return { left, top, width, height, before: cut(before), after: cut(this.pixels) };
  }

  /** Put one side of a patch back. */
  apply(patch: Patch, side: "before" | "after"): Rectangle {
    for (let y = 0; y < patch.height; y += 1) {
      const row = patch[side].subarray(y * patch.width, (y + 1) * patch.width);
      this.pixels.set(row, (patch.top + y) * this.size.width + patch.left);
    }
    return { left: patch.left, top: patch.top, right: patch.left + patch.width, bottom: patch.top + patch.height };
  }

  at(point: Point): number {
    const { x, y } = point;
    const isInside = x >= 0 && y >= 0 && x < this.size.width && y < this.size.height;
    return isInside ? (this.pixels[y * this.size.width + x] ?? 0) : 0;
  }

  /** How many pixels each thing has, by its number. */
  counts(): Uint32Array {
    const counts = new Uint32Array(MOST_THINGS + 1);
    for (const thing of this.pixels) counts[thing] = (counts[thing] ?? 0) + 1;
    return counts;
  }

  /** Everything inside a rectangle in the colours of its things, each 0xAABBGGRR; nothing is transparent. */
  image({ left, top, right, bottom }: Rectangle, colors: Uint32Array): ImageData {
    const [width, height] = [Math.max(right - left, 1), Math.max(bottom - top, 1)];
    const image = new ImageData(width, height);
    const words = new Uint32Array(image.data.buffer);
    for (let y = 0; y < height; y += 1) {
      const row = (top + y) * this.size.width + left;
      for (let x = 0; x < width; x += 1) words[y * width + x] = colors[this.pixels[row + x] ?? 0] ?? 0;
    }
    return image;
  }

  private clipped({ left, top, right, bottom }: Rectangle): Rectangle {
    return {
      left: Math.min(Math.max(Math.floor(left), 0), this.size.width),
      top: Math.min(Math.max(Math.floor(top), 0), this.size.height),
      right: Math.min(Math.max(Math.ceil(right), 0), this.size.width),
      bottom: Math.min(Math.max(Math.ceil(bottom), 0), this.size.height),
    };
  }
}

/** The smallest rectangle around both. */
export function around(one: Rectangle | null, other: Rectangle): Rectangle {
  if (one === null) return other;
  return {
    left: Math.min(one.left, other.left),
    top: Math.min(one.top, other.top),
    right: Math.max(one.right, other.right),
    bottom: Math.max(one.bottom, other.bottom),
  };
}

function crossingsAt(outline: readonly Point[], y: number): number[] {
  const found: number[] = [];
  outline.forEach((a, index) => {
    const b = outline[(index + 1) % outline.length];
    if (b && a.y <= y !== b.y <= y) found.push(a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x));
  });
  return found.sort((one, other) => one - other);
}
