// What all crowd elements share: look, reading of regions, and the state in which a fault is shown.
import { css, type CSSResultGroup, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { textAttribute } from "./attributes";

/** Colours follow the page: a template that declares `color-scheme: light dark` gets dark elements in the dark. */
export const look = css`
  :host {
    --ink: light-dark(#16202c, #e8edf3);
    --quiet: light-dark(#556375, #a3b0bf);
    --line: light-dark(#c9d1da, #3d4957);
    --field: light-dark(#ffffff, #151b22);
    --surface: light-dark(#ffffff, #1b222b);
    --hover: light-dark(#eff4fa, #232d38);
    --accent: light-dark(#0b5cad, #7db8f5);
    --accent-ink: light-dark(#ffffff, #0d1a28);
    --accent-soft: light-dark(#e6f0fb, #1c3047);
    --bad: light-dark(#b3261e, #ffb4ab);
    display: block;
    box-sizing: border-box;
    color: var(--ink);
    font-family: var(--crowd-font, system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif);
    font-size: 1rem;
    line-height: 1.5;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :focus-visible {
    outline: 3px solid color-mix(in srgb, var(--accent) 65%, transparent);
    outline-offset: 2px;
  }
  button {
    font: inherit;
    cursor: pointer;
  }
  .link {
    border: 0;
    padding: 0.125rem 0;
    background: none;
    color: var(--accent);
    text-decoration: underline;
    text-underline-offset: 0.2em;
  }
  .fault {
    margin: 0.375rem 0 0;
    color: var(--bad);
    font-size: 0.875rem;
    font-weight: 600;
  }
`;

export abstract class CrowdElement extends LitElement {
  static override styles: CSSResultGroup = look;
  static override properties: PropertyDeclarations = { fault: { state: true } };

  declare fault: string;
  private isWatched = false;
  /** What a script gave a property before the element's own script had come. */
  private readonly early: ReadonlyMap<string, unknown>;

  constructor() {
    super();
    this.early = takeEarly(this);
    this.fault = "";
  }

  get name(): string {
    return textAttribute(this, "name") || this.nameByDefault;
  }

  set name(name: string) {
    this.setAttribute("name", name);
  }

  /** The element's part of the answer, under the name by which scripts for AWS's elements also ask. */
  get _submittableValue(): unknown {
    return Reflect.get(this, "value");
  }

  /** The key of the answer without a name; empty: there is none. */
  protected get nameByDefault(): string {
    return "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.isWatched) return;
    this.isWatched = true;
    lendForm(this);
    const watch = (records: readonly MutationRecord[]): void => {
      this.attributesChanged(new Set(records.map((record) => (record.attributeName ?? "").replaceAll("-", ""))));
      this.requestUpdate();
    };
    new MutationObserver(watch).observe(this, { attributes: true });
    void this.updateComplete.then(() => this.early.forEach((value, name) => Reflect.set(this, name, value)));
  }

  /** A script wrote these attributes (without hyphens) after the page came. */
  protected attributesChanged(_names: ReadonlySet<string>): void {}

  /** Whether digits pick one of its choices. */
  get takesDigits(): boolean {
    return false;
  }

  protected faultLine(): TemplateResult | typeof nothing {
    return this.fault === "" ? nothing : html`<p class="fault" role="alert">${this.fault}</p>`;
  }

  protected showFault(fault: string): string {
    this.fault = fault;
    return fault;
  }

  /** Tell the page that the value changed, as a plain control does. */
  protected changed(): void {
    if (this.fault !== "") this.fault = "";
    this.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    this.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
  }
}

/** Scripts look for a crowd-form inside the element, where AWS's brings one: they find the one around it. */
function lendForm(element: CrowdElement): void {
  const root = element.shadowRoot;
  if (!root) return;
  const find = root.querySelector.bind(root);
  root.querySelector = (selector: string) => (selector === "crowd-form" ? element.closest(selector) : find(selector));
}

/** Attributes that scripts also use as properties. */
const REFLECTED = ["header", "heading", "icon", "max", "min", "placeholder", "src", "text", "type"];

for (const name of REFLECTED) {
  Object.defineProperty(CrowdElement.prototype, name, {
    configurable: true,
    get(this: CrowdElement): string {
      return textAttribute(this, name);
    },
    set(this: CrowdElement, value: unknown) {
      this.setAttribute(name, String(value));
    },
  });
}

const SETTABLE = new Set(["name", "value", "checked", "disabled", "labels", "categories", ...REFLECTED]);

/** Own properties would hide the element's: they are set again once it is drawn. */
function takeEarly(element: CrowdElement): ReadonlyMap<string, unknown> {
  const early = new Map(Object.entries(element).filter(([name]) => SETTABLE.has(name)));
  for (const name of early.keys()) Reflect.deleteProperty(element, name);
  return early;
}

const REGIONS = new Set(
  "classification-target short-instructions full-instructions worker-comment short-summary detailed-instructions positive-example negative-example".split(" "),
);

/**
 * Puts the host's regions into the slots named after their tags, also those that the parser still has to read;
 * regions that the host does not have are not shown, all else stands in its slot without a name.
 */
export function slotRegions(host: Element, regions: readonly string[], onChange: () => void = () => {}): void {
  const place = () => {
    for (const child of host.children) {
      if ((regions.includes(child.localName) || REGIONS.has(child.localName)) && child.slot !== child.localName) child.slot = child.localName;
    }
    onChange();
  };
  place();
  new MutationObserver(place).observe(host, { childList: true });
}

/** A region of the host, by its tag. */
export function region(host: Element, tag: string): Element | undefined {
  return Array.from(host.children).find((child) => child.localName === tag);
}

/** The key that picks the choice at `index`: 1 to 9, then 0; empty for the rest. */
export function shortcutKey(index: number): string {
  return index < 9 ? String(index + 1) : index === 9 ? "0" : "";
}

/** Whether a digit pressed anywhere on the page can only mean `element`. */
export function ownsDigits(element: CrowdElement): boolean {
  const all = Array.from(document.querySelectorAll("*"));
  return !all.some((other) => other !== element && other instanceof CrowdElement && other.takesDigits);
}
