"""Configuration groups: values checked against the engine's rules, applied to instances."""

from collections.abc import Mapping
from typing import Any

from coffer.callers import Caller
from coffer.catalogue import Catalogue, Parameter
from coffer.clock import utcnow
from coffer.database import transaction
from coffer.dispatch import Dispatcher
from coffer.errors import BadRequest, NotFound, Unprocessable
from coffer.groups import attached, require_group, require_version
from coffer.models import Configuration, DatastoreVersion, Instance, Operation
from coffer.operations import ACTIVE_STATES
from coffer.status import require_running

Values = Mapping[str, Any]
MASK = "********"
_HIDDEN = ("password", "secret")


class Configurations:
    """Requests about configuration groups."""

    def __init__(self, catalogue: Catalogue, dispatcher: Dispatcher) -> None:
        self._catalogue = catalogue
        self._dispatcher = dispatcher

    def create(
        self,
        name: str,
        description: str | None,
        version: DatastoreVersion,
        values: Values,
        caller: Caller,
    ) -> Configuration:
        """Write a new group.

        Raises:
            Unprocessable: a value breaks its parameter's rule.
        """
        return Configuration.create(
            project_id=caller.project_id,
            name=name,
            description=description,
            version=version,
            values=self._checked(version, values),
        )

    def update(
        self, group: Configuration, changes: dict[str, Any], caller: Caller
    ) -> list[Operation]:
        """Change `name`, `description` or `values` (whole), and apply new values where attached."""
        if "values" in changes:
            changes["values"] = self._checked(group.version, changes["values"])
        with transaction():
            for key, value in changes.items():
                setattr(group, key, value)
            group.updated = utcnow()
            group.save()
            operations = (
                [caller.begin("configuration_update", row) for row in attached(group)]
                if "values" in changes
                else []
            )
        for operation in operations:
            self._dispatcher.send(operation)
        return operations

    def delete(self, group: Configuration) -> None:
        """Delete a group.

        Raises:
            BadRequest: it is attached somewhere.
        """
        with transaction():
            names = [row.name for row in attached(group) + _being_attached(group)]
            if names:
                raise BadRequest(f"configuration {group.id} is attached to {', '.join(names)}")
            Instance.update(configuration=None).where(
                Instance.configuration == group, Instance.deleted.is_null(False)
            ).execute()
            group.delete_instance()

    def attach(self, instance: Instance, group: Configuration, caller: Caller) -> Operation:
        """Give an instance the group's values."""
        if instance.task or instance.restart_required:
            raise BadRequest(f"instance {instance.id} is busy or waits for a restart")
        if instance.configuration_id == group.id:
            raise BadRequest(f"configuration {group.id} is attached already")
        require_version(group, instance.version)
        return self._start("configuration_attach", instance, caller, group.id)

    def detach(self, instance: Instance, caller: Caller) -> Operation | None:
        """Take an instance's group away, which brings the defaults back; None if it has none."""
        if instance.configuration_id is None:
            return None
        if instance.task:
            raise BadRequest(f"instance {instance.id} is busy")
        return self._start("configuration_detach", instance, caller, None)

    def defaults(self, instance: Instance) -> dict[str, Any]:
        """Settings that the instance has where its group says nothing, by name.

        Raises:
            Unprocessable: it was not configured yet.
        """
        if not instance.defaults:
            raise Unprocessable(f"instance {instance.id} is not configured yet: wait until it is")
        rules = self._catalogue.parameters(instance.version.manager, instance.version.name)
        return {
            name: _read(rules[name.lower()], value) if name.lower() in rules else value
            for name, value in instance.defaults.items()
        }

    def diff(
        self,
        instance: Instance,
        group: Configuration | None,
        changes: Values,
        caller: Caller,
    ) -> Operation:
        """Find out what a group's values (None: no group), with `changes`, would change.

        Raises:
            BadRequest, Unprocessable: the group is of another version, a value breaks its rule.
        """
        if group is not None:
            require_version(group, instance.version)
        known = group.values if group else {}
        values = {**known, **self._checked(instance.version, changes)}
        with transaction():
            fresh = Instance.get_by_id(instance.id)
            require_running(fresh)
            parameters = {"coffer_configuration": values}
            operation = caller.begin("configuration_diff", fresh, parameters=parameters)
        self._dispatcher.send(operation)
        return operation

    def _start(
        self, kind: str, instance: Instance, caller: Caller, group_id: str | None
    ) -> Operation:
        with transaction():
            fresh = Instance.get_by_id(instance.id)
            require_running(fresh)
            require_group(group_id)
            operation = caller.begin(kind, fresh, {"configuration_id": group_id})
        self._dispatcher.send(operation)
        return operation

    def _checked(self, version: DatastoreVersion, values: Values) -> dict[str, Any]:
        rules = self._catalogue.parameters(version.manager, version.name)
        if not rules and values:
            raise Unprocessable(f"values: {version.manager} {version.name} has no parameter rules")
        return {_rule(rules, key).name: _checked(_rule(rules, key), values[key]) for key in values}


