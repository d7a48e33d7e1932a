"""Prints the rules of all settings that a configuration group may hold, as the engine tells them.

Run as root beside a running server that nobody needs, sized as usual, without a group:
    python3 parameters.py SERVER SETTINGS FIXED HOW > catalogue/parameters-VERSION.yml
SERVER is mysqld or mariadbd, SETTINGS its file, FIXED the pattern of settings that hold an
instance together (engine_*_fixed_settings), HOW a sentence for the first line. Every variable is
set to the value that it has, to see whether it can be; enumerations are tried out.
"""

import re
import subprocess
import sys
from typing import Any

import pymysql

# Switches that break an instance or its agent, are of no use to it, or belong to what the
# service itself arranges: replication, accounts, encryption, logs, debugging.
LEFT_OUT = re.compile(
    r"(admin|ssl|gtid|slave|replica|source|relay|rpl|master|aria|wsrep|myisam|key_cache|report|"
    r"performance_schema|encrypt|debug|plugin|persist|mandatory_roles|activate_|authentication|"
    r"socket|sha2|log_error|log_syslog|lower_case|page_size|fast_shutdown|force_|read_only|"
    r"undo_|innodb_dedicated|innodb_monitor|numa|mysqlx|old|core_|named_|large_|mem_root|"
    r"protocol_comp|init_|offline|keyring|daemonize|_uuid|system_user|skip|rewriter|component|"
    r"restrict_fk|password_require|flush$|tmpdir|server_id|log_bin|port|check_proxy|userstat|"
    r"tls_|stored_program_def|xa_det|upgrade|buf_dump|filename|aux_table|directories|_api_|"
    r"external_|secondary_|log_raw|server_memory|container_|keep_files|disabled_|thread_handling|"
    r"validate_|open_files_limit|native_aio|completion_type|diag_print|suspicious|^version|_uid$|system_time|protocol_ver|"
    r"builtin|ignore_db|_now$|lag_wait|proxy_|timestamp$|_tc_|linux_aio|temporal|size_max|^tcp_|"
    r"metadata_locks|buffer_pool_(dump|load|evict)|redo_log_arch)"
)
KINDS = {
    "integer": "integer", "int": "integer", "bigint": "integer",
    "numeric": "float", "double": "float", "boolean": "boolean",
    "string": "string", "varchar": "string",
    "enumeration": "options", "enum": "options", "set": "string", "flagset": "string",
}  # fmt: skip
LARGEST = 2**63 - 1  # what clients of the API can hold
READ_ONLY, DEPRECATED = 1238, 1287
MARIADB = """
SELECT LOWER(variable_name) AS name, variable_scope AS scope, variable_type AS kind,
       numeric_min_value AS low, numeric_max_value AS high, enum_value_list AS options
  FROM information_schema.system_variables"""
MYSQL = """
SELECT variable_name AS name, variable_scope AS scope, data_type AS kind,
       min_value AS low, max_value AS high, NULL AS options
  FROM performance_schema.variables_metadata"""


class Engine:
    """The running server, and what it would make of its settings file."""

    def __init__(self, program: str, settings: str) -> None:
        connection = pymysql.connect(unix_socket="/run/mysqld/mysqld.sock", user="root")
        self._cursor = connection.cursor(pymysql.cursors.DictCursor)
        self.started_with = self._explain(program, settings)
        self.running = {
            row["Variable_name"]: row["Value"] for row in self.rows("SHOW GLOBAL VARIABLES")
        }

    def _explain(self, program: str, settings: str) -> dict[str, str]:
        command = [program, f"--defaults-file={settings}", "--verbose", "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        table = done.stdout.rpartition("\n-----")[2].splitlines()[1:]
        pairs = (line.partition(" ") for line in table)
        return {name.replace("-", "_"): value.strip() for name, _, value in pairs}

    def rows(self, statement: str) -> list[dict[str, Any]]:
        self._cursor.execute(statement)
        return list(self._cursor.fetchall())

    def set(self, name: str, literal: str) -> set[int]:
        """Set a variable; returns the numbers of the errors and warnings."""
        # A statement with a table forgets the warnings of those before it.
        self.rows("SELECT 1 AS one FROM mysql.user LIMIT 1")
        try:
            self._cursor.execute(f"SET GLOBAL {name} = {literal}")
        except pymysql.MySQLError as error:
            return {error.args[0]}
        return {row["Code"] for row in self.rows("SHOW WARNINGS")}

    def get(self, name: str) -> str:
        return str(self.rows(f"SELECT @@GLOBAL.{name} AS value")[0]["value"])


def same(one: str, other: str) -> bool:
    """Whether what the server announced is what it then did."""
    switch = {"true": "on", "false": "off", "(no default value)": "", "yes": "on", "no": "off"}
    one, other = (switch.get(text.lower(), text.lower()) for text in (one, other))
    try:
        return float(one) == float(other)
    except ValueError:
        return sorted(one.split(",")) == sorted(other.split(","))


def options_of(engine: Engine, row: dict[str, Any], dynamic: bool) -> list[str]:
    """All values of an enumeration; MySQL does not tell, but takes them by number."""
    if row["options"]:
        return str(row["options"]).split(",")
    before, found = engine.get(row["name"]), []
    for number in range(16):
        if dynamic and not engine.set(row["name"], str(number)):
            found.append(engine.get(row["name"]))
    engine.set(row["name"], f"'{before}'")
    # A long list is one of things that come and go, such as collations.
    return found if 1 < len(found) < 9 else []


def rule_of(engine: Engine, row: dict[str, Any]) -> str | None:
    """A line of YAML; None for a variable that cannot be a setting."""
    name = row["name"]
    answers = engine.set(name, f"@@GLOBAL.{name}")
    dynamic, kind = READ_ONLY not in answers, KINDS.get(row["kind"].lower().split()[0])
    honest = same(engine.started_with[name], engine.running[name])
    if DEPRECATED in answers or kind is None or (dynamic and not honest):
        return None
    options = options_of(engine, row, dynamic) if kind == "options" else []
    kind = "string" if kind == "options" else kind
    parts = [f"name: {name}", f"type: {kind}", f"restart_required: {str(not dynamic).lower()}"]
    if kind in ("integer", "float") and row["high"] not in (None, "", "0"):
        number = int if kind == "integer" else lambda text: f"{float(text):g}"
        parts += [f"min: {number(row['low'])}"]
        if int(float(row["high"])) < LARGEST:
            parts += [f"max: {number(row['high'])}"]
    if options:
        parts += ["options: [" + ", ".join(f'"{option}"' for option in options) + "]"]
    line = "- {" + ", ".join(parts) + "}"
    return line if len(line) < 120 else line.replace(" options:", "\n   options:")


def main(program: str, settings: str, fixed: str, how: str) -> None:
    """Print one line a rule, by name."""
    engine, pattern = Engine(program, settings), re.compile(re.sub(r"\s", "", fixed))
    variables = engine.rows(MARIADB if "mariadb" in program else MYSQL)
    print(f"# {how}")
    for row in sorted(variables, key=lambda row: str(row["name"])):
        name = row["name"]
        known = name in engine.started_with and name in engine.running
        if not known or pattern.match(name) or LEFT_OUT.search(name):
            continue
        if "ONLY" not in row["scope"] and (rule := rule_of(engine, row)):
            print(rule)


if __name__ == "__main__":
    main(*sys.argv[1:])
