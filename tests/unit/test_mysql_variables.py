"""How the role mysql_family reads what a server says of its settings, and when values are equal."""

import sys
from pathlib import Path

import ansible.module_utils
import pytest

ROLES = Path(__file__).parents[2] / "roles"
sys.path.insert(0, str(ROLES / "mysql_family/module_utils"))
# As Ansible lays them out.
ansible.module_utils.__path__.append(str(ROLES / "engine_accounts/module_utils"))

from coffer_mysql import variables  # type: ignore[import-not-found]  # noqa: E402

HELP = """
  --wait-timeout=#    The number of seconds the server waits.

Variables (--variable-name=value)
and boolean options {FALSE|TRUE}                             Value (after reading options)
------------------------------------------------------------ -------------
ft-boolean-syntax                                            + -><()~*:""&|
init-connect
slow-query-log                                               FALSE
default-time-zone                                            (No default value)
wait-timeout                                                 1234

To see what values a running MySQL server is using, type
'mysqladmin variables' instead of 'mysqld --verbose --help'.
"""


def test_values_are_read_below_the_last_heading() -> None:
    assert variables.explained(HELP) == {
        "ft_boolean_syntax": '+ -><()~*:""&|',
        "init_connect": "",
        "slow_query_log": "FALSE",
        "default_time_zone": "",
        "wait_timeout": "1234",
    }


@pytest.mark.parametrize(
    ("one", "other", "kind", "equal"),
    [
        ("ON", "TRUE", "boolean", True),
        ("OFF", "TRUE", "boolean", False),
        ("10.000000", "10", "float", True),
        ("18446744073709551615", "18446744073709551614", "integer", False),
        ("", "0", "integer", True),
        ("A,B", "b,a", "string", True),
        ("A,B", "A", "string", False),
    ],
)
def test_spellings_of_one_value_are_the_same(one: str, other: str, kind: str, equal: bool) -> None:
    assert variables.same(one, other, kind) is equal
