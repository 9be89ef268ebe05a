// A lead's people: who may work here, what they are qualified for, invitations, and figures where they are allowed.
import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { api } from "./api";
import type { People, Person, QualificationState, Statistics } from "./documents";
import { absolute, duration } from "./time";
import { View } from "./view";

const STATES: Record<QualificationState["state"], string> = {
  none: "not begun",
  "in-test": "in the test",
  passed: "passed",
  failed: "not passed",
  expired: "over",
};

export class LeadPeople extends View {
  static override properties: PropertyDeclarations = {
    me: { attribute: false },
    people: { state: true },
    fault: { state: true },
    said: { state: true },
  };

  declare me: string;
  declare people: People | null;
  declare fault: string;
  declare said: string;

  constructor() {
    super();
    this.people = null;
    this.fault = "";
    this.said = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.act(() => Promise.resolve(), "");
  }

  private async act(action: () => Promise<unknown>, said: string): Promise<void> {
    try {
      await action();
      this.people = await api.people();
      this.said = said;
      this.fault = "";
    } catch (error) {
      this.said = "";
      this.fault = this.explain(error);
    }
  }

  private readonly invite = async (event: Event): Promise<void> => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const given = new FormData(form);
    const [email, name, group] = ["email", "name", "group"].map((field) => String(given.get(field) ?? ""));
    await this.act(() => api.invite(email ?? "", name ?? "", group ?? ""), `${email} is invited.`);
    if (this.fault === "") form.reset();
  };

  protected override render(): TemplateResult {
    const people = this.people;
    return html`<main class="list wide">
      <div class="list-head"><h1>People</h1></div>
      ${this.fault === "" ? nothing : html`<p class="notice bad" role="alert">${this.fault}</p>`}
      ${this.said === "" ? nothing : html`<p class="notice good" role="status">${this.said}</p>`}
      ${people === null ? html`<p class="quiet" role="status">${this.fault === "" ? "Loading…" : ""}</p>` : this.page(people)}
    </main>`;
  }

  private page(people: People): TemplateResult {
    return html`<div class="card scroll" tabindex="0" role="region" aria-label="People">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Teams</th>
              <th scope="col">Qualified</th>
              <th scope="col">Last here</th>
              ${people.statistics === "named" ? html`<th scope="col">Last 30 days</th>` : nothing}
              <th scope="col">Access</th>
            </tr>
          </thead>
          <tbody>
            ${people.people.map((person) => this.row(person, people.statistics === "named"))}
          </tbody>
        </table>
      </div>
      ${people.statistics === "pseudonymous" ? aliases(people) : nothing}
      ${people.invitable ? this.invitation(people.groups) : html`<p class="quiet small more">New people are added at the identity provider, to a group of the team.</p>`}`;
  }

  private row(person: Person, named: boolean): TemplateResult {
    const disabled = person.state === "disabled";
    return html`<tr>
      <td>
        <strong>${person.name}</strong> ${person.lead ? html`<span class="chip">lead</span>` : nothing}
        ${person.state === "invited" ? html`<span class="badge plain">invited</span>` : nothing}
        ${disabled ? html`<span class="badge bad">no access</span>` : nothing}
        <br /><span class="quiet small">${person.email}</span>
      </td>
      <td>${person.teams.join(", ")}</td>
      <td>${person.qualifications.length === 0 ? "–" : person.qualifications.map(qualified)}</td>
      <td>${person.last_seen_at === null ? "never" : absolute(person.last_seen_at)}</td>
      ${named ? html`<td>${person.statistics === null ? "–" : inWords(person.statistics)}</td>` : nothing}
      <td>
        ${person.person === this.me
          ? html`<span class="quiet small">you</span>`
          : html`<button type="button" class="button" aria-label=${`${disabled ? "Give access to" : "End access of"} ${person.name}`} @click=${() => this.allow(person, disabled)}>
              ${disabled ? "Give access" : "End access"}
            </button>`}
      </td>
    </tr>`;
  }

  private allow(person: Person, allowed: boolean): Promise<void> {
    const said = allowed ? `${person.name} may work here again.` : `${person.name} has no access any more; their tasks are free again.`;
    return this.act(() => api.allow(person.person, allowed), said);
  }

  private invitation(groups: string[]): TemplateResult {
    return html`<form class="card invite" @submit=${this.invite}>
      <h2>Invite somebody</h2>
      <label>E-mail <input name="email" type="email" required maxlength="254" autocomplete="off" /></label>
      <label>Name <input name="name" required maxlength="64" autocomplete="off" /></label>
      <label>Group <select name="group">${groups.map((group) => html`<option>${group}</option>`)}</select></label>
      <button class="button primary">Invite</button>
    </form>`;
  }
}

function qualified(one: Person["qualifications"][number]): TemplateResult {
  const gold = !one.gold_total ? "" : `, ${one.gold_correct} of ${one.gold_total} gold questions right`;
  const until = one.state === "passed" && one.valid_until !== null ? ` until ${absolute(one.valid_until)}` : "";
  const score = one.score === null ? "" : `, ${Math.round(one.score * 100)} %`;
  return html`<span class="qualified">${one.name}: ${STATES[one.state]}${until}${score}<span class="quiet small">${gold}</span></span>`;
}

function inWords({ answers, median_worked_s, agreement }: Statistics): string {
  const agreed = agreement.share === null ? "" : `, ${Math.round(agreement.share * 100)} % agreement`;
  return `${answers} ${answers === 1 ? "answer" : "answers"}, ${duration(median_worked_s)} each${agreed}`;
}

function aliases(people: People): TemplateResult {
  return html`<section class="card thread" aria-labelledby="aliases-title">
    <h2 id="aliases-title">The last 30 days, under pseudonyms</h2>
    ${people.aliases.length === 0 ? html`<p class="quiet">No answers yet.</p>` : nothing}
    <ul>
      ${people.aliases.map((one) => html`<li>${one.alias}: ${inWords(one)}</li>`)}
    </ul>
  </section>`;
}
