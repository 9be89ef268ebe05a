// The portal: signs in, then shows the page that the address behind the hash names.
import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { api, Problem } from "./api";
import type { Session } from "./documents";
import { dropAllDrafts } from "./drafts";
import { HistoryView } from "./history";
import { KeyHelp } from "./key-help";
import { LabelingJobView } from "./labeling-job";
import { LabelingList } from "./labeling-list";
import { LeadOverview } from "./lead-overview";
import { LeadPeople } from "./lead-people";
import { LeadTaskView } from "./lead-task";
import { LeadTasks } from "./lead-tasks";
import "./portal.css";
import { readRoute, type Route } from "./routes";
import { SignIn } from "./sign-in";
import { TaskListView } from "./task-list";
import { TaskPage } from "./task-page";
import { type Shortcut, View } from "./view";

const NAMES: Record<Route["page"], string> = {
  tasks: "Tasks",
  task: "Task",
  history: "History",
  lead: "Backlog",
  queue: "Queue",
  "lead-task": "Task",
  people: "People",
  labeling: "Labeling",
  "labeling-job": "Labeling job",
};

class Portal extends View {
  static override properties: PropertyDeclarations = {
    session: { state: true },
    loading: { state: true },
    fault: { state: true },
    notice: { state: true },
    route: { state: true },
  };

  declare session: Session | null;
  declare loading: boolean;
  declare fault: string;
  declare notice: string;
  declare route: Route;

  constructor() {
    super();
    this.session = null;
    this.loading = true;
    this.fault = "";
    this.notice = "";
    this.route = readRoute(location.hash);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("hashchange", () => (this.route = readRoute(location.hash)));
    this.addEventListener("signed-in", (event) => (this.session = (event as CustomEvent<Session>).detail));
    this.addEventListener("signed-out", (event) => {
      this.notice = (event as CustomEvent<string>).detail || "Your session has ended. Sign in to go on.";
      this.session = null;
    });
    this.addEventListener("standing-changed", () => void this.renew());
    void this.renew();
  }

  override shortcuts(): Shortcut[] {
    if (this.session === null) return [];
    const go = (hash: string) => () => (location.hash = hash);
    const lead = [
      { keys: ["b"], label: "Backlog", run: go("#/lead") },
      { keys: ["l"], label: "Labeling jobs", run: go("#/lead/labeling") },
      { keys: ["e"], label: "People", run: go("#/lead/people") },
    ];
    return [
      { keys: ["t"], label: "Your tasks", run: go("#/") },
      { keys: ["h"], label: "Your history", run: go("#/history") },
      ...(this.session.reviewer.lead ? lead : []),
      { keys: ["?"], label: "These keys", run: () => this.querySelector<KeyHelp>("overread-key-help")?.open() },
    ];
  }

  protected override updated(): void {
    const page = this.session === null ? "Sign in" : NAMES[this.route.page];
    document.title = `${page} · Overread`;
  }

  private async renew(): Promise<void> {
    try {
      this.session = await api.session();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.slug === "person-disabled") this.notice = error.message;
      else if (error.status !== 401) this.fault = error.message;
    }
    this.loading = false;
  }

  private async signOut(): Promise<void> {
    dropAllDrafts();
    let address = "";
    try {
      address = (await api.signOut()).sign_out_url ?? "";
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
    this.session = null;
    this.notice = "";
    if (address !== "") location.assign(address);
    else location.hash = "#/";
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.loading) return nothing;
    if (this.fault !== "") return html`<main class="state"><p class="notice bad" role="alert">${this.fault}</p></main>`;
    if (this.session === null) return html`<overread-sign-in .notice=${this.notice}></overread-sign-in>`;
    return html`${this.top(this.session)} ${this.page(this.session)}<overread-key-help></overread-key-help>`;
  }

  private top(session: Session): TemplateResult {
    const { name, lead } = session.reviewer;
    return html`<header class="top">
      <a class="brand" href="#/"><span class="mark" aria-hidden="true"></span>Overread</a>
      <nav aria-label="Pages">
        ${this.link("#/", "Tasks", ["tasks", "task"])} ${this.link("#/history", "History", ["history"])}
        ${lead ? html`${this.link("#/lead", "Backlog", ["lead", "queue", "lead-task"])} ${this.link("#/lead/labeling", "Labeling", ["labeling", "labeling-job"])} ${this.link("#/lead/people", "People", ["people"])}` : nothing}
      </nav>
      <button type="button" class="button quiet-button" aria-label="Keys" @click=${() => this.querySelector<KeyHelp>("overread-key-help")?.open()}>
        <kbd>?</kbd>
      </button>
      <span class="me"><span class="avatar" aria-hidden="true">${name.charAt(0)}</span><span class="my-name">${name}</span></span>
      <button type="button" class="button quiet-button" @click=${this.signOut}>Sign out</button>
    </header>`;
  }

  private link(address: string, label: string, pages: Route["page"][]): TemplateResult {
    return html`<a href=${address} aria-current=${pages.includes(this.route.page) ? "page" : nothing}>${label}</a>`;
  }

  private page(session: Session): TemplateResult {
    const route = this.route;
    switch (route.page) {
      case "tasks":
        return html`<overread-task-list .session=${session}></overread-task-list>`;
      case "task":
        return html`<overread-task-page .taskId=${route.taskId} .person=${session.reviewer.key}></overread-task-page>`;
      case "history":
        return html`<overread-history></overread-history>`;
      case "lead":
        return html`<overread-lead-overview></overread-lead-overview>`;
      case "queue":
        return html`<overread-lead-tasks .flowDefinition=${route.flowDefinition} .state=${route.state}></overread-lead-tasks>`;
      case "lead-task":
        return html`<overread-lead-task .taskId=${route.taskId}></overread-lead-task>`;
      case "labeling":
        return html`<overread-labeling-list></overread-labeling-list>`;
      case "labeling-job":
        return html`<overread-labeling-job .name=${route.job}></overread-labeling-job>`;
      case "people":
        return html`<overread-lead-people .me=${session.reviewer.key}></overread-lead-people>`;
    }
  }
}

customElements.define("overread-key-help", KeyHelp);
customElements.define("overread-sign-in", SignIn);
customElements.define("overread-task-list", TaskListView);
customElements.define("overread-task-page", TaskPage);
customElements.define("overread-history", HistoryView);
customElements.define("overread-labeling-list", LabelingList);
customElements.define("overread-labeling-job", LabelingJobView);
customElements.define("overread-lead-overview", LeadOverview);
customElements.define("overread-lead-tasks", LeadTasks);
customElements.define("overread-lead-task", LeadTaskView);
customElements.define("overread-lead-people", LeadPeople);
customElements.define("overread-portal", Portal);
