// The portal's JSON API. Every failure is a Problem with a status and words for the reviewer.

export interface Reviewer {
  name: string;
  sub: string;
  groups: string[];
}

export interface Session {
  reviewer: Reviewer;
  csrf_token: string;
}

export interface Task {
  task_id: string;
  title: string;
  description: string;
  keywords: string[];
  flow_definition: string;
  human_loop: string;
  created_at: string;
  expires_at: string;
  time_limit_s: number;
  claimed_by_me: boolean;
}

export interface TaskList {
  tasks: Task[];
  now: string;
}

export interface ClaimedTask {
  task_id: string;
  frame_url: string;
  accepted_at: string;
  deadline_at: string;
  now: string;
  title: string;
  description: string;
  human_loop: string;
}

/** Status 0 means that the service could not be reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    detail: string,
  ) {
    super(detail);
  }
}

let csrfToken = "";

async function call<Reply>(method: string, path: string, body?: unknown): Promise<Reply> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-Overread-CSRF"] = csrfToken;
  const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(`api/${path}`, init);
  } catch {
    throw new Problem(0, "No connection", "The review service cannot be reached.");
  }
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as Reply;
  throw problemOf(response.status, text);
}

function problemOf(status: number, text: string): Problem {
  try {
    const document = JSON.parse(text) as { title?: string; detail?: string };
    return new Problem(status, document.title ?? "Something went wrong", document.detail ?? "");
  } catch {
    return new Problem(status, "Something went wrong", `The review service answered with status ${status}.`);
  }
}

function remember(session: Session): Session {
  csrfToken = session.csrf_token;
  return session;
}

const taskPath = (taskId: string, action: string) => `tasks/${encodeURIComponent(taskId)}/${action}`;

export const api = {
  reviewers: async () => (await call<{ reviewers: { name: string }[] }>("GET", "reviewers")).reviewers,
  session: async () => remember(await call<Session>("GET", "session")),
  signIn: async (reviewer: string) => remember(await call<Session>("POST", "session", { reviewer })),
  signOut: () => call<object>("DELETE", "session"),
  tasks: () => call<TaskList>("GET", "tasks"),
  claim: (taskId: string) => call<ClaimedTask>("POST", taskPath(taskId, "claim")),
  answer: (taskId: string, answer: Record<string, unknown>) =>
    call<{ status: string }>("POST", taskPath(taskId, "answer"), { answer }),
  decline: (taskId: string) => call<object>("POST", taskPath(taskId, "decline")),
  release: (taskId: string) => call<object>("POST", taskPath(taskId, "release")),
};
