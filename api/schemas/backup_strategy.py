"""Backup strategies on the wire (Trove v1.0)."""

from typing import Literal

from api.schemas.common import Closed, Text, Wire


class BackupStrategyIn(Closed):
    """A container for the project, or for one instance."""

    swift_container: Text
    instance_id: Text | Literal[""] | None = None


class CreateBackupStrategy(Wire):
    """POST /backup_strategies."""

    backup_strategy: BackupStrategyIn


class BackupStrategy(Wire):
    """A strategy; `instance_id` is empty for the whole project."""

    project_id: str
    instance_id: str
    backend: str
    swift_container: str


class BackupStrategyDocument(Wire):
    """One strategy."""

    backup_strategy: BackupStrategy


class BackupStrategyList(Wire):
    """Strategies of a project."""

    backup_strategies: list[BackupStrategy]
