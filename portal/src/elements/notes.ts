// Elements that say something: crowd-alert, crowd-toast, crowd-modal, crowd-badge, and the small buttons with an icon.
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { flagAttribute, textAttribute } from "./attributes";
import { CrowdElement, look } from "./base";
import { dialog, dialogLook } from "./dialog";
import { icons } from "./icons";

export class CrowdAlert extends CrowdElement {
  static override styles = [
    look,
    css`
      :host {
        --tone: var(--accent);
        margin: 0.75rem 0;
      }
      :host([type="success"]) {
        --tone: light-dark(#1b6e3c, #86d9a5);
      }
      :host([type="warning"]) {
        --tone: light-dark(#8a5a00, #f3c56b);
      }
      :host([type="error"]) {
        --tone: var(--bad);
      }
      div {
        display: flex;
        align-items: flex-start;
        gap: 0.75rem;
        padding: 0.75rem 1rem;
        border: 1px solid color-mix(in srgb, var(--tone) 45%, var(--line));
        border-left: 0.3rem solid var(--tone);
        border-radius: 0.5rem;
        background: color-mix(in srgb, var(--tone) 8%, var(--surface));
      }
      span {
        flex: 1;
      }
      button {
        border: 0;
        padding: 0.125rem 0.375rem;
        background: none;
        color: inherit;
      }
    `,
  ];

  protected override render(): TemplateResult {
    const isUrgent = ["error", "warning"].includes(textAttribute(this, "type"));
    return html`<div role=${isUrgent ? "alert" : "status"}>
      <span><slot></slot></span>
      ${flagAttribute(this, "dismissible")
        ? html`<button type="button" aria-label="Dismiss" @click=${() => (this.hidden = true)}>${icons("close", "")}</button>`
        : nothing}
    </div>`;
  }
}

const SHORTEST_TOAST_MS = 1_000;

export class CrowdToast extends CrowdElement {
  static override styles = [
    look,
    css`
      :host {
        position: fixed;
        z-index: 20;
        left: 50%;
        bottom: 1.5rem;
        translate: -50% 0;
        max-width: min(32rem, 90vw);
        padding: 0.75rem 1.25rem;
        border-radius: 0.625rem;
        background: light-dark(#16202c, #e8edf3);
        color: light-dark(#ffffff, #16202c);
        box-shadow: 0 0.5rem 2rem rgb(0 0 0 / 30%);
      }
      :host(:not([opened])) {
        display: none;
      }
    `,
  ];
  static override properties: PropertyDeclarations = { opened: { type: Boolean, reflect: true } };

  declare opened: boolean;
  private timer = 0;

  constructor() {
    super();
    this.opened = false;
  }

  show(): void {
    this.opened = true;
  }

  hide(): void {
    this.opened = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute("role", "status");
  }

  protected override updated(): void {
    window.clearTimeout(this.timer);
    const duration = Number.parseInt(textAttribute(this, "duration") || "3000", 10);
    if (!this.opened || !(duration > 0)) return; // zero or less: it stays
    this.timer = window.setTimeout(() => this.hide(), Math.max(duration, SHORTEST_TOAST_MS));
  }

  protected override render(): TemplateResult {
    return html`<span>${textAttribute(this, "text")}<slot></slot></span>`;
  }
}

export class CrowdModal extends CrowdElement {
  static override styles = [
    look,
    dialogLook,
    css`
      :host {
        display: inline-block;
        margin: 0.25rem 0;
      }
      .plain {
        padding: 0.4375rem 1rem;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
        background: var(--surface);
        color: var(--ink);
        font-weight: 600;
      }
    `,
  ];

  show(): void {
    const dialog = this.renderRoot.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }

  hide(): void {
    this.renderRoot.querySelector("dialog")?.close();
  }

  protected override render(): TemplateResult {
    const title = textAttribute(this, "link-text") || "Click to open modal";
    const isButton = textAttribute(this, "link-type") === "button";
    return html`<button type="button" class=${isButton ? "plain" : "link"} @click=${() => this.show()}>${title}</button>
      ${dialog(title, html`<slot></slot>`)}`;
  }
}

export class CrowdBadge extends CrowdElement {
  static override styles = [
    look,
    css`
      :host {
        position: absolute;
        z-index: 5;
        display: grid;
        place-items: center;
        min-width: 1.375rem;
        height: 1.375rem;
        padding: 0 0.3rem;
        border-radius: 0.7rem;
        background: var(--accent);
        color: var(--accent-ink);
        font-size: 0.75rem;
        font-weight: 700;
        line-height: 1;
        pointer-events: none;
      }
      svg {
        width: 0.875rem;
        height: 0.875rem;
      }
    `,
  ];
  private readonly follow = new ResizeObserver(() => this.place());

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow.observe(document.body);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.follow.disconnect();
  }

  /** At the upper right corner of the element that it is for; without one, of its parent. */
  private place(): void {
    const id = textAttribute(this, "for");
    const target = id === "" ? this.parentElement : document.getElementById(id);
    const inside = this.offsetParent ?? document.body;
    if (!target) return;
    const [box, origin] = [target.getBoundingClientRect(), inside.getBoundingClientRect()];
    this.style.left = `${box.right - origin.left - 11}px`;
    this.style.top = `${box.top - origin.top - 11}px`;
  }

  protected override updated(): void {
    this.place();
  }

  protected override render(): TemplateResult {
    const icon = textAttribute(this, "icon");
    return html`<span>${icon === "" ? textAttribute(this, "label").slice(0, 3) : icons(icon, "")}</span>`;
  }
}

export class CrowdIconButton extends CrowdElement {
  static override styles = [
    look,
    css`
      :host {
        display: inline-block;
      }
      button {
        display: grid;
        place-items: center;
        width: 2.5rem;
        height: 2.5rem;
        border: 1px solid transparent;
        border-radius: 50%;
        background: none;
        color: var(--ink);
      }
      button:hover:not(:disabled) {
        background: var(--hover);
      }
      button:disabled {
        opacity: 0.5;
        cursor: not-allowed;
      }
    `,
  ];
  static override properties: PropertyDeclarations = { disabled: { type: Boolean, reflect: true } };

  declare disabled: boolean;

  constructor() {
    super();
    this.disabled = false;
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>("button")?.focus();
  }

  protected mark(): TemplateResult | typeof nothing {
    return icons(textAttribute(this, "icon"), "");
  }

  protected override render(): TemplateResult {
    const name = this.title || this.getAttribute("aria-label") || textAttribute(this, "icon") || textAttribute(this, "label");
    return html`<button type="button" ?disabled=${this.disabled} aria-label=${name} title=${name}>${this.mark()}</button>`;
  }
}

export class CrowdFab extends CrowdIconButton {
  static override styles = [
    ...CrowdIconButton.styles,
    css`
      button {
        width: 3.5rem;
        height: 3.5rem;
        background: var(--accent);
        color: var(--accent-ink);
        font-size: 1.25rem;
        font-weight: 700;
        box-shadow: 0 0.25rem 0.75rem rgb(0 0 0 / 25%);
      }
      button:hover:not(:disabled) {
        background: color-mix(in srgb, var(--accent) 88%, var(--ink));
      }
    `,
  ];

  protected override mark(): TemplateResult | typeof nothing {
    const icon = textAttribute(this, "icon");
    return icon === "" ? html`${textAttribute(this, "label").slice(0, 1)}` : icons(icon, "");
  }
}
