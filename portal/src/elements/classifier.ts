// crowd-classifier and crowd-image-classifier, for one answer and for several.
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Answer } from "./answer";
import { flagAttribute, textAttribute } from "./attributes";
import { region } from "./base";
import { CategoryChoice } from "./choice";
import { legend, type Overlay, overlay, overlayLook, type Size } from "./overlay";

export class CrowdClassifier extends CategoryChoice {
  protected override readonly isMultiple: boolean = false;

  protected override target(): TemplateResult {
    return html`<slot name="classification-target"></slot><slot></slot>`;
  }
}

export class CrowdClassifierMultiSelect extends CrowdClassifier {
  protected override readonly isMultiple = true;
}

export class CrowdImageClassifier extends CategoryChoice {
  static override properties: PropertyDeclarations = {
    broken: { state: true },
    comment: { state: true },
    size: { state: true },
  };

  declare broken: boolean;
  declare comment: string;
  declare size: Size | null;
  protected override readonly isMultiple: boolean = false;

  constructor() {
    super();
    this.broken = false;
    this.comment = "";
    this.size = null;
  }

  override get value(): Answer {
    const comment = this.comment.trim();
    return comment === "" ? super.value : { ...super.value, workerComment: comment };
  }

  override resetAnswer(): void {
    super.resetAnswer();
    this.comment = "";
  }

  override draftState(): unknown {
    return { chosen: this.chosen, comment: this.comment };
  }

  override restoreDraft(state: unknown): void {
    if (typeof state !== "object" || state === null) return;
    const { chosen, comment } = state as Record<string, unknown>;
    super.restoreDraft(chosen);
    if (typeof comment === "string") this.comment = comment;
  }

  protected override target(): TemplateResult {
    const source = textAttribute(this, "src");
    if (this.broken) {
      return html`<p class="missing" role="alert">The image could not be loaded. Decline the task if it stays away.</p>`;
    }
    const alt = textAttribute(this, "header") || "The image to judge";
    const loaded = (event: Event): void => {
      const { naturalWidth, naturalHeight } = event.target as HTMLImageElement;
      this.size = { width: naturalWidth, height: naturalHeight };
    };
    const { over, things } = this.overlaid();
    return html`<div class="frame">
      <div class="stack">
        <img class="picture" src=${source} alt=${alt} @load=${loaded} @error=${() => (this.broken = true)} />
        ${over}
      </div>
      ${legend(things)}
    </div>
    <slot></slot>`;
  }

  private overlaid(): Overlay {
    if (this.size === null) return { over: nothing, things: [] };
    try {
      return overlay(this, this.size);
    } catch {
      const text = "The labels to check cannot be read. Please decline the task.";
      return { over: html`<p class="fault" role="alert">${text}</p>`, things: [] };
    }
  }

  protected override extra(): TemplateResult | typeof nothing {
    const comment = region(this, "worker-comment");
    if (!comment) return nothing;
    const label = comment.getAttribute("header") || comment.getAttribute("link-text") || "Add a comment";
    return html`<label class="comment"
      >${label}
      <textarea
        rows="2"
        .value=${this.comment}
        placeholder=${comment.getAttribute("placeholder") ?? ""}
        ?disabled=${flagAttribute(comment, "disabled")}
        @input=${(event: Event) => (this.comment = (event.target as HTMLTextAreaElement).value)}
      ></textarea>
    </label>`;
  }

  static override styles = [
    ...CategoryChoice.styles,
    overlayLook,
    css`
      .comment {
        display: grid;
        gap: 0.25rem;
        color: var(--quiet);
        font-size: 0.875rem;
      }
      textarea {
        padding: 0.5rem 0.75rem;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
        background: var(--field);
        color: var(--ink);
        font: inherit;
      }
    `,
  ];
}

export class CrowdImageClassifierMultiSelect extends CrowdImageClassifier {
  protected override readonly isMultiple = true;
}
