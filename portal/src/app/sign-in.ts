// Sign-in: by name on one machine, or with an identity provider.
import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { api, Problem } from "./api";
import type { SignInMethods } from "./documents";
import { View } from "./view";

export class SignIn extends View {
  static override properties: PropertyDeclarations = {
    methods: { state: true },
    fault: { state: true },
    notice: { attribute: false },
  };

  declare methods: SignInMethods | null;
  declare fault: string;
  declare notice: string;

  constructor() {
    super();
    this.methods = null;
    this.fault = "";
    this.notice = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load();
  }

  private async load(): Promise<void> {
    try {
      this.methods = await api.signInMethods();
      this.fault = "";
    } catch (error) {
      this.fault = error instanceof Problem ? error.message : String(error);
    }
  }

  private async signIn(name: string): Promise<void> {
    try {
      this.dispatchEvent(new CustomEvent("signed-in", { detail: await api.signIn(name), bubbles: true }));
    } catch (error) {
      this.fault = error instanceof Problem ? error.message : String(error);
    }
  }

  protected override render(): TemplateResult {
    const loading = this.methods === null && this.fault === "";
    return html`<main class="sign-in">
      <div class="mark large" aria-hidden="true"></div>
      <h1>Overread</h1>
      <p class="quiet">The second reading that a machine's decision needs.</p>
      <section class="card" aria-labelledby="who">
        <h2 id="who">${this.methods?.mode === "oidc" ? "Sign in" : "Who is reviewing?"}</h2>
        ${this.notice === "" ? nothing : html`<p class="notice warm" role="status">${this.notice}</p>`}
        ${this.fault === "" ? nothing : html`<p class="notice bad" role="alert">${this.fault}</p>`}
        ${loading ? html`<p class="quiet">Loading…</p>` : nothing}
        <ul class="people">
          ${this.methods?.mode === "names" ? this.methods.reviewers.map(({ name, lead }) => this.name(name, lead)) : nothing}
          ${this.methods?.mode === "oidc" ? this.methods.providers.map(({ title, url }) => provider(title, url)) : nothing}
        </ul>
        ${this.methods?.mode === "names" && this.methods.reviewers.length === 0
          ? html`<p class="quiet">Nobody may sign in here.</p>`
          : nothing}
      </section>
      ${this.methods?.mode === "names" ? html`<p class="quiet small">Local sign-in: no password, this machine only.</p>` : nothing}
    </main>`;
  }

  private name(name: string, lead: boolean): TemplateResult {
    return html`<li>
      <button type="button" class="person" aria-label=${lead ? `${name}, lead` : name} @click=${() => this.signIn(name)}>
        <span class="avatar" aria-hidden="true">${name.charAt(0)}</span>
        <span>${name}</span>
        ${lead ? html`<span class="chip">lead</span>` : nothing}
        <span class="go" aria-hidden="true">→</span>
      </button>
    </li>`;
  }
}

function provider(title: string, url: string): TemplateResult {
  const back = location.hash.startsWith("#/") && location.hash !== "#/" ? `?to=${encodeURIComponent(location.hash.slice(1))}` : "";
  return html`<li>
    <a class="person" href=${`${url}${back}`}>
      <span class="avatar" aria-hidden="true">${title.charAt(0)}</span>
      <span>${title}</span>
      <span class="go" aria-hidden="true">→</span>
    </a>
  </li>`;
}
