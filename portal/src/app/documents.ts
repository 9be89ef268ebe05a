// What the portal's API says, as types.

export interface Reviewer {
  name: string;
  sub: string;
  key: string;
  groups: string[];
  lead: boolean;
  provider: string;
}

export interface QualificationState {
  name: string;
  title: string;
  state: "none" | "in-test" | "passed" | "failed" | "expired";
  score: number | null;
  answered: number;
  questions: number;
  valid_until: string | null;
  repeat_at: string | null;
}

export interface Session {
  reviewer: Reviewer;
  csrf_token: string;
  statistics: "off" | "pseudonymous" | "named";
  qualifications: QualificationState[];
}

export type SignInMethods =
  | { mode: "names"; reviewers: { name: string; lead: boolean }[] }
  | { mode: "oidc"; providers: { id: string; title: string; url: string }[] };

export type Priority = "urgent" | "high" | "normal" | "low";

interface TaskFacts {
  task_id: string;
  human_loop: string;
  title: string;
  description: string;
  keywords: string[];
  flow_definition: string;
  priority: Priority;
  created_at: string;
  expires_at: string;
  deadline_at: string | null;
  time_limit_s: number;
}

export interface Task extends TaskFacts {
  claimed_by_me: boolean;
  assigned_to_me: boolean;
  returned: boolean;
  notes: number;
}

export interface TaskList {
  tasks: Task[];
  now: string;
  paused_queues: { flow_definition: string; title: string }[];
}

export interface Note {
  note_id: string;
  author: string;
  role: "reviewer" | "lead";
  kind: "question" | "flag" | "reply" | "return";
  text: string;
  at: string;
  mine: boolean;
}

export interface ClaimedTask extends Omit<Task, "notes"> {
  frame_url: string;
  accepted_at: string;
  claim_deadline_at: string;
  worked_s: number;
  running: boolean;
  now: string;
  guideline_version: string;
  /** What the reviewer signs by submitting; empty when the task asks for no signature. */
  statement: string;
  notes: Note[];
}

export interface HistoryAnswer {
  task_id: string;
  title: string;
  flow_definition: string;
  submitted_at: string;
  worked_s: number;
  choices: Record<string, string>;
  cannot_decide: boolean;
  guideline_version: string;
  status: string;
}

export interface HistoryPage {
  answers: HistoryAnswer[];
  next_cursor: string;
}

export interface Agreement {
  pairs: number;
  agreed: number;
  share: number | null;
}

export interface Queue {
  flow_definition: string;
  title: string;
  team: string;
  paused: boolean;
  paused_by: string;
  open: number;
  claimed: number;
  waiting: number;
  flagged: number;
  overdue: number;
  oldest_age_s: number | null;
  median_age_s: number | null;
  completed_1h: number;
  completed_24h: number;
  median_worked_s: number | null;
  agreement: Agreement;
}

export interface Overview {
  queues: Queue[];
  now: string;
}

export interface LabelingJob {
  name: string;
  title: string;
  description: string;
  team: string;
  queue: string;
  status: "Initializing" | "InProgress" | "Completed" | "Failed" | "Stopping" | "Stopped";
  paused: boolean;
  failure_reason: string;
  workers: number;
  time_limit_s: number;
  objects: number;
  labeled: number;
  failed: number;
  /** Objects that needed nobody. */
  passed: number;
  created_at: string;
  changed_at: string | null;
}

export interface WholeLabelingJob extends LabelingJob {
  label_attribute: string;
  manifest: string;
  output_manifest: string;
  categories: string[];
  /** HTML; null where the worker template has no such region. */
  instructions: { short: string | null; full: string | null };
}

export interface LabelingJobs {
  jobs: LabelingJob[];
  now: string;
}

/** Objects of a finished job that are to be labeled again: those that fit any of it. */
export interface Subset {
  failed: boolean;
  below: number | null;
  classes: string[];
}

export type TaskState = "open" | "flagged" | "ended";

export interface LeadTask extends TaskFacts {
  status: string;
  failure_reason: string;
  seats: number;
  held: boolean;
  age_s: number;
  guideline_version: string;
  claims: { person: string; name: string; accepted_at: string; deadline_at: string; paused: boolean }[];
  answers: {
    person: string;
    name: string;
    submitted_at: string;
    worked_s: number;
    choices: Record<string, string>;
    cannot_decide: boolean;
  }[];
  returned_answers: number;
  assigned_to: { person: string; name: string } | null;
  notes: Note[];
  input?: unknown;
  contents?: unknown[];
}

export interface LeadTaskPage {
  tasks: LeadTask[];
  next_cursor: string;
  now: string;
}

export interface Statistics {
  answers: number;
  median_worked_s: number | null;
  agreement: Agreement;
}

export interface Person {
  person: string;
  name: string;
  email: string;
  provider: string;
  teams: string[];
  lead: boolean;
  state: "active" | "disabled" | "invited";
  last_seen_at: string | null;
  qualifications: {
    name: string;
    state: QualificationState["state"];
    score: number | null;
    test_correct: number;
    test_total: number;
    passed_at: string | null;
    valid_until: string | null;
    gold_correct: number | null;
    gold_total: number | null;
  }[];
  statistics: Statistics | null;
}

export interface People {
  people: Person[];
  aliases: (Statistics & { alias: string })[];
  groups: string[];
  invitable: boolean;
  statistics: "off" | "pseudonymous" | "named";
}
