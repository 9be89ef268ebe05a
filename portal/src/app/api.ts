// The portal's JSON API. Every failure is a Problem with a status and words for the reader.
import type {
  ClaimedTask,
  HistoryPage,
  LabelingJobs,
  LeadTask,
  LeadTaskPage,
  Note,
  Overview,
  People,
  Queue,
  Session,
  SignInMethods,
  Subset,
  TaskList,
  TaskState,
  WholeLabelingJob,
} from "./documents";

/** Status 0 means that the service could not be reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly slug: string,
    readonly title: string,
    detail: string,
  ) {
    super(detail);
  }
}

let csrfToken = "";

async function call<Reply>(method: string, path: string, body?: unknown, base = "api/"): Promise<Reply> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-Overread-CSRF"] = csrfToken;
  const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(`${base}${path}`, init);
  } catch {
    throw new Problem(0, "unreachable", "No connection", "The review service cannot be reached.");
  }
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as Reply;
  throw problemOf(response.status, text);
}

function problemOf(status: number, text: string): Problem {
  try {
    const document = JSON.parse(text) as { type?: string; title?: string; detail?: string };
    const slug = document.type?.split(":").pop() ?? "";
    return new Problem(status, slug, document.title ?? "Something went wrong", sentence(document.detail ?? ""));
  } catch {
    return new Problem(status, "", "Something went wrong", `The review service answered with status ${status}.`);
  }
}

/** The text as a sentence: a capital first, a full stop last. */
export function sentence(text: string): string {
  if (text === "") return "";
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

function remember(session: Session): Session {
  csrfToken = session.csrf_token;
  return session;
}

const part = encodeURIComponent;

function task<Reply>(taskId: string, action: string, body: unknown = {}): Promise<Reply> {
  return call<Reply>("POST", `tasks/${part(taskId)}/${action}`, body);
}

function leadTask(taskId: string, action: string, body: unknown = {}): Promise<LeadTask> {
  return call<LeadTask>("POST", `lead/tasks/${part(taskId)}/${action}`, body);
}

function labelingJob<Reply = WholeLabelingJob>(name: string, action: string, body: unknown = {}): Promise<Reply> {
  return call<Reply>("POST", `lead/labeling/${part(name)}/${action}`, body);
}

export const api = {
  signInMethods: () => call<SignInMethods>("GET", "sign-in"),
  session: async () => remember(await call<Session>("GET", "session")),
  signIn: async (reviewer: string) => remember(await call<Session>("POST", "session", { reviewer })),
  signOut: () => call<{ sign_out_url?: string }>("DELETE", "session"),

  tasks: () => call<TaskList>("GET", "tasks"),
  history: (cursor: string) => call<HistoryPage>("GET", `history?cursor=${part(cursor)}`),
  next: () => call<ClaimedTask | { task_id: null }>("POST", "tasks/next"),
  claim: (taskId: string) => task<ClaimedTask>(taskId, "claim"),
  pause: (taskId: string) => task<ClaimedTask>(taskId, "pause"),
  resume: (taskId: string) => task<ClaimedTask>(taskId, "resume"),
  answer: (taskId: string, answer: Record<string, unknown>) => task<{ status: string }>(taskId, "answer", { answer }),
  cannotDecide: (taskId: string, reason: string) => task<{ status: string }>(taskId, "cannot-decide", { reason }),
  note: (taskId: string, kind: string, text: string) => task<{ notes: Note[] }>(taskId, "notes", { kind, text }),
  decline: (taskId: string) => task<object>(taskId, "decline"),
  release: (taskId: string) => task<object>(taskId, "release"),

  overview: () => call<Overview>("GET", "lead/overview"),
  leadTasks: (flowDefinition: string, state: TaskState, cursor: string) =>
    call<LeadTaskPage>("GET", `lead/tasks?flow_definition=${part(flowDefinition)}&state=${state}&cursor=${part(cursor)}`),
  leadTask: (taskId: string) => call<LeadTask>("GET", `lead/tasks/${part(taskId)}`),
  assign: (taskId: string, person: string | null) => leadTask(taskId, "assign", { person }),
  returnAnswer: (taskId: string, person: string, comment: string) => leadTask(taskId, "return", { person, comment }),
  stop: (taskId: string) => leadTask(taskId, "stop"),
  hold: (taskId: string, held: boolean) => leadTask(taskId, held ? "hold" : "unhold"),
  reply: (taskId: string, text: string) => leadTask(taskId, "reply", { text }),
  pauseQueue: (flowDefinition: string, paused: boolean) =>
    call<Queue>("POST", `lead/queues/${part(flowDefinition)}/${paused ? "pause" : "resume"}`, {}),

  labelingJobs: () => call<LabelingJobs>("GET", "lead/labeling"),
  labelingJob: (name: string) => call<WholeLabelingJob>("GET", `lead/labeling/${part(name)}`),
  pauseJob: (name: string, paused: boolean) => labelingJob(name, paused ? "pause" : "resume"),
  stopJob: (name: string) => labelingJob(name, "stop"),
  changeJob: (name: string, settings: { workers: number; time_limit_s: number }) => labelingJob(name, "settings", settings),
  instruct: (name: string, instructions: { short: string | null; full: string | null }) => labelingJob(name, "instructions", instructions),
  jobLike: (name: string, wanted: { name: string; manifest: string; title: string; workers: number }) => labelingJob(name, "like", wanted),
  countAgain: (name: string, subset: Subset) => labelingJob<{ objects: number }>(name, "again/count", subset),
  labelAgain: (name: string, wanted: Subset & { name: string; workers: number }) => labelingJob(name, "again", wanted),

  people: () => call<People>("GET", "lead/people"),
  invite: async (email: string, name: string, group: string) => {
    const { ticket } = await call<{ ticket: string }>("POST", "lead/people/invite", { email, name, group });
    return call<{ invited: string }>("POST", "invitations", { ticket }, "");
  },
  allow: (person: string, allowed: boolean) =>
    call<object>("POST", `lead/people/${part(person)}/${allowed ? "enable" : "disable"}`, {}),
};
