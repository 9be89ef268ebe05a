// How much of an image is in view: zoom and place, in screen pixels of the viewport.
import type { Point, Size } from "./geometry";

const MOST_ZOOM = 32;
const STEP = 1.25;

export class View {
  scale = 1;
  x = 0;
  y = 0;
  private fitted = true;

  constructor(private readonly changed: () => void) {}

  private viewport: Size = { width: 0, height: 0 };
  private image: Size = { width: 0, height: 0 };

  get isFitted(): boolean {
    return this.fitted;
  }

  /** The sizes of both; a view that showed the whole image goes on to. */
  resize(viewport: Size, image: Size): void {
    this.viewport = viewport;
    this.image = image;
    if (this.fitted) this.fit();
    else this.settle();
  }

  fit(): void {
    this.fitted = true;
    this.scale = this.fitScale();
    this.settle();
  }

  zoom(steps: number, around: Point = { x: this.viewport.width / 2, y: this.viewport.height / 2 }): void {
    const scale = Math.min(Math.max(this.scale * STEP ** steps, this.fitScale()), MOST_ZOOM);
    const held = this.toImage(around);
    this.scale = scale;
    this.fitted = scale <= this.fitScale();
    this.x = around.x - held.x * scale;
    this.y = around.y - held.y * scale;
    this.settle();
  }

  pan(dx: number, dy: number): void {
    this.x += dx;
    this.y += dy;
    this.settle();
  }

  /** Bring a point of the image into view. */
  reveal(point: Point): void {
    const margin = 24;
    const at = { x: point.x * this.scale + this.x, y: point.y * this.scale + this.y };
    const dx = Math.max(margin - at.x, 0) + Math.min(this.viewport.width - margin - at.x, 0);
    const dy = Math.max(margin - at.y, 0) + Math.min(this.viewport.height - margin - at.y, 0);
    if (dx !== 0 || dy !== 0) this.pan(dx, dy);
  }

  toImage(screen: Point): Point {
    return { x: (screen.x - this.x) / this.scale, y: (screen.y - this.y) / this.scale };
  }

  private fitScale(): number {
    if (this.image.width === 0 || this.image.height === 0) return 1;
    const scale = Math.min(this.viewport.width / this.image.width, this.viewport.height / this.image.height);
    return scale > 0 ? Math.min(scale, 8) : 1;
  }

  private settle(): void {
    this.x = kept(this.x, this.viewport.width, this.image.width * this.scale);
    this.y = kept(this.y, this.viewport.height, this.image.height * this.scale);
    this.changed();
  }
}

/** Centred while it fits, else without a gap at either end. */
function kept(place: number, room: number, length: number): number {
  return length <= room ? (room - length) / 2 : Math.min(Math.max(place, room - length), 0);
}
