"""CloudFormation resource types that ministack lacks, provisioned through the emulator's own APIs."""

from ministack.services.cloudformation import provisioners, stacks

from overread_local.emulator.resource_types import budgets, network, sagemaker, scaling, workforce
from overread_local.emulator.resource_types.handler import Clients, ResourceType


def install(emulator_url: str) -> None:
    """Registers every type; each runs on a thread, because it calls APIs that the event loop must answer."""
    clients = Clients(emulator_url)
    types: list[ResourceType] = [
        *sagemaker.resource_types(clients),
        *workforce.resource_types(clients),
        *network.resource_types(clients),
        *scaling.resource_types(clients),
        *budgets.resource_types(clients),
    ]
    names = frozenset(one.name for one in types)
    provisioners._RESOURCE_HANDLERS.update({one.name: one.handlers() for one in types})
    runs_on_thread = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda name: name in names or runs_on_thread(name)
