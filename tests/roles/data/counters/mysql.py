"""Counts in two tables at once, from 1 on; tells on its output when each number was written."""

import sys
import time

import pymysql

db = pymysql.connect(unix_socket="/run/mysqld/mysqld.sock", user="root", autocommit=False)
cursor = db.cursor()
if sys.argv[1:] == ["look"]:
    for table in ("a", "b"):
        cursor.execute(f"SELECT n FROM counted.{table} ORDER BY place")
        print(*[row[0] for row in cursor.fetchall()])
    cursor.execute("SHOW TABLES FROM counted LIKE 'later'")
    print(len(cursor.fetchall()))
    sys.exit()
cursor.execute("CREATE DATABASE counted")
for table in ("a", "b"):
    cursor.execute(
        f"CREATE TABLE counted.{table} (place INT AUTO_INCREMENT PRIMARY KEY, n INT, t BLOB)"
    )
print("ready", flush=True)
sys.stdin.readline()
cursor.execute("CREATE TABLE counted.later (i INT PRIMARY KEY)")
for n in range(1, 10**6):
    began = time.time()
    for table in ("a", "b"):
        cursor.execute(f"INSERT INTO counted.{table} (n, t) VALUES (%s, %s)", (n, b"\x00x" * 50))
    db.commit()
    print(n, began, time.time(), flush=True)
    time.sleep(0.02)
