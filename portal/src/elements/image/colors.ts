// The colours of labels: Ground Truth's own ten first, then as many more as are needed, all different.

const FIRST = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf"];
const GOLDEN_ANGLE = 137.508;

/** The colour number `index`, as `#rrggbb`. */
export function colorOf(index: number): string {
  const first = FIRST[index];
  if (first !== undefined) return first;
  const step = index - FIRST.length;
  return fromHsl((step * GOLDEN_ANGLE) % 360, 0.62 + 0.06 * (step % 4), 0.42 + 0.04 * (step % 5));
}

/** `#rgb` or `#rrggbb` as three bytes, or null. */
export function channels(color: string): readonly [number, number, number] | null {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(color.trim());
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color.trim());
  const parts = short ? short.slice(1).map((digit) => digit + digit) : long?.slice(1);
  if (parts === undefined) return null;
  const [red = 0, green = 0, blue = 0] = parts.map((part) => Number.parseInt(part, 16));
  return [red, green, blue];
}

function fromHsl(hue: number, saturation: number, lightness: number): string {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): string => {
    const place = (offset + hue / 30) % 12;
    const value = lightness - reach * Math.max(-1, Math.min(place - 3, 9 - place, 1));
    return Math.round(value * 255).toString(16).padStart(2, "0");
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}
