"""The table of routes; the app and the OpenAPI document are both made from it."""

from typing import Any

from api.resources.accounts import (
    DatabaseCollection,
    DatabaseItem,
    Root,
    UserCollection,
    UserGrant,
    UserGrants,
    UserItem,
)
from api.resources.audit import AuditCollection
from api.resources.backup_strategies import BackupStrategyCollection
from api.resources.backups import (
    BackupActions,
    BackupCollection,
    BackupData,
    BackupItem,
    BackupKey,
    InstanceBackups,
)
from api.resources.checkup import CheckupDocument
from api.resources.configurations import (
    ConfigurationCollection,
    ConfigurationDefaults,
    ConfigurationDiff,
    ConfigurationInstances,
    ConfigurationItem,
    ParameterCollection,
    ParameterCollectionById,
    ParameterItem,
    ParameterItemById,
)
from api.resources.datastore_versions import (
    ManagedParameter,
    ManagedParameters,
    ManagedVersion,
    ManagedVersions,
)
from api.resources.datastores import (
    DatastoreCollection,
    DatastoreItem,
    VersionById,
    VersionCollection,
    VersionItem,
)
from api.resources.empty import ClusterCollection, InstanceModules, ModuleCollection
from api.resources.flavors import FlavorCollection, FlavorItem, FlavorsOfVersion, VolumeTypes
from api.resources.instances import (
    InstanceActions,
    InstanceCollection,
    InstanceConnection,
    InstanceDetails,
    InstanceItem,
)
from api.resources.inventory import InventoryDocument
from api.resources.logs import LogCollection, LogLines
from api.resources.management import (
    ManagedActions,
    ManagedDiagnostics,
    ManagedHardware,
    ManagedInstance,
    ManagedInstances,
    ManagedPing,
    ManagedRoot,
)
from api.resources.objects import LogContainer, LogObject
from api.resources.operations import (
    OperationActions,
    OperationCollection,
    OperationEvents,
    OperationItem,
)
from api.resources.patch_runs import PatchActions, PatchCollection, PatchItem
from api.resources.patches import InstancePatch
from api.resources.quotas import Limits, ProjectQuotas
from api.resources.schedules import ScheduleCollection, ScheduleItem
from api.resources.unsupported import add_unsupported
from api.resources.windows import WindowCollection, WindowItem
from api.services import Services

PREFIX = "/v1.0/{project}"
Routes = list[tuple[str, Any]]


def project_routes(services: Services) -> Routes:
    """Paths and resources of a project."""
    resources: dict[str, Any] = {
        **dict(_instances(services)),
        **dict(_datastores(services)),
        **dict(_project(services)),
        **dict(_management(services)),
    }
    add_unsupported(resources)
    return [(PREFIX + path, resource) for path, resource in resources.items()]


def _instances(services: Services) -> Routes:
    """What instances have."""
    return [
        ("/instances", InstanceCollection(services)),
        ("/instances/detail", InstanceDetails(services)),
        ("/instances/{instance}", InstanceItem(services)),
        ("/instances/{instance}/action", InstanceActions(services)),
        ("/instances/{instance}/connection", InstanceConnection(services)),
        ("/instances/{instance}/backups", InstanceBackups(services)),
        ("/instances/{instance}/databases", DatabaseCollection(services)),
        ("/instances/{instance}/databases/{database}", DatabaseItem(services)),
        ("/instances/{instance}/users", UserCollection(services)),
        ("/instances/{instance}/users/{user}", UserItem(services)),
        ("/instances/{instance}/users/{user}/databases", UserGrants(services)),
        ("/instances/{instance}/users/{user}/databases/{database}", UserGrant(services)),
        ("/instances/{instance}/log", LogCollection(services)),
        ("/instances/{instance}/log/{log}", LogLines(services)),
        ("/instances/{instance}/root", Root(services)),
        ("/instances/{instance}/configuration", ConfigurationDefaults(services)),
        ("/instances/{instance}/configuration/diff", ConfigurationDiff(services)),
        ("/instances/{instance}/patch", InstancePatch(services)),
        ("/instances/{instance}/modules", InstanceModules()),
    ]


