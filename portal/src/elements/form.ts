// crowd-form: collects, checks and submits the answer; behaves like a form to scripts in the template.
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { hearPage, tellPage } from "../frame/channel";
import { collectAnswer, isAnswerSource, isPlainControl, type Answer } from "./answer";
import { CrowdElement, look } from "./base";
import { CrowdTabs, isSubmitButton } from "./layout";

type FormState = "open" | "sending" | "accepted";

export class CrowdForm extends CrowdElement {
  static override styles = [
    look,
    css`
      .foot {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.5rem 1rem;
        margin-top: 1.25rem;
        padding: 0.75rem 0;
      }
      button {
        min-height: 2.75rem;
        padding: 0.5rem 1.75rem;
        border: 1px solid var(--accent);
        border-radius: 0.625rem;
        background: var(--accent);
        color: var(--accent-ink);
        font-weight: 650;
      }
      button:hover:not(:disabled) {
        background: color-mix(in srgb, var(--accent) 88%, var(--ink));
      }
      button:disabled {
        cursor: progress;
        opacity: 0.6;
      }
      .fault {
        margin: 0;
      }
    `,
  ];
  static override properties: PropertyDeclarations = { state: { state: true }, automatic: { state: true } };

  declare state: FormState;
  declare automatic: boolean;
  private next = false;

  constructor() {
    super();
    this.state = "open";
    this.automatic = false;
  }

  /** The answer as it stands. */
  get value(): Answer {
    return collectAnswer(this);
  }

  /** Itself: scripts that reach for the form inside append to this. */
  get form(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute("role", "form");
    this.addEventListener("click", this.plainSubmit);
    this.addEventListener("submit", this.innerSubmit);
    this.addEventListener("input", () => (this.fault = ""));
    hearPage((message) => {
      if (message.type === "accepted") this.state = "accepted";
      if (message.type === "refused") {
        this.state = "open";
        this.fault = message.message;
      }
    });
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", this.addButton);
    else this.addButton();
  }

  private readonly addButton = (): void => {
    const own = Array.from(this.querySelectorAll("crowd-button")).some(isSubmitButton);
    this.automatic = !own && !this.querySelector("button[type=submit], input[type=submit]");
  };

  /** Submit as a press of the button does: check, tell scripts, send; with `next` the page goes on to the next task. */
  requestSubmit(next: unknown = false): void {
    if (this.state !== "open") return;
    this.next = next === true; // a script may name a submitter here, as for a plain form
    const faulty = this.firstFaulty();
    if (faulty !== null) {
      this.fault = "Something is still missing.";
      for (let tabs = faulty.closest("crowd-tabs"); tabs; tabs = tabs.parentElement?.closest("crowd-tabs") ?? null) {
        if (tabs instanceof CrowdTabs) tabs.reveal(faulty);
      }
      requestAnimationFrame(() => (faulty as HTMLElement).focus());
      return;
    }
    const event = new SubmitEvent("submit", { bubbles: true, cancelable: true });
    if (this.dispatchEvent(event)) this.submit();
  }

  /** Send without checks and without telling scripts, as a form's own submit() does. */
  submit(): void {
    if (this.state !== "open") return;
    this.state = "sending";
    this.fault = "";
    tellPage({ type: "submit", answer: JSON.parse(JSON.stringify(this.value)) as Answer, next: this.next });
  }

  /** Back to the state in which the page came. */
  reset(): void {
    for (const element of this.querySelectorAll("*")) {
      if (isAnswerSource(element)) element.resetAnswer();
      else if (isPlainControl(element)) resetPlain(element);
    }
    this.fault = "";
    this.dispatchEvent(new Event("reset", { bubbles: true }));
  }

  private firstFaulty(): Element | null {
    let first: Element | null = null;
    for (const element of this.querySelectorAll("*")) {
      const faulty = isAnswerSource(element)
        ? element.check() !== ""
        : isPlainControl(element) && !element.checkValidity();
      if (!faulty) continue;
      if (first === null && isPlainControl(element)) element.reportValidity();
      first ??= element;
    }
    return first;
  }

  private readonly plainSubmit = (event: Event): void => {
    const target = event.target;
    if (!(target instanceof Element) || event.defaultPrevented) return;
    const button = target.closest("button[type=submit], input[type=submit]");
    if (!button || !this.contains(button) || this.contains(button.closest("form"))) return;
    event.preventDefault();
    this.requestSubmit();
  };

  /** A plain form inside submits the whole, once its own checks and scripts agree. */
  private readonly innerSubmit = (event: Event): void => {
    if (event.target === this || event.defaultPrevented) return;
    event.preventDefault();
    this.requestSubmit();
  };

  protected override render(): TemplateResult {
    return html`<slot></slot>
      <div class="foot">
        ${this.automatic
          ? html`<button type="button" ?disabled=${this.state !== "open"} @click=${() => this.requestSubmit()}>
              ${this.state === "sending" ? "Submitting…" : this.state === "accepted" ? "Submitted" : "Submit"}
            </button>`
          : nothing}
        ${this.faultLine()}
      </div>`;
  }
}

/** A page that has questions but no crowd-form gets one around all of it: no work is lost for want of a button. */
export function completeForm(): void {
  if (document.querySelector("crowd-form")) return;
  const answers = (element: Element): boolean => isAnswerSource(element) || (isPlainControl(element) && element.name !== "");
  if (!Array.from(document.body.querySelectorAll("*")).some(answers)) return;
  const form = new CrowdForm();
  form.append(...document.body.childNodes);
  document.body.append(form);
}

function resetPlain(control: HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement): void {
  if (control instanceof HTMLSelectElement) {
    for (const option of control.options) option.selected = option.defaultSelected;
  } else {
    control.value = control.defaultValue;
    if (control instanceof HTMLInputElement) control.checked = control.defaultChecked;
  }
}
