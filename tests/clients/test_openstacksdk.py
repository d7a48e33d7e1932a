"""openstacksdk's `connection.database`, against a served API: all methods that it has."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import openstack
import pytest
from openstack import exceptions
from openstack.connection import Connection

from tests.clients.service import Service


@pytest.fixture(scope="module")
def database(service: Service) -> Iterator[Any]:
    login = {"endpoint": service.url, "token": service.tokens["member"]}
    connection: Connection = openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_type="admin_token",
        auth=login,
        database_endpoint_override=service.url,
    )
    yield connection.database
    connection.close()


@pytest.fixture(scope="module")
def instance(database: Any) -> Any:
    """An instance that was made with the SDK's own name for the flavor."""
    made = database.create_instance(
        name="sdk1",
        flavor="small",
        volume={"size": 1},
        datastore={"type": "mysql", "version": "9.7"},
    )
    assert made.status == "BUILD"
    return database.wait_for_status(made, "ACTIVE", interval=0.05, wait=60)


def eventually(look: Callable[[], Any], wanted: Any) -> None:
    """A change was accepted; it is made a moment later."""
    deadline = time.monotonic() + 60
    while (seen := look()) != wanted:
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)


def test_flavors(database: Any) -> None:
    assert "small" in [flavor.name for flavor in database.flavors()]
    assert database.find_flavor("small").ram == database.get_flavor("small").ram == 1024


def test_instances(database: Any, instance: Any) -> None:
    assert [row.id for row in database.instances()] == [instance.id]
    assert [row.id for row in database.instances(limit=1)] == [instance.id]
    assert database.find_instance("sdk1").id == instance.id
    assert database.get_instance(instance.id).name == "sdk1"
    database.update_instance(instance, name="sdk2")
    assert database.get_instance(instance.id).name == "sdk2"
    assert database.find_instance("nobody") is None


def test_actions(database: Any, instance: Any) -> None:
    def ready() -> Any:
        shown = database.get_instance(instance.id)
        return database.wait_for_status(shown, "ACTIVE", interval=0.05, wait=60)

    instance.restart(database)
    assert ready().status == "ACTIVE"
    instance.resize_volume(database, 2)
    assert ready().volume["size"] == 2
    instance.resize(database, "medium")
    assert ready().flavor["id"] == "medium"
    assert not instance.is_root_enabled(database)
    assert instance.enable_root_user(database)["name"] == "root"
    assert instance.is_root_enabled(database)


def test_databases(database: Any, instance: Any) -> None:
    def there() -> list[str]:
        return [row.name for row in database.databases(instance)]

    database.create_database(instance, name="shop")
    eventually(there, ["shop"])
    database.delete_database("shop", instance=instance)
    eventually(there, [])


def test_users(database: Any, instance: Any) -> None:
    def there() -> list[str]:
        return [row.name for row in database.users(instance)]

    database.create_database(instance, name="app")
    database.create_user(instance, name="u", password="secret", databases=[{"name": "app"}])
    eventually(there, ["u"])
    database.delete_user("u", instance=instance)
    eventually(there, [])


def test_pages_are_followed_over_plain_http(database: Any, instance: Any) -> None:
    """The SDK asks for the link itself, so it must be one that the service answers."""
    for name in ("a", "b", "c"):
        database.create_database(instance, name=name)
    eventually(lambda: {row.name for row in database.databases(instance)} >= {"a", "b", "c"}, True)
    rows = [row.name for row in database.databases(instance, limit=2)]
    assert {"a", "b", "c"} <= set(rows)


def test_deletion(database: Any, instance: Any) -> None:
    database.delete_instance(instance)
    database.wait_for_delete(instance, interval=0.05, wait=60)
    with pytest.raises(exceptions.NotFoundException):
        database.get_instance(instance.id)