def _being_attached(group: Configuration) -> list[Instance]:
    """Instances that will have the group when an operation under way succeeds."""
    active = Operation.select().where(
        Operation.kind == "configuration_attach", Operation.state.in_(ACTIVE_STATES)
    )
    ids = [row.instance_id for row in active if row.changes["configuration_id"] == group.id]
    return list(Instance.select().where(Instance.id.in_(ids)))


def masked(values: Values) -> dict[str, Any]:
    """Values as they are shown: password-like ones hidden."""
    return {key: MASK if _is_secret(key) and value else value for key, value in values.items()}


def hidden(difference: Mapping[str, Any]) -> dict[str, str]:
    """What to show instead in a difference of a password-like parameter."""
    return {"running": MASK, "wanted": MASK} if _is_secret(str(difference["name"])) else {}


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _HIDDEN)


def find_rule(rules: Mapping[str, Parameter], name: str) -> Parameter:
    """A rule by its name.

    Raises:
        NotFound: there is none.
    """
    if name.lower() not in rules:
        raise NotFound(f"parameter '{name}' does not exist")
    return rules[name.lower()]


def _rule(rules: Mapping[str, Parameter], name: str) -> Parameter:
    if name.lower() not in rules:
        raise Unprocessable(f"values.{name}: there is no such parameter")
    return rules[name.lower()]


def _checked(rule: Parameter, value: Any) -> Any:
    where = f"values.{rule.name}"
    value = _typed(rule, value, where)
    if rule.type in ("integer", "float"):
        if rule.min is not None and value < rule.min:
            raise Unprocessable(f"{where}: {value} is less than {rule.min}")
        if rule.max is not None and value > rule.max:
            raise Unprocessable(f"{where}: {value} is more than {rule.max}")
    if rule.options and str(value).lower() not in {option.lower() for option in rule.options}:
        raise Unprocessable(f"{where}: '{value}' is not one of {', '.join(rule.options)}")
    return value


def _typed(rule: Parameter, value: Any, where: str) -> Any:
    """Trove's types, and where terraform cannot do otherwise numbers for floats and booleans."""
    if rule.type == "integer" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if rule.type == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if rule.type == "boolean" and value in (True, False):
        return bool(value)
    if rule.type == "string" and isinstance(value, str) and _is_line(value):
        return value
    raise Unprocessable(f"{where}: {value!r} is not of type {rule.type}")


def _read(rule: Parameter, value: Any) -> Any:
    """A default as the engine's settings file writes it, in the rule's type where that is plain."""
    if rule.type == "integer" and isinstance(value, str) and value.isdigit():
        return int(value)
    if rule.type == "boolean" and value in ("ON", "OFF"):
        return value == "ON"
    return value


def _is_line(text: str) -> bool:
    """A value becomes one line of a settings file: nothing in it may begin another."""
    return len(text) <= 4096 and all(letter.isprintable() for letter in text)
