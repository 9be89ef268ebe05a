// The icons that templates ask for by their names in the Iron set; those that are not known are written out.
import { html, nothing, svg, type SVGTemplateResult, type TemplateResult } from "lit";

/** One path each in a square of 24. */
const PATHS: Record<string, SVGTemplateResult> = {
  add: svg`<path d="M12 5v14M5 12h14"/>`,
  remove: svg`<path d="M5 12h14"/>`,
  close: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
  clear: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
  check: svg`<path d="M5 13l4 4L19 7"/>`,
  done: svg`<path d="M5 13l4 4L19 7"/>`,
  delete: svg`<path d="M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12"/>`,
  "arrow-back": svg`<path d="M19 12H5M11 6l-6 6 6 6"/>`,
  "arrow-forward": svg`<path d="M5 12h14M13 6l6 6-6 6"/>`,
  "arrow-upward": svg`<path d="M12 19V5M6 11l6-6 6 6"/>`,
  "arrow-downward": svg`<path d="M12 5v14M6 13l6 6 6-6"/>`,
  refresh: svg`<path d="M19 8a8 8 0 1 0 1 6M20 4v5h-5"/>`,
  undo: svg`<path d="M9 7L4 12l5 5M4 12h10a5 5 0 0 1 0 8"/>`,
  redo: svg`<path d="M15 7l5 5-5 5M20 12H10a5 5 0 0 0 0 8"/>`,
  search: svg`<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5 5"/>`,
  info: svg`<circle cx="12" cy="12" r="9"/><path d="M12 11v6M12 7v.5"/>`,
  "info-outline": svg`<circle cx="12" cy="12" r="9"/><path d="M12 11v6M12 7v.5"/>`,
  help: svg`<circle cx="12" cy="12" r="9"/><path d="M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 17v.5"/>`,
  warning: svg`<path d="M12 4L2.5 20h19zM12 10v5M12 17.5v.5"/>`,
  error: svg`<circle cx="12" cy="12" r="9"/><path d="M12 7v6M12 16.5v.5"/>`,
  star: svg`<path d="M12 4l2.5 5.3 5.8.7-4.3 4 1.2 5.8-5.2-2.9-5.2 2.9L8 14 3.7 10l5.8-.7z"/>`,
  flag: svg`<path d="M6 21V4h11l-2 4 2 4H6"/>`,
  create: svg`<path d="M5 19l1-4L16 5l3 3L9 18z"/>`,
  visibility: svg`<path d="M2 12s4-6.5 10-6.5S22 12 22 12s-4 6.5-10 6.5S2 12 2 12z"/><circle cx="12" cy="12" r="2.5"/>`,
  "zoom-in": svg`<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5 5M10.5 8v5M8 10.5h5"/>`,
  "zoom-out": svg`<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5 5M8 10.5h5"/>`,
  "thumb-up": svg`<path d="M7 11v9H4v-9zM7 11l4-7c1.5 0 2 1 2 2v4h5.5c1 0 1.7 1 1.4 2l-2 6c-.3 1-1 1-1.7 1H7"/>`,
  "thumb-down": svg`<path d="M17 13V4h3v9zM17 13l-4 7c-1.5 0-2-1-2-2v-4H5.500c-1 0-1.700-1-1.400-2l2-6c.3-1 1-1 1.700-1H17"/>`,
};

/** The icon by its address, else by its name; nothing without either. */
export function icons(name: string, address: string): TemplateResult | typeof nothing {
  if (address !== "") return html`<img src=${address} alt="" width="20" height="20" />`;
  const key = name.replace(/^(?:icons|iron):/, "");
  if (key === "") return nothing;
  const path = PATHS[key];
  if (path === undefined) return html`<span aria-hidden="true">${key}</span>`;
  return html`<svg
    viewBox="0 0 24 24"
    width="20"
    height="20"
    fill="none"
    stroke="currentColor"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    ${path}
  </svg>`;
}
