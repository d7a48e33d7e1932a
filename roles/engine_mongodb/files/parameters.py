"""Prints the rules of catalogue/parameters-*.yml for a running MongoDB, as JSON of one line each.

Run as root in a guest without a configuration group: `python3 - PORT < parameters.py`. Of each
parameter below, the server says whether it can be set while it runs, and its value is the default
and tells the type. Ranges are those of MongoDB's manual. Options of the file of settings (names
with a dot) are not known to the server as such: their rules are written by hand, below the others.
"""

import json
import sys

sys.path.insert(0, "/usr/local/lib/coffer/mongodb")
from coffer_mongodb import Connection

# Name: least and greatest value, or the only values there are.
RANGES: dict[str, list[object]] = {
    "allowDiskUseByDefault": [],
    "cursorTimeoutMillis": [1, 2147483647],
    "clientCursorMonitorFrequencySecs": [1, 3600],
    "diagnosticDataCollectionEnabled": [],
    "diagnosticDataCollectionPeriodMillis": [100, 60000],
    "enableFlowControl": [],
    "flowControlTargetLagSeconds": [1, 3600],
    "flowControlWarnThresholdSeconds": [0, 3600],
    "indexMaxNumGeneratedKeysPerDocument": [1, 10000000],
    "internalDocumentSourceGroupMaxMemoryBytes": [1048576, 10737418240],
    "internalInsertMaxBatchSize": [1, 10000],
    "internalLookupStageIntermediateDocumentMaxSizeBytes": [16793600, 1073741824],
    "internalQueryCacheMaxEntriesPerCollection": [0, 1000000],
    "internalQueryEnumerationMaxOrSolutions": [0, 1000],
    "internalQueryExecYieldIterations": [-1, 1000000],
    "internalQueryExecYieldPeriodMS": [0, 10000],
    "internalQueryFacetBufferSizeBytes": [1048576, 2147483647],
    "internalQueryFacetMaxOutputDocSizeBytes": [16777216, 10737418240],
    "internalQueryForceClassicEngine": [],
    "internalQueryIgnoreUnknownJSONSchemaKeywords": [],
    "internalQueryMaxAddToSetBytes": [1048576, 10737418240],
    "internalQueryMaxBlockingSortMemoryUsageBytes": [1048576, 2147483647],
    "internalQueryMaxPushBytes": [1048576, 2147483647],
    "internalQueryPlanEvaluationMaxResults": [0, 100000],
    "internalQueryPlanEvaluationWorks": [1, 1000000],
    "internalQueryPlannerEnableHashIntersection": [],
    "internalQueryPlannerEnableIndexIntersection": [],
    "internalQueryPlannerMaxIndexedSolutions": [1, 10000],
    "internalQueryJavaScriptFnTimeoutMillis": [1, 3600000],
    "internalQueryJavaScriptHeapSizeLimitMB": [1, 1100],
    "jsHeapLimitMB": [1, 4096],
    "localLogicalSessionTimeoutMinutes": [1, 1440],
    "logicalSessionRefreshMillis": [1000, 3600000],
    "maxBSONDepth": [32, 250],
    "maxIndexBuildDrainBatchSize": [1, 100000],
    "maxIndexBuildMemoryUsageMegabytes": [50, 65536],
    "maxLogSizeKB": [1, 1024],
    "maxNumActiveUserIndexBuilds": [0, 64],
    "maxSessions": [1000, 10000000],
    "maxTransactionLockRequestTimeoutMillis": [0, 3600000],
    "maxValidateMBperSec": [0, 65536],
    "periodicNoopIntervalSecs": [1, 10],
    "readHedgingMode": ["on", "off"],
    "replWriterMinThreadCount": [0, 256],
    "replWriterThreadCount": [1, 256],
    "scramIterationCount": [5000, 1000000],
    "scramSHA256IterationCount": [5000, 1000000],
    "tcmallocAggressiveMemoryDecommit": [0, 1],
    "tcmallocMaxTotalThreadCacheBytes": [1048576, 4294967296],
    "tcmallocReleaseRate": [0, 10],
    "temporarilyUnavailableBackoffBaseMs": [0, 60000],
    "temporarilyUnavailableMaxRetries": [0, 1000],
    "traceWriteConflictExceptions": [],
    "transactionLifetimeLimitSeconds": [1, 86400],
    "ttlMonitorEnabled": [],
    "ttlMonitorSleepSecs": [1, 86400],
    "wiredTigerConcurrentReadTransactions": [1, 10000],
    "wiredTigerConcurrentWriteTransactions": [1, 10000],
    "wiredTigerCursorCacheSize": [-100000, 100000],
    "wiredTigerSessionCloseIdleTimeSecs": [0, 86400],
    "writePeriodicNoops": [],
    "watchdogPeriodSeconds": [-1, 86400],
}

# What the server takes while it runs, but whose default depends on the machine, or which it takes
# only if it was started with it.
FIXED = {
    "tcmallocMaxTotalThreadCacheBytes",
    "watchdogPeriodSeconds",
    "wiredTigerConcurrentReadTransactions",
    "wiredTigerConcurrentWriteTransactions",
}


def rule(name: str, details: dict[str, object]) -> dict[str, object] | None:
    """The rule of a parameter, None if the server has none that a group could hold."""
    kinds = {bool: "boolean", int: "integer", float: "float", str: "string"}
    kind = next((kinds[each] for each in kinds if isinstance(details["value"], each)), None)
    if kind is None or not details["settableAtStartup"]:
        return None
    made: dict[str, object] = {
        "name": name,
        "type": kind,
        "restart_required": name in FIXED or not details["settableAtRuntime"],
    }
    if not made["restart_required"]:
        made["default"] = details["value"]
    limits = RANGES[name]
    if kind == "string":
        return made | {"options": limits} if limits else made
    if kind == "boolean" or not limits:
        return made
    return made | {"min": limits[0], "max": limits[1]}


def main() -> None:
    """Ask for all parameters, print the rules of those above."""
    server = Connection(int(sys.argv[1]), "root")
    asked = {"getParameter": {"showDetails": True, "allParameters": True}}
    found = server.command("admin", asked)
    for name in sorted(RANGES, key=str.lower):
        made = rule(name, found[name]) if name in found else None
        if made:
            print(f"- {json.dumps(made)}")


main()
