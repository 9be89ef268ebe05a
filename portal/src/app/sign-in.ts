// Sign-in as one of the local reviewers.
import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { api, Problem, type Session } from "./api";
import { View } from "./view";

export class SignIn extends View {
  static override properties: PropertyDeclarations = { names: { state: true }, fault: { state: true } };

  declare names: string[] | null;
  declare fault: string;

  constructor() {
    super();
    this.names = null;
    this.fault = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load();
  }

  private async load(): Promise<void> {
    try {
      this.names = (await api.reviewers()).map((reviewer) => reviewer.name);
      this.fault = "";
    } catch (error) {
      this.fault = error instanceof Problem ? error.message : String(error);
    }
  }

  private async signIn(name: string): Promise<void> {
    try {
      const session: Session = await api.signIn(name);
      this.dispatchEvent(new CustomEvent("signed-in", { detail: session, bubbles: true }));
    } catch (error) {
      this.fault = error instanceof Problem ? error.message : String(error);
    }
  }

  protected override render(): TemplateResult {
    return html`<main class="sign-in">
      <div class="mark large" aria-hidden="true"></div>
      <h1>Overread</h1>
      <p class="quiet">The second reading that a machine's decision needs.</p>
      <section class="card" aria-labelledby="who">
        <h2 id="who">Who is reviewing?</h2>
        ${this.fault === "" ? nothing : html`<p class="notice bad" role="alert">${this.fault}</p>`}
        ${this.names === null && this.fault === "" ? html`<p class="quiet">Loading…</p>` : nothing}
        ${this.names?.length === 0 ? html`<p class="quiet">Nobody may sign in here.</p>` : nothing}
        <ul class="people">
          ${this.names?.map(
            (name) => html`<li>
              <button type="button" class="person" @click=${() => this.signIn(name)}>
                <span class="avatar" aria-hidden="true">${name.charAt(0)}</span>
                <span>${name}</span>
                <span class="go" aria-hidden="true">→</span>
              </button>
            </li>`,
          )}
        </ul>
      </section>
      <p class="quiet small">Local sign-in: no password, this machine only.</p>
    </main>`;
  }
}
