// Elements that arrange the page and add nothing to the answer.
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { flagAttribute, textAttribute } from "./attributes";
import { CrowdElement, look, region, slotRegions } from "./base";
import { dialog, dialogLook } from "./dialog";
import { icons } from "./icons";

export class CrowdButton extends CrowdElement {
  static override styles = [
    look,
    css`
      :host {
        display: inline-block;
        margin: 0.25rem 0.5rem 0.25rem 0;
      }
      button,
      a {
        display: inline-flex;
        align-items: center;
        gap: 0.5rem;
        min-height: 2.5rem;
        padding: 0.4375rem 1.125rem;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
        background: var(--surface);
        color: var(--ink);
        font-weight: 600;
        text-decoration: none;
        transition: background 0.12s;
      }
      .icon {
        padding: 0.4375rem 0.75rem;
      }
      button:hover:not(:disabled) {
        background: var(--hover);
      }
      .primary {
        border-color: var(--accent);
        background: var(--accent);
        color: var(--accent-ink);
      }
      .primary:hover:not(:disabled) {
        background: color-mix(in srgb, var(--accent) 88%, var(--ink));
      }
      .link,
      .link:hover:not(:disabled) {
        border-color: transparent;
        background: none;
        color: var(--accent);
      }
      button:disabled {
        cursor: not-allowed;
        opacity: 0.55;
      }
    `,
  ];
  static override properties: PropertyDeclarations = { disabled: { type: Boolean, reflect: true }, loading: { type: Boolean } };

  declare disabled: boolean;
  declare loading: boolean;

  constructor() {
    super();
    this.disabled = false;
    this.loading = false;
  }

  /** What the button does to its form: `submit`, `reset` or nothing. */
  get action(): string {
    return (textAttribute(this, "form-action") || textAttribute(this, "type")).toLowerCase();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("click", this.act);
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>("button")?.focus();
  }

  private readonly act = (event: Event): void => {
    if (this.disabled || this.loading) {
      event.stopImmediatePropagation();
      return;
    }
    setTimeout(() => {
      if (event.defaultPrevented) return; // only now have all listeners been asked
      const form = this.closest<HTMLElement & { requestSubmit(): void; reset(): void }>("crowd-form");
      if (this.action === "submit") form?.requestSubmit();
      if (this.action === "reset") form?.reset();
    });
  };

  protected override render(): TemplateResult {
    const variant = textAttribute(this, "variant") || (this.action === "submit" ? "primary" : "normal");
    const address = textAttribute(this, "href");
    const icon = icons(textAttribute(this, "icon"), textAttribute(this, "icon-url"));
    const isRight = textAttribute(this, "icon-align") === "right";
    const content = html`${isRight ? nothing : icon}<slot></slot>${isRight ? icon : nothing}`;
    if (/^https?:/i.test(address)) {
      return html`<a class=${variant} href=${address} target="_blank" rel="noopener noreferrer">${content}</a>`;
    }
    return html`<button
      type="button"
      class=${variant}
      ?disabled=${this.disabled || this.loading}
      aria-busy=${this.loading ? "true" : "false"}
      aria-label=${variant === "icon" ? textAttribute(this, "icon") || nothing : nothing}
    >
      ${content}
    </button>`;
  }
}

export class CrowdCard extends CrowdElement {
  static override styles = [
    look,
    css`
      :host {
        margin: 0.75rem 0;
        border: 1px solid var(--line);
        border-radius: 0.75rem;
        background: var(--surface);
        overflow: hidden;
      }
      img {
        display: block;
        width: 100%;
      }
      h2 {
        margin: 0;
        padding: 1rem 1.25rem 0;
        font-size: 1.125rem;
        font-weight: 650;
      }
      .content {
        padding: 1rem 1.25rem;
      }
    `,
  ];

  protected override render(): TemplateResult {
    const heading = textAttribute(this, "heading");
    const image = textAttribute(this, "image");
    return html`${image === "" ? nothing : html`<img src=${image} alt="" />`}
      ${heading === "" ? nothing : html`<h2>${heading}</h2>`}
      <div class="content"><slot></slot></div>`;
  }
}

const INSTRUCTION_REGIONS = ["short-summary", "detailed-instructions", "positive-example", "negative-example"];

