// A crowd element that these pages do not draw is named in its place: never silently missing.
import { css, html, type TemplateResult } from "lit";
import { tellPage } from "../frame/channel";
import { CrowdElement, look } from "./base";

export class MissingElement extends CrowdElement {
  static override styles = [
    look,
    css`
      :host {
        margin: 0.75rem 0;
        padding: 0.75rem 1rem;
        border: 1px dashed var(--bad);
        border-radius: 0.625rem;
      }
      strong {
        color: var(--bad);
      }
    `,
  ];

  protected override render(): TemplateResult {
    const element = this.getAttribute("element") ?? "";
    return html`<strong>This part of the task cannot be shown.</strong><br />
      The template uses <code>&lt;${element}&gt;</code>, which these pages do not draw. Please decline the task.`;
  }
}

const NAMED = new WeakSet<Element>();

/** Put a notice before every crowd element that has no definition. */
export function nameUnknown(root: ParentNode): void {
  for (const element of root.querySelectorAll("*")) {
    const tag = element.localName;
    if (!tag.startsWith("crowd-") || customElements.get(tag) || NAMED.has(element)) continue;
    NAMED.add(element);
    const notice = document.createElement("overread-missing-element");
    notice.setAttribute("element", tag);
    element.before(notice);
    tellPage({ type: "unsupported", element: tag });
  }
}