def _datastores(services: Services) -> Routes:
    """What instances are made of: versions, flavors, configuration groups."""
    return [
        ("/datastores", DatastoreCollection()),
        ("/datastores/versions/{version}", VersionById()),
        ("/datastores/{datastore}", DatastoreItem()),
        ("/datastores/{datastore}/versions", VersionCollection()),
        ("/datastores/{datastore}/versions/{version}", VersionItem()),
        ("/datastores/versions/{version}/parameters", ParameterCollectionById(services)),
        (
            "/datastores/versions/{version}/parameters/{parameter}",
            ParameterItemById(services),
        ),
        (
            "/datastores/{datastore}/versions/{version}/parameters",
            ParameterCollection(services),
        ),
        (
            "/datastores/{datastore}/versions/{version}/parameters/{parameter}",
            ParameterItem(services),
        ),
        ("/configurations", ConfigurationCollection(services)),
        ("/configurations/{configuration}", ConfigurationItem(services)),
        ("/configurations/{configuration}/instances", ConfigurationInstances(services)),
        ("/flavors", FlavorCollection(services)),
        ("/flavors/{flavor}", FlavorItem(services)),
        ("/datastores/{datastore}/versions/{version}/flavors", FlavorsOfVersion(services)),
        ("/datastores/{datastore}/versions/{version}/volume-types", VolumeTypes()),
    ]


def _project(services: Services) -> Routes:
    """What else a project has."""
    return [
        ("/objects/{container}", LogContainer(services)),
        ("/objects/{container}/{object}", LogObject(services)),
        ("/backup_strategies", BackupStrategyCollection()),
        ("/backups", BackupCollection(services)),
        ("/backups/{backup}", BackupItem(services)),
        ("/backups/{backup}/action", BackupActions(services)),
        ("/backups/{backup}/data", BackupData(services)),
        ("/backups/{backup}/key", BackupKey(services)),
        ("/backup_schedules", ScheduleCollection(services)),
        ("/backup_schedules/{schedule}", ScheduleItem()),
        ("/maintenance_windows", WindowCollection()),
        ("/maintenance_windows/{window}", WindowItem()),
        ("/patches", PatchCollection(services)),
        ("/patches/{patch}", PatchItem()),
        ("/patches/{patch}/action", PatchActions(services)),
        ("/operations", OperationCollection(services)),
        ("/operations/{operation}", OperationItem()),
        ("/operations/{operation}/events", OperationEvents()),
        ("/operations/{operation}/action", OperationActions(services)),
        ("/clusters", ClusterCollection()),
        ("/modules", ModuleCollection()),
        ("/limits", Limits(services)),
        ("/audit", AuditCollection(services)),
        ("/checkup", CheckupDocument(services)),
        ("/inventory", InventoryDocument(services)),
    ]


def _management(services: Services) -> Routes:
    """What administrators have."""
    return [
        ("/mgmt/instances", ManagedInstances(services)),
        ("/mgmt/instances/{instance}", ManagedInstance(services)),
        ("/mgmt/instances/{instance}/action", ManagedActions(services)),
        ("/mgmt/instances/{instance}/root", ManagedRoot()),
        ("/mgmt/instances/{instance}/hwinfo", ManagedHardware(services)),
        ("/mgmt/instances/{instance}/diagnostics", ManagedDiagnostics(services)),
        ("/mgmt/instances/{instance}/rpc_ping", ManagedPing(services)),
        ("/mgmt/datastore-versions", ManagedVersions(services)),
        ("/mgmt/datastore-versions/{version}", ManagedVersion(services)),
        ("/mgmt/datastores/versions/{version}/parameters", ManagedParameters(services)),
        (
            "/mgmt/datastores/versions/{version}/parameters/{parameter}",
            ManagedParameter(services),
        ),
        ("/mgmt/quotas/{tenant}", ProjectQuotas(services)),
    ]
