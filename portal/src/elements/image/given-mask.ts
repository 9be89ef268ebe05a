// A mask that came as a picture: which thing each pixel is, by its colour.
import { channels } from "./colors";
import type { Mask } from "./mask";

const NEAR = 24; // a colour that far from its thing's (in all channels together) still is that thing

/** Fill `mask` from the picture at `address`: pixels in (nearly) the colour number n become thing n + 1. */
export async function readMask(address: string, mask: Mask, colors: readonly string[]): Promise<void> {
  const picture = new Image();
  if (!address.startsWith("data:")) picture.crossOrigin = "anonymous"; // else its pixels cannot be read
  picture.src = address;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = mask.size.width;
  canvas.height = mask.size.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("no canvas");
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, 0, 0, mask.size.width, mask.size.height);
  const { data } = context.getImageData(0, 0, mask.size.width, mask.size.height);
  const known = colors.map(channels);
  const seen = new Map<number, number>();
  for (let index = 0; index < mask.pixels.length; index += 1) {
    const [red = 0, green = 0, blue = 0, alpha = 0] = [data[4 * index], data[4 * index + 1], data[4 * index + 2], data[4 * index + 3]];
    if (alpha < 128) continue;
    const color = (red << 16) | (green << 8) | blue;
    let thing = seen.get(color);
    if (thing === undefined) {
      thing = nearest(red, green, blue, known);
      seen.set(color, thing);
    }
    mask.pixels[index] = thing;
  }
}

function nearest(red: number, green: number, blue: number, known: readonly (ReturnType<typeof channels>)[]): number {
  let best = NEAR + 1;
  let thing = 0;
  known.forEach((color, index) => {
    if (color === null) return;
    const away = Math.abs(color[0] - red) + Math.abs(color[1] - green) + Math.abs(color[2] - blue);
    if (away < best) {
      best = away;
      thing = index + 1;
    }
  });
  return thing;
}
