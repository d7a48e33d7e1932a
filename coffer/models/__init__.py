"""The records: one table a file."""

from coffer.models.audit import AuditRecord
from coffer.models.backup import Backup, Repository
from coffer.models.backup_strategy import BackupStrategy
from coffer.models.configuration import Configuration
from coffer.models.datastore import Datastore, DatastoreVersion
from coffer.models.instance import Instance
from coffer.models.log import GuestLog, LogPiece
from coffer.models.operation import Event, Operation
from coffer.models.patch_run import PatchMember, PatchRun
from coffer.models.project import Project
from coffer.models.schedule import Schedule
from coffer.models.secret import Secret
from coffer.models.token import Token
from coffer.models.window import MaintenanceWindow

__all__ = [
    "MODELS",
    "AuditRecord",
    "Backup",
    "BackupStrategy",
    "Configuration",
    "Datastore",
    "DatastoreVersion",
    "Event",
    "GuestLog",
    "Instance",
    "LogPiece",
    "MaintenanceWindow",
    "Operation",
    "PatchMember",
    "PatchRun",
    "Project",
    "Repository",
    "Schedule",
    "Secret",
    "Token",
]

MODELS = [
    AuditRecord,
    Backup,
    BackupStrategy,
    Configuration,
    Datastore,
    DatastoreVersion,
    Event,
    GuestLog,
    Instance,
    LogPiece,
    MaintenanceWindow,
    Operation,
    PatchMember,
    PatchRun,
    Project,
    Repository,
    Schedule,
    Secret,
    Token,
]
"""All tables; migrations are generated from and checked against this list."""
