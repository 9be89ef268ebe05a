"""The review service put together from its parts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from overread_review.service.aliases import Aliases
from overread_review.service.figures import Figures
from overread_review.service.flow_definitions import FlowDefinitions
from overread_review.service.gold import Gold
from overread_review.service.labeling.batches import BatchWork
from overread_review.service.labeling.desk import LabelingDesk
from overread_review.service.labeling.driver import LabelingDriver
from overread_review.service.labeling.jobs import LabelingJobs
from overread_review.service.labeling.model import Batches
from overread_review.service.labeling.ports import AnnotationFunctions, LabelingObjects
from overread_review.service.lead import Lead
from overread_review.service.loop_changes import LoopChanges
from overread_review.service.loops import Loops
from overread_review.service.people import People
from overread_review.service.ports import Clock, Documents, EventSink, ReviewerDirectory, ReviewStore
from overread_review.service.qualifications import Qualifications
from overread_review.service.queues import Queues
from overread_review.service.resources import Resources
from overread_review.service.settings import ServiceSettings
from overread_review.service.tags import Tags
from overread_review.service.task_uis import TaskUis
from overread_review.service.tasks import Tasks
from overread_review.service.teams import Teams


@dataclass(frozen=True, slots=True)
class ReviewService:
    """Everything that the wire and the portal call. Its methods block: run them in threads."""

    settings: ServiceSettings
    clock: Clock
    task_uis: TaskUis
    teams: Teams
    flow_definitions: FlowDefinitions
    loops: Loops
    tasks: Tasks
    lead: Lead
    people: People
    queues: Queues
    qualifications: Qualifications
    tags: Tags
    labeling_jobs: LabelingJobs
    labeling: LabelingDriver
    labeling_desk: LabelingDesk
    reviewers: ReviewerDirectory
    session_secret: str


def build_review_service(
    *,
    settings: ServiceSettings,
    store: ReviewStore,
    documents: Documents,
    events: EventSink,
    reviewers: ReviewerDirectory,
    clock: Clock,
    session_secret: str,
    objects: LabelingObjects,
    functions: AnnotationFunctions,
) -> ReviewService:
    """The service over these ports; `session_secret` signs the portal's cookies when none is stored yet."""
    resources = Resources(store=store, clock=clock, settings=settings)
    task_uis = TaskUis(resources=resources, documents=documents, settings=settings)
    teams = Teams(resources=resources, settings=settings)
    flow_definitions = FlowDefinitions(resources=resources, task_uis=task_uis, teams=teams, settings=settings)
    admission = Gold(
        store=store,
        documents=documents,
        clock=clock,
        task_uis=task_uis,
        settings=settings,
        secret=store.secret("gold", proposal=_derived(session_secret, "gold")),
    )
    changes = LoopChanges(store=store, documents=documents, events=events, clock=clock, admission=admission)
    loops = Loops(
        store=store,
        documents=documents,
        changes=changes,
        clock=clock,
        resources=resources,
        flow_definitions=flow_definitions,
        task_uis=task_uis,
        settings=settings,
    )
    queues = Queues(store=store, resources=resources, teams=teams, clock=clock)
    tasks = Tasks(
        store=store,
        documents=documents,
        clock=clock,
        loops=changes,
        teams=teams,
        task_uis=task_uis,
        queues=queues,
        admission=admission,
        settings=settings,
    )
    labeling_jobs = LabelingJobs(
        resources=resources,
        store=store,
        teams=teams,
        queues=queues,
        settings=settings,
        change_loop=lambda loop, by: changes.change(loop, by=by),
    )
    batches = Batches(store)
    work = BatchWork(
        store=store,
        batches=batches,
        documents=documents,
        objects=objects,
        functions=functions,
        task_uis=task_uis,
        clock=clock,
        settings=settings,
    )
    labeling = LabelingDriver(
        jobs=labeling_jobs,
        work=work,
        store=store,
        batches=batches,
        documents=documents,
        objects=objects,
        events=events,
        change_loop=lambda loop, by: changes.change(loop, by=by),
        clock=clock,
    )
    figures = Figures(store=store, queues=queues)
    people = People(
        store=store,
        clock=clock,
        settings=settings,
        teams=teams,
        queues=queues,
        loops=changes,
        figures=figures,
        aliases=Aliases(store.secret("aliases", proposal=_derived(session_secret, "aliases"))),
    )
    lead = Lead(
        store=store,
        documents=documents,
        clock=clock,
        loops=changes,
        teams=teams,
        queues=queues,
        people=people,
        admission=admission,
        figures=figures,
    )
    return ReviewService(
        settings=settings,
        clock=clock,
        task_uis=task_uis,
        teams=teams,
        flow_definitions=flow_definitions,
        loops=loops,
        tasks=tasks,
        lead=lead,
        people=people,
        queues=queues,
        qualifications=Qualifications(store=store, clock=clock, queues=queues, settings=settings),
        tags=Tags(resources=resources, settings=settings),
        labeling_jobs=labeling_jobs,
        labeling=labeling,
        labeling_desk=LabelingDesk(
            jobs=labeling_jobs,
            people=people,
            teams=teams,
            store=store,
            documents=documents,
            objects=objects,
            change_loop=lambda loop, by: changes.change(loop, by=by),
        ),
        reviewers=reviewers,
        session_secret=store.secret("portal-session", proposal=session_secret),
    )


def _derived(secret: str, purpose: str) -> str:
    return hashlib.sha256(f"overread {purpose} {secret}".encode()).hexdigest()
