// What a label-verification task shows over its image: the labels of an earlier worker.
import { css, html, nothing, svg, type SVGTemplateResult, type TemplateResult } from "lit";
import { jsonAttribute } from "./attributes";
import { colorOf } from "./image/colors";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const overlayLook = css`
  .frame {
    width: fit-content;
    margin: 0 auto;
  }
  .stack {
    position: relative;
  }
  .stack svg,
  .stack .mask {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    pointer-events: none;
  }
  .stack .mask {
    opacity: 0.55;
    mix-blend-mode: normal;
    image-rendering: pixelated;
  }
  .stack rect {
    fill: none;
    stroke-width: 3px;
    vector-effect: non-scaling-stroke;
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 1rem;
    margin: 0.5rem 0 0;
    padding: 0;
    list-style: none;
    font-size: 0.875rem;
  }
  .legend i {
    display: inline-block;
    width: 0.75rem;
    height: 0.75rem;
    margin-right: 0.375rem;
    border-radius: 0.1875rem;
    background: var(--color);
  }
`;

interface Shown {
  readonly label: string;
  readonly color: string;
}

/** What lies over an image of this natural size, and what its colours mean. */
export interface Overlay {
  readonly over: TemplateResult | typeof nothing;
  readonly things: readonly Shown[];
}

/** The content of the attribute `overlay`. */
export function overlay(element: Element, size: Size): Overlay {
  const { boundingBox, semanticSegmentation, instanceSegmentation } = record(jsonAttribute(element, "overlay"));
  if (boundingBox !== undefined) return boxes(record(boundingBox), size);
  if (semanticSegmentation !== undefined) {
    const { src, labelMappings } = record(semanticSegmentation);
    return mask(src, Object.entries(record(labelMappings)).map(([label, to]) => shown(label, record(to)["color"])));
  }
  const { src, instances } = record(instanceSegmentation);
  return mask(src, list(instances).map((item) => shown(item["label"], item["color"])));
}

function boxes({ labels, value }: Record<string, unknown>, size: Size): Overlay {
  const names = Array.isArray(labels) ? labels.map(String) : [];
  const drawn = list(value).map((box) => {
    const place = Math.max(names.indexOf(String(box["label"])), 0);
    return { box, ...shown(box["label"], colorOf(place)) };
  });
  const used = new Map(drawn.map(({ label, color }) => [label, color] as const));
  const over = html`<svg
    viewBox=${`0 0 ${size.width} ${size.height}`}
    preserveAspectRatio="none"
    role="img"
    aria-label="Boxes to check"
  >
    ${drawn.map(({ box, color }) => rectangle(box, color))}
  </svg>`;
  return { over, things: Array.from(used, ([label, color]) => ({ label, color })) };
}

function rectangle(box: Record<string, unknown>, color: string): SVGTemplateResult {
  const [x, y, width, height] = [box["left"], box["top"], box["width"], box["height"]].map((side) => Number(side) || 0);
  return svg`<rect x=${x} y=${y} width=${width} height=${height} stroke=${color}></rect>`;
}

function mask(src: unknown, things: readonly Shown[]): Overlay {
  const over = typeof src === "string" && src !== "" ? html`<img class="mask" src=${src} alt="Labels to check" />` : nothing;
  return { over, things };
}

/** Colours and what they mean; nothing when there are none. */
export function legend(things: readonly Shown[]): TemplateResult | typeof nothing {
  if (things.length === 0) return nothing;
  return html`<ul class="legend">
    ${things.map(({ label, color }) => html`<li><i style=${`--color:${color}`}></i>${label}</li>`)}
  </ul>`;
}

function shown(label: unknown, color: unknown): Shown {
  return { label: String(label ?? ""), color: String(color ?? "").replace(/[^#\w]/g, "") };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(record) : [];
}
