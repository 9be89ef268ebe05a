// How an image desk looks.
import { css, dialogLook, look } from "overread-kit";

export const deskLook = [
  look,
  dialogLook,
  css`
    :host {
      container-type: inline-size;
      margin-bottom: 1.25rem;
    }
    .header {
      margin: 0 0 0.75rem;
      font-size: 1.375rem;
      line-height: 1.3;
      font-weight: 650;
      text-wrap: balance;
    }
    .layout {
      display: grid;
      gap: 1.25rem;
    }
    .work {
      min-width: 0;
    }
    .bar {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 0.375rem;
      margin-bottom: 0.5rem;
    }
    .gap {
      flex: 1;
    }
    .bar button,
    .bar select,
    .row button,
    .row select {
      min-height: 2.25rem;
      padding: 0.25rem 0.75rem;
      border: 1px solid var(--line);
      border-radius: 0.5rem;
      background: var(--surface);
      color: var(--ink);
      font: inherit;
      font-size: 0.9375rem;
    }
    .bar button:hover:not(:disabled),
    .row button:hover {
      background: var(--hover);
    }
    .bar button:disabled {
      opacity: 0.45;
      cursor: default;
    }
    .bar button[aria-pressed="true"] {
      border-color: var(--accent);
      background: var(--accent-soft);
      font-weight: 600;
    }
    .viewport {
      --x: 0px;
      --y: 0px;
      --k: 1;
      position: relative;
      overflow: hidden;
      height: clamp(16rem, 68vh, 56rem);
      border: 1px solid var(--line);
      border-radius: 0.625rem;
      background: light-dark(#e9edf2, #0e1318);
      cursor: crosshair;
      touch-action: none;
      user-select: none;
    }
    .viewport.hand {
      cursor: grab;
    }
    .viewport.hand:active {
      cursor: grabbing;
    }
    .plane {
      position: absolute;
      top: 0;
      left: 0;
      transform-origin: 0 0;
      transform: translate(var(--x), var(--y)) scale(var(--k));
      will-change: transform;
    }
    .image,
    canvas {
      display: block;
      max-width: none;
      pointer-events: none;
    }
    canvas {
      position: absolute;
      top: 0;
      left: 0;
      image-rendering: pixelated;
      opacity: 0.6;
    }
    .brush .shape {
      stroke-width: 1.5px;
    }
    .size {
      display: inline-flex;
      align-items: center;
      gap: 0.5rem;
      padding: 0 0.5rem;
      color: var(--quiet);
      font-size: 0.9375rem;
    }
    .size input {
      width: 8rem;
      accent-color: var(--accent);
    }
    .near .image {
      image-rendering: pixelated;
    }
    svg {
      position: absolute;
      inset: 0;
      width: 100%;
      height: 100%;
      overflow: hidden;
    }
    .scene {
      transform: translate(var(--x), var(--y)) scale(var(--k));
    }
    .shape {
      fill: var(--color);
      fill-opacity: 0.12;
      stroke: var(--color);
      stroke-width: 2px;
      stroke-linejoin: round;
      vector-effect: non-scaling-stroke;
    }
    .shape.open {
      fill: none;
    }
    .edge {
      fill: none;
      stroke: transparent;
      stroke-width: 12px;
      vector-effect: non-scaling-stroke;
      cursor: pointer;
    }
    .under {
      fill: none;
      stroke: #ffffff;
      stroke-opacity: 0.75;
      stroke-width: 4px;
      stroke-linejoin: round;
      vector-effect: non-scaling-stroke;
      pointer-events: none;
    }
    .selected .shape {
      fill-opacity: 0.22;
      stroke-width: 3px;
      cursor: move;
    }
    .selected .shape.open {
      fill: none;
    }
    .dot {
      r: calc(7px / var(--k));
      fill: var(--color);
      stroke: #ffffff;
      stroke-width: calc(2px / var(--k));
      cursor: pointer;
    }
    .selected .dot {
      r: calc(9px / var(--k));
    }
    .handle {
      r: calc(6px / var(--k));
      fill: #ffffff;
      stroke: var(--color);
      stroke-width: calc(2px / var(--k));
      cursor: grab;
      outline: none;
    }
    .handle:focus-visible {
      fill: var(--color);
      stroke: #ffffff;
      r: calc(8px / var(--k));
    }
    .tag {
      font-size: calc(13px / var(--k));
      font-weight: 600;
      fill: #ffffff;
      stroke: var(--color);
      stroke-width: calc(5px / var(--k));
      stroke-linejoin: round;
      paint-order: stroke;
      pointer-events: none;
    }
    .cross {
      position: absolute;
      left: calc(var(--x) + var(--cx) * var(--k) * 1px);
      top: calc(var(--y) + var(--cy) * var(--k) * 1px);
      width: 0;
      height: 0;
      pointer-events: none;
    }
    .cross::before,
    .cross::after {
      content: "";
      position: absolute;
      background: #ffffff;
      box-shadow: 0 0 0 1px #000000;
    }
    .cross::before {
      left: -12px;
      top: -0.5px;
      width: 24px;
      height: 1px;
    }
    .cross::after {
      left: -0.5px;
      top: -12px;
      width: 1px;
      height: 24px;
    }
    .loading {
      position: absolute;
      inset: 0;
      margin: 0;
      display: grid;
      place-items: center;
      color: var(--quiet);
    }
    .panel {
      display: grid;
      align-content: start;
      gap: 1rem;
      min-width: 0;
    }
    .short {
      padding: 0.875rem 1rem;
      border-radius: 0.75rem;
      background: var(--hover);
      color: var(--quiet);
      font-size: 0.9375rem;
    }
    fieldset {
      display: grid;
      gap: 0.25rem;
      margin: 0;
      padding: 0;
      border: 0;
    }
    legend,
    .title {
      padding: 0;
      margin: 0 0 0.375rem;
      color: var(--quiet);
      font-size: 0.8125rem;
      font-weight: 650;
      letter-spacing: 0.04em;
      text-transform: uppercase;
    }
    .choice {
      display: flex;
      align-items: center;
      gap: 0.625rem;
      min-height: 2.25rem;
      padding: 0.25rem 0.625rem;
      border: 1px solid transparent;
      border-radius: 0.5rem;
      cursor: pointer;
      overflow-wrap: anywhere;
    }
    .choice:hover {
      background: var(--hover);
    }
    .choice:has(:checked) {
      border-color: var(--line);
      background: var(--accent-soft);
      font-weight: 600;
    }
    .choice input {
      flex: none;
      margin: 0;
      accent-color: var(--accent);
    }
    .choice span {
      flex: 1;
    }
    .swatch {
      flex: none;
      width: 0.875rem;
      height: 0.875rem;
      border-radius: 0.25rem;
      background: var(--color);
    }
    kbd {
      padding: 0 0.4rem;
      border: 1px solid var(--line);
      border-radius: 0.3rem;
      color: var(--quiet);
      font: 600 0.75rem/1.5 ui-monospace, Consolas, monospace;
    }
    .rows {
      display: grid;
      gap: 0.125rem;
      max-height: 18rem;
      margin: 0;
      padding: 0;
      overflow: auto;
      list-style: none;
    }
    .row {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 0.375rem;
      content-visibility: auto;
      contain-intrinsic-size: auto 2.25rem;
    }
    .row .name {
      flex: 1;
      display: flex;
      align-items: center;
      gap: 0.5rem;
      min-width: 8rem;
      border-color: transparent;
      background: none;
      text-align: left;
    }
    .row .name[aria-pressed="true"] {
      border-color: var(--line);
      background: var(--accent-soft);
      font-weight: 600;
    }
    .none {
      margin: 0;
      color: var(--quiet);
      font-size: 0.9375rem;
    }
    .keys {
      color: var(--quiet);
      font-size: 0.875rem;
    }
    .keys summary {
      cursor: pointer;
    }
    .keys dl {
      display: grid;
      grid-template-columns: auto 1fr;
      gap: 0.25rem 0.75rem;
      margin: 0.5rem 0 0;
    }
    .keys dd {
      margin: 0;
    }
    .missing {
      padding: 2rem;
      border: 1px dashed var(--line);
      border-radius: 0.5rem;
      text-align: center;
      color: var(--bad);
    }
    .unseen {
      position: absolute;
      width: 1px;
      height: 1px;
      margin: 0;
      overflow: hidden;
      clip-path: inset(50%);
      white-space: nowrap;
    }
    @container (min-width: 56rem) {
      .layout {
        grid-template-columns: minmax(0, 1fr) minmax(15rem, 19rem);
      }
      .panel {
        position: sticky;
        top: 1rem;
        max-height: calc(100vh - 2rem);
        overflow: auto;
      }
    }
    @media (prefers-reduced-motion: no-preference) {
      .handle,
      .dot {
        transition: r 0.1s;
      }
    }
  `,
];
