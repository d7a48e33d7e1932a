"""What each engine takes as a name, a password or a host, by its catalogue."""

import pytest

from coffer.catalogue import Catalogue
from coffer.errors import BadRequest
from coffer.names import check_databases, check_users

CATALOGUE = Catalogue("local")
RELATIONAL = ("mysql", "mariadb")
ALL = (*RELATIONAL, "mongodb")


def check(engine: str, field: str, text: str) -> None:
    known = CATALOGUE.engine(engine)
    if field == "database":
        check_databases([{"name": text}], known)
        return
    user = {"name": "u", "password": "p", "host": "%", field: text}
    if field == "access":
        user["databases"] = [{"name": "d", "access": text}]  # type: ignore[assignment]
    check_users([user], None, known)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", 'o\'br "{{ 7*7 }}" `$(id)` %@x'),
        ("name", "ümläut漢"),
        ("password", "'; DROP TABLE x; -- \\ ` \" ${HOME} äß漢"),
        ("database", "under_score-%ä'`"),
        ("host", "10.1.2.3"),
        ("host", "10.0.%"),
        ("host", "2001:db8::1"),
        ("access", "read-only"),
        ("access", "app"),
        ("access", "admin"),
    ],
)
def test_taken(engine: str, field: str, text: str) -> None:
    check(engine, field, text)


@pytest.mark.parametrize(
    ("engines", "field", "text", "word"),
    [
        (ALL, "database", "x" * 65, "takes 6"),
        (ALL, "name", "x" * 129, "the engine takes"),
        (ALL, "name", "a\u200d", "cannot be seen"),
        (ALL, "name", " a", "white space"),
        (ALL, "name", "Root", "reserved"),
        (ALL, "password", "a\0b", "NUL"),
        (ALL, "password", "", "required"),
        (ALL, "host", "a b", "host"),
        (ALL, "access", "owner", "read-only, app, admin"),
        (RELATIONAL, "name", "crab🦀", "basic plane"),
        (RELATIONAL, "database", "crab🦀", "basic plane"),
        (RELATIONAL, "database", "#mysql50#x", "#mysql50#"),
        (["mariadb"], "host", "10.0.0.0/8", "255.0.0.0"),
        (["mongodb"], "database", "ä" * 32, "64 bytes"),
        *((["mongodb"], "database", f"a{letter}b", "names of databases") for letter in '/\\. "$'),
        (["mongodb"], "host", "web.example.org", "10.0.0.0/8"),
        (["mongodb"], "host", "300.1.1.1", "10.0.0.0/8"),
        (["mongodb"], "host", "10.1%", "10.0.0.0/8"),
        (["mongodb"], "password", "a\tb", "Unicode 3.2"),
        (["mongodb"], "password", "crab🦀", "Unicode 3.2"),
        (["mongodb"], "password", "\u00ad", "nothing"),
        (["mongodb"], "password", "aא", "right to left"),
    ],
)
def test_refused(engines: list[str], field: str, text: str, word: str) -> None:
    for engine in engines:
        with pytest.raises(BadRequest) as refused:
            check(engine, field, text)
        assert word in str(refused.value)


def test_names_that_one_place_holds() -> None:
    """MongoDB has no two databases that differ in case alone, and no user for two hosts."""
    databases = [{"name": "app"}, {"name": "App"}]
    users = [{"name": "u", "password": "p", "host": host} for host in ("%", "10.1.2.3")]
    for name in RELATIONAL:
        check_databases(databases, CATALOGUE.engine(name))
        check_users(users, None, CATALOGUE.engine(name))
    with pytest.raises(BadRequest, match="given twice"):
        check_databases(databases, CATALOGUE.engine("mongodb"))
    with pytest.raises(BadRequest, match="given twice"):
        check_users(users, None, CATALOGUE.engine("mongodb"))


def test_every_engine_says_what_its_kinds_of_access_are() -> None:
    for engine in CATALOGUE.engines.values():
        assert list(engine.access) == ["read-only", "app", "admin"], engine.name
        assert engine.default_access in engine.access
