// The portal: signs in, then shows the list or one task by the address behind the hash.
import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { api, Problem, type Session } from "./api";
import "./portal.css";
import { SignIn } from "./sign-in";
import { TaskListView } from "./task-list";
import { TaskPage } from "./task-page";
import { View } from "./view";

class Portal extends View {
  static override properties: PropertyDeclarations = { session: { state: true }, loading: { state: true }, fault: { state: true }, taskId: { state: true } };

  declare session: Session | null;
  declare loading: boolean;
  declare fault: string;
  declare taskId: string | null;

  constructor() {
    super();
    this.session = null;
    this.loading = true;
    this.fault = "";
    this.taskId = taskInAddress();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("hashchange", () => (this.taskId = taskInAddress()));
    this.addEventListener("signed-in", (event) => (this.session = (event as CustomEvent<Session>).detail));
    this.addEventListener("signed-out", () => (this.session = null));
    void this.resume();
  }

  private async resume(): Promise<void> {
    try {
      this.session = await api.session();
    } catch (error) {
      if (error instanceof Problem && error.status !== 401) this.fault = error.message;
    }
    this.loading = false;
  }

  private async signOut(): Promise<void> {
    try {
      await api.signOut();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
    this.session = null;
    location.hash = "#/";
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.loading) return nothing;
    if (this.fault !== "") return html`<main class="state"><p class="notice bad" role="alert">${this.fault}</p></main>`;
    if (this.session === null) return html`<overread-sign-in></overread-sign-in>`;
    const { name } = this.session.reviewer;
    return html`<header class="top">
        <a class="brand" href="#/"><span class="mark" aria-hidden="true"></span>Overread</a>
        <span class="me"><span class="avatar" aria-hidden="true">${name.charAt(0)}</span>${name}</span>
        <button type="button" class="button quiet-button" @click=${this.signOut}>Sign out</button>
      </header>
      ${this.taskId === null
        ? html`<overread-task-list></overread-task-list>`
        : html`<overread-task-page .taskId=${this.taskId}></overread-task-page>`}`;
  }
}

function taskInAddress(): string | null {
  const match = /^#\/tasks\/(.+)$/.exec(location.hash);
  if (match?.[1] === undefined) return null;
  try {
    return decodeURIComponent(match[1]);
  } catch {
    return null; // no address of ours
  }
}

customElements.define("overread-sign-in", SignIn);
customElements.define("overread-task-list", TaskListView);
customElements.define("overread-task-page", TaskPage);
customElements.define("overread-portal", Portal);
