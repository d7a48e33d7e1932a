"""What people ask of the service, whether it may be granted or not."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.model.records import Records
from tests.model.rows import RAM, BackupRow, Op, Row
from tests.model.site import Site

SOME = st.integers(0, 99)
"""Which of those that are there; taken modulo their number."""
FLAVORS = st.sampled_from(sorted(RAM))
NAMES = st.sampled_from(["one", "two"])


class Requests(RuleBasedStateMachine):
    """Requests; each is granted or refused as the model says."""

    site: Site

    def __init__(self) -> None:
        super().__init__()
        self.service = self.site.fresh()
        self.model = Records(self.service.provider)
        self.groups = [self._group(number) for number in range(2)]

    def _group(self, number: int) -> str:
        body = {"name": f"g{number}", "values": {"max_connections": 100 + number}}
        made = self._ask("POST", "/configurations", {"configuration": body})
        return str(made.json["configuration"]["id"])

    def _ask(
        self, method: str, path: str, body: Any = None, refused: Any = (), role: str = "admin"
    ) -> Any:
        """The answer if it was granted, None if it was refused as the model says."""
        answer = self.service.api.call(method, path, body, role=role)
        due = sorted(refused) or [200, 202, 204]
        assert answer.status_code in due, (method, path, body, due, answer.text)
        return None if refused else answer

    def _begin(self, answer: Any, kind: str, *instances: str, **more: Any) -> None:
        if answer is not None:
            self.model.begin(answer.headers["coffer-operation-id"], kind, *instances, **more)

    def _row(self, which: int) -> Row | None:
        living = self.model.living()
        return living[which % len(living)] if living else None

    # instances

    @rule(flavor=FLAVORS, size=st.integers(1, 3), backup=st.none() | SOME)
    def create(self, flavor: str, size: int, backup: int | None) -> None:
        wish: dict[str, Any] = {"name": "db", "flavorRef": flavor, "volume": {"size": size}}
        refused = {413} if self.model.exceeds(instances=1, ram=RAM[flavor], volumes=size) else set()
        kind, more = "instance_create", {}
        found = self._backup(backup)
        if found is not None:
            kind, more = (
                "instance_restore",
                {"changes": {"repository": found.instance, "backup": found.id}},
            )
            wish["restorePoint"] = {"backupRef": found.id}
            if self.model.backup_status(found) != "COMPLETED" or self.model.uses(
                found.instance, "backup_delete"
            ):
                refused |= {409}
        answer = self._ask("POST", "/instances", {"instance": wish}, refused, "member")
        if answer is not None:
            key = answer.json["instance"]["id"]
            self.model.rows[key] = Row(key, flavor, size)
            self._begin(answer, kind, key, **more)

    @rule(which=SOME)
    def delete(self, which: int) -> None:
        if row := self._row(which):
            refused = {422} if self.model.task(row) in ("BUILD", "SHUTDOWN") else set()
            refused |= {403} if self.model.followers(row) else set()
            answer = self._ask("DELETE", f"/instances/{row.id}", None, refused)
            self._begin(answer, "instance_delete", row.id)

    @rule(which=SOME, action=st.sampled_from(["restart", "reboot", "stop"]))
    def act(self, which: int, action: str) -> None:
        if row := self._row(which):
            good = self.model.idle(row) if action == "reboot" else self.model.can_act(row)
            place = "" if action == "restart" else "/mgmt"
            path = f"{place}/instances/{row.id}/action"
            answer = self._ask("POST", path, {action: {}}, set() if good else {422})
            self._begin(answer, f"instance_{action}", row.id)

    @rule(which=SOME, size=st.integers(1, 4))
    def grow(self, which: int, size: int) -> None:
        if row := self._row(which):
            rows = [row, *(each for each in self.model.followers(row) if each.volume < size)]
            refused = {400} if size <= row.volume else set()
            refused |= set() if all(map(self.model.can_act, rows)) else {422}
            if self.model.exceeds(volumes=sum(max(0, size - each.volume) for each in rows)):
                refused |= {413}
            answer = self._resize(row, {"volume": {"size": size}}, refused)
            self._begin(answer, "instance_resize", row.id, changes={"volume": size})
            if answer is not None:
                self._adopt_growth(rows[1:], size)

    def _adopt_growth(self, followers: list[Row], size: int) -> None:
        """Each follower has an operation of its own."""
        for row in followers:
            path = f"/operations?instance_id={row.id}&limit=1"
            newest = self._ask("GET", path).json["operations"][0]
            self.model.begin(newest["id"], "instance_resize", row.id, changes={"volume": size})

    @rule(which=SOME, flavor=FLAVORS)
    def resize(self, which: int, flavor: str) -> None:
        if row := self._row(which):
            refused = {400} if flavor == row.flavor else set()
            refused |= set() if self.model.can_act(row) else {422}
            more = RAM[flavor] - RAM[row.flavor]
            refused |= {413} if self.model.exceeds(ram=more) else set()
            answer = self._resize(row, {"flavorRef": flavor}, refused)
            self._begin(answer, "instance_resize", row.id, changes={"flavor": flavor})

    def _resize(self, row: Row, wanted: Any, refused: set[int]) -> Any:
        return self._ask("POST", f"/instances/{row.id}/action", {"resize": wanted}, refused)

    @rule(which=SOME)
    def allow(self, which: int) -> None:
        if row := self._row(which):
            there = row.built and self.model.task(row) not in ("BUILD", "SHUTDOWN")
            body = {"instance": {"access": {"allowed_cidrs": ["192.0.2.0/24"]}}}
            path = f"/instances/{row.id}"
            answer = self._ask("PUT", path, body, set() if there else {422})
            self._begin(answer, "access_update", row.id)

    @rule(which=SOME, force=st.booleans())
    def reset_status(self, which: int, force: bool) -> None:
        if row := self._row(which):
            body = {"reset_status": {"force_delete": True} if force else {}}
            role = "member" if force else "admin"
            self._ask("POST", f"/instances/{row.id}/action", body, role=role)
            for op in self.model.active_of(row.id):
                self._abort(op)
            row.health = "ERROR"

    # databases, users, groups

    @rule(which=SOME, name=NAMES, thing=st.sampled_from(["database", "user"]))
    def add(self, which: int, name: str, thing: str) -> None:
        if row := self._row(which):
            known = row.databases if thing == "database" else row.users
            refused = self._accounts_refused(row) | ({400} if name in known else set())
            item = {"name": name} | ({"password": "Secret-123456"} if thing == "user" else {})
            path = f"/instances/{row.id}/{thing}s"
            answer = self._ask("POST", path, {f"{thing}s": [item]}, refused)
            self._begin(answer, f"{thing}_create", row.id)

    @rule(which=SOME, name=NAMES, thing=st.sampled_from(["database", "user"]))
    def remove(self, which: int, name: str, thing: str) -> None:
        if row := self._row(which):
            known = row.databases if thing == "database" else row.users
            refused = self._accounts_refused(row) | (set() if name in known else {404})
            path = f"/instances/{row.id}/{thing}s/{name}"
            self._begin(self._ask("DELETE", path, None, refused), f"{thing}_delete", row.id)

    def _accounts_refused(self, row: Row) -> set[int]:
        refused = set() if self.model.runs(row) else {422}
        return refused | ({400} if row.source else set())

    @rule(which=SOME, number=st.none() | st.integers(0, 1))
    def configure(self, which: int, number: int | None) -> None:
        if row := self._row(which):
            group = None if number is None else self.groups[number]
            path, body = f"/instances/{row.id}", {"instance": {"configuration": group}}
            if group is None and row.group is None:
                self._ask("PUT", path, body)  # there is nothing to do
                return
            refused = {400} if self.model.task(row) or group == row.group else set()
            refused |= set() if self.model.runs(row) else {422}
            answer = self._ask("PUT", path, body, refused)
            kind = "configuration_detach" if group is None else "configuration_attach"
            self._begin(answer, kind, row.id, changes={"group": group})

    # backups

    def _backup(self, which: int | None) -> BackupRow | None:
        found = list(self.model.backups.values())
        return None if which is None or not found else found[which % len(found)]

    @rule(which=SOME, incremental=st.booleans())
    def back_up(self, which: int, incremental: bool) -> None:
        if row := self._row(which):
            busy = not self.model.runs(row) or bool(self.model.active_of(row.id))
            refused = {422} if busy else set()
            refused |= {413} if self.model.exceeds(backups=1) else set()
            body = {"name": "b", "instance": row.id, "incremental": int(incremental)}
            answer = self._ask("POST", "/backups", {"backup": body}, refused)
            if answer is not None:
                made = answer.json["backup"]
                maker = answer.headers["coffer-operation-id"]
                self.model.backups[made["id"]] = BackupRow(
                    made["id"], row.id, maker, parent=made["parent_id"]
                )
                self._begin(answer, "backup_create", row.id, backups=[made["id"]])

    @rule(which=SOME)
    def delete_backup(self, which: int) -> None:
        if backup := self._backup(which):
            family = self._family(backup)
            states = [self.model.backup_status(row) for row in family]
            busy = {"NEW", "BUILDING"} & set(states) or self.model.uses(
                backup.instance, "backup_delete", "instance_restore"
            )
            answer = self._ask("DELETE", f"/backups/{backup.id}", None, {422} if busy else set())
            if answer is None:
                return
            if "coffer-operation-id" not in answer.headers:
                assert set(states) == {"FAILED"}
                self._forget(family)
                return
            more = {"backups": [row.id for row in family]}
            changes = {"repository": backup.instance}
            self._begin(answer, "backup_delete", backup.instance, changes=changes, **more)

    def _family(self, backup: BackupRow) -> list[BackupRow]:
        found = [backup]
        for each in found:
            found += [row for row in self.model.backups.values() if row.parent == each.id]
        return found

    def _forget(self, family: list[BackupRow]) -> None:
        for row in family:
            self.model.forget_backup(row.id)

    # replicas

    @rule(which=SOME)
    def replicate(self, which: int) -> None:
        if row := self._row(which):
            refused = {400} if row.source else set()
            refused |= set() if self.model.runs(row) else {422}
            more = {"instances": 1, "ram": RAM[row.flavor], "volumes": row.volume}
            refused |= {413} if self.model.exceeds(**more) else set()
            body = {"instance": {"name": "db", "replica_of": row.id}}
            answer = self._ask("POST", "/instances", body, refused)
            if answer is not None:
                key = answer.json["instance"]["id"]
                self.model.rows[key] = Row(
                    key, row.flavor, row.volume, source=row.id, group=row.group
                )
                self._begin(answer, "replica_create", key, row.id)

    @rule(which=SOME)
    def promote(self, which: int) -> None:
        if row := self._row(which):
            rows = [row, *self.model.others(row)]
            refused = set() if row.source else {400}
            refused |= self._set_refused(rows, self.model.runs)
            answer = self._replica_action(row, "promote_to_replica_source", refused)
            keys = [each.id for each in rows]
            self._begin(answer, "replica_promote", *keys, changes={"source": None})

    @rule(which=SOME)
    def eject(self, which: int) -> None:
        if row := self._row(which):
            followers = self.model.followers(row)
            refused = set() if followers and row.health == "ERROR" else {400}
            refused |= self._set_refused(followers, self.model.can_act)
            refused |= {422} if self.model.active_of(row.id) else set()
            answer = self._replica_action(row, "eject_replica_source", refused)
            self._begin(answer, "replica_eject", row.id, *(each.id for each in followers))

    @rule(which=SOME)
    def detach(self, which: int) -> None:
        if row := self._row(which):
            refused = set() if row.source else {400}
            refused |= self._set_refused([row], self.model.can_act)
            body = {"instance": {"replica_of": ""}}
            answer = self._ask("PUT", f"/instances/{row.id}", body, refused)
            self._begin(answer, "replica_detach", row.id, changes={"source": None})

    def _set_refused(self, rows: list[Row], good: Any) -> set[int]:
        ready = all(good(row) and not self.model.active_of(row.id) for row in rows)
        return set() if ready else {422}

    def _replica_action(self, row: Row, action: str, refused: set[int]) -> Any:
        return self._ask("POST", f"/instances/{row.id}/action", {action: {}}, refused)

    def _abort(self, op: Op) -> None:
        if op.state == "queued" and op.attempt == 0:
            self.model.end(op, "aborted")
        else:
            op.abort = op.active
