-- What the agent may call, and all that it may do. It proves that the engine
-- writes and reads, and tells what there is, names only. The heartbeat stays
-- out of the binary log: each server has its own.
CREATE DATABASE IF NOT EXISTS coffer;
CREATE TABLE IF NOT EXISTS coffer.heartbeat (
  id TINYINT UNSIGNED PRIMARY KEY,
  at DATETIME(6) NOT NULL
);
DROP PROCEDURE IF EXISTS coffer.probe;
DELIMITER //
CREATE DEFINER = root@localhost PROCEDURE coffer.probe()
  MODIFIES SQL DATA
  SQL SECURITY DEFINER
  COMMENT '@SUM@'
BEGIN
  DECLARE now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
  DECLARE seen DATETIME(6) DEFAULT NULL;
  IF NOT @@GLOBAL.super_read_only THEN
    SET SESSION sql_log_bin = 0;
    INSERT INTO coffer.heartbeat VALUES (1, now) AS new ON DUPLICATE KEY UPDATE at = new.at;
    SET SESSION sql_log_bin = 1;
    SELECT at INTO seen FROM coffer.heartbeat WHERE id = 1;
  ELSE
    SELECT now INTO seen FROM (SELECT COUNT(*) FROM coffer.heartbeat) AS readable;
  END IF;
  SELECT JSON_OBJECT(
    'state', IF(seen = now, 'HEALTHY', 'FAILED'),
    'version', SUBSTRING_INDEX(VERSION(), '-', 1),
    'uptime', (SELECT CAST(variable_value AS UNSIGNED) FROM performance_schema.global_status
                WHERE variable_name = 'Uptime'),
    'connections', (SELECT CAST(variable_value AS UNSIGNED) FROM performance_schema.global_status
                     WHERE variable_name = 'Threads_connected'),
    'databases', (SELECT COALESCE(JSON_ARRAYAGG(JSON_OBJECT('name', schema_name)), JSON_ARRAY())
                    FROM information_schema.schemata
                   WHERE schema_name NOT IN (@DATABASES@)),
    'users', (SELECT COALESCE(JSON_ARRAYAGG(JSON_OBJECT(
                       'name', account.user,
                       'host', account.host,
                       'databases', (SELECT COALESCE(JSON_ARRAYAGG(JSON_OBJECT('name', granted.db)),
                                                     JSON_ARRAY())
                                       FROM mysql.db AS granted
                                      WHERE granted.user = account.user
                                        AND granted.host = account.host))), JSON_ARRAY())
                FROM mysql.user AS account
               WHERE account.user NOT IN (@USERS@)));
END//
DELIMITER ;
GRANT EXECUTE ON PROCEDURE coffer.probe TO `coffer-agent`@localhost;
