"""Where in a stranger's source it is that a clause is not kept: read there, at these versions.

The page shows them beside what was seen. What has no line here was seen, and not traced.
"""

from __future__ import annotations

FSSPEC = "fsspec 2026.9.0"

ROOTED = (
    "fsspec's DirFileSystem, which roots each home here, hands no transaction on (dirfs.py); "
    "LocalFileSystem and MemoryFileSystem by themselves keep this"
)
CLOSED = f"{FSSPEC}, spec.py:2337: leaving the block closes the file, whatever the reason"
MAGIC = (
    f"{FSSPEC}, spec.py:1292 and 1312: mv() and rm() expand every name as a pattern (spec.py:1241)"
)
IN_PLACE = f"{FSSPEC}, local.py:398: the file is opened in place, as Python's open() does"
NO_FOLDERS = "a store of objects has no folders, and nothing is asked of what stands above a name"
FORKED = f"{FSSPEC}, asyn.py:455: it refuses, in words"
FOLDERS_COPIED = (
    f"{FSSPEC}, spec.py:1298: mv() copies with on_error='raise' all that expand_path() names, "
    "and that are folders, too, which are no objects"
)
NO_MARK = (
    "a file that is written says that it cannot seek, and to such a one Python writes no byte "
    "order mark"
)
KEPT_LISTINGS = "listings are kept until this client itself writes"
NO_COPY = f"{FSSPEC}, spec.py:1183: SFTPFileSystem has no cp_file() of its own"
NO_OVERWRITING = "webdav4 0.11.0, fsspec.py:141: copy, and so mv(), does not overwrite"
ONE_CHANNEL = (
    f"{FSSPEC}, sftp.py:103: all threads share one client of paramiko 5.1.0, which drops an answer "
    "that another thread waits for (sftp_client.py:914)"
)

POLLED = (
    "jupyterhub 6.1.1, spawner.py:2221: what the kernel refuses comes out of poll(), and "
    "app.py:3073 takes that for a server that is not running"
)
ASKED_ONCE = (
    "jupyterhub 6.1.1, spawner.py:2242: a signal is sent once, and the hub asks stop() once"
)
BY_NUMBER = (
    "jupyterhub 6.1.1, spawner.py:2057: a process is known by its number alone, which the hub "
    "keeps when start() has returned"
)
NO_LIMITS = "the help of mem_limit says that a spawner may ignore it; nothing says so at the start"

BASE_NAME = (
    "jupyterhub 6.1.1, auth.py:496: a name is compared with username_pattern alone; its column "
    "has 255 characters (orm.py:258), which SQLite does not mind"
)
ONE_COOKIE = "oauthenticator 17.4.0, oauth2.py:90: one cookie holds the state of the latest tab"
NO_LOCK = "oauthenticator 17.4.0, oauth2.py:1340: refresh_user() does not know of another at work"
STATSD = "nativeauthenticator 1.3.0, handlers.py:485, see above"

OAUTH = {"AUTH-014": BASE_NAME, "AUTH-045": NO_LOCK, "AUTH-051": ONE_COOKIE}
PROCESS = {
    "SPAWNER-006": ASKED_ONCE,
    "SPAWNER-018": POLLED,
    "SPAWNER-023": ASKED_ONCE,
    "SPAWNER-031": BY_NUMBER,
    "SPAWNER-040": NO_LIMITS,
}
NO_JOB_YET = (
    "dask-jobqueue 0.9.0, local.py:75: what is closed before it has a number is taken for a number"
)
DISTRIBUTED = {
    "CLUSTER-005": "distributed 2026.8.0, spec.py:359: names of workers are given where "
    "Scheduler.retire_workers() takes addresses (scheduler.py:7492)",
    "CLUSTER-009": "distributed 2026.8.0, utils.py:430: sync() does not see a coroutine that was "
    "cancelled, and has then no result to return",
    "CLUSTER-015": "distributed 2026.8.0, deploy/cluster.py:120: a name is taken as it is given",
}
OWN_NAMES = (
    "dask-cloudprovider 2025.9.0, generic/vmcluster.py:120: a worker gets a name of its own, and "
    "SpecCluster, which gave it another, does not know it when it is there or gone"
)
NO_TIMEOUT = (
    "dask-cloudprovider 2025.9.0, generic/vmcluster.py: its documentation has them time out by "
    "default, but nothing sets a timeout, and distributed's is none; with "
    'scheduler_options={"idle_timeout": ...} all of it ends'
)
HOMES = {
    "HOME-010": CLOSED,
    "HOME-021": MAGIC,
    "HOME-022": MAGIC,
    "HOME-045": ROOTED,
    "HOME-048": "it is HOME-010",
}