export class CrowdInstructions extends CrowdElement {
  static override styles = [
    look,
    dialogLook,
    css`
      :host {
        margin: 0.5rem 0;
      }
      .plain {
        padding: 0.4375rem 1rem;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
        background: var(--surface);
        color: var(--ink);
        font-weight: 600;
      }
      h3 {
        margin: 1.25rem 0 0.25rem;
        font-size: 0.875rem;
        letter-spacing: 0.03em;
        color: var(--quiet);
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    slotRegions(this, INSTRUCTION_REGIONS, () => this.requestUpdate());
  }

  protected override render(): TemplateResult {
    const text = textAttribute(this, "link-text") || "Click for instructions";
    const plain = textAttribute(this, "link-type") === "button";
    const example = (tag: string, title: string) =>
      region(this, tag) ? html`<h3>${title}</h3><slot name=${tag}></slot>` : nothing;
    return html`<button type="button" class=${plain ? "plain" : "link"} @click=${this.openInstructions}>${text}</button>
      ${dialog(
        "Instructions",
        html`<slot name="short-summary"></slot><slot name="detailed-instructions"></slot>
          ${example("positive-example", "A good example")} ${example("negative-example", "A bad example")}
          <slot></slot>`,
      )}`;
  }

  get hasInstructions(): boolean {
    return true;
  }

  openInstructions(): void {
    const dialog = this.renderRoot.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }
}

export class CrowdTab extends CrowdElement {
  static override styles = [
    look,
    css`
      :host(:not([selected])) {
        display: none;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute("role", "tabpanel");
    this.setAttribute("aria-label", textAttribute(this, "header"));
  }

  protected override render(): TemplateResult {
    return html`<slot></slot>`;
  }
}

export class CrowdTabs extends CrowdElement {
  static override styles = [
    look,
    css`
      :host {
        margin: 0.75rem 0;
      }
      [role="tablist"] {
        display: flex;
        flex-wrap: wrap;
        gap: 0.25rem;
        margin-bottom: 1rem;
        border-bottom: 1px solid var(--line);
      }
      [role="tab"] {
        padding: 0.5rem 1rem;
        border: 0;
        border-bottom: 3px solid transparent;
        background: none;
        color: var(--quiet);
        font-weight: 600;
      }
      [aria-selected="true"] {
        border-bottom-color: var(--accent);
        color: var(--ink);
      }
    `,
  ];
  static override properties: PropertyDeclarations = { selected: { state: true } };

  declare selected: number;

  constructor() {
    super();
    this.selected = 0;
  }

  private get tabs(): CrowdTab[] {
    return Array.from(this.children).filter((child): child is CrowdTab => child.localName === "crowd-tab");
  }

  override connectedCallback(): void {
    super.connectedCallback();
    new MutationObserver(() => this.requestUpdate()).observe(this, { childList: true });
  }

  protected override updated(): void {
    this.tabs.forEach((tab, index) => tab.toggleAttribute("selected", index === this.selected));
  }

  private select(index: number): void {
    const count = this.tabs.length;
    this.selected = (index + count) % count;
    void this.updateComplete.then(() => {
      this.renderRoot.querySelectorAll<HTMLElement>("[role=tab]")[this.selected]?.focus();
    });
  }

  private move(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.select(this.selected + step);
  }

  protected override render(): TemplateResult {
    return html`<div role="tablist" @keydown=${this.move}>
        ${this.tabs.map(
          (tab, index) => html`<button
            type="button"
            role="tab"
            tabindex=${index === this.selected ? 0 : -1}
            aria-selected=${index === this.selected ? "true" : "false"}
            @click=${() => this.select(index)}
          >
            ${textAttribute(tab, "header") || `Tab ${index + 1}`}
          </button>`,
        )}
      </div>
      <slot></slot>`;
  }

  /** Bring the tab into view that holds `element`. */
  reveal(element: Element): void {
    const index = this.tabs.findIndex((tab) => tab.contains(element));
    if (index >= 0) this.selected = index;
  }
}

/** Whether a crowd-button submits its form. */
export function isSubmitButton(element: Element): boolean {
  const action = textAttribute(element, "form-action") || textAttribute(element, "type");
  return action.toLowerCase() === "submit" && !flagAttribute(element, "hidden");
}
