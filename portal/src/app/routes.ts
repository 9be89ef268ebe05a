// The pages of the portal and their addresses behind the hash.
import type { TaskState } from "./documents";

export type Route =
  | { page: "tasks" | "history" | "lead" | "people" | "labeling" }
  | { page: "labeling-job"; job: string }
  | { page: "task" | "lead-task"; taskId: string }
  | { page: "queue"; flowDefinition: string; state: TaskState };

const STATES: TaskState[] = ["open", "flagged", "ended"];

export const taskAddress = (taskId: string) => `#/tasks/${encodeURIComponent(taskId)}`;
export const leadTaskAddress = (taskId: string) => `#/lead/tasks/${encodeURIComponent(taskId)}`;
export const labelingAddress = (job: string) => `#/lead/labeling/${encodeURIComponent(job)}`;
export const queueAddress = (flowDefinition: string, state: TaskState) =>
  `#/lead/queues/${encodeURIComponent(flowDefinition)}/${state}`;

/** The page behind an address; the list of tasks for one that names none. */
export function readRoute(hash: string): Route {
  let parts: string[];
  try {
    parts = hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  } catch {
    return { page: "tasks" }; // no address of ours
  }
  const [first, second, third, fourth] = parts;
  if (first === "tasks" && second) return { page: "task", taskId: second };
  if (first === "history") return { page: "history" };
  if (first !== "lead") return { page: "tasks" };
  if (second === "people") return { page: "people" };
  if (second === "labeling") return third ? { page: "labeling-job", job: third } : { page: "labeling" };
  if (second === "tasks" && third) return { page: "lead-task", taskId: third };
  if (second === "queues" && third) {
    return { page: "queue", flowDefinition: third, state: STATES.find((state) => state === fourth) ?? "open" };
  }
  return { page: "lead" };
}