CAUSES: dict[str, dict[str, str]] = {
    "spawner-simple": PROCESS,
    "spawner-localprocess": PROCESS,
    "spawner-sudo": {
        **PROCESS,
        "SPAWNER-013": "jupyterhub 6.1.1, spawner.py:2197: no number of a process is no process, "
        "and sudospawner 1.0.0 has none until its mediator has answered (spawner.py:102)",
        "SPAWNER-023": "sudospawner 1.0.0, spawner.py:119: a mediator is asked once",
        "SPAWNER-024": "sudospawner 1.0.0, spawner.py:102: the number of a process is known when "
        "the mediator has answered; a start that is cancelled before has nothing to stop",
        "SPAWNER-062": "sudospawner 1.0.0, mediator.py: by design it starts what stands beside "
        "its script, and never `cmd`; that the option is ignored is not said",
    },
    "spawner-batch": {
        "SPAWNER-005": "batchspawner 1.3.0, batchspawner.py:256: whatever the command says is a "
        "RuntimeError",
        "SPAWNER-006": "batchspawner 1.3.0, batchspawner.py:438: an error of squeue is taken for "
        "no job (732), and the number of the one that runs is forgotten",
        "SPAWNER-007": "batchspawner 1.3.0, batchspawner.py:285: a job's number is known when "
        "sbatch has answered; a start that is cancelled before has nothing to cancel",
        "SPAWNER-013": "batchspawner 1.3.0, batchspawner.py:303: no number of a job is no job",
        "SPAWNER-016": "batchspawner 1.3.0, batchspawner.py:732: two of Slurm's errors are known "
        "to mean that nothing is known; all others mean that there is no job",
        "SPAWNER-022": "batchspawner 1.3.0, batchspawner.py:471: with now it is over when scancel "
        "has answered",
        "SPAWNER-023": "batchspawner 1.3.0, batchspawner.py:470: scancel is asked once",
        "SPAWNER-024": "batchspawner 1.3.0, batchspawner.py:285, as SPAWNER-007",
        "SPAWNER-031": "batchspawner 1.3.0, batchspawner.py:350: a job is known by its number "
        "alone, which the hub keeps when start() has returned",
        "SPAWNER-040": NO_LIMITS,
        "SPAWNER-062": "batchspawner 1.3.0, batchspawner.py:425: start() is over when the job "
        "runs; what it ended with soon after is in the job's log, and nobody asks",
    },
    "auth-dummy": {"AUTH-014": BASE_NAME},
    "auth-olddummy": {"AUTH-014": BASE_NAME},
    "auth-firstuse": {"AUTH-014": BASE_NAME},
    "auth-native": {"AUTH-034": STATSD, "AUTH-051": STATSD, "AUTH-053": STATSD},
    "auth-generic": OAUTH,
    "auth-genericbytoken": OAUTH,
    "auth-azuread": OAUTH,
    "auth-github": OAUTH,
    "auth-gitlab": OAUTH,
    "auth-google": OAUTH,
    "cluster-local": DISTRIBUTED,
    "cluster-spec": DISTRIBUTED,
    "cluster-jobqueue": {
        "CLUSTER-005": DISTRIBUTED["CLUSTER-005"],
        "CLUSTER-010": NO_JOB_YET,
        "CLUSTER-014": NO_JOB_YET,
        "CLUSTER-015": DISTRIBUTED["CLUSTER-015"],
    },
    "cluster-ec2": {
        "CLUSTER-005": DISTRIBUTED["CLUSTER-005"],
        "CLUSTER-007": OWN_NAMES,
        "CLUSTER-009": "dask-cloudprovider 2025.9.0, aws/ec2.py:230: each end makes a new client, "
        "and aiobotocore 3.10.0 makes that one's connector in a thread (httpsession.py:217), of "
        "which an interpreter that ends has no more",
        "CLUSTER-014": "dask-cloudprovider 2025.9.0, generic/vmcluster.py:52: a scheduler is "
        "waited for without end; and aws/ec2.py:234: a worker that was refused has no instance to "
        "end, so that close() raises before it ends the scheduler",
        "CLUSTER-015": DISTRIBUTED["CLUSTER-015"],
        "CLUSTER-017": OWN_NAMES,
        "CLUSTER-020": NO_TIMEOUT,
        "CLUSTER-022": "distributed 2026.8.0, deploy/cluster.py:231: when the scheduler's "
        "connection ends, the status is left as it is",
        "CLUSTER-023": "dask-cloudprovider 2025.9.0, aws/ec2.py:229: a request is tried ten "
        "times, with longer and longer pauses, and nothing bounds close()",
        "CLUSTER-032": NO_TIMEOUT,
    },
    "cluster-operator": {
        "CLUSTER-013": "dask-kubernetes 2026.3.0, operator/kubecluster/kubecluster.py:791: "
        "__enter__() looks at nothing",
        "CLUSTER-022": "distributed 2026.8.0, deploy/cluster.py:231: when the scheduler's "
        "connection ends, the status is left as it is",
    },
    "cluster-gateway": {
        "CLUSTER-009": "dask-gateway 2026.3.0, client.py:1046: the loop is asked for after another "
        "thread has stopped it",
        "CLUSTER-013": "dask-gateway 2026.3.0, client.py:1054: __enter__() looks at nothing",
        "CLUSTER-022": "dask-gateway 2026.3.0, client.py:1126: when the scheduler's connection "
        "ends, the status is left as it is",
    },
    "data-intake1": {
        "DATA-004": "intake 2.0.9, catalog/base.py:478: a name with a dot is taken apart",
        "DATA-005": "intake 2.0.9, catalog/utils.py:208: what is not declared goes to the driver, "
        "as its documentation says",
        "DATA-009": "intake 2.0.9, catalog/local.py:726: the error does not name the document",
        "DATA-010": "intake 2.0.9, catalog/local.py:733: one entry that is wrong refuses all",
        "DATA-013": "intake 2.0.9, catalog/local.py:250: metadata and arguments are handed out as "
        "they are kept",
    },
    "data-intake2": {
        "DATA-011": "intake 2.0.9, readers/entry.py:176: a reader that is not there is imported, "
        "with nothing said of who wants it",
        "DATA-010": "intake 2.0.9, readers/entry.py:462: an entry that is no mapping is kept as "
        "it is",
        "DATA-016": "intake 2.0.9, readers/entry.py:451: the error says no more than that",
        "DATA-009": "intake 2.0.9, readers/entry.py:433: what was parsed is used unseen",
        "DATA-030": "intake 2.0.9, readers/entry.py: a Catalog has no reload()",
        "DATA-032": "intake 2.0.9, readers/entry.py: a Catalog has no reload()",
    },
    "data-tiled": {
        "DATA-004": "tiled 0.2.20, client/container.py:371: a name goes into the URL as it is",
        "DATA-032": "tiled 0.2.20, client/container.py:371: each entry is asked for by its name, "
        "and may be gone since the names were",
        "DATA-030": "tiled 0.2.20, client/dataframe.py:118: what is open asks the server for its "
        "rows when they are read",
    },
    "homespace-local": {
        **HOMES,
        "HOME-009": IN_PLACE,
        "HOME-010": f"{FSSPEC}, local.py:523 and 398: written in place, and closed as it is",
        "HOME-011": IN_PLACE,
        "HOME-012": IN_PLACE,
        "HOME-013": f"{FSSPEC}, spec.py:872: it looks whether the file is there, and then writes; "
        "a comment says so",
        "HOME-017": IN_PLACE,
        "HOME-044": IN_PLACE,
    },
    "homespace-memory": {
        **HOMES,
        "HOME-010": f"{FSSPEC}, memory.py:328: the file is there from when it is opened",
        "HOME-011": f"{FSSPEC}, memory.py:328: the file is there from when it is opened",
        "HOME-013": f"{FSSPEC}, memory.py:325: it looks whether the file is there, and then writes",
        "HOME-016": NO_FOLDERS,
        "HOME-042": "it is a dictionary of one process, as its documentation says",
    },
    "homespace-s3": {
        **HOMES,
        "HOME-002": "s3fs 2026.9.0, core.py:2376: S3 itself says nothing of a key that was not "
        "there, and s3fs does not ask",
        "HOME-003": "s3fs 2026.9.0, core.py:1335: a range is asked of an object without bytes, "
        "which S3 refuses",
        "HOME-008": NO_MARK,
        "HOME-015": FOLDERS_COPIED,
        "HOME-016": NO_FOLDERS,
        "HOME-024": "s3fs 2026.9.0, core.py:1302: a ValueError says it in words",
        "HOME-037": "s3fs 2026.9.0, core.py:621: a client is kept, with the credentials that it "
        "was made of",
        "HOME-040": f"s3fs 2026.9.0, core.py:872: {KEPT_LISTINGS}",
        "HOME-041": FOLDERS_COPIED,
        "HOME-042": FORKED,
        "HOME-046": "s3fs 2026.9.0, core.py:170: what got no answer is sent again, and refused "
        "since it is there; botocore's errors come out as they are",
        "HOME-048": "it is HOME-002",
    },
    "homespace-azure": {
        **HOMES,
        "HOME-003": "adlfs 2026.8.0, spec.py:1557: a range is asked of a blob without bytes, and "
        "the refusal comes out as the SDK has it",
        "HOME-004": "adlfs 2026.8.0, spec.py:1558: a start that is counted from the end is sent to "
        "the service as it is",
        "HOME-008": NO_MARK,
        "HOME-009": "adlfs 2026.8.0, spec.py:2344: a block that was refused is a RuntimeError",
        "HOME-006": "adlfs 2026.8.0, spec.py:2350: only to a file that append mode itself has made "
        "can it add",
        "HOME-011": "adlfs 2026.8.0, spec.py:2215: each part of a file is read without a condition "
        "on its version",
        "HOME-015": FOLDERS_COPIED,
        "HOME-016": NO_FOLDERS,
        "HOME-020": f"adlfs 2026.8.0, spec.py:442, and {FSSPEC}, utils.py:76: a name is read as a "
        "URL, whose fragment is left out if it is empty",
        "HOME-037": "adlfs 2026.8.0, spec.py:1573: the service's own error comes out",
        "HOME-040": f"adlfs 2026.8.0, spec.py:746: {KEPT_LISTINGS}",
        "HOME-041": f"{FSSPEC}, spec.py:2293: of the folders above a new file only the nearest "
        "one's listing is forgotten",
        "HOME-042": FORKED,
        "HOME-046": "adlfs 2026.8.0, spec.py:2350, as HOME-006",
        "HOME-044": CLOSED,
    },
    "homespace-sftp": {
        **HOMES,
        "HOME-002": NO_COPY,
        "HOME-004": f"{FSSPEC}, sftp.py:231: the file is paramiko's, which has no size",
        "HOME-005": NO_COPY,
        "HOME-007": "paramiko 5.1.0, sftp_client.py:369: mode xb asks for a file that is opened "
        "neither for reading nor for writing",
        "HOME-010": f"{FSSPEC}, sftp.py:231: written in place, and closed as it is",
        "HOME-011": f"{FSSPEC}, sftp.py:231: written in place",
        "HOME-012": ONE_CHANNEL,
        "HOME-015": f"{FSSPEC}, sftp.py:240: mv() takes no `recursive`",
        "HOME-016": NO_COPY,
        "HOME-017": f"{FSSPEC}, sftp.py:231: written in place",
        "HOME-018": f"{FSSPEC}, spec.py:778: made of what info() says, which has times in whole "
        "seconds",
        "HOME-021": NO_COPY,
        "HOME-041": NO_COPY,
        "HOME-042": f"{FSSPEC}, sftp.py:103: the connection lives in a thread, and no thread comes "
        "along in a fork",
        "HOME-043": ONE_CHANNEL,
    },
    "homespace-webdav": {
        **HOMES,
        "HOME-005": NO_OVERWRITING,
        "HOME-006": "webdav4 0.11.0, fsspec.py:282: an assertion",
        "HOME-007": "webdav4 0.11.0, fsspec.py:316: pipe_file() does not know `mode`",
        "HOME-009": "webdav4 0.11.0, fsspec.py:62: three errors are translated, and the others "
        "come out as httpx has them",
        "HOME-010": "webdav4 0.11.0, fsspec.py:537: leaving the block uploads, whatever the reason",
        "HOME-011": NO_OVERWRITING,
        "HOME-014": NO_OVERWRITING,
        "HOME-016": "webdav4 0.11.0, fsspec.py:62, as HOME-009",
        "HOME-018": "webdav4 0.11.0, fsspec.py:304: the server's tag, which wsgidav 4.4.0 makes of "
        "whole seconds and the size (util.py:1481)",
        "HOME-020": "webdav4 0.11.0, urls.py:26: a path goes into the URL as it is, where "
        "what looks like an escape is taken for one",
        "HOME-023": "webdav4 0.11.0, fsspec.py:131: rm_file() does not look whether it is a folder",
        "HOME-045": f"webdav4 0.11.0, fsspec.py:287: `autocommit` is dropped; besides, {ROOTED}",
        "HOME-046": "webdav4 0.11.0, fsspec.py:62, as HOME-009; nothing is tried again",
    },
}
"""By the report's name and the clause."""
